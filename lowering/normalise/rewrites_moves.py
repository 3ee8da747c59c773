"""Primitives that move data, in terms of slices and broadcasts."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import jax.numpy as jnp
from jax import lax

from lowering.cases import Case
from lowering.normalise.registry import rewrites


@rewrites("split")
def _split(x: Any, *, sizes: Sequence[int], axis: int) -> list[Any]:
    ends = list(accumulate(map(int, sizes)))
    starts = [0, *ends[:-1]]
    return [
        lax.slice_in_dim(x, start, end, axis=axis)
        for start, end in zip(starts, ends, strict=True)
    ]


@rewrites("tile")
def _tile(x: Any, *, reps: Sequence[int]) -> Any:
    """Each dimension gets one in front that counts the repetitions."""
    shape = [size for pair in zip(reps, x.shape, strict=True) for size in pair]
    repeated = lax.broadcast_in_dim(x, shape, tuple(range(1, 2 * x.ndim, 2)))
    sizes = [rep * size for rep, size in zip(reps, x.shape, strict=True)]
    return lax.reshape(repeated, sizes)


@rewrites("stack")
def _stack(*xs: Any, axis: int) -> Any:
    return lax.concatenate([lax.expand_dims(x, (axis,)) for x in xs], axis)


@rewrites("unstack")
def _unstack(x: Any, *, axis: int) -> list[Any]:
    return [
        lax.index_in_dim(x, number, axis, keepdims=False)
        for number in range(x.shape[axis])
    ]


CASES = [
    Case("parts", lambda x: lax.split(x, (2, 3), 1), ("f32[n,5]",)),
    Case("repetitions", lambda x: lax.tile(x, (2, 3)), ("f32[n,m]",)),
    Case("put together", lambda x: jnp.stack([x, -x], 1), ("f32[n,m]",)),
    Case("taken apart", lambda x: jnp.unstack(x, axis=1), ("f32[n,3]",)),
]
