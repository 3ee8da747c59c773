"""Equations with operands or results of no elements, staged without them."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from lowering import jaxprs
from lowering.normalise.core_set import SCATTERS

# What totals of nothing are: 0 or False, 1 or True.
_TOTALS = {
    **dict.fromkeys(("dot_general", "reduce_sum", "reduce_or"), 0),
    **dict.fromkeys(("reduce_prod", "reduce_and"), 1),
}


def without_empty(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any] | None:
    """What the equation gives, staged without what is empty; None if it stays.

    Concatenations lose pieces, updates of nothing change nothing, what pads an empty
    array fills the result, and totals of nothing are neutral. Parts of a split are cut
    one by one, so that those without elements fall away if nobody reads them.
    """
    if eqn.primitive.name == "split":
        return _parts(eqn, args[0]) if any(map(_is_empty, eqn.outvars)) else None
    empty = [_is_empty(atom) for atom in eqn.invars]
    if not any(empty) or _is_empty(eqn.outvars[0]):
        return None
    whole = _whole(eqn, args, empty)
    return None if whole is None else [whole]


def _is_empty(atom: Any) -> bool:
    return 0 in jaxprs.shape_of(atom)


def _whole(eqn: jaxprs.JaxprEqn, args: list[Any], empty: list[bool]) -> Any:
    name, out = eqn.primitive.name, eqn.outvars[0]
    if name == "concatenate":
        pieces = [arg for arg, gone in zip(args, empty, strict=True) if not gone]
        return lax.concatenate(pieces, eqn.params["dimension"])
    if name == "dynamic_update_slice" or name in SCATTERS:
        return args[0]
    if name == "pad":
        return lax.broadcast(args[1], jaxprs.shape_of(out))
    if name in _TOTALS:
        return jnp.full(jaxprs.shape_of(out), _TOTALS[name], jaxprs.dtype_of(out))
    return None


def _parts(eqn: jaxprs.JaxprEqn, x: Any) -> list[Any]:
    ends = np.cumsum(eqn.params["sizes"])
    return [
        lax.slice_in_dim(x, int(end) - size, int(end), axis=eqn.params["axis"])
        for end, size in zip(ends, eqn.params["sizes"], strict=True)
    ]
