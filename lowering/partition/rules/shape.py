"""reshape, squeeze and transpose: local, or local after a gather."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import jax.numpy as jnp
from jax import lax

from lowering.cases import Case
from lowering.errors import LayoutError
from lowering.mesh import Axis
from lowering.partition.registry import Context, extents_of, partitions
from lowering.partition.reshard import WHOLE_LIMIT_BYTES, canonical
from lowering.partition.tiles import AnyTile
from lowering.placement import Placement, type_text


@partitions("transpose")
def transpose(
    ctx: Context, operand: AnyTile, *, permutation: tuple[int, ...]
) -> AnyTile:
    """Each PE transposes its tile: the mesh axes go along with their dimensions."""
    before = operand.placement
    axes: tuple[Axis | None, ...] = tuple(before.axes[dim] for dim in permutation)
    local = lax.transpose(operand.at(before), permutation)
    return ctx.settled(local, ctx.placement(axes, extents_of(before)))


@partitions("squeeze")
def squeeze(ctx: Context, operand: AnyTile, *, dimensions: tuple[int, ...]) -> AnyTile:
    """Drops dimensions of size 1, brought to every PE first if they are split."""
    before = whole_dims(ctx, operand, list(dimensions))
    local = lax.squeeze(operand.at(before), dimensions)
    axes: tuple[Axis | None, ...] = tuple(
        a for dim, a in enumerate(before.axes) if dim not in dimensions
    )
    return ctx.settled(local, ctx.placement(axes, extents_of(before)))


@partitions("reshape")
def reshape(ctx: Context, operand: AnyTile, **_: Any) -> AnyTile:
    """Local where tiles stay tiles: dimensions come apart or together inside a PE.

    Among dimensions that are merged or taken apart, only the first may be split over
    PEs, and only evenly. Others are gathered first, if the value fits a PE, and so are
    dimensions of size 1, which only the first PE of a line would hold.
    """
    wanted: dict[int, Axis] = {}
    blocking = [dim for dim, size in enumerate(operand.shape) if size == 1]
    for old, new in _groups(operand.shape, ctx.out_shape):
        for dim in old:
            axis = operand.placement.axes[dim]
            if axis is None:
                continue
            kept = _kept_dim(operand.placement, dim, old, new, ctx.out_shape)
            if kept is None:
                blocking.append(dim)
            else:
                wanted[kept] = axis
    before = whole_dims(ctx, operand, blocking)
    axes: tuple[Axis | None, ...] = tuple(
        wanted.get(dim) for dim in range(len(ctx.out_shape))
    )
    after = ctx.placement(axes, extents_of(before))
    return ctx.settled(operand.at(before).reshape(after.tile_shape), after)


def _groups(
    old: tuple[int, ...], new: tuple[int, ...]
) -> list[tuple[list[int], list[int]]]:
    """Smallest runs of dimensions, before and after, that hold the same elements.

    Dimensions of size 1 are in no run.
    """
    old_dims = [dim for dim, size in enumerate(old) if size != 1]
    new_dims = [dim for dim, size in enumerate(new) if size != 1]
    groups: list[tuple[list[int], list[int]]] = []
    while old_dims:
        before, after = [old_dims.pop(0)], [new_dims.pop(0)]
        while (here := _size(old, before)) != (there := _size(new, after)):
            if here < there:
                before.append(old_dims.pop(0))
            else:
                after.append(new_dims.pop(0))
        groups.append((before, after))
    return groups


def _size(shape: tuple[int, ...], dims: list[int]) -> int:
    return math.prod(shape[dim] for dim in dims)


def _kept_dim(
    placement: Placement,
    dim: int,
    old: list[int],
    new: list[int],
    new_shape: tuple[int, ...],
) -> int | None:
    """The new dimension that can be split as `dim` is, or None if none can."""
    if len(old) == len(new) == 1:
        return new[0]
    count = placement.count(dim)
    is_even = placement.shape[dim] % count == 0 and new_shape[new[0]] % count == 0
    return new[0] if dim == old[0] and is_even else None


def whole_dims(ctx: Context, operand: AnyTile, dims: list[int]) -> Placement:
    """The operand's placement with these dimensions whole on every PE.

    Raises: LayoutError, if that is more than a PE can hold.
    """
    after = with_whole(ctx, operand.placement, dims)
    check_whole(ctx, operand.placement, after)
    return after


def with_whole(ctx: Context, before: Placement, dims: list[int]) -> Placement:
    """The placement, but for dimensions that every PE has whole."""
    axes: tuple[Axis | None, ...] = tuple(
        None if dim in dims else axis for dim, axis in enumerate(before.axes)
    )
    return canonical(replace(before, axes=axes), ctx.mesh)


def check_whole(ctx: Context, before: Placement, after: Placement) -> None:
    """Raises: LayoutError, if `after` is too much for a PE where `before` is not."""
    if before.tile_size_bytes <= WHOLE_LIMIT_BYTES < after.tile_size_bytes:
        raise LayoutError(
            f"{ctx.eqn.primitive.name} of {before} moves data between PEs",
            notes=[
                ("result", type_text(ctx.out_shape, ctx.out_dtype)),
                ("whole", f"{after.tile_size_bytes:,} bytes on each PE"),
                ("limit", f"{WHOLE_LIMIT_BYTES:,} bytes"),
            ],
            rule="dimensions that are cut, merged or taken apart are whole on each PE",
            help="give the value a layout that does not split them",
        )


CASES = [
    Case("transpose", lambda a: a.T, ("f32[n,m]",)),
    Case("transpose and add", lambda a, b: a.T + b, ("f32[n,m]", "f32[m,n]")),
    Case("transpose of a cube", lambda a: jnp.transpose(a, (2, 0, 1)), ("f32[2,n,m]",)),
    Case("unit dimensions", lambda a: a[:, None, :], ("f32[n,m]",)),
    Case("squeeze", lambda a: jnp.squeeze(a, 1), ("f32[n,1]",)),
    Case("squeeze a row", lambda a: a[0] * 2, ("f32[1,m]",)),
    Case("flatten", lambda a: a.reshape(-1), ("f32[n,m]",)),
    Case("flatten a cube", lambda a: a.reshape(a.shape[0], -1), ("f32[n,4,3]",)),
    Case("merge, last kept", lambda a: a.reshape(-1, a.shape[2]), ("f32[4,3,m]",)),
    Case("take apart", lambda a: a.reshape(4, -1), ("f32[16]",)),
    Case("back and forth", lambda a: a.reshape(-1).reshape(a.shape), ("f32[n,m]",)),
]
