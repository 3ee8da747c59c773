"""Batches of matrix products, [b, m, k] x [b, k, n]: each PE multiplies its own.

The batch is split over one mesh axis, rows of A or columns of B over the other; the
contracted dimension is whole. A PE that has several products does them in a loop.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

from jax import lax

from lowering.mesh import AXES, Axis
from lowering.partition.predicted import moved_cycles, product_cycles
from lowering.partition.products import local_product
from lowering.partition.registry import Context
from lowering.partition.tiles import AnyTile
from lowering.placement import Placement

# Cycles that a byte is worth where the equation exceeds its budget of SRAM.
_DISCOMFORT = 1_000_000


@dataclass(frozen=True, slots=True)
class _Scheme:
    left: Placement
    right: Placement
    result: Placement


def batched(
    ctx: Context, left: AnyTile, right: AnyTile, left_k: int, right_k: int
) -> AnyTile:
    """The scheme with the fewest predicted cycles."""
    schemes = _schemes(ctx, left, right, left_k, right_k)
    best = min(schemes, key=lambda scheme: _cycles(ctx, left, right, left_k, scheme))
    a, b = left.at(best.left), right.at(best.right)

    def multiply(_: None, pair: tuple[Any, Any]) -> tuple[None, Any]:
        return None, local_product(*pair, left_k - 1, right_k - 1, ctx.budget_bytes)

    if a.shape[0] == 1:
        one = multiply(None, (lax.squeeze(a, (0,)), lax.squeeze(b, (0,))))[1]
        return ctx.settled(lax.expand_dims(one, (0,)), best.result)
    return ctx.settled(lax.scan(multiply, None, (a, b))[1], best.result)


def _schemes(
    ctx: Context,
    left: AnyTile,
    right: AnyTile,
    left_k: int,
    right_k: int,
) -> list[_Scheme]:
    usable: list[Axis] = [axis for axis in AXES if ctx.mesh.size(axis) > 1]
    choices: list[Axis | None] = [*usable, None]
    found: list[_Scheme] = []
    for b, m, n in product(choices, repeat=3):
        named = [axis for axis in (b, m, n) if axis is not None]
        if len(set(named)) == len(named):
            a_axes = (b, None, m) if left_k == 1 else (b, m, None)
            b_axes = (b, None, n) if right_k == 1 else (b, n, None)
            found.append(
                _Scheme(
                    ctx.place(left.shape, left.placement.dtype, a_axes),
                    ctx.place(right.shape, right.placement.dtype, b_axes),
                    ctx.placement((b, m, n)),
                )
            )
    return found


def _cycles(
    ctx: Context, left: AnyTile, right: AnyTile, left_k: int, scheme: _Scheme
) -> float:
    products, m, n = scheme.result.tile_shape
    k = left.shape[left_k]
    cycles = products * product_cycles(m, k, n, left.placement.dtype)
    size_bytes = scheme.result.tile_size_bytes
    for tile, placement in ((left, scheme.left), (right, scheme.right)):
        words = tile.words_to(placement)
        cycles += moved_cycles(words, ctx.mesh)
        size_bytes += max(placement.tile_size_bytes, tile.peak_bytes_to(placement))
    return cycles + (_DISCOMFORT * size_bytes if size_bytes > ctx.budget_bytes else 0)
