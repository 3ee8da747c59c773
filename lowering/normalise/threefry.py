"""Random bits from keys as JAX makes them: Threefry 2x32 with 20 rounds.

Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (2011).
Each bit of a random array is a function of the key and of its element's number, so
that PEs make their own elements and exchange nothing. How elements are numbered is
JAX's choice; its option `jax_threefry_partitionable` says which of two ways it is.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend.random import threefry_prng_impl

from lowering.cases import Case
from lowering.element_call import element_call
from lowering.machine_op import machine_op
from lowering.normalise.bits import right
from lowering.normalise.registry import rewrites

U32 = np.uint32
_PARITY = U32(0x1BD11BDA)
_ROTATIONS = ((13, 17), (15, 29), (26, 16), (6, 24))  # in even and odd groups of rounds
_GROUPS = 5
FIRST, SECOND, BOTH = U32(0), U32(1), U32(2)  # words of a block; both: their xor


def block(key: tuple[Any, Any], x0: Any, x1: Any, word: Any) -> Any:
    """u32[...]: a word of the block that the key makes of the counter (x0, x1)."""
    return element_call("threefry2x32_u32", _block, *key, x0, x1, word)


def _block(k0: Any, k1: Any, x0: Any, x1: Any, word: Any) -> Any:
    def mix(state: tuple[Any, ...]) -> tuple[Any, ...]:
        group, x0, x1, a, b, c = state
        is_odd = (group & U32(1)) == U32(1)
        for even, odd in _ROTATIONS:
            count = jnp.where(is_odd, U32(odd), U32(even))
            x0 = x0 + x1
            rest = machine_op("shift_right", x1, U32(32) - count)
            x1 = (machine_op("shift_left", x1, count) | rest) ^ x0
        group = group + U32(1)
        return group, x0 + a, x1 + b + group, b, c, a

    start = (jnp.uint32(0), x0 + k0, x1 + k1, k1, k0 ^ k1 ^ _PARITY, k0)
    _, x0, x1, *_ = lax.while_loop(lambda state: state[0] < U32(_GROUPS), mix, start)
    return jnp.where(word == BOTH, x0 ^ x1, jnp.where(word == FIRST, x0, x1))


def split_word(key: tuple[Any, Any], count: int, number: Any) -> Any:
    """Word `number` of the 2 `count` words of `count` new keys, in order."""
    if _is_partitionable():
        return block(key, U32(0), right(number, 1), number & U32(1))
    return _stream_word(key, 2 * count, number)


def bits_word(key: tuple[Any, Any], count: int, number: Any) -> Any:
    """Word `number` of `count` words of random bits."""
    if _is_partitionable():
        return block(key, U32(0), number, BOTH)
    return _stream_word(key, count, number)


def random_bits(key: tuple[Any, Any], width: int, size: int, number: Any) -> Any:
    """u32[...]: element `number` of `size` elements of 8, 16 or 32 random bits."""
    if width == 32 or _is_partitionable():
        bits = bits_word(key, size, number)
        return bits & U32((1 << width) - 1) if width < 32 else bits
    per_word = 32 // width
    words = math.ceil(size / per_word)
    shift = (number & U32(per_word - 1)) * U32(width)
    word = bits_word(key, words, right(number, per_word.bit_length() - 1))
    return machine_op("shift_right", word, shift) & U32((1 << width) - 1)


def _is_partitionable() -> bool:
    return bool(jax.config.jax_threefry_partitionable)  # pyright: ignore[reportAttributeAccessIssue]


def _stream_word(key: tuple[Any, Any], count: int, number: Any) -> Any:
    """Word `number` of the blocks of the counters 0 to `count` - 1: the first half of
    them is paired with the second, and with a 0 if there are no two halves."""
    half = (count + 1) // 2
    is_second = number >= U32(half)
    x0 = jnp.where(is_second, number - U32(half), number)
    x1 = x0 + U32(half)
    if count % 2:
        x1 = jnp.where(x1 == U32(count), U32(0), x1)
    return block(key, x0, x1, jnp.where(is_second, SECOND, FIRST))


def flat_index(shape: tuple[int, ...]) -> Any:
    """u32[*shape]: the number of each element in row-major order."""
    total: Any = jnp.zeros(shape, jnp.uint32)
    for dim in range(len(shape)):
        stride = U32(math.prod(shape[dim + 1 :]))
        total = total + lax.broadcasted_iota(jnp.uint32, shape, dim) * stride
    return total


@rewrites("threefry2x32")
def _threefry2x32(k0: Any, k1: Any, x0: Any, x1: Any) -> list[Any]:
    return [block((k0, k1), x0, x1, word) for word in (FIRST, SECOND)]


@rewrites("iota_2x32_shape")
def _iota_2x32_shape(*, shape: tuple[int, ...]) -> list[Any]:
    """The upper words are 0: no array of 2^32 elements fits a wafer."""
    return [jnp.zeros(shape, jnp.uint32), flat_index(shape)]


def halves(seed: Any) -> tuple[Any, Any]:
    """The key that an integer seeds."""
    if jnp.issubdtype(seed.dtype, jnp.signedinteger):
        seed = seed.astype(jnp.int32)
    low = seed.astype(jnp.uint32)
    return jnp.zeros_like(low), low


CASES = [
    Case(
        "words",
        lambda seed: threefry_prng_impl.random_bits(
            (seed + jnp.arange(2)).astype(jnp.uint32), 32, (3, 5)
        ),
        ("i32[]",),
    ),
]
