"""Folds of transposes around products of matrices, which take them for nothing."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from typing import Any

from jax import lax

from lowering import jaxprs
from lowering.normalise.origins import Origins


def transpose_dot(eqn: jaxprs.JaxprEqn, args: list[Any], origins: Origins) -> Any:
    """(A B)^T is B^T A^T: the operands change places."""
    origin = origins.of(args[0], "dot_general")
    if origin is None or not origins.is_used_once(origin[0]):
        return None
    dot, (left, right) = origin
    (left_dims, right_dims), batch = dot.params["dimension_numbers"]
    if any(map(len, batch)):
        return None
    return _dot_like(dot, right, left, ((right_dims, left_dims), batch))


def dot_transposed(eqn: jaxprs.JaxprEqn, args: list[Any], origins: Origins) -> Any:
    """A transposed operand is the operand, contracted along its other dimension."""
    (left_dims, right_dims), batch = eqn.params["dimension_numbers"]
    if any(map(len, batch)):
        return None
    dims = [list(left_dims), list(right_dims)]
    operands = list(args)
    for position, value in enumerate(args):
        origin = origins.of(value, "transpose")
        if origin is not None:
            operands[position] = origin[1][0]
            dims[position] = [1 - dims[position][0]]
    if all(new is old for new, old in zip(operands, args, strict=True)):
        return None
    left, right = operands
    return _dot_like(eqn, left, right, ((dims[0], dims[1]), batch))


def _dot_like(eqn: jaxprs.JaxprEqn, left: Any, right: Any, numbers: Any) -> Any:
    (left_dims, right_dims), batch = numbers
    return lax.dot_general(
        left,
        right,
        ((tuple(left_dims), tuple(right_dims)), batch),
        preferred_element_type=eqn.params["preferred_element_type"],
    )
