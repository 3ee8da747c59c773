"""Index vectors of gathers and scatters: [..., components], int32."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jax import lax

from lowering.mesh import Axis
from lowering.partition import mesh_primitives as prims


def clipped(indices: Any, limits: Sequence[int]) -> Any:
    """Each component between 0 and its limit."""
    low = lax.max(indices, lax.full_like(indices, 0))
    return lax.min(low, _spread(limits, indices))


def is_inside(indices: Any, limits: Sequence[int]) -> Any:
    """bool[...]: whether all components lie between 0 and their limits."""
    above = lax.ge(indices, lax.full_like(indices, 0))
    below = lax.le(indices, _spread(limits, indices))
    inside = lax.convert_element_type(lax.bitwise_and(above, below), np.int32)
    return lax.eq(
        lax.reduce_min(inside, (indices.ndim - 1,)),
        lax.full(indices.shape[:-1], np.int32(1)),
    )


def from_tile_start(indices: Any, component: int, axis: Axis, tile: int) -> Any:
    """One component counted from the start of this PE's tile along `axis`."""
    start = prims.mesh_index(axis=axis) * np.int32(tile)
    mask = [int(n == component) for n in range(indices.shape[-1])]
    shift = lax.broadcast_in_dim(start, indices.shape, ())
    return lax.sub(indices, lax.mul(_spread(mask, indices), shift))


def _spread(numbers: Sequence[int], indices: Any) -> Any:
    """One number per component, at every point."""
    row = np.asarray(numbers, np.int32)
    if len(set(numbers)) == 1:
        return lax.full_like(indices, row[0])
    return lax.broadcast_in_dim(row, indices.shape, (indices.ndim - 1,))
