"""concatenate, pad and rev: local along dimensions that are whole on every PE."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
from jax import lax

from lowering.mesh import Axis
from lowering.partition.cases import Case
from lowering.partition.registry import Context, extents_of, partitions
from lowering.partition.rules.creation import extents_of_kept
from lowering.partition.rules.shape import whole_dims
from lowering.partition.tiles import AnyTile, fill_axes


@partitions("concatenate")
def concatenate(ctx: Context, *operands: AnyTile, dimension: int) -> AnyTile:
    """Each PE joins its tiles; the joined dimension is whole on all of them.

    The other dimensions are split as those of the largest operand are.
    """
    largest = max(operands, key=lambda tile: tile.shape[dimension])
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


@partitions("pad")
def pad(
    ctx: Context,
    operand: AnyTile,
    value: AnyTile,
    *,
    padding_config: Sequence[tuple[int, int, int]],
) -> AnyTile:
    """Each PE pads its tile along dimensions that are whole."""
    padded = [dim for dim, config in enumerate(padding_config) if any(config)]
    before = whole_dims(ctx, operand, padded)
    filling = value.at(value.placement)
    local = lax.pad(operand.at(before), filling, padding_config)
    return ctx.settled(local, ctx.placement(before.axes, extents_of(before)))


@partitions("rev")
def rev(ctx: Context, operand: AnyTile, *, dimensions: tuple[int, ...]) -> AnyTile:
    """Each PE turns its tile around, along dimensions that are whole."""
    before = whole_dims(ctx, operand, list(dimensions))
    local = lax.rev(operand.at(before), dimensions)
    return ctx.settled(local, ctx.placement(before.axes, extents_of(before)))


def _pads(x: Any, value: Any) -> list[Any]:
    return [
        lax.pad(x, value, ((1, 2, 0), (0, 0, 0))),
        lax.pad(x, value, ((0, 0, 2), (-1, 3, 1))),
        lax.pad(x, value, ((3, -1, 1), (2, -1, 0))),
        lax.pad(x * 2, value + 1, ((0, 0, 0), (-1, 0, 0))),
    ]


CASES = [
    Case("join", lambda a, b: jnp.concatenate([a, b, a * 2]), ("f32[n,m]", "f32[3,m]")),
    Case("join columns", lambda a, b: jnp.c_[a, b], ("f32[n,m]", "f32[n,1]")),
    Case("join flags", lambda a, b: jnp.concatenate([a, b]), ("bool[n]", "bool[m]")),
    Case("stack", lambda a, b: jnp.stack([a, b, a], 1), ("i32[n]", "i32[n]")),
    Case("join a cube", lambda a: jnp.concatenate([a, a], 2), ("f32[2,n,m]",)),
    Case("join numbers", lambda a: jnp.concatenate([a, jnp.ones(3)]), ("f32[n]",)),
    Case("pad", _pads, ("f32[n,3]", "f32[]")),
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
