"""Bringing a value from one placement to another, step by step, with its price.

A placement in here is canonical: every axis it names has at least two PEs in its
extent, and along an axis it does not name every PE of the mesh holds a replica. Steps
that change it are cutting one's own tile out of a whole dimension (`mesh_slice`, free
of communication) and joining the tiles of a split one (`mesh_all_gather`). Where that
would make a value too large or take too long, tiles pass by instead (`exchanges`).
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

from jax import lax

from lowering.errors import LayoutError
from lowering.mesh import AXES, ROWS, Axis, Mesh
from lowering.partition import exchanges
from lowering.partition import mesh_primitives as prims
from lowering.placement import Placement, storage_size_bytes

# What one value may take of a PE's 48 KiB when it has to be whole there in passing.
WHOLE_LIMIT_BYTES = 32 * 1024
# Beyond this, tiles pass by one after the other instead of being joined.
_PASSING_LIMIT_BYTES = 8 * 1024
# Cycles of a pass of `turn` beside its words: two broadcasts of two exchanges each.
_TURN_CYCLES = 400
# Rules ask for the price of the same few ways again and again: so many are remembered.
_KEPT = 4096


@dataclass(frozen=True, slots=True)
class Step:
    """Dimension `dim` becomes whole ("gather") or split over `axis` ("slice").

    "exchange": it becomes whole, and dimension `other` split over the axis instead.
    "turn": it and `other` exchange their axes, on a square mesh. "cross": it goes over
    to the other axis, which held replicas, on a square mesh.
    """

    kind: Literal["gather", "slice", "exchange", "turn", "cross"]
    dim: int
    axis: Axis
    result: Placement
    other: int = 0


def canonical(placement: Placement, mesh: Mesh) -> Placement:
    """The same tiles, named as this module wants them.

    Axes of one PE are not named; along unnamed axes the value is taken to be on every
    PE, which `spread_replicas` sees to.
    """
    axes: tuple[Axis | None, ...] = tuple(
        axis if axis is not None and placement.axis_extent(axis) > 1 else None
        for axis in placement.axes
    )
    return _with_axes(placement, axes, mesh)


def spread_replicas(x: Any, placement: Placement, mesh: Mesh) -> Any:
    """Broadcasts a value of a smaller extent along the axes that split nothing."""
    named = canonical(placement, mesh).axes
    for axis in AXES:
        if axis not in named and placement.axis_extent(axis) < mesh.size(axis):
            x = prims.mesh_broadcast(x, axis=axis, size=mesh.size(axis), root=0)
    return x


def reshard(x: Any, before: Placement, after: Placement, mesh: Mesh) -> Any:
    """The tile of `after` on each PE, from the tile of `before`.

    Raises: LayoutError, if an intermediate value is too large to be whole on a PE.
    """
    steps = route(before, after, mesh)
    _check_route(before, after, steps)
    current = before
    for step in steps:
        match step.kind:
            case "slice":
                x = _slice(x, step, mesh)
            case "gather":
                x = _gather(x, current, step, mesh)
            case "exchange":
                x = _exchange(x, current, step, mesh)
            case "turn":
                x = exchanges.turn(x, size=mesh.rows)
            case "cross":
                x = exchanges.cross(x, axis=step.axis, size=mesh.rows)
        current = step.result
    return x


@lru_cache(_KEPT)
def words_moved(before: Placement, after: Placement, mesh: Mesh) -> int:
    """32-bit words that each PE receives on the way from `before` to `after`."""
    words, current = 0, before
    for step in route(before, after, mesh):
        if step.kind == "cross":
            words += _tile_words(current)
        elif step.kind != "slice":
            sent = 2 if step.kind == "turn" else 1
            words += sent * (mesh.size(step.axis) - 1) * _tile_words(current)
        current = step.result
    return words


@lru_cache(_KEPT)
def peak_size_bytes(before: Placement, after: Placement, mesh: Mesh) -> int:
    """The largest tile that the value has on the way from `before` to `after`."""
    steps = route(before, after, mesh)
    return max([after.tile_size_bytes, *(s.result.tile_size_bytes for s in steps)])


@lru_cache(_KEPT)
def route(before: Placement, after: Placement, mesh: Mesh) -> tuple[Step, ...]:
    """The steps between two canonical placements of one shape.

    A dimension is sliced as soon as its new axis is free, so that what is gathered is
    small. What would be too large when gathered is exchanged.
    """
    steps: list[Step] = []
    current = before
    while not same_tiles(current, after):
        step = (
            _next_slice(current, after, mesh)
            or _cross_of(current, after, mesh)
            or _turn_of(current, after, mesh)
            or _exchange_of(current, after, mesh)
            or _next_gather(current, after, mesh)
        )
        steps.append(step)
        current = step.result
    return tuple(steps)


def same_tiles(a: Placement, b: Placement) -> bool:
    """Whether every PE holds the same elements under both canonical placements."""
    return a.axes == b.axes and a.tile_shape == b.tile_shape


def _split_as(current: Placement, after: Placement, dim: int) -> bool:
    return (
        current.axes[dim] == after.axes[dim]
        and current.tile_shape[dim] == after.tile_shape[dim]
    )


def _next_slice(current: Placement, after: Placement, mesh: Mesh) -> Step | None:
    for dim, axis in enumerate(after.axes):
        if axis is None or axis in current.axes or current.axes[dim] is not None:
            continue
        axes = _with_axis(current, dim, axis)
        extents: dict[Axis, int] = {**_extents(current), axis: after.axis_extent(axis)}
        extent = _extent_of(axes, extents, mesh)
        return Step("slice", dim, axis, replace(current, axes=axes, extent=extent))
    return None


def _next_gather(current: Placement, after: Placement, mesh: Mesh) -> Step:
    """Of the dimensions split otherwise than they should be, the smallest if whole."""
    found: list[Step] = []
    for dim, axis in enumerate(current.axes):
        if axis is not None and not _split_as(current, after, dim):
            axes = _with_axis(current, dim, None)
            found.append(Step("gather", dim, axis, _with_axes(current, axes, mesh)))
    assert found, f"no step from {current} to {after}"
    return min(found, key=lambda step: step.result.tile_size_bytes)


def _cross_of(current: Placement, after: Placement, mesh: Mesh) -> Step | None:
    """A dimension whose tiles go from the PEs of a column to those of a row, or back.

    The PEs of the diagonal have the tile that their line wants.
    """
    if mesh.rows != mesh.cols:
        return None
    for dim, (axis, wanted) in enumerate(zip(current.axes, after.axes, strict=True)):
        if axis is None or wanted is None or axis == wanted or wanted in current.axes:
            continue
        if current.axis_extent(axis) == after.axis_extent(wanted):
            axes = _with_axis(current, dim, wanted)
            extents: dict[Axis, int] = {
                **_extents(current),
                wanted: after.axis_extent(wanted),
            }
            result = replace(current, axes=axes, extent=_extent_of(axes, extents, mesh))
            return Step("cross", dim, axis, result)
    return None


def _turn_of(current: Placement, after: Placement, mesh: Mesh) -> Step | None:
    """Two dimensions that exchange their axes, where tiles stay tiles of one size.

    Otherwise the whole value would be gathered; that is faster only if it is small.
    """
    if mesh.rows != mesh.cols or not {*AXES} <= {*current.axes}:
        return None
    first, second = (current.axes.index(axis) for axis in AXES)
    axes = list(current.axes)
    axes[first], axes[second] = axes[second], axes[first]
    turned = replace(current, axes=tuple(axes))
    if not same_tiles(turned, after) or current.extent != mesh.extent:
        return None
    words = _tile_words(current)
    passing = mesh.rows * (4 * words + _TURN_CYCLES)
    if passing > 2 * mesh.pe_count * words and _fits_whole(current):
        return None
    return Step("turn", first, ROWS, turned, second)


def _exchange_of(current: Placement, after: Placement, mesh: Mesh) -> Step | None:
    """A dimension that is gathered over the axis that another one is split over next.

    Only where that makes too much of it.
    """
    for dim, axis in enumerate(current.axes):
        if axis is None or after.axes[dim] == axis or axis not in after.axes:
            continue
        other = after.axes.index(axis)
        if current.axes[other] is not None:
            continue
        gathered = replace(current, axes=_with_axis(current, dim, None))
        if not _fits_whole(gathered, gathered.tile_shape):
            axes = _with_axis(gathered, other, axis)
            extents: dict[Axis, int] = {
                **_extents(current),
                axis: after.axis_extent(axis),
            }
            extent = _extent_of(axes, extents, mesh)
            result = replace(current, axes=axes, extent=extent)
            return Step("exchange", dim, axis, result, other)
    return None


def _fits_whole(placement: Placement, shape: tuple[int, ...] | None = None) -> bool:
    """Whether a PE can hold a tile of this shape (all of the value) in passing."""
    count = math.prod(placement.shape if shape is None else shape)
    return count * storage_size_bytes(placement.dtype) <= _PASSING_LIMIT_BYTES


def _with_axis(
    placement: Placement, dim: int, axis: Axis | None
) -> tuple[Axis | None, ...]:
    return tuple(axis if d == dim else a for d, a in enumerate(placement.axes))


def _exchange(x: Any, current: Placement, step: Step, mesh: Mesh) -> Any:
    return exchanges.exchange(
        x,
        axis=step.axis,
        size=mesh.size(step.axis),
        whole=step.dim,
        length=current.shape[step.dim],
        split=step.other,
        tile=step.result.tile_shape[step.other],
    )


def _slice(x: Any, step: Step, mesh: Mesh) -> Any:
    return prims.mesh_slice(
        x,
        axis=step.axis,
        size=mesh.size(step.axis),
        dim=step.dim,
        tile=step.result.tile_shape[step.dim],
    )


def _gather(x: Any, current: Placement, step: Step, mesh: Mesh) -> Any:
    size = mesh.size(step.axis)
    length = current.shape[step.dim]
    if current.tile_shape[step.dim] >= length:  # all of it is in the first tile
        return prims.mesh_broadcast(x, axis=step.axis, size=size, root=0)
    whole = prims.mesh_all_gather(x, axis=step.axis, size=size, dim=step.dim)
    if whole.shape[step.dim] == length:
        return whole
    limits = [length if d == step.dim else n for d, n in enumerate(whole.shape)]
    return lax.slice(whole, [0] * len(limits), limits)


def _with_axes(
    placement: Placement, axes: tuple[Axis | None, ...], mesh: Mesh
) -> Placement:
    extent = _extent_of(axes, _extents(placement), mesh)
    return replace(placement, axes=axes, extent=extent)


def _extents(placement: Placement) -> dict[Axis, int]:
    return {axis: placement.axis_extent(axis) for axis in AXES}


def _extent_of(
    axes: tuple[Axis | None, ...], extents: dict[Axis, int], mesh: Mesh
) -> tuple[int, int]:
    """Named axes keep their extent, the others hold replicas on the whole mesh."""
    rows, cols = (extents[axis] if axis in axes else mesh.size(axis) for axis in AXES)
    return rows, cols


def _tile_words(placement: Placement) -> int:
    elements = math.prod(placement.tile_shape)
    return -(-elements * storage_size_bytes(placement.dtype) // 4)


def _check_route(before: Placement, after: Placement, steps: Sequence[Step]) -> None:
    """Limits what is whole only in passing.

    Where the tiles themselves are too large, the memory plan has more to say.
    """
    largest = max((s.result.tile_size_bytes for s in steps[:-1]), default=0)
    final = max(before.tile_size_bytes, after.tile_size_bytes)
    if final <= WHOLE_LIMIT_BYTES < largest:
        raise LayoutError(
            f"moving {before} to ({_axes_text(after)}) does not fit a PE",
            notes=[
                ("whole", f"{largest:,} bytes on each PE in passing"),
                ("limit", f"{WHOLE_LIMIT_BYTES:,} bytes"),
            ],
            rule="a value changes its placement by being gathered and cut again",
            help="give both values the same layout, or use a larger mesh",
        )


def _axes_text(placement: Placement) -> str:
    return ",".join(axis or "-" for axis in placement.axes)
