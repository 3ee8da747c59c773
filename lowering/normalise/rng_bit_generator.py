"""`lax.rng_bit_generator`: XLA's bits, and its next state, by Threefry or Philox.

The state is a key and a counter of 64 bits, each its lower word first. Each element is
made from its number, so that PEs exchange nothing. XLA's default algorithm on a CPU is
Philox.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from lowering.cases import Case
from lowering.normalise import philox, threefry
from lowering.normalise.bits import right
from lowering.normalise.philox import added
from lowering.normalise.registry import rewrites

U32 = np.uint32
Shape = tuple[int, ...]


@rewrites("rng_bit_generator")
def _rng_bit_generator(
    state: Any, *, shape: Shape, dtype: Any, algorithm: Any, **_: Any
) -> list[Any]:
    """By Threefry, or by Philox, which is also the default, as on XLA's CPUs."""
    words = [lax.index_in_dim(state, word, keepdims=False) for word in range(4)]
    is_threefry = algorithm == lax.RandomAlgorithm.RNG_THREE_FRY
    bits, blocks = (_by_threefry if is_threefry else _by_philox)(words, shape)
    return [_advanced(state, words, blocks), bits.reshape(shape).astype(dtype)]


def _advanced(state: Any, words: list[Any], blocks: int) -> Any:
    """The state after as many blocks: its key, and the counter moved on."""
    low, high = added(words[2], words[3], U32(blocks))
    position = lax.iota(jnp.uint32, 4)
    following = jnp.where(position == U32(2), low, state)
    return jnp.where(position == U32(3), high, following)


def _by_philox(words: list[Any], shape: Shape) -> tuple[Any, int]:
    """Four words of a block are neighbours in row-major order."""
    number = threefry.flat_index(shape)
    k0, k1, low, high = words
    blocks = math.ceil(math.prod(shape) / philox.WORDS_PER_BLOCK)
    return philox.word((k0, k1, low, high), number), blocks


def _by_threefry(words: list[Any], shape: Shape) -> tuple[Any, int]:
    """Both words of a block are neighbours along one dimension: the first one of even
    size, or the first of the largest ones, whose last block is then used by half."""
    k0, k1, low, high = words
    number, word, blocks = _numbered(shape or (1,))
    return threefry.block((k0, k1), *added(low, high, number), word), blocks


def _numbered(shape: Shape) -> tuple[Any, Any, int]:
    """For each element the number of its block and its word; how many blocks there
    are."""
    even = [dim for dim, size in enumerate(shape) if size % 2 == 0]
    split = even[0] if even else shape.index(max(shape))
    halved = tuple((n + 1) // 2 if dim == split else n for dim, n in enumerate(shape))
    number: Any = jnp.zeros(shape, jnp.uint32)
    for dim in range(len(shape)):
        index = lax.broadcasted_iota(jnp.uint32, shape, dim)
        index = right(index, 1) if dim == split else index
        number = number + index * U32(math.prod(halved[dim + 1 :]))
    along = lax.broadcasted_iota(jnp.uint32, shape, split)
    return number, along & U32(1), math.prod(halved)


CASES = [
    Case(
        "algorithms",
        lambda seed: [
            lax.rng_bit_generator(
                (seed + jnp.arange(4)).astype(jnp.uint32), (3, 6), algorithm=algorithm
            )
            for algorithm in lax.RandomAlgorithm
        ],
        ("i32[]",),
    ),
]
