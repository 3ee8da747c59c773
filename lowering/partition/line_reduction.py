"""Reductions over a line of PEs, in every dtype."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax import lax

from lowering.dtypes import HALVES
from lowering.mesh import Axis, Mesh
from lowering.neutral import Op, neutral
from lowering.partition import mesh_primitives as prims
from lowering.placement import storage_size_bytes

_REDUCTIONS: dict[Op, Callable[..., Any]] = {
    "sum": lax.reduce_sum,
    "max": lax.reduce_max,
    "min": lax.reduce_min,
    "prod": lax.reduce_prod,
    "and": lax.reduce_and,
    "or": lax.reduce_or,
    "xor": lax.reduce_xor,
}


_COMBINE: dict[Op, Callable[..., Any]] = {
    "sum": lax.add,
    "max": lax.max,
    "min": lax.min,
    "prod": lax.mul,
    "and": lax.bitwise_and,
    "or": lax.bitwise_or,
    "xor": lax.bitwise_xor,
}
_LARGEST_GATHERED_BYTES = 8 * 1024


def over_line(local: Any, mesh: Mesh, axis: Axis, op: Op) -> Any:
    """T[...] -> T[...]: the reduction over the line, on all PEs of it.

    Only sums and extremes of float32 are formed while they travel, and those of halves
    as float32, rounded once. Anything else is gathered, and every PE reduces what it
    got: exact, in the same order everywhere. Where that takes too much memory, the
    tiles pass by one after the other.
    """
    size, dtype = mesh.size(axis), str(local.dtype)
    if op == "sum" or op == "max" or op == "min":
        if dtype == "float32":
            return prims.mesh_all_reduce(local, axis=axis, size=size, op=op)
        if dtype in HALVES:
            wide = lax.convert_element_type(local, "float32")
            return lax.convert_element_type(over_line(wide, mesh, axis, op), dtype)
    if size * local.size * storage_size_bytes(local.dtype) > _LARGEST_GATHERED_BYTES:
        return _one_by_one(local, axis, size, op)
    line = lax.expand_dims(local, (0,))
    line = prims.mesh_all_gather(line, axis=axis, size=size, dim=0)
    return _REDUCTIONS[op](line, (0,))


def _one_by_one(local: Any, axis: Axis, size: int, op: Op) -> Any:
    def step(number: Any, total: Any) -> Any:
        passing = prims.mesh_broadcast(local, axis=axis, size=size, root=number)
        return _COMBINE[op](total, passing)

    start = jnp.full(local.shape, neutral(op, local.dtype), local.dtype)
    return lax.fori_loop(0, size, step, start)
