"""argmax and argmin: each PE finds its own, then lines of PEs compare their finds."""

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
from lowering.partition.registry import Context, extents_of, partitions
from lowering.partition.rules.elementwise import fill_padding
from lowering.partition.rules.reduction import Op, neutral
from lowering.partition.tiles import AnyTile


@partitions("argmax", "argmin")
def extreme_index(
    ctx: Context, operand: AnyTile, *, axes: tuple[int, ...], **_: Any
) -> AnyTile:
    """Padding is filled with what loses to everything.

    Where a whole line is as bad as that, the first element wins: it is never padding.
    """
    (dim,) = axes
    op: Op = "max" if ctx.eqn.primitive.name == "argmax" else "min"
    placement = operand.placement
    local = operand.at(placement)
    local = fill_padding(ctx, local, placement, dim, neutral(op, placement.dtype))
    index = jaxprs.bind(ctx.eqn, [local])[0]
    axis = placement.axes[dim]
    if axis is not None:
        reduce = lax.reduce_max if op == "max" else lax.reduce_min
        best = reduce(local, (dim,))
        start = prims.mesh_index(axis=axis) * np.int32(placement.tile_shape[dim])
        start = lax.convert_element_type(start, ctx.out_dtype)
        index = _over_line(ctx, best, index + start, axis)
    kept: tuple[Axis | None, ...] = tuple(
        a for d, a in enumerate(placement.axes) if d != dim
    )
    return ctx.settled(index, ctx.placement(kept, extents_of(placement)))


def _over_line(ctx: Context, best: Any, index: Any, axis: Axis) -> Any:
    """The index of the best value on the line; of the innermost PE that has it."""
    size = ctx.mesh.size(axis)
    bests, indices = (
        prims.mesh_all_gather(lax.expand_dims(x, (0,)), axis=axis, size=size, dim=0)
        for x in (best, index)
    )
    winner = jaxprs.bind(ctx.eqn, [bests], {**ctx.eqn.params, "axes": (0,)})[0]
    number = lax.broadcasted_iota(winner.dtype, indices.shape, 0)
    is_winner = lax.eq(
        number,
        lax.broadcast_in_dim(winner, indices.shape, tuple(range(1, indices.ndim))),
    )
    kept = lax.select(is_winner, indices, lax.full_like(indices, 0))
    return lax.reduce_sum(kept, (0,))


def _ties(a: jax.Array) -> Any:
    signs = jnp.sign(a)
    return [signs.argmax(0), signs.argmin(1), signs.argmax()]


def _with_nan(a: jax.Array) -> Any:
    a = jnp.where(a > 1, np.float32(np.nan), a)
    return [a.argmax(0), a.argmin(1), jnp.full_like(a, -np.inf).argmax(1)]


CASES = [
    Case("largest", lambda a: [a.argmax(0), a.argmax(1), a.argmax()], ("f32[n,m]",)),
    Case("smallest", lambda a: [a.argmin(0), a.argmin(1)], ("i32[n,m]",)),
    Case("ties", _ties, ("f32[n,m]",)),
    Case("NaN wins", _with_nan, ("f32[n,m]",)),
    Case("of a cube", lambda a: a.argmax(1), ("f32[2,n,m]",)),
    Case(
        "unsigned indices",
        lambda a: [lax.argmax(a, 0, np.uint32), lax.argmin(a, 1, np.uint32)],
        ("f32[n,m]",),
    ),
    Case("of flags", lambda a: [a.argmax(0), a.argmin(1)], ("bool[n,m]",)),
]
