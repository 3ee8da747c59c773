"""slice, pad, concatenate and rev: between neighbours, or along whole dimensions.

Where the elements of a PE's new tile are at most a few tiles away, neighbours exchange
them (`retile`), and the dimension stays split. Other dimensions become whole first.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import jax.numpy as jnp
from jax import lax

from lowering.cases import Case
from lowering.mesh import Axis
from lowering.partition import mesh_primitives as prims
from lowering.partition.registry import Context, extents_of, partitions
from lowering.partition.reshard import reshard
from lowering.partition.retile import Line, Piece, is_zero, join, moved
from lowering.partition.rules.creation import extents_of_kept
from lowering.partition.rules.shape import check_whole, whole_dims, with_whole
from lowering.partition.tiles import AnyTile, fill_axes
from lowering.placement import Placement

_SMALL_BYTES = 2 * 1024  # what is brought to every PE rather than to where it belongs


@partitions("slice")
def slice_(
    ctx: Context,
    operand: AnyTile,
    *,
    start_indices: tuple[int, ...],
    limit_indices: tuple[int, ...],
    strides: tuple[int, ...] | None,
) -> AnyTile:
    """A split dimension is cut by its neighbours, or broadcast if it is in one tile."""
    steps = strides or (1,) * len(operand.shape)
    bounds = list(zip(start_indices, limit_indices, steps, strict=True))
    cut = [d for d, n in enumerate(operand.shape) if bounds[d] != (0, n, 1)]
    far = [dim for dim in cut if steps[dim] != 1]
    if operand.words_to(with_whole(ctx, operand.placement, cut)) == 0:
        far = cut
    before = whole_dims(ctx, operand, far)
    local = operand.at(before)
    for dim in cut:
        if before.axes[dim] is not None:
            local, before = _cut(ctx, local, before, dim, *bounds[dim][:2])
            bounds[dim] = (0, before.shape[dim], 1)
    starts, limits = [0] * len(bounds), [*before.tile_shape]
    for dim in cut:
        if before.axes[dim] is None:
            starts[dim], limits[dim], _ = bounds[dim]
    local = lax.slice(local, starts, limits, steps)
    return ctx.settled(local, ctx.placement(before.axes, extents_of(before)))


def _cut(
    ctx: Context, local: Any, before: Placement, dim: int, start: int, limit: int
) -> tuple[Any, Placement]:
    """Elements `start` to `limit` of a split dimension, and where they are then."""
    axis, tile = before.axes[dim], before.tile_shape[dim]
    assert axis is not None, "the dimension is split"
    size, root = ctx.mesh.size(axis), start // tile
    after = _resized(before, dim, limit - start)
    if (limit - 1) // tile == root:
        first = start - root * tile
        part = lax.slice_in_dim(local, first, first + limit - start, axis=dim)
        whole = prims.mesh_broadcast(part, axis=axis, size=size, root=root)
        return whole, with_whole(ctx, after, [dim])
    line = Line(axis, size, dim, limit - start, after.tile_shape[dim])
    piece = Piece(local, -start, before.shape[dim], tile)
    if piece.is_near(line):
        return join(line, [piece]), after
    everywhere = with_whole(ctx, before, [dim])
    check_whole(ctx, before, everywhere)
    whole = reshard(local, before, everywhere, ctx.mesh)
    part = lax.slice_in_dim(whole, start, limit, axis=dim)
    return part, with_whole(ctx, after, [dim])


def _resized(placement: Placement, dim: int, length: int) -> Placement:
    shape = (*placement.shape[:dim], length, *placement.shape[dim + 1 :])
    return replace(placement, shape=shape)


@partitions("concatenate")
def concatenate(ctx: Context, *operands: AnyTile, dimension: int) -> AnyTile:
    """The dimensions are split as those of the largest operand are.

    If the joined one is, pieces go to where they belong from neighbours, or from every
    PE if they are small or on all of them. If one comes from farther, it is made whole.
    """
    largest = max(operands, key=lambda tile: tile.shape[dimension])
    if largest.placement.axes[dimension] is not None:
        joined = _joined(ctx, operands, largest.placement, dimension)
        if joined is not None:
            return joined
    kept: list[Axis | None] = [*largest.placement.axes]
    kept[dimension] = None
    filled: list[Axis | None] = [*fill_axes(ctx.out_shape, tuple(kept), ctx.mesh)]
    filled[dimension] = None
    axes: tuple[Axis | None, ...] = tuple(filled)
    extents = extents_of_kept(ctx, largest, kept)
    pieces = [
        tile.at(ctx.place(tile.shape, tile.placement.dtype, axes, extents))
        for tile in operands
    ]
    local = lax.concatenate(pieces, dimension)
    return ctx.settled(local, ctx.placement(axes, extents))


def _joined(
    ctx: Context, operands: Sequence[AnyTile], like: Placement, dim: int
) -> AnyTile | None:
    """The result of a concatenation along a split dimension; None if that is far."""
    axis = like.axes[dim]
    assert axis is not None, "the dimension is split"
    after = _resized(like, dim, ctx.out_shape[dim])
    size, tile = ctx.mesh.size(axis), after.tile_shape[dim]
    line, start = Line(axis, size, dim, ctx.out_shape[dim], tile), 0
    pieces: list[Piece] = []
    for operand in operands:
        length = operand.shape[dim]
        split = _resized(like, dim, length)
        everywhere = with_whole(ctx, split, [dim])
        piece = Piece(None, start, length, split.tile_shape[dim])
        is_small = everywhere.tile_size_bytes <= _SMALL_BYTES
        if operand.words_to(everywhere) == 0 or (length < size and is_small):
            whole = operand.at(everywhere)
            piece = replace(piece, value=whole, is_whole=True)
        elif piece.is_near(line):
            piece = replace(piece, value=operand.at(split))
        else:
            return None
        pieces.append(piece)
        start += length
    return ctx.settled(join(line, pieces), after)


@partitions("pad")
def pad(
    ctx: Context,
    operand: AnyTile,
    value: AnyTile,
    *,
    padding_config: Sequence[tuple[int, int, int]],
) -> AnyTile:
    """Split dimensions move between neighbours, those with holes become whole."""
    config = [*padding_config]
    padded = [dim for dim, each in enumerate(config) if any(each)]
    far = [dim for dim in padded if not _is_near(ctx, operand, dim, config[dim])]
    before = whole_dims(ctx, operand, far)
    local, filling = operand.at(before), value.at(value.placement)
    for dim in padded:
        axis = before.axes[dim]
        if axis is not None:
            line, piece = _bordered(ctx, before, dim, config[dim])
            piece = replace(piece, value=local)
            if line.length == piece.length and is_zero(filling):
                local = moved(line, piece)
            else:
                local = join(line, [piece], filling)
            before = _resized(before, dim, line.length)
            config[dim] = (0, 0, 0)
    if any(map(any, config)):
        local = lax.pad(local, filling, config)
    return ctx.settled(local, ctx.placement(before.axes, extents_of(before)))


def _is_near(
    ctx: Context, operand: AnyTile, dim: int, config: tuple[int, int, int]
) -> bool:
    low, high, interior = config
    if operand.placement.axes[dim] is None or interior:
        return False
    if operand.shape[dim] + low <= 0 or operand.shape[dim] + high <= 0:
        return False  # nothing is left of the operand
    line, piece = _bordered(ctx, operand.placement, dim, config)
    return piece.is_near(line)


def _bordered(
    ctx: Context, before: Placement, dim: int, config: tuple[int, int, int]
) -> tuple[Line, Piece]:
    """The new dimension, and the piece of it that is the old one."""
    axis, length = before.axes[dim], before.shape[dim]
    assert axis is not None, "the dimension is split"
    after = _resized(before, dim, length + config[0] + config[1])
    size, tile = ctx.mesh.size(axis), after.tile_shape[dim]
    line = Line(axis, size, dim, after.shape[dim], tile)
    return line, Piece(None, config[0], length, before.tile_shape[dim])


@partitions("rev")
def rev(ctx: Context, operand: AnyTile, *, dimensions: tuple[int, ...]) -> AnyTile:
    """Each PE turns its tile around, along dimensions that are whole."""
    before = whole_dims(ctx, operand, list(dimensions))
    local = lax.rev(operand.at(before), dimensions)
    return ctx.settled(local, ctx.placement(before.axes, extents_of(before)))


def _pads(x: Any, value: Any) -> list[Any]:
    return [
        lax.pad(x, value, ((1, 2, 0), (0, 0, 0))),
        lax.pad(x, value, ((0, 2, 0), (0, 0, 0))),
        lax.pad(x, value, ((0, 0, 2), (-1, 3, 1))),
        lax.pad(x, value, ((3, -1, 1), (2, -1, 0))),
        lax.pad(x * 2, value + 1, ((0, 0, 0), (-1, 0, 0))),
    ]


def _around(x: Any) -> list[Any]:
    """What lies around each element, with zeros, ones or flags beyond the ends."""
    n, m = x.shape
    zeros, ones, flags = jnp.pad(x, 1), jnp.pad(x, 2, constant_values=1), x > 0
    far = jnp.pad(x, ((7, 0), (0, 5)))
    return [
        zeros[:-2, 1:-1] - zeros[2:, 1:-1] + zeros[1:-1, :-2] * zeros[2:, 2:],
        ones[:n, 1 : m + 1] + ones[3 : n + 3, 4:],
        far[:n, 5:] + far[4 : n + 4, 2 : m + 2],
        jnp.pad(flags, 1)[2:, :-2],
        lax.pad(lax.pad(x, 0.0, ((2, -2, 0), (0, 0, 0))), 0.0, ((-1, 1, 0), (1, 1, 0))),
    ]


CASES = [
    Case("slices", lambda a: [a[:1], a[:, :1], a[-1:]], ("f32[n,m]",)),
    Case("rows", lambda a: a[0] + a[-1], ("f32[n,m]",)),
    Case("column", lambda a: a[:, -1], ("f32[n,m]",)),
    Case(
        "differences", lambda a: [a[1:] - a[:-1], a[:, 2:] - a[:, :-2]], ("f32[9,8]",)
    ),
    Case("most of it", lambda a: [a[1:-1, 1:], a[:, 3:], a[:-2]], ("f32[17,18]",)),
    Case(
        "stencil",
        lambda a: jnp.roll(a, 1, 0) + jnp.roll(a, -1, 0) - jnp.roll(a, 2, 1),
        ("f32[n,m]",),
    ),
    Case(
        "border",
        lambda a, b: [jnp.pad(a, 1), lax.pad(a, b, ((0, 3, 0), (-1, 1, 0)))],
        ("f32[n,m]", "f32[]"),
    ),
    Case("edges", lambda a: jnp.pad(a, ((1, 2), (3, 0)), mode="edge"), ("f32[n,m]",)),
    Case(
        "long join",
        lambda a, b: [jnp.concatenate([a, b]), jnp.concatenate([b, a, b[:1], a])],
        ("f32[n,m]", "f32[20,m]"),
    ),
    Case("join", lambda a, b: jnp.concatenate([a, b, a * 2]), ("f32[n,m]", "f32[3,m]")),
    Case("join columns", lambda a, b: jnp.c_[a, b], ("f32[n,m]", "f32[n,1]")),
    Case("join flags", lambda a, b: jnp.concatenate([a, b]), ("bool[n]", "bool[m]")),
    Case("stack", lambda a, b: jnp.stack([a, b, a], 1), ("i32[n]", "i32[n]")),
    Case("join a cube", lambda a: jnp.concatenate([a, a], 2), ("f32[2,n,m]",)),
    Case("join numbers", lambda a: jnp.concatenate([a, jnp.ones(3)]), ("f32[n]",)),
    Case("pad", _pads, ("f32[n,3]", "f32[]")),
    Case("around", _around, ("f32[n,m]",)),
    Case("around, in tiles of one", _around, ("f32[8,8]",)),
    Case("pad integers", lambda a: jnp.pad(a, 2, mode="wrap"), ("i32[n]",)),
    Case("reverse", lambda a: [a[::-1], a[:, ::-1], a[::-1, ::-1]], ("f32[n,m]",)),
    Case("reverse flags", lambda a: jnp.flip(a) + 1, ("i32[n]",)),
    Case("strides", lambda a: [a[::2], a[1::3, ::2], a[:, ::-2]], ("f32[9,m]",)),
    Case("roll", lambda a, i: [jnp.roll(a, 3), jnp.roll(a, i)], ("f32[n]", "i32[]")),
    Case("roll rows", lambda a: jnp.roll(a, (1, -1), (0, 1)), ("f32[n,m]",)),
    Case("repeat", lambda a: [jnp.repeat(a, 3, 1), jnp.tile(a, (2, 2))], ("f32[n,m]",)),
    Case("split", lambda a: jnp.split(a, [1, 2], axis=1), ("f32[n,7]",)),
    Case("no pieces", lambda a: jnp.concatenate([a[:0], a, a[3:3]]), ("f32[n]",)),
    Case("order", lambda a: lax.reshape(a, (a.size,), (1, 0, 2)), ("f32[n,3,m]",)),
]
