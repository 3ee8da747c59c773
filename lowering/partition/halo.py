"""What windows need of the neighbours' tiles, where they run along a split dimension.

PE p of a line holds elements p t to (p + 1) t and computes windows p w to (p + 1) w.
These begin at element p w s - low, where s is their stride and `low` the padding in
front: they reach over the tile's ends by as much as `Halo` says, on any PE.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from lowering.mesh import Axis, Mesh
from lowering.partition import mesh_primitives as prims
from lowering.placement import Placement


@dataclass(frozen=True, slots=True)
class Window:
    """Windows along one dimension: `count` of them, from `low` before its start on."""

    size: int
    stride: int
    dilation: int
    low: int
    count: int

    @property
    def reach(self) -> int:
        """Elements from the first one of a window to its last one."""
        return (self.size - 1) * self.dilation + 1


@dataclass(frozen=True, slots=True)
class Halo:
    """`left` and `right` elements of the neighbours beside a tile, along `dim`.

    The windows of a PE need `span` elements of that, from `first + p step` on.
    """

    axis: Axis
    size: int
    dim: int
    tile: int
    left: int
    right: int
    first: int
    step: int
    span: int

    def joined(self, x: Any, fill: float) -> Any:
        """T[..., span, ...] from T[..., tile, ...]; `fill` lies beyond the array.

        Padding of the last tile has to hold it already.
        """
        parts = [x]
        if self.left:
            last = lax.slice_in_dim(x, self.tile - self.left, self.tile, axis=self.dim)
            parts.insert(0, self._shifted(last, 1, fill))
        if self.right:
            first = lax.slice_in_dim(x, 0, self.right, axis=self.dim)
            parts.append(self._shifted(first, -1, fill))
        whole = lax.concatenate(parts, self.dim) if len(parts) > 1 else x
        if self.step == 0:
            end = self.first + self.span
            return lax.slice_in_dim(whole, self.first, end, axis=self.dim)
        sizes = [self.span if d == self.dim else n for d, n in enumerate(whole.shape)]
        return lax.dynamic_slice(whole, self._starts(x.ndim), sizes)

    def given_back(self, total: Any) -> Any:
        """T[..., tile, ...] from T[..., span, ...]: sums of what all PEs have of it."""
        length = self.left + self.tile + self.right
        if self.step == 0:
            widths = [(0, 0, 0)] * total.ndim
            behind = length - self.first - self.span
            widths[self.dim] = (self.first, behind, 0)
            whole = lax.pad(total, np.zeros((), total.dtype), widths)
        else:
            shape = [length if d == self.dim else n for d, n in enumerate(total.shape)]
            nothing = jnp.zeros(shape, total.dtype)
            whole = lax.dynamic_update_slice(nothing, total, self._starts(total.ndim))
        own = self._part(whole, self.left, self.tile)
        if self.left:
            theirs = self._sent(self._part(whole, 0, self.left), -1)
            own = own + self._padded(theirs, self.tile - self.left, 0)
        if self.right:
            theirs = self._sent(self._part(whole, length - self.right, self.right), 1)
            own = own + self._padded(theirs, 0, self.tile - self.right)
        return own

    def _shifted(self, x: Any, offset: int, fill: float) -> Any:
        moved = self._sent(x, offset)
        if fill == 0:
            return moved
        end = 0 if offset > 0 else self.size - 1
        is_end = lax.eq(prims.mesh_index(axis=self.axis), np.int32(end))
        return lax.select(
            jnp.broadcast_to(is_end, x.shape), lax.full_like(x, fill), moved
        )

    def _sent(self, x: Any, offset: int) -> jax.Array:
        return prims.mesh_shift(x, axis=self.axis, size=self.size, offset=offset)

    def _starts(self, rank: int) -> list[Any]:
        """Where this PE's span begins; PEs without windows take any other one."""
        index = prims.mesh_index(axis=self.axis)
        last = self.left + self.tile + self.right - self.span
        start = np.int32(self.first) + index * np.int32(self.step)
        inside = lax.max(lax.min(start, np.int32(last)), np.int32(0))
        return [inside if dim == self.dim else np.int32(0) for dim in range(rank)]

    def _part(self, x: Any, first: int, length: int) -> Any:
        return lax.slice_in_dim(x, first, first + length, axis=self.dim)

    def _padded(self, x: Any, before: int, behind: int) -> Any:
        widths = [(0, 0, 0)] * x.ndim
        widths[self.dim] = (before, behind, 0)
        return lax.pad(x, np.zeros((), x.dtype), widths)


def halo_of(placement: Placement, dim: int, window: Window, mesh: Mesh) -> Halo | None:
    """The halo of a split dimension; None if a neighbour's tile is not enough.

    Nor is there one where the tiles end before the line of PEs does.
    """
    axis = placement.axes[dim]
    assert axis is not None, "what is whole has no neighbours"
    size, tile = placement.count(dim), placement.tile_shape[dim]
    if size != mesh.size(axis):
        return None
    windows = -(-window.count // size)  # of each PE
    step = windows * window.stride - tile
    span = (windows - 1) * window.stride + window.reach
    last = (window.count - 1) // windows  # the last PE that has any
    starts = [-window.low, last * step - window.low]
    left = max(0, -min(starts))
    right = max(0, max(starts) + span - tile)
    if left > tile or right > tile:
        return None
    return Halo(axis, size, dim, tile, left, right, left - window.low, step, span)
