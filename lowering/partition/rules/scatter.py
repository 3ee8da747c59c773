"""scatter and its kin: each PE changes what falls into its own tile.

Every PE sees all index vectors and updates, in JAX's order, so that of several updates
of one element the last one stands, and sums are added in the same order.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
from jax import lax

from lowering import jaxprs
from lowering.cases import Case
from lowering.mesh import Axis
from lowering.normalise.core_set import SCATTERS
from lowering.normalise.scatters import window_shape
from lowering.partition.registry import Context, extents_of, partitions
from lowering.partition.rules.creation import extents_of_kept
from lowering.partition.rules.indices import from_tile_start
from lowering.partition.rules.shape import whole_dims
from lowering.partition.tiles import AnyTile, fill_axes
from lowering.placement import Placement

_Axes = tuple[Axis | None, ...]


@partitions(*SCATTERS)
def scatter(
    ctx: Context,
    operand: AnyTile,
    indices: AnyTile,
    updates: AnyTile,
    *,
    dimension_numbers: Any,
    **_: Any,
) -> AnyTile:
    """The operand stays split along dimensions that an update spans or takes one of."""
    numbers, rank = dimension_numbers, len(operand.shape)
    window = window_shape(numbers, rank, updates.shape)
    chosen = [dim for dim in range(rank) if window[dim] not in (1, operand.shape[dim])]
    whole_dims(ctx, operand, chosen)
    before = _placement(ctx, operand, chosen)
    places = indices.at(_aligned(ctx, indices, before, _index_dims(numbers)))
    for component, dim in enumerate(numbers.scatter_dims_to_operand_dims):
        axis = before.axes[dim]
        if axis is not None and window[dim] < operand.shape[dim]:
            tile = before.tile_shape[dim]
            places = from_tile_start(places, component, axis, tile)
    update_dims = _update_dims(numbers, operand.shape, window, len(updates.shape))
    part = updates.at(_aligned(ctx, updates, before, update_dims))
    local = jaxprs.bind(ctx.eqn, [operand.at(before), places, part])[0]
    return ctx.settled(local, before)


def _placement(ctx: Context, operand: AnyTile, whole: list[int]) -> Placement:
    """The operand's placement, with mesh axes that split nothing put to use."""
    kept: list[Axis | None] = [
        None if dim in whole else axis
        for dim, axis in enumerate(operand.placement.axes)
    ]
    filled = fill_axes(operand.shape, tuple(kept), ctx.mesh)
    axes: _Axes = tuple(
        None if dim in whole else axis for dim, axis in enumerate(filled)
    )
    return ctx.placement(axes, extents_of_kept(ctx, operand, kept))


def _aligned(
    ctx: Context, tile: AnyTile, before: Placement, dims: Mapping[int, int]
) -> Placement:
    """Whole, but for dimensions that are one with a dimension of the operand."""
    axes: _Axes = tuple(
        before.axes[dims[dim]] if dim in dims else None
        for dim in range(len(tile.shape))
    )
    return ctx.place(tile.shape, tile.placement.dtype, axes, extents_of(before))


def _index_dims(numbers: Any) -> dict[int, int]:
    """Batching dimensions of the indices, and which of the operand each is."""
    return dict(
        zip(
            numbers.scatter_indices_batching_dims,
            numbers.operand_batching_dims,
            strict=True,
        )
    )


def _update_dims(
    numbers: Any, shape: tuple[int, ...], window: tuple[int, ...], rank: int
) -> dict[int, int]:
    """Dimensions of the updates that are split as one of the operand is."""
    dropped = {*numbers.inserted_window_dims, *numbers.operand_batching_dims}
    spanned = [dim for dim in range(len(shape)) if dim not in dropped]
    found = {
        update: dim
        for update, dim in zip(numbers.update_window_dims, spanned, strict=True)
        if window[dim] == shape[dim]
    }
    points = [dim for dim in range(rank) if dim not in numbers.update_window_dims]
    for index_dim, dim in _index_dims(numbers).items():
        found[points[index_dim]] = dim
    return found


def _along_axis(x: Any, i: Any, y: Any) -> Any:
    return jnp.put_along_axis(x, jnp.abs(i) % x.shape[1], y, axis=1, inplace=False)


def _windows(x: Any, y: Any, i: Any) -> Any:
    numbers = lax.ScatterDimensionNumbers((1, 2), (), (0, 1))
    return lax.scatter_add(x, i, y, numbers)


CASES = [
    Case(
        "set rows", lambda x, i, y: x.at[i].set(y), ("f32[n,m]", "i32[5]", "f32[5,m]")
    ),
    Case("set columns", lambda x, i: x.at[:, i].set(7.0), ("f32[n,m]", "i32[k]")),
    Case("set flags", lambda x, i: x.at[i].set(True), ("bool[n]", "i32[k]")),
    Case(
        "add elements",
        lambda x, i, j, y: x.at[i, j].add(y),
        ("f32[n,m]", "i32[k]", "i32[k]", "f32[k]"),
    ),
    Case(
        "other combinations",
        lambda x, i, y: [
            x.at[i].multiply(y),
            x.at[i].min(y),
            x.at[i].max(y),
            x.at[i].subtract(y),
        ],
        ("i32[n,m]", "i32[k]", "i32[k,m]"),
    ),
    Case("clip", lambda x, i: x.at[i].add(1, mode="clip"), ("f32[n]", "i32[k]")),
    Case("apply", lambda x, i: x.at[i].apply(jnp.tanh), ("f32[n,m]", "i32[4]")),
    Case(
        "grow",
        lambda x, i: x.at[:, i].apply(lambda v: v * v + 1),
        ("f32[n,9]", "i32[4]"),
    ),
    Case("along an axis", _along_axis, ("f32[n,m]", "i32[n,2]", "f32[n,2]")),
    Case("windows", _windows, ("f32[9,8]", "f32[4,2,3]", "i32[4,2]")),
    Case("histogram", lambda i: jnp.zeros(8, jnp.int32).at[i].add(1), ("i32[n]",)),
]
