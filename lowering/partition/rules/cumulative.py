"""cumsum and its like: each PE walks its part, then adds what PEs before it had."""

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
from lowering.partition import mesh_primitives as prims
from lowering.partition.registry import Context, partitions
from lowering.partition.rules.elementwise import fill_padding
from lowering.partition.rules.reduction import Op, neutral
from lowering.partition.tiles import AnyTile

_OPS: dict[str, Op] = {
    "cumsum": "sum",
    "cumprod": "prod",
    "cummax": "max",
    "cummin": "min",
}
_REDUCE: dict[str, Any] = {
    "sum": lax.reduce_sum,
    "prod": lax.reduce_prod,
    "max": lax.reduce_max,
    "min": lax.reduce_min,
}
_COMBINE: dict[str, Any] = {
    "sum": lax.add,
    "prod": lax.mul,
    "max": lax.max,
    "min": lax.min,
}


@partitions(*_OPS)
def cumulative(ctx: Context, operand: AnyTile, *, axis: int, reverse: bool) -> AnyTile:
    """Padding comes last in a walk forward; it is filled for one backward."""
    op = _OPS[ctx.eqn.primitive.name]
    placement = operand.placement
    local = operand.at(placement)
    if reverse:
        local = fill_padding(ctx, local, placement, axis, neutral(op, placement.dtype))
    walked = jaxprs.bind(ctx.eqn, [local])[0]
    line = placement.axes[axis]
    if line is not None:
        last = 0 if reverse else walked.shape[axis] - 1
        total = lax.slice_in_dim(walked, last, last + 1, axis=axis)
        before = _before(ctx, total, line, axis, op, reverse)
        walked = _COMBINE[op](walked, jnp.broadcast_to(before, walked.shape))
    return ctx.settled(walked, placement)


def _before(
    ctx: Context, total: Any, line: Axis, axis: int, op: Op, reverse: bool
) -> Any:
    """What the PEs before this one on the line had in total."""
    totals = prims.mesh_all_gather(total, axis=line, size=ctx.mesh.size(line), dim=axis)
    number = lax.broadcasted_iota(np.dtype("int32"), totals.shape, axis)
    is_before = (jnp.greater if reverse else jnp.less)(
        number, prims.mesh_index(axis=line)
    )
    none = lax.full_like(totals, neutral(op, totals.dtype))
    kept = lax.select(is_before, totals, none)
    return lax.expand_dims(_REDUCE[op](kept, (axis,)), (axis,))


def _both_ways(walk: Any) -> Any:
    def function(a: jax.Array) -> Any:
        return [walk(a, axis=0), walk(a, axis=1, reverse=True)]

    return function


CASES = [
    Case("sums", _both_ways(lax.cumsum), ("f32[n,m]",)),
    Case("products", _both_ways(lax.cumprod), ("f32[n,m]",)),
    Case("maxima", _both_ways(lax.cummax), ("f32[n,m]",)),
    Case("minima", _both_ways(lax.cummin), ("f32[n,m]",)),
    Case("of integers", _both_ways(lax.cumsum), ("i32[n,m]",)),
    Case("integer products", _both_ways(lax.cumprod), ("i32[n,m]",)),
    Case("integer minima", _both_ways(lax.cummin), ("i32[n,m]",)),
    Case("logsumexp", _both_ways(lax.cumlogsumexp), ("f32[n,m]",)),
    Case("of a cube", lambda a: jnp.cumsum(a, 1), ("f32[2,n,m]",)),
    Case(
        "gradient",
        lambda a: jax.grad(lambda a: (jnp.cumsum(a) ** 2).sum())(a),
        ("f32[n]",),
    ),
]
