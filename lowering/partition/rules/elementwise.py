"""Element-wise primitives: local, once the operands lie in the same places."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lowering import jaxprs
from lowering.cases import Case
from lowering.normalise.core_set import ELEMENTWISE
from lowering.partition import mesh_primitives as prims
from lowering.partition.registry import Context, partitions
from lowering.partition.tiles import AnyTile, Pending
from lowering.placement import Placement


@partitions(*sorted(ELEMENTWISE))
def elementwise(ctx: Context, *tiles: AnyTile, **_: Any) -> AnyTile:
    """The result lies where moving the operands and computing costs least.

    Operands of rank 0 are on every PE and move nowhere. If all others are pending, the
    result is too.
    """
    whole = [tile for tile in tiles if tile.shape == ctx.out_shape]
    target = replace(_cheapest(whole), dtype=np.dtype(ctx.out_dtype))

    def make(after: Placement) -> Any:
        operands = [_local(tile, after) for tile in tiles]
        return jaxprs.bind(ctx.eqn, operands)[0]

    def cost(after: Placement) -> int:
        return sum(tile.words_to(after) for tile in whole)

    if ctx.out_shape and all(isinstance(tile, Pending) for tile in whole):
        depth = 1 + max(tile.depth for tile in whole)
        return ctx.pending(target, make, cost, depth)
    return ctx.settled(make(target), target)


def _cheapest(tiles: list[AnyTile]) -> Placement:
    """The operand's placement with the fewest words to move and elements to compute."""

    def cost(placement: Placement) -> int:
        moved = sum(tile.words_to(placement) for tile in tiles)
        return moved + math.prod(placement.tile_shape)

    return min((tile.placement for tile in tiles), key=cost)


def _local(tile: AnyTile, after: Placement) -> Any:
    if tile.shape != after.shape:
        return tile.at(tile.placement)
    return tile.at(after)


def fill_padding(
    ctx: Context, x: Any, placement: Placement, dim: int, value: float
) -> Any:
    """`x` with the elements beyond dimension `dim` of the array set to `value`."""
    axis = placement.axes[dim]
    if axis is None or not is_padded(ctx, placement, dim):
        return x
    return prims.mesh_fill_padding(
        x,
        axis=axis,
        size=ctx.mesh.size(axis),
        dim=dim,
        length=placement.shape[dim],
        value=value,
    )


def is_padded(ctx: Context, placement: Placement, dim: int) -> bool:
    """Whether some PE of the mesh holds elements along `dim` that do not exist."""
    axis = placement.axes[dim]
    if axis is None:
        return False
    return ctx.mesh.size(axis) * placement.tile_shape[dim] != placement.shape[dim]


_FLOATS = ("f32[n,m]", "f32[n,m]")
_INTEGERS = ("i32[n,m]", "i32[n,m]")

CASES = [
    Case("arithmetic", lambda a, b: (a + b) * (a - b) / (b * b + 1), _FLOATS),
    Case("integers", lambda a, b: (a + b) * a - b // b, _INTEGERS),
    Case("integer division", jax.lax.div, _INTEGERS),
    Case("scalar operands", lambda a, s: 2 * a + s, ("f32[n,m]", "f32[]")),
    Case("extremes", lambda a, b: jnp.maximum(a, b) + jnp.minimum(a, 0), _FLOATS),
    Case("unary", lambda a: jnp.exp(-jnp.abs(a)) * jnp.sign(a), ("f32[n,m]",)),
    Case("roots", lambda a: jnp.sqrt(a * a) + jax.lax.rsqrt(a * a + 1), ("f32[n]",)),
    Case("tanh, log", lambda a: jnp.tanh(a) + jnp.log(a * a + 1), ("f32[n,m]",)),
    Case("comparisons", lambda a, b: [a < b, a <= b, a == a, a != b], _FLOATS),
    Case("reverse comparisons", lambda a, b: [a > b, a >= b], _INTEGERS),
    Case("logic", lambda a, b: (a & ~b) | (a ^ b), ("bool[n,m]", "bool[n,m]")),
    Case("where", lambda a, b: jnp.where(a > b, a, b), _FLOATS),
    Case("where scalar", lambda a, s: jnp.where(s > 0, a, -a), ("f32[n]", "f32[]")),
    Case("convert", lambda a: (a > 0).astype(int) + a.astype(int), ("f32[n,m]",)),
    Case("of scalars", lambda a, b: a * b + 1, ("f32[]", "f32[]")),
    Case("cube", lambda a, b, c: a + b * c, ("f32[2,n,m]",) * 3),
]
