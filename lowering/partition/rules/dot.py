"""dot_general of two matrices, wherever their tiles lie.

A scheme names the mesh axes that split the result's rows (m), its columns (n) and the
contracted dimension (k). If k is whole, each PE multiplies what it gathered of a row of
A and a column of B. If k is split, each PE multiplies its own part, and the partial
sums are added along that axis. The scheme with the fewest predicted cycles is
taken: one per multiply-add, one per word received; see `_cycles`.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import Any

import jax
import jax.numpy as jnp

from lowering import jaxprs
from lowering.mesh import AXES, Axis
from lowering.partition import mesh_primitives as prims
from lowering.partition.cases import Case
from lowering.partition.registry import Context, partitions
from lowering.partition.rules.elementwise import fill_padding
from lowering.partition.tiles import AnyTile
from lowering.placement import Placement

# SRAM of one product's operands and result beyond which a scheme is a last resort.
_COMFORTABLE_BYTES = 32 * 1024
_DISCOMFORT = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Scheme:
    """Placements of both operands and the result, and the axis of partial sums."""

    left: Placement
    right: Placement
    result: Placement
    partial: Axis | None

    @property
    def size_bytes(self) -> int:
        parts = (self.left, self.right, self.result)
        return sum(part.tile_size_bytes for part in parts)


@partitions("dot_general")
def dot_general(
    ctx: Context, left: AnyTile, right: AnyTile, *, dimension_numbers: Any, **_: Any
) -> AnyTile:
    """Gathers or adds up along mesh axes, by predicted cycles.

    Padding of the contracted dimension is zero in both operands, so that what lies
    there (inf or NaN included) never reaches a sum.
    """
    ((left_k,), (right_k,)), _batch = dimension_numbers
    schemes = _schemes(ctx, left.placement, right.placement, left_k, right_k)
    best = min(schemes, key=lambda scheme: _cycles(ctx, left, right, left_k, scheme))
    a = fill_padding(ctx, left.at(best.left), best.left, left_k, 0)
    b = fill_padding(ctx, right.at(best.right), best.right, right_k, 0)
    local = jaxprs.bind(ctx.eqn, [a, b])[0]
    if best.partial is not None:
        size = ctx.mesh.size(best.partial)
        local = prims.mesh_all_reduce(local, axis=best.partial, size=size, op="sum")
    return ctx.settled(local, best.result)


def _schemes(
    ctx: Context, left: Placement, right: Placement, left_k: int, right_k: int
) -> list[Scheme]:
    """Every way to give m, n and k different axes; the usual grid comes first."""
    usable: list[Axis] = [axis for axis in AXES if ctx.mesh.size(axis) > 1]
    choices: list[Axis | None] = [*usable, None]
    found: list[Scheme] = []
    for m, n, k in product(choices, choices, choices[::-1]):
        named = [axis for axis in (m, n, k) if axis is not None]
        if len(set(named)) == len(named):
            found.append(_scheme(ctx, (left, left_k, m), (right, right_k, n), k))
    return sorted(found, key=lambda scheme: scheme.result.axes != ("rows", "cols"))


def _scheme(
    ctx: Context,
    left: tuple[Placement, int, Axis | None],
    right: tuple[Placement, int, Axis | None],
    k: Axis | None,
) -> Scheme:
    placed: list[Placement] = []
    for placement, k_dim, free in (left, right):
        axes: tuple[Axis | None, ...] = (k, free) if k_dim == 0 else (free, k)
        placed.append(ctx.place(placement.shape, placement.dtype, axes))
    return Scheme(placed[0], placed[1], ctx.placement((left[2], right[2])), k)


def _cycles(
    ctx: Context, left: AnyTile, right: AnyTile, left_k: int, scheme: Scheme
) -> float:
    """Multiply-adds of one PE, words it receives, and hops of each collective."""
    result = math.prod(scheme.result.tile_shape)
    cycles = float(result * scheme.left.tile_shape[left_k])
    for tile, placement in ((left, scheme.left), (right, scheme.right)):
        words = tile.words_to(placement)
        cycles += words + (ctx.mesh.rows + ctx.mesh.cols if words else 0)
    if scheme.partial is not None:  # a chain there, a broadcast back
        cycles += 2 * (result + ctx.mesh.size(scheme.partial))
    size_bytes = max(
        scheme.size_bytes,
        left.peak_bytes_to(scheme.left),
        right.peak_bytes_to(scheme.right),
    )
    if size_bytes > _COMFORTABLE_BYTES:
        cycles += _DISCOMFORT + size_bytes
    return cycles


CASES = [
    Case("matrix, matrix", lambda a, b: a @ b, ("f32[n,k]", "f32[k,m]")),
    Case("left transposed", lambda a, b: a.T @ b, ("f32[k,n]", "f32[k,m]")),
    Case("right transposed", lambda a, b: a @ b.T, ("f32[n,k]", "f32[m,k]")),
    Case("both transposed", lambda a, b: a.T @ b.T, ("f32[k,n]", "f32[m,k]")),
    Case("result transposed", lambda a, b: (a @ b).T, ("f32[n,k]", "f32[k,m]")),
    Case("matrix, vector", lambda a, b: a @ b, ("f32[n,k]", "f32[k]")),
    Case("vector, matrix", lambda a, b: a @ b, ("f32[k]", "f32[k,m]")),
    Case("vectors", lambda a, b: a @ b, ("f32[k]", "f32[k]")),
    Case("outer product", lambda a, b: a[:, None] @ b[None], ("f32[n]", "f32[m]")),
    Case("of itself", lambda a: a @ a.T, ("f32[n,k]",)),
    Case("chain", lambda a, b, c: a @ b @ c, ("f32[n,k]", "f32[k,m]", "f32[m,n]")),
    Case(
        "layer",
        lambda a, b, c: jax.nn.relu(a @ b + c),
        ("f32[n,k]", "f32[k,m]", "f32[m]"),
    ),
    Case(
        "gradient of a layer",
        jax.grad(lambda b, a, c: jnp.sum(jax.nn.relu(a @ b + c) ** 2)),
        ("f32[k,m]", "f32[n,k]", "f32[m]"),
    ),
]
