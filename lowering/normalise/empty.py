"""Equations with an operand of no elements, and a result that has some."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax

from lowering import jaxprs
from lowering.normalise.core_set import SCATTERS


def without_empty(eqn: jaxprs.JaxprEqn, args: list[Any]) -> Any:
    """What the equation gives, staged without its empty operands; None if it has none.

    Concatenations lose pieces, updates of nothing change nothing, what pads an empty
    array fills the result, and sums of no products are zero.
    """
    empty = [0 in jaxprs.shape_of(atom) for atom in eqn.invars]
    if not any(empty) or 0 in jaxprs.shape_of(eqn.outvars[0]):
        return None
    name, out = eqn.primitive.name, eqn.outvars[0]
    if name == "concatenate":
        pieces = [arg for arg, gone in zip(args, empty, strict=True) if not gone]
        return lax.concatenate(pieces, eqn.params["dimension"])
    if name == "dynamic_update_slice" or name in SCATTERS:
        return args[0]
    if name == "pad":
        return lax.broadcast(args[1], jaxprs.shape_of(out))
    if name in ("dot_general", "reduce_sum"):
        return jnp.zeros(jaxprs.shape_of(out), jaxprs.dtype_of(out))
    return None
