"""Random bits by Philox 4x32 with 10 rounds, as XLA numbers them.

Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (2011). A
state is u32[4]: a key of two words and a counter of two, each its lower word first.
XLA counts in 128 bits whose upper half starts as the key (its `PhiloxBitGenerator`).
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from lowering.element_call import element_call
from lowering.normalise.bits import high_product, right

U32 = np.uint32
WORDS_PER_BLOCK = 4
_ROUNDS = U32(10)
_FACTORS = U32(0xD2511F53), U32(0xCD9E8D57)
_KEY_STEPS = U32(0x9E3779B9), U32(0xBB67AE85)


def word(state: tuple[Any, Any, Any, Any], number: Any) -> Any:
    """u32[...]: word `number` of the stream that begins at the state's counter."""
    return element_call("philox4x32_u32", _word, *state, number)


def added(low: Any, high: Any, number: Any) -> tuple[Any, Any]:
    """A number added to one of two words, modulo 2^64."""
    total = low + number
    return total, high + (total < low).astype(jnp.uint32)


def _word(k0: Any, k1: Any, low: Any, high: Any, number: Any) -> Any:
    """Words of a block are neighbours; a block is what the rounds make of a count."""
    x0, x1 = added(low, high, right(number, 2))
    is_past = (x1 < high) | ((x1 == high) & (x0 < low))
    x2, x3 = added(k0, k1, is_past.astype(jnp.uint32))
    start = (U32(0) * number, x0, x1, x2, x3, k0, k1)
    _, x0, x1, x2, x3, *_ = lax.while_loop(lambda s: s[0] < _ROUNDS, _round, start)
    part = number & U32(3)
    upper = jnp.where(part == U32(2), x2, x3)
    return jnp.where(part == U32(0), x0, jnp.where(part == U32(1), x1, upper))


def _round(state: tuple[Any, ...]) -> tuple[Any, ...]:
    count, x0, x1, x2, x3, k0, k1 = state
    high0, low0 = _product(x0, _FACTORS[0])
    high1, low1 = _product(x2, _FACTORS[1])
    x0, x2 = high1 ^ x1 ^ k0, high0 ^ x3 ^ k1
    return count + U32(1), x0, low1, x2, low0, k0 + _KEY_STEPS[0], k1 + _KEY_STEPS[1]


def _product(x: Any, factor: np.uint32) -> tuple[Any, Any]:
    return element_call("high_product_u32", high_product, x, factor), x * factor
