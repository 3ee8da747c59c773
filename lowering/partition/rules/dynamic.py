"""dynamic_slice and dynamic_update_slice: windows whose place the data decide.

A row of a split dimension has one PE that holds it: that one sends it, or changes it
in its tile. For wider windows a dimension that they do not span is whole on every PE
first, so that only their place inside a PE depends on data.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from lowering.cases import Case
from lowering.machine_op import machine_op
from lowering.mesh import Axis
from lowering.partition import mesh_primitives as prims
from lowering.partition.registry import Context, extents_of, partitions
from lowering.partition.rules.shape import whole_dims, with_whole
from lowering.partition.tiles import AnyTile
from lowering.placement import Placement


@partitions("dynamic_slice")
def dynamic_slice(
    ctx: Context, operand: AnyTile, *starts: AnyTile, slice_sizes: Any, **_: Any
) -> AnyTile:
    """Each PE cuts the window out of its tile; a row is sent by the PE that has it.

    What is whole on every PE, as what comes from outside of a loop can be, stays so.
    """
    cut = _cut_dims(operand.shape, slice_sizes)
    at_hand = operand.words_to(with_whole(ctx, operand.placement, cut)) == 0
    rows = [] if at_hand else _rows(operand.placement, slice_sizes, cut)
    before = whole_dims(ctx, operand, [dim for dim in cut if dim not in rows])
    sizes = [
        slice_sizes[dim] if dim in cut else tile
        for dim, tile in enumerate(before.tile_shape)
    ]
    places = _inside(operand.shape, slice_sizes, starts)
    owners = {dim: _owner(places[dim], before.tile_shape[dim]) for dim in rows}
    for dim, owner in owners.items():
        places[dim] = places[dim] - owner * np.int32(before.tile_shape[dim])
    local = operand.at(before)
    local = lax.dynamic_slice(local, places, sizes, allow_negative_indices=False)
    for dim, owner in owners.items():
        axis = before.axes[dim]
        assert axis is not None, "the dimension is split"
        size = ctx.mesh.size(axis)
        local = prims.mesh_broadcast(local, axis=axis, size=size, root=owner)
    axes = _without(before.axes, rows)
    return ctx.settled(local, ctx.placement(axes, extents_of(before)))


@partitions("dynamic_update_slice")
def dynamic_update_slice(
    ctx: Context, operand: AnyTile, update: AnyTile, *starts: AnyTile, **_: Any
) -> AnyTile:
    """Each PE writes its part of the window into its tile, if the window reaches it."""
    cut = _cut_dims(operand.shape, update.shape)
    rows = _rows(operand.placement, update.shape, cut)
    before = whole_dims(ctx, operand, [dim for dim in cut if dim not in rows])
    axes, extents = _without(before.axes, rows), extents_of(before)
    part = ctx.place(update.shape, update.placement.dtype, axes, extents)
    local, value = operand.at(before), update.at(part)
    places = _inside(operand.shape, update.shape, starts)
    is_here: Any = np.True_
    for dim in rows:
        axis, tile = before.axes[dim], np.int32(before.tile_shape[dim])
        assert axis is not None, "the dimension is split"
        place = places[dim] - prims.mesh_index(axis=axis) * tile
        places[dim] = lax.max(lax.min(place, tile - np.int32(1)), np.int32(0))
        is_here = lax.bitwise_and(is_here, lax.eq(place, places[dim]))
    if rows:
        sizes = np.shape(value)
        old = lax.dynamic_slice(local, places, sizes, allow_negative_indices=False)
        value = lax.select(jnp.broadcast_to(is_here, sizes), value, old)
    local = lax.dynamic_update_slice(local, value, places, allow_negative_indices=False)
    return ctx.settled(local, ctx.placement(before.axes, extents))


def _rows(placement: Placement, window: Sequence[int], cut: list[int]) -> list[int]:
    """The split dimensions of which a window has one element."""
    return [d for d in cut if window[d] == 1 and placement.axes[d] is not None]


def _without(axes: tuple[Axis | None, ...], dims: list[int]) -> tuple[Axis | None, ...]:
    return tuple(None if dim in dims else axis for dim, axis in enumerate(axes))


def _owner(place: Any, tile: int) -> Any:
    """The PE that holds an element; divisions take long."""
    if tile & (tile - 1):
        return lax.div(place, np.int32(tile))
    return machine_op("shift_right", place, np.int32(tile.bit_length() - 1))


def _cut_dims(shape: Sequence[int], window: Sequence[int]) -> list[int]:
    return [dim for dim, size in enumerate(shape) if window[dim] != size]


def _inside(
    shape: Sequence[int], window: Sequence[int], starts: Sequence[AnyTile]
) -> list[Any]:
    """The starts, moved so that the window lies inside; 0 where it spans all."""
    moved: list[Any] = []
    for size, length, start in zip(shape, window, starts, strict=True):
        if size == length:
            moved.append(np.int32(0))
            continue
        asked = lax.convert_element_type(start.at(start.placement), np.int32)
        moved.append(lax.max(lax.min(asked, np.int32(size - length)), np.int32(0)))
    return moved


def _row_by_row(x: jax.Array) -> jax.Array:
    def body(i: Any, total: jax.Array) -> jax.Array:
        row = lax.dynamic_slice_in_dim(x, i, 1, axis=0)
        return lax.dynamic_update_slice_in_dim(total, row * 2 + total[:1], i, axis=0)

    return lax.fori_loop(0, x.shape[0], body, jnp.zeros_like(x))


def _changed(x: jax.Array, y: jax.Array, i: Any, j: Any) -> list[jax.Array]:
    return [
        x.at[i, j].set(3.0),
        lax.dynamic_update_slice(x * 2, y[:, None], (0, j)),
        lax.dynamic_update_slice(x, x[:1], (i, 0)),
        x.at[i].set(y[0])[i] + x[i, j],
    ]


CASES = [
    Case("a row is changed", _changed, ("f32[n,m]", "f32[n]", "i32[]", "i32[]")),
    Case("of flags", lambda x, i: x.at[i].set(True)[i], ("bool[n]", "i32[]")),
    Case("element", lambda x, i: x[i], ("f32[n]", "i32[]")),
    Case("row", lambda x, i: x[i] * 2, ("f32[n,m]", "i32[]")),
    Case("column", lambda x, i: x[:, i], ("f32[n,m]", "i32[]")),
    Case(
        "window of a cube",
        lambda x, i, j: lax.dynamic_slice(x, (i, 0, j), (2, x.shape[1], 3)),
        ("f32[4,n,5]", "i32[]", "i32[]"),
    ),
    Case(
        "update",
        lambda x, y, i: lax.dynamic_update_slice(x, y, (i, 0)),
        ("f32[9,m]", "f32[4,m]", "i32[]"),
    ),
    Case("row by row", _row_by_row, ("f32[n,m]",)),
]
