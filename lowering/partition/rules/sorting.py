"""sort: lines are whole on a PE, which sorts its own."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from lowering import jaxprs
from lowering.cases import Case
from lowering.partition.registry import Context, partitions
from lowering.partition.rules.shape import whole_dims
from lowering.partition.tiles import AnyTile


@partitions("sort")
def sort(ctx: Context, *operands: AnyTile, dimension: int, **_: Any) -> list[AnyTile]:
    """All operands lie as the first one does, whose lines are made whole."""
    placement = whole_dims(ctx, operands[0], [dimension])
    placements = [
        replace(placement, dtype=operand.placement.dtype) for operand in operands
    ]
    locals_ = [
        operand.at(place) for operand, place in zip(operands, placements, strict=True)
    ]
    results = jaxprs.bind(ctx.eqn, locals_)
    return [
        ctx.settled(local, place)
        for local, place in zip(results, placements, strict=True)
    ]


def _special(a: jax.Array) -> jax.Array:
    a = jnp.where(a > 1, np.float32(np.nan), a)
    return jnp.sort(jnp.where(a < -1, np.float32(-np.inf), a), axis=1)


def _by_two_keys(a: jax.Array, i: jax.Array) -> Any:
    coarse = jnp.sign(a)
    return lax.sort((coarse, i, a), dimension=0, num_keys=2)


CASES = [
    Case("of rows and columns", lambda a: [jnp.sort(a, 0), jnp.sort(a)], ("f32[n,m]",)),
    Case("NaN last", _special, ("f32[n,m]",)),
    Case("two keys", _by_two_keys, ("f32[n,m]", "i32[n,m]")),
    Case("order", lambda a: jnp.argsort(jnp.sign(a), axis=0), ("f32[n,m]",)),
    Case("descending", lambda i: -jnp.sort(-i), ("i32[n]",)),
    Case("flags", lambda a: jnp.sort(a > 0, axis=1), ("f32[n,m]",)),
    Case("largest few", lambda a: lax.top_k(a, 2), ("f32[n,5]",)),
    Case("of integers", lambda i: lax.top_k(i, 3), ("i32[n,7]",)),
    Case("smallest few", lambda a: lax.approx_min_k(a, 2), ("f32[n,5]",)),
]
