"""What JAX's generators of random numbers make of the words of their keys.

A key of `threefry2x32` is two words. A key of `rbg` and `unsafe_rbg` is two such keys,
which also are a state of Philox: `rbg` makes new keys by Threefry, `unsafe_rbg` by
Philox, and both their bits by Philox. Of several keys at once, JAX draws all bits by
Philox from the first one.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import lax

from lowering.normalise import philox, threefry

U32 = np.uint32
Shape = tuple[int, ...]
_HASHED = 10  # blocks of Philox for each key that `unsafe_rbg` makes; one is used


class Generator(NamedTuple):
    """Keys are u32[..., words].

    `seed` makes them of integers, `fold_in` of keys and integers, and `split` gives
    u32[..., *shape, words]. `bits` draws u32[..., *shape] with bits of a given width.
    """

    words: int
    seed: Callable[[Any], Any]
    fold_in: Callable[[Any, Any], Any]
    split: Callable[[Any, Shape], Any]
    bits: Callable[[Any, int, Shape], Any]


def pair(keys: Any, rank: int = 0) -> tuple[Any, Any]:
    """Both words of keys of Threefry, each of shape keys[..., 0] with `rank` dimensions
    of size 1 more."""
    shape = (*keys.shape[:-1], *(1,) * rank)
    first, second = (
        lax.index_in_dim(keys, word, keys.ndim - 1, keepdims=False).reshape(shape)
        for word in range(2)
    )
    return first, second


# --- Threefry ------------------------------------------------------------------------


def _threefry_seed(seeds: Any) -> Any:
    first, second = threefry.halves(seeds)
    shape = (*first.shape, 2)
    is_second = lax.broadcasted_iota(jnp.int32, shape, first.ndim) == 1
    return jnp.where(is_second, second[..., None], first[..., None])


def _threefry_fold_in(keys: Any, data: Any) -> Any:
    shape = (*jnp.broadcast_shapes(keys.shape[:-1], data.shape), 2)
    words = lax.broadcasted_iota(jnp.uint32, shape, len(shape) - 1)
    first, second = (word[..., None] for word in pair(keys, len(shape) - keys.ndim))
    counter = data.astype(jnp.uint32)
    counter = counter.reshape((*(1,) * (len(shape) - 1 - counter.ndim), *counter.shape))
    zero = jnp.zeros_like(counter)
    return threefry.block((first, second), zero[..., None], counter[..., None], words)


def _threefry_split(keys: Any, shape: Shape) -> Any:
    number = threefry.flat_index((*shape, 2))
    return threefry.split_word(pair(keys, len(shape) + 1), math.prod(shape), number)


def _threefry_bits(keys: Any, width: int, shape: Shape) -> Any:
    key, number = pair(keys, len(shape)), threefry.flat_index(shape)
    return threefry.random_bits(key, width, math.prod(shape), number)


# --- Philox --------------------------------------------------------------------------


def _twice_seed(seeds: Any) -> Any:
    half = _threefry_seed(seeds)
    return jnp.concatenate([half, half], -1)


def _halves_fold_in(keys: Any, data: Any) -> Any:
    halves = (keys[..., :2], keys[..., 2:])
    return jnp.concatenate([_threefry_fold_in(half, data) for half in halves], -1)


def _halves_split(keys: Any, shape: Shape) -> Any:
    batch = keys.shape[:-1]
    split = _threefry_split(keys.reshape((*batch, 2, 2)), shape)
    return jnp.moveaxis(split, len(batch), -2).reshape((*batch, *shape, 4))


def _hash_fold_in(keys: Any, data: Any) -> Any:
    """The last of the blocks that each integer has, counted from the seed of the
    first."""
    seeds = _twice_seed(data)
    number = _first_of_hashed((*data.shape, 4)) + U32(4 * (_HASHED - 1))
    return keys ^ _drawn(seeds, number)


def _hash_split(keys: Any, shape: Shape) -> Any:
    """The first of the blocks that each new key has."""
    return _drawn(keys, _first_of_hashed((*keys.shape[:-1], *shape, 4)))


def _first_of_hashed(shape: Shape) -> Any:
    """The numbers of the words of the first block of each key."""
    word = threefry.flat_index(shape)
    part = word & U32(4 - 1)
    return (word - part) * U32(_HASHED) + part


def _philox_bits(keys: Any, width: int, shape: Shape) -> Any:
    bits = _drawn(keys, threefry.flat_index((*keys.shape[:-1], *shape)))
    return bits & U32((1 << width) - 1) if width < 32 else bits


def _drawn(keys: Any, number: Any) -> Any:
    """Words of the stream of the first of the keys, by their numbers."""
    first = lax.slice(keys, (0,) * keys.ndim, (*(1,) * (keys.ndim - 1), 4)).reshape(4)
    k0, k1, low, high = (lax.index_in_dim(first, n, keepdims=False) for n in range(4))
    return philox.word((k0, k1, low, high), number)


# By the name that JAX gives to the dtype of their keys.
GENERATORS = {
    "key<fry>": Generator(
        2, _threefry_seed, _threefry_fold_in, _threefry_split, _threefry_bits
    ),
    "key<rbg>": Generator(4, _twice_seed, _halves_fold_in, _halves_split, _philox_bits),
    "key<urbg>": Generator(4, _twice_seed, _hash_fold_in, _hash_split, _philox_bits),
}
