"""dynamic_slice and dynamic_update_slice: windows whose place the data decide.

Only the place inside a PE depends on data: a dimension that the window does not span
is whole on every PE first.
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
from lowering.partition.registry import Context, extents_of, partitions
from lowering.partition.rules.shape import whole_dims
from lowering.partition.tiles import AnyTile


@partitions("dynamic_slice")
def dynamic_slice(
    ctx: Context, operand: AnyTile, *starts: AnyTile, slice_sizes: Any, **_: Any
) -> AnyTile:
    """Each PE cuts the window out of its tile."""
    cut = _cut_dims(operand.shape, slice_sizes)
    before = whole_dims(ctx, operand, cut)
    sizes = [
        slice_sizes[dim] if dim in cut else tile
        for dim, tile in enumerate(before.tile_shape)
    ]
    local = lax.dynamic_slice(
        operand.at(before),
        _inside(operand.shape, slice_sizes, starts),
        sizes,
        allow_negative_indices=False,
    )
    return ctx.settled(local, ctx.placement(before.axes, extents_of(before)))


@partitions("dynamic_update_slice")
def dynamic_update_slice(
    ctx: Context, operand: AnyTile, update: AnyTile, *starts: AnyTile, **_: Any
) -> AnyTile:
    """Each PE writes its part of the window into its tile."""
    before = whole_dims(ctx, operand, _cut_dims(operand.shape, update.shape))
    part = ctx.place(
        update.shape, update.placement.dtype, before.axes, extents_of(before)
    )
    local = lax.dynamic_update_slice(
        operand.at(before),
        update.at(part),
        _inside(operand.shape, update.shape, starts),
        allow_negative_indices=False,
    )
    return ctx.settled(local, ctx.placement(before.axes, extents_of(before)))


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


CASES = [
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
