"""Folds of changes of shape: those that change nothing, and several as one.

Reductions over dimensions of size 1, which gradients of broadcasts stage, only drop
them.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from typing import Any

import numpy as np
from jax import lax

from lowering import jaxprs
from lowering.normalise.origins import Origins


def drop_no_op(eqn: jaxprs.JaxprEqn, args: list[Any], origins: Origins) -> Any:
    """A change of shape or dtype that changes nothing."""
    del origins
    before, after = eqn.invars[0], eqn.outvars[0]
    if eqn.primitive.name == "transpose":
        unchanged = list(eqn.params["permutation"]) == sorted(eqn.params["permutation"])
    else:
        unchanged = jaxprs.shape_of(before) == jaxprs.shape_of(after)
    same_dtype = jaxprs.dtype_of(before) == jaxprs.dtype_of(after)
    return args[0] if unchanged and same_dtype else None


def drop_empty_pad(eqn: jaxprs.JaxprEqn, args: list[Any], origins: Origins) -> Any:
    """A pad that adds nothing and cuts nothing off."""
    del origins
    is_empty = not any(any(config) for config in eqn.params["padding_config"])
    return args[0] if is_empty else None


def drop_unit_walk(eqn: jaxprs.JaxprEqn, args: list[Any], origins: Origins) -> Any:
    """A running total along a dimension of size 1."""
    del origins
    return args[0] if _is_unit(eqn, (eqn.params["axis"],)) else None


def drop_unit_reduction(eqn: jaxprs.JaxprEqn, args: list[Any], origins: Origins) -> Any:
    """A reduction over dimensions of size 1, as XLA has it: -0.0 stays what it is."""
    del origins
    if not _is_unit(eqn, eqn.params["axes"]):
        return None
    return lax.reshape(args[0], jaxprs.shape_of(eqn.outvars[0]))


def _is_unit(eqn: jaxprs.JaxprEqn, axes: tuple[int, ...]) -> bool:
    shape = jaxprs.shape_of(eqn.invars[0])
    return all(shape[axis] == 1 for axis in axes)


def join_broadcasts(eqn: jaxprs.JaxprEqn, args: list[Any], origins: Origins) -> Any:
    """A broadcast of a broadcast is one broadcast."""
    origin = origins.of(args[0], "broadcast_in_dim")
    if origin is None:
        return None
    outer = eqn.params["broadcast_dimensions"]
    inner = origin[0].params["broadcast_dimensions"]
    return lax.broadcast_in_dim(
        origin[1][0], eqn.params["shape"], [outer[dim] for dim in inner]
    )


def join_transposes(eqn: jaxprs.JaxprEqn, args: list[Any], origins: Origins) -> Any:
    """The transpose of a transpose is one transpose, or none."""
    origin = origins.of(args[0], "transpose")
    if origin is None:
        return None
    first, second = origin[0].params["permutation"], eqn.params["permutation"]
    joined = [first[dim] for dim in second]
    if joined == sorted(joined):
        return origin[1][0]
    return lax.transpose(origin[1][0], joined)


def join_reshapes(eqn: jaxprs.JaxprEqn, args: list[Any], origins: Origins) -> Any:
    """A reshape of a reshape is none where it leads back, and one where dimensions of
    size 1 come or go. Others stay two: between them, values may be split anew."""
    inner, whole = _reshaped(args[0], origins)
    if inner is None:
        return None
    atoms = (inner.invars[0], inner.outvars[0], eqn.outvars[0])
    shapes = [jaxprs.shape_of(atom) for atom in atoms]
    if shapes[0] == shapes[2]:
        return whole
    before, between, after = ([n for n in shape if n != 1] for shape in shapes)
    if between not in (before, after) or not origins.is_used_once(inner):
        return None
    return lax.reshape(whole, shapes[2])


def _reshaped(value: Any, origins: Origins) -> tuple[jaxprs.JaxprEqn | None, Any]:
    """The equation that gave `value` as another shape of the same elements, and of
    what."""
    for name in ("reshape", "squeeze", "broadcast_in_dim"):
        origin = origins.of(value, name)
        if origin and np.size(origin[1][0]) == np.size(value):
            return origin[0], origin[1][0]
    return None, None
