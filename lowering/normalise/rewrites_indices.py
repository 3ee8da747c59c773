"""Core primitives that index: their indices are int32, their modes and orders known."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jax import lax

from lowering import jaxprs
from lowering.cases import Case
from lowering.normalise.conditional import rewrites_where
from lowering.normalise.core_set import SCATTERS
from lowering.normalise.scatters import combination, one_by_one, window_shape

_CLIP = lax.GatherScatterMode.CLIP
_FILL_OR_DROP = lax.GatherScatterMode.FILL_OR_DROP
_INT32 = np.dtype(np.int32)


def _is_ordered(eqn: jaxprs.JaxprEqn) -> bool:
    return eqn.params["dimensions"] is not None


@rewrites_where(_is_ordered, "reshape")
def _reshape(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    """An order of dimensions is a transpose before."""
    ordered = lax.transpose(args[0], eqn.params["dimensions"])
    return [lax.reshape(ordered, jaxprs.shape_of(eqn.outvars[0]))]


def _first_start(eqn: jaxprs.JaxprEqn) -> int:
    return 1 if eqn.primitive.name == "dynamic_slice" else 2


def _has_other_starts(eqn: jaxprs.JaxprEqn) -> bool:
    starts = eqn.invars[_first_start(eqn) :]
    return any(jaxprs.dtype_of(atom) != _INT32 for atom in starts)


@rewrites_where(_has_other_starts, "dynamic_slice", "dynamic_update_slice")
def _window(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    first = _first_start(eqn)
    return jaxprs.bind(eqn, [*args[:first], *map(as_index, args[first:])])


def _has_other_indices(eqn: jaxprs.JaxprEqn) -> bool:
    return jaxprs.dtype_of(eqn.invars[1]) != _INT32


def _is_other_gather(eqn: jaxprs.JaxprEqn) -> bool:
    return _has_other_indices(eqn) or eqn.params["mode"] not in (_CLIP, _FILL_OR_DROP)


@rewrites_where(_is_other_gather, "gather")
def _gather(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    """What lies beyond the end is filled or clipped, as XLA does in all other modes."""
    fills = eqn.params["mode"] == _FILL_OR_DROP
    params = {**eqn.params, "mode": _FILL_OR_DROP if fills else _CLIP}
    return jaxprs.bind(eqn, [args[0], as_index(args[1])], params)


def _is_other_scatter(eqn: jaxprs.JaxprEqn) -> bool:
    is_known = eqn.params["mode"] == _FILL_OR_DROP and combination(eqn) is not None
    return _has_other_indices(eqn) or not is_known


@rewrites_where(_is_other_scatter, *SCATTERS)
def _scatter(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    """What lies beyond the end is dropped.

    XLA drops it, too, where JAX was promised that there is none. A function of the
    user's is applied point by point.
    """
    operand, indices, updates = args
    places = as_index(indices)
    if eqn.params["mode"] == _CLIP:
        places = _clipped(eqn, places)
    params = {**eqn.params, "mode": _FILL_OR_DROP}
    if combination(eqn) is None:
        return [one_by_one(operand, places, updates, params)]
    return jaxprs.bind(eqn, [operand, places, updates], params)


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


CASES = [
    Case("in another order", lambda x: lax.reshape(x, (12,), (1, 0)), ("f32[3,4]",)),
    Case(
        "starts of unsigned",
        lambda x, i: lax.dynamic_slice(x, (abs(i).astype("u4"),), (3,)),
        ("f32[9]", "i32[]"),
    ),
    Case("points", lambda x, i: x[abs(i) % 7, :3], ("f32[7,5]", "i32[k]")),
    Case(
        "windows of several",
        lambda x, i, u: x.at[:, abs(i) % 7].multiply(u),
        ("f32[5,7]", "i32[4]", "f32[5,4]"),
    ),
]
