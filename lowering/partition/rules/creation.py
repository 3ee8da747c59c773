"""broadcast_in_dim and iota: made in place, wherever their tiles are wanted."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from lowering.cases import Case
from lowering.mesh import Axis
from lowering.partition import mesh_primitives as prims
from lowering.partition.registry import Context, extents_of, partitions
from lowering.partition.tiles import AnyTile, conventional_axes, fill_axes
from lowering.placement import Placement


@partitions("broadcast_in_dim")
def broadcast_in_dim(
    ctx: Context,
    operand: AnyTile,
    *,
    shape: tuple[int, ...],
    broadcast_dimensions: tuple[int, ...],
    **_: Any,
) -> AnyTile:
    """Each PE repeats what it holds of the operand; new dimensions become split.

    A dimension of size 1 that is stretched is made whole on every PE first.
    """
    stretched = [
        dim
        for dim, out_dim in enumerate(broadcast_dimensions)
        if operand.shape[dim] != shape[out_dim]
    ]

    def source(after: Placement) -> Placement:
        axes: tuple[Axis | None, ...] = tuple(
            None if dim in stretched else after.axes[out_dim]
            for dim, out_dim in enumerate(broadcast_dimensions)
        )
        before = operand.placement
        return ctx.place(before.shape, before.dtype, axes, extents_of(after))

    def make(after: Placement) -> Any:
        local = operand.at(source(after))
        return lax.broadcast_in_dim(local, after.tile_shape, broadcast_dimensions)

    axes: list[Axis | None] = [None] * len(shape)
    for dim, out_dim in enumerate(broadcast_dimensions):
        axes[out_dim] = None if dim in stretched else operand.placement.axes[dim]
    placement = ctx.placement(
        fill_axes(shape, tuple(axes), ctx.mesh), extents_of_kept(ctx, operand, axes)
    )
    return ctx.pending(
        placement,
        make,
        lambda after: operand.words_to(source(after)),
        1 + operand.depth,
    )


def extents_of_kept(
    ctx: Context, operand: AnyTile, axes: list[Axis | None]
) -> dict[Axis, int]:
    """The operand's extents for axes it splits, the mesh's for the others."""
    extents: dict[Axis, int] = {"rows": ctx.mesh.rows, "cols": ctx.mesh.cols}
    kept = extents_of(operand.placement)
    extents.update({axis: n for axis, n in kept.items() if axis in axes})
    return extents


@partitions("iota")
def iota(
    ctx: Context,
    *,
    dtype: np.dtype[Any],
    shape: tuple[int, ...],
    dimension: int,
    **_: Any,
) -> AnyTile:
    """Each PE counts from the start of its own tile."""

    def make(after: Placement) -> jax.Array:
        local = lax.broadcasted_iota(dtype, after.tile_shape, dimension)
        axis = after.axes[dimension]
        if axis is None:
            return local
        start = prims.mesh_index(axis=axis) * np.int32(after.tile_shape[dimension])
        return local + start.astype(dtype)

    placement = ctx.placement(conventional_axes(shape, ctx.mesh))
    return ctx.pending(placement, make, lambda after: 0)


CASES = [
    Case("rows and columns", lambda a, b: a[:, None] + b, ("f32[n]", "f32[m]")),
    Case("of one row", lambda a, b: a + b, ("f32[1,m]", "f32[n,m]")),
    Case("of one column", lambda a, b: a * b, ("f32[n,1]", "f32[n,m]")),
    Case("of a scalar", lambda a: jnp.full((5, 9), a), ("f32[]",)),
    Case("broadcast alone", lambda a: jnp.broadcast_to(a, (3, *a.shape)), ("f32[n]",)),
    Case("outer", lambda a: a[:, None] * a[None, :], ("f32[n]",)),
    Case("iota", lambda a: a + jnp.arange(a.shape[1]), ("f32[n,m]",)),
    Case("iota of rows", lambda a: a * jnp.arange(a.shape[0])[:, None], ("f32[n,m]",)),
    Case("triangle", jnp.tril, ("f32[n,m]",)),
    Case("iota alone", lambda: jnp.arange(33) * 2 + 1, ()),
    Case(
        "constants",
        lambda a: a + np.arange(21.0, dtype="f4").reshape(3, 7),
        ("f32[3,7]",),
    ),
]
