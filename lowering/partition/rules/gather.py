"""gather: each PE takes its own part of the result out of what it holds.

Dimensions that indices choose from are whole on every PE. A large table stays split
instead: each PE takes what lies in its tile, and the line adds that up.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from lowering import jaxprs
from lowering.cases import Case
from lowering.dtypes import is_float
from lowering.mesh import AXES, Axis
from lowering.partition.line_reduction import over_line
from lowering.partition.registry import Context, extents_of, partitions
from lowering.partition.reshard import canonical
from lowering.partition.rules.indices import clipped, from_tile_start, is_inside
from lowering.partition.rules.shape import check_whole
from lowering.partition.tiles import AnyTile
from lowering.placement import Placement

_Axes = tuple[Axis | None, ...]
_FILL_OR_DROP = lax.GatherScatterMode.FILL_OR_DROP


@dataclass(frozen=True, slots=True)
class _Dims:
    """Which dimension of the result those of the operand and the indices are.

    Of the operand only dimensions that every window spans, or that are batched.
    """

    of_operand: dict[int, int]
    of_indices: dict[int, int]

    def operand_axes(self, axes: Sequence[Axis | None], rank: int) -> _Axes:
        return tuple(
            axes[self.of_operand[dim]] if dim in self.of_operand else None
            for dim in range(rank)
        )

    def indices_axes(self, axes: Sequence[Axis | None]) -> tuple[Axis | None, ...]:
        batch: list[Axis | None] = [
            axes[self.of_indices[dim]] for dim in range(len(self.of_indices))
        ]
        return (*batch, None)


@partitions("gather")
def gather(
    ctx: Context,
    operand: AnyTile,
    indices: AnyTile,
    *,
    dimension_numbers: Any,
    slice_sizes: Sequence[int],
    **_: Any,
) -> AnyTile:
    """The result is split as the operand is, then as the indices are."""
    dims = _dims(ctx, operand.shape, slice_sizes, dimension_numbers)
    after = _after(ctx, operand, indices, dims)
    split = _chosen_dim(operand, slice_sizes, dimension_numbers)
    if split is not None:
        axis = operand.placement.axes[split]
        axes: _Axes = tuple(None if a == axis else a for a in after.axes)
        summed = ctx.placement(axes, extents_of(after))
        if _is_dear(ctx, operand, summed, dims):
            return _from_tiles(ctx, operand, indices, summed, dims, split)
    before = _before(ctx, operand, after, dims)
    check_whole(ctx, operand.placement, before)
    local = _local(
        ctx, operand.at(before), indices.at(_indices(ctx, indices, after, dims)), after
    )
    return ctx.settled(local, after)


def _dims(
    ctx: Context, shape: Sequence[int], sizes: Sequence[int], numbers: Any
) -> _Dims:
    batching = tuple(numbers.operand_batching_dims)
    dropped = {*numbers.collapsed_slice_dims, *batching}
    window = [dim for dim in range(len(shape)) if dim not in dropped]
    of_operand = {
        dim: out
        for dim, out in zip(window, numbers.offset_dims, strict=True)
        if sizes[dim] == shape[dim]
    }
    points = [n for n in range(len(ctx.out_shape)) if n not in numbers.offset_dims]
    for dim, index_dim in zip(
        batching, numbers.start_indices_batching_dims, strict=True
    ):
        of_operand[dim] = points[index_dim]
    return _Dims(of_operand, dict(enumerate(points)))


def _after(ctx: Context, operand: AnyTile, indices: AnyTile, dims: _Dims) -> Placement:
    """Where the result lies, its longest dimensions split over what is left."""
    axes: list[Axis | None] = [None] * len(ctx.out_shape)
    extents: dict[Axis, int] = {axis: ctx.mesh.size(axis) for axis in AXES}
    for tile, of_result in ((operand, dims.of_operand), (indices, dims.of_indices)):
        known = extents_of(tile.placement)
        for dim, out in of_result.items():
            axis = tile.placement.axes[dim]
            if axis is not None and axis not in axes and axes[out] is None:
                axes[out], extents[axis] = axis, known[axis]
    can_split = {*dims.of_operand.values(), *dims.of_indices.values()}
    for axis in AXES[::-1]:
        free = [d for d in can_split if axes[d] is None and ctx.out_shape[d] > 1]
        if axis not in axes and ctx.mesh.size(axis) > 1 and free:
            axes[max(free, key=lambda dim: (ctx.out_shape[dim], dim))] = axis
    return ctx.placement(tuple(axes), extents)


def _before(ctx: Context, operand: AnyTile, after: Placement, dims: _Dims) -> Placement:
    axes = dims.operand_axes(after.axes, len(operand.shape))
    return ctx.place(operand.shape, operand.placement.dtype, axes, extents_of(after))


def _indices(
    ctx: Context, indices: AnyTile, after: Placement, dims: _Dims
) -> Placement:
    axes = dims.indices_axes(after.axes)
    return ctx.place(indices.shape, indices.placement.dtype, axes, extents_of(after))


def _local(
    ctx: Context, operand: Any, indices: Any, after: Placement, **changed: Any
) -> Any:
    """The gather of one PE: windows span its tile where they span the whole."""
    numbers = ctx.eqn.params["dimension_numbers"]
    sizes = list(ctx.eqn.params["slice_sizes"])
    whole_shape = jaxprs.shape_of(ctx.eqn.invars[0])
    for dim, size in enumerate(whole_shape):
        if sizes[dim] == size and dim not in numbers.collapsed_slice_dims:
            sizes[dim] = operand.shape[dim]
    for dim in numbers.operand_batching_dims:
        sizes[dim] = 1
    params = {**ctx.eqn.params, "slice_sizes": tuple(sizes), **changed}
    return jaxprs.bind(ctx.eqn, [operand, indices], params)[0]


def _chosen_dim(operand: AnyTile, sizes: Sequence[int], numbers: Any) -> int | None:
    """A split dimension of which windows take one element, to be left split."""
    found = [
        dim
        for dim in numbers.start_index_map
        if operand.placement.axes[dim] is not None
        and sizes[dim] == 1
        and operand.shape[dim] > 1
    ]
    return found[0] if found else None


def _is_dear(ctx: Context, operand: AnyTile, after: Placement, dims: _Dims) -> bool:
    """Whether bringing the table to every PE costs more than adding up results."""
    before = _before(ctx, operand, after, dims)
    peak = operand.peak_bytes_to(before) + after.tile_size_bytes
    if peak > ctx.budget_bytes:
        return True
    is_added_on_the_way = is_float(ctx.out_dtype)
    words = operand.words_to(before)
    return is_added_on_the_way and words > 2 * math.prod(after.tile_shape)


def _from_tiles(
    ctx: Context,
    operand: AnyTile,
    indices: AnyTile,
    after: Placement,
    dims: _Dims,
    split: int,
) -> AnyTile:
    """Each PE of a line gives the windows in its tile, and -0.0 for all others.

    Adding -0.0 (0 for integers, or False) changes no number: the total is exact.
    """
    axis = operand.placement.axes[split]
    assert axis is not None, "the caller chose a split dimension"
    axes: list[Axis | None] = [*dims.operand_axes(after.axes, len(operand.shape))]
    axes[split] = axis
    extents = extents_of(after)
    extents[axis] = operand.placement.axis_extent(axis)
    before = canonical(
        ctx.place(operand.shape, operand.placement.dtype, tuple(axes), extents),
        ctx.mesh,
    )
    places = indices.at(_indices(ctx, indices, after, dims))
    limits = _limits(ctx, operand.shape)
    numbers = ctx.eqn.params["dimension_numbers"]
    component = list(numbers.start_index_map).index(split)
    shifted = from_tile_start(
        clipped(places, limits), component, axis, before.tile_shape[split]
    )
    nothing = -0.0 if is_float(ctx.out_dtype) else 0
    local = _local(
        ctx, operand.at(before), shifted, after, mode=_FILL_OR_DROP, fill_value=nothing
    )
    op = "or" if ctx.out_dtype == np.bool_ else "sum"
    local = over_line(local, ctx.mesh, axis, op)
    if ctx.eqn.params["mode"] == _FILL_OR_DROP:
        local = _filled(ctx, local, is_inside(places, limits), dims)
    return ctx.settled(local, after)


def _limits(ctx: Context, shape: Sequence[int]) -> list[int]:
    """The largest start along each dimension that indices choose from."""
    sizes = ctx.eqn.params["slice_sizes"]
    dims = ctx.eqn.params["dimension_numbers"].start_index_map
    return [shape[dim] - sizes[dim] for dim in dims]


def _filled(ctx: Context, local: Any, inside: Any, dims: _Dims) -> Any:
    points = tuple(dims.of_indices.values())
    mask = lax.broadcast_in_dim(inside, local.shape, points)
    return lax.select(mask, local, lax.full_like(local, ctx.eqn.params["fill_value"]))


def _embedding_gradient(table: Any, ids: Any) -> Any:
    return jax.grad(lambda t: (t[ids] ** 2).sum())(table)


def _batched(x: Any, i: Any) -> Any:
    return jnp.take_along_axis(x, jnp.abs(i) % x.shape[1], axis=1)


CASES = [
    Case("rows", lambda x, i: x[i], ("f32[n,m]", "i32[5]")),
    Case("columns", lambda x, i: x[:, i], ("f32[n,m]", "i32[k]")),
    Case("elements", lambda x, i, j: x[i, j], ("i32[n,m]", "i32[k]", "i32[k]")),
    Case("grid", lambda x, i, j: x[i[:, None], j], ("f32[n,m]", "i32[3]", "i32[k]")),
    Case("fill", lambda x, i: x.at[i].get(mode="fill"), ("f32[n,m]", "i32[k]")),
    Case(
        "fill with a number",
        lambda x, i: x.at[i].get(mode="fill", fill_value=7),
        ("i32[n]", "i32[k]"),
    ),
    Case("take", lambda x, i: jnp.take(x, i, axis=1), ("f32[n,m]", "i32[2,3]")),
    Case("take of flags", lambda x, i: jnp.take(x, i, axis=0), ("bool[n]", "i32[k]")),
    Case("clip", lambda x, i: x.at[i].get(mode="clip"), ("f32[n]", "i32[k]")),
    Case("along an axis", _batched, ("f32[n,m]", "i32[n,3]")),
    Case(
        "windows",
        lambda x, i: jax.vmap(lambda j: lax.dynamic_slice(x, (j, 0), (1, x.shape[1])))(
            i
        ),
        ("f32[n,m]", "i32[4]"),
    ),
    Case("large table", lambda x, i: x[i], ("f32[200,m]", "i32[3]")),
    Case(
        "large table, filled",
        lambda x, i: x.at[i * 20].get(mode="fill"),
        ("f32[200,m]", "i32[k]"),
    ),
    Case("large table of integers", lambda x, i: x[i], ("i32[999,m]", "i32[3]")),
    Case("large table of flags", lambda x, i: x[i], ("bool[1999,m]", "i32[3]")),
    Case("gradient", _embedding_gradient, ("f32[n,m]", "i32[k]")),
]
