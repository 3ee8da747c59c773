"""Reductions over a line of PEs, in every dtype."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jax import lax

from lowering.dtypes import HALVES
from lowering.mesh import Axis, Mesh
from lowering.neutral import Op
from lowering.partition import mesh_primitives as prims

_REDUCTIONS: dict[Op, Callable[..., Any]] = {
    "sum": lax.reduce_sum,
    "max": lax.reduce_max,
    "min": lax.reduce_min,
    "prod": lax.reduce_prod,
    "and": lax.reduce_and,
    "or": lax.reduce_or,
    "xor": lax.reduce_xor,
}


def over_line(local: Any, mesh: Mesh, axis: Axis, op: Op) -> Any:
    """T[...] -> T[...]: the reduction over the line, on all PEs of it.

    Only sums and extremes of float32 are formed while they travel, and those of halves
    as float32, rounded once. Anything else is gathered, and every PE reduces what it
    got: exact, in the same order everywhere.
    """
    size, dtype = mesh.size(axis), str(local.dtype)
    if op == "sum" or op == "max" or op == "min":
        if dtype == "float32":
            return prims.mesh_all_reduce(local, axis=axis, size=size, op=op)
        if dtype in HALVES:
            wide = lax.convert_element_type(local, "float32")
            return lax.convert_element_type(over_line(wide, mesh, axis, op), dtype)
    line = lax.expand_dims(local, (0,))
    line = prims.mesh_all_gather(line, axis=axis, size=size, dim=0)
    return _REDUCTIONS[op](line, (0,))
