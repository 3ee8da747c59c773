"""`lax.rng_bit_generator` with Threefry: XLA's bits, and its next state.

The state is a key and a counter of 64 bits, each its lower word first. The words of a
block are neighbours along one dimension: the first one of even size, or the first of
the largest ones, whose last block is then used by half.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from lowering.errors import UnsupportedPrimitiveError
from lowering.normalise import threefry
from lowering.normalise.bits import right
from lowering.normalise.registry import rewrites

U32 = np.uint32
Shape = tuple[int, ...]


@rewrites("rng_bit_generator")
def _rng_bit_generator(
    state: Any, *, shape: Shape, dtype: Any, algorithm: Any, **_: Any
) -> list[Any]:
    if algorithm != lax.RandomAlgorithm.RNG_THREE_FRY:
        raise UnsupportedPrimitiveError(
            f"rng_bit_generator with {algorithm} has no rule",
            rule="supported is RandomAlgorithm.RNG_THREE_FRY",
            help="ask for that, or draw with jax.random, whose keys are of Threefry",
        )
    k0, k1, low, high = (
        lax.index_in_dim(state, word, keepdims=False) for word in range(4)
    )
    number, word, blocks = _numbered(shape or (1,))
    bits = threefry.block((k0, k1), *_added(low, high, number), word)
    position = lax.iota(jnp.uint32, 4)
    advanced = _added(low, high, U32(blocks))
    following = jnp.where(position == U32(2), advanced[0], state)
    following = jnp.where(position == U32(3), advanced[1], following)
    return [following, bits.reshape(shape).astype(dtype)]


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


def _added(low: Any, high: Any, number: Any) -> tuple[Any, Any]:
    """A number added to a counter of two words."""
    total = low + number
    return total, high + (total < low).astype(jnp.uint32)
