"""Reductions: each PE reduces its own tile, then the lines it is split over."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from lowering import jaxprs
from lowering.cases import Case
from lowering.mesh import Axis
from lowering.neutral import Op, neutral
from lowering.partition.line_reduction import over_line
from lowering.partition.registry import Context, extents_of, partitions
from lowering.partition.rules.elementwise import fill_padding
from lowering.partition.tiles import AnyTile

_OPS: dict[str, Op] = {
    "reduce_sum": "sum",
    "reduce_max": "max",
    "reduce_min": "min",
    "reduce_prod": "prod",
    "reduce_and": "and",
    "reduce_or": "or",
    "reduce_xor": "xor",
}


@partitions(*_OPS)
def reduction(
    ctx: Context, operand: AnyTile, *, axes: tuple[int, ...], **_: Any
) -> AnyTile:
    """Padding is filled with the neutral value: 0 for sum, -inf for max, and so on.

    The result is on every PE of the lines it was reduced over.
    """
    op = _OPS[ctx.eqn.primitive.name]
    placement = operand.placement
    local = operand.at(placement)
    for dim in axes:
        local = fill_padding(ctx, local, placement, dim, neutral(op, placement.dtype))
    local = jaxprs.bind(ctx.eqn, [local])[0]
    for dim in axes:
        axis = placement.axes[dim]
        if axis is not None:
            local = over_line(local, ctx.mesh, axis, op)
    kept: tuple[Axis | None, ...] = tuple(
        a for dim, a in enumerate(placement.axes) if dim not in axes
    )
    return ctx.settled(local, ctx.placement(kept, extents_of(placement)))


def _parity(a: jax.Array) -> Any:
    return lax.reduce_xor(a, (0, 1)), lax.reduce_xor(a > 0, (1,))


def _farthest(a: jax.Array) -> Any:
    """A reduction of pairs by a computation of its own."""
    index = lax.broadcasted_iota(np.dtype("int32"), a.shape, 1)

    def farther(x: Any, y: Any) -> Any:
        is_farther = jnp.abs(y[0]) > jnp.abs(x[0])
        return jnp.where(is_farther, y[0], x[0]), jnp.where(is_farther, y[1], x[1])

    return lax.reduce((a, index), (np.float32(0), np.int32(-1)), farther, (1,))


def _from_three(a: jax.Array, b: jax.Array) -> Any:
    def extremes(x: Any, y: Any) -> Any:
        return lax.max(x[0], y[0]), lax.add(x[1], y[1])

    return lax.reduce((a, b), (np.int32(3), np.float32(3)), extremes, (0, 1))


CASES = [
    Case("sum", lambda a: [a.sum(), a.sum(0), a.sum(1)], ("f32[n,m]",)),
    Case("max", lambda a: [a.max(), a.max(0), a.max(1)], ("f32[n,m]",)),
    Case("min", lambda a: [a.min(), a.min(0), a.min(1)], ("f32[n,m]",)),
    Case(
        "of negatives", lambda a: [(-a * a - 1).max(), (a * a + 1).min()], ("f32[n]",)
    ),
    Case("of halves", lambda a: [a.max(0), a.min(1)], ("f16[n,m]",)),
    Case("words", lambda a: [lax.reduce_sum(a, (0,)), a.max()], ("i16[n,m]",)),
    Case("integers", lambda a: [a.sum(0), a.max(), a.min(1)], ("i32[n,m]",)),
    Case("product", lambda a: [a.prod(), a.prod(0), a.prod(1)], ("f32[n,m]",)),
    Case("integer product", lambda a: [a.prod(), a.prod(0)], ("i32[n,m]",)),
    Case(
        "bits",
        lambda a: [lax.reduce_and(a, (0,)), lax.reduce_or(a, (1,)), _parity(a)],
        ("i32[n,m]",),
    ),
    Case("any, all", lambda a: [(a > 0).any(0), (a > 0).all(1)], ("f32[n,m]",)),
    Case("pairs by a computation", _farthest, ("f32[n,m]",)),
    Case("pairs from a start", _from_three, ("i32[n,m]", "f32[n,m]")),
    Case("mean", lambda a: a.mean(axis=-1), ("f32[n,m]",)),
    Case("variance", lambda a: a.var(axis=0), ("f32[n,m]",)),
    Case("softmax", lambda a: jax.nn.softmax(a, axis=-1), ("f32[n,m]",)),
    Case("log_softmax", lambda a: jax.nn.log_softmax(a, axis=0), ("f32[n,m]",)),
    Case("of a cube", lambda a: a.sum((0, 2)), ("f32[2,n,m]",)),
    Case("of a transpose", lambda a: a.T.sum(0) + a.sum(1), ("f32[n,m]",)),
    Case("of a broadcast", lambda a: (a[:, None] * jnp.ones(9)).sum(0), ("f32[n]",)),
]
