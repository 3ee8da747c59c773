"""Primitives of the core set that have a form of their own there.

Each has a test whether an equation has that form, and a function that stages the
equation in it, with whatever has to be computed around it.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jax import lax

from lowering import jaxprs
from lowering.normalise.core_set import SCATTERS
from lowering.normalise.dot import canonical_dot, is_canonical
from lowering.normalise.scatters import combination, one_by_one, window_shape

_CLIP = lax.GatherScatterMode.CLIP
_FILL_OR_DROP = lax.GatherScatterMode.FILL_OR_DROP
_INT32 = np.dtype(np.int32)


@dataclass(frozen=True, slots=True)
class Form:
    """Whether an equation has the form of the core set, and how it gets it."""

    fits: Callable[[jaxprs.JaxprEqn], bool]
    stage: Callable[..., Any]


def _reshape_fits(eqn: jaxprs.JaxprEqn) -> bool:
    return eqn.params["dimensions"] is None


def _reshape(eqn: jaxprs.JaxprEqn, x: Any) -> Any:
    """Without an order of dimensions: the operand is transposed first."""
    ordered = lax.transpose(x, eqn.params["dimensions"])
    return lax.reshape(ordered, jaxprs.shape_of(eqn.outvars[0]))


def _window_fits(eqn: jaxprs.JaxprEqn) -> bool:
    first = 1 if eqn.primitive.name == "dynamic_slice" else 2
    return all(jaxprs.dtype_of(atom) == _INT32 for atom in eqn.invars[first:])


def _window(eqn: jaxprs.JaxprEqn, *args: Any) -> Any:
    """With starts of int32."""
    first = 1 if eqn.primitive.name == "dynamic_slice" else 2
    starts = [as_index(start) for start in args[first:]]
    return jaxprs.bind(eqn, [*args[:first], *starts])[0]


def _gather_fits(eqn: jaxprs.JaxprEqn) -> bool:
    is_known = eqn.params["mode"] in (_CLIP, _FILL_OR_DROP)
    return is_known and jaxprs.dtype_of(eqn.invars[1]) == _INT32


def _gather(eqn: jaxprs.JaxprEqn, operand: Any, indices: Any) -> Any:
    """With indices of int32, those beyond the end clipped or filled, as JAX does."""
    mode = eqn.params["mode"]
    params = {**eqn.params, "mode": mode if mode == _FILL_OR_DROP else _CLIP}
    return jaxprs.bind(eqn, [operand, as_index(indices)], params)[0]


def _scatter_fits(eqn: jaxprs.JaxprEqn) -> bool:
    has_form = eqn.params["mode"] == _FILL_OR_DROP and combination(eqn) is not None
    return has_form and jaxprs.dtype_of(eqn.invars[1]) == _INT32


def _scatter(eqn: jaxprs.JaxprEqn, operand: Any, indices: Any, updates: Any) -> Any:
    """With indices of int32, and what lies beyond the end dropped.

    XLA drops it, too, where JAX was promised that there is none. A function of the
    user's is applied point by point.
    """
    places = as_index(indices)
    if eqn.params["mode"] == _CLIP:
        places = _clipped(eqn, places)
    params = {**eqn.params, "mode": _FILL_OR_DROP}
    if combination(eqn) is None:
        return one_by_one(operand, places, updates, params)
    return jaxprs.bind(eqn, [operand, places, updates], params)[0]


def _clipped(eqn: jaxprs.JaxprEqn, indices: Any) -> Any:
    """The indices, moved so that every window lies inside the operand."""
    numbers = eqn.params["dimension_numbers"]
    shape, updates = (jaxprs.shape_of(eqn.invars[n]) for n in (0, 2))
    window = window_shape(numbers, len(shape), updates)
    dims: Sequence[int] = numbers.scatter_dims_to_operand_dims
    last = np.asarray([shape[dim] - window[dim] for dim in dims], np.int32)
    limits = lax.broadcast_in_dim(last, indices.shape, (indices.ndim - 1,))
    zero = np.int32(0)
    return lax.max(lax.min(indices, limits), lax.full_like(indices, zero))


def as_index(x: Any) -> Any:
    """The same places as int32; what no int32 can say lies beyond every end."""
    if x.dtype == np.uint32:
        x = lax.min(x, lax.full_like(x, np.uint32(np.iinfo(np.int32).max)))
    return lax.convert_element_type(x, np.int32)


FORMS: dict[str, Form] = {
    "dot_general": Form(is_canonical, canonical_dot),
    "reshape": Form(_reshape_fits, _reshape),
    "dynamic_slice": Form(_window_fits, _window),
    "dynamic_update_slice": Form(_window_fits, _window),
    "gather": Form(_gather_fits, _gather),
    **dict.fromkeys(SCATTERS, Form(_scatter_fits, _scatter)),
}
