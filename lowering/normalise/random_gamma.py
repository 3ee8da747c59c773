"""Samples of the gamma distribution, with the bits that JAX draws.

G. Marsaglia and W. Tsang, "A simple method for generating gamma variables" (2000). Each
element draws from a key of its own, as scalar code that loops until it accepts.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from lowering.element_call import element_call
from lowering.normalise import threefry
from lowering.normalise.bits import float_of, right
from lowering.normalise.elementary import F32

Key = tuple[Any, Any]
_LOWEST = F32(np.nextafter(F32(-1), F32(0)))  # of what erf_inv is taken


def gamma_samples(
    key: Key, alpha: Any, count: int, number: Any, *, log_space: bool
) -> Any:
    """A sample for each alpha, or its logarithm; `number` counts those of one key."""
    words = [
        threefry.split_word(key, count, number * np.uint32(2) + np.uint32(word))
        for word in range(2)
    ]
    name = f"gamma_{'log_' if log_space else ''}sample_f32"

    def sample(k0: Any, k1: Any, alpha: Any) -> Any:
        return _sample((k0, k1), alpha, log_space)

    found = element_call(name, sample, *words, alpha.astype(jnp.float32))
    return found.astype(alpha.dtype)


def _sample(key: Key, alpha: Any, log_space: bool) -> Any:
    """Below 1, alpha is raised by 1, and the sample multiplied by u^(1 / alpha)."""
    is_large = alpha >= F32(1)
    raised = jnp.where(is_large, alpha, alpha + F32(1))
    d = raised - F32(1 / 3)
    c = F32(1 / 3) / jnp.sqrt(d)
    key, boost_key = _split(key, 2)
    v = _accepted(key, c, d)
    if log_space:
        exponential = lax.log1p(-_uniform(boost_key))
        boost = jnp.where(
            is_large | (exponential == F32(0)), F32(0), exponential * (F32(1) / alpha)
        )
        return jnp.log(d) + jnp.log(v) + boost
    boost = lax.pow(F32(1) - _uniform(boost_key), F32(1) / alpha)
    return d * v * jnp.where(is_large, F32(1), boost)


def _accepted(key: Key, c: Any, d: Any) -> Any:
    """The cube of 1 + c times a normal number, drawn until it is accepted."""

    def is_refused(state: tuple[Any, ...]) -> Any:
        _, _, square, v, u = state
        fast = u >= F32(1) - F32(0.0331) * (square * square)
        slow = jnp.log(u) >= square * F32(0.5) + d * ((F32(1) - v) + jnp.log(v))
        return fast & slow

    def draw(state: tuple[Any, ...]) -> tuple[Any, ...]:
        key, normal_key, uniform_key = _split(state[:2], 3)
        x, v = _positive(normal_key, c)
        return *key, x * x, v * v * v, _uniform(uniform_key)

    one = jnp.ones_like(c)
    start = (*key, jnp.zeros_like(c), one, F32(2) * one)
    return lax.while_loop(is_refused, draw, start)[3]


def _positive(key: Key, c: Any) -> tuple[Any, Any]:
    """A normal number x with 1 + c x > 0, and that."""

    def draw(state: tuple[Any, ...]) -> tuple[Any, ...]:
        key, normal_key = _split(state[:2], 2)
        x = _normal(normal_key)
        return *key, x, F32(1) + x * c

    zero = jnp.zeros_like(c)
    start = (*key, zero, zero - F32(1))
    state = lax.while_loop(lambda state: state[3] <= F32(0), draw, start)
    return state[2], state[3]


def _split(key: Any, count: int) -> list[Key]:
    """As many new keys."""
    words = [
        threefry.split_word(key, count, jnp.uint32(number))
        for number in range(2 * count)
    ]
    return list(zip(words[::2], words[1::2], strict=True))


def _uniform(key: Key) -> Any:
    """From 0 on, below 1: the upper 23 bits as the fraction of a float."""
    bits = threefry.bits_word(key, 1, jnp.uint32(0))
    return float_of(right(bits, 9) | np.uint32(0x3F800000)) - F32(1)


def _normal(key: Key) -> Any:
    u = jnp.maximum(_LOWEST, _uniform(key) * (F32(1) - _LOWEST) + _LOWEST)
    return F32(math.sqrt(2)) * lax.erf_inv(u)
