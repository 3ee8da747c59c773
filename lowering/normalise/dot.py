"""dot_general in its canonical form: two matrices, one contracted dimension each.

A vector becomes a matrix with a unit dimension; several free or contracted dimensions
are merged into one, and so are batch dimensions, which come first. What remains is
[m,k] x [k,n] or [b,m,k] x [b,k,n] with either operand possibly transposed by its
dimension numbers, which cost nothing. Products of floats are added in float32, those of
integers in int32, and the sums are then rounded or cut off to the result's dtype.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax import lax

from lowering import jaxprs
from lowering.dtypes import FLOATS
from lowering.jaxprs import JaxprEqn
from lowering.normalise.conditional import rewrites_where

_NARROW_INTEGERS = frozenset({"int8", "int16", "uint8", "uint16"})
_OPERANDS = FLOATS | _NARROW_INTEGERS | {"int32"}


def is_canonical(eqn: JaxprEqn) -> bool:
    """Whether the equation needs no rewriting."""
    (left, right), batch = eqn.params["dimension_numbers"]
    dtypes = {str(jaxprs.dtype_of(atom)) for atom in eqn.invars}
    sums = str(jaxprs.dtype_of(eqn.outvars[0]))
    has_dtypes = (
        len(dtypes) == 1 and dtypes <= _OPERANDS and {*map(_sums_in, dtypes)} == {sums}
    )
    ranks = [len(jaxprs.shape_of(atom)) for atom in eqn.invars]
    batches = tuple(map(tuple, batch))
    is_known = (ranks, batches) in (([2, 2], ((), ())), ([3, 3], ((0,), (0,))))
    return has_dtypes and is_known and len(left) == len(right) == 1


def _sums_in(dtype: str) -> str:
    return "float32" if dtype in FLOATS else "int32"


@rewrites_where(lambda eqn: not is_canonical(eqn), "dot_general")
def canonical_dot(eqn: JaxprEqn, args: list[Any]) -> list[Any]:
    """The value of the equation by a canonical dot_general.

    `precision` asks for less than that at most, so it changes nothing.
    """
    left, right = args
    shape = jaxprs.shape_of(eqn.outvars[0])
    dtype = str(jaxprs.dtype_of(eqn.outvars[0]))
    operand_dtype = _operand_dtype(str(left.dtype), str(right.dtype), dtype)
    sums = _sum_of_products(
        eqn, left.astype(operand_dtype), right.astype(operand_dtype)
    )
    sums = sums if sums.shape == shape else sums.reshape(shape)
    return [lax.convert_element_type(sums, dtype)]


def _operand_dtype(left: str, right: str, result: str) -> str:
    """What both operands are multiplied in: their own dtype, if it loses nothing."""
    if result in FLOATS:
        return left if left == right and left in FLOATS else "float32"
    if left == right == "bool":
        return "int8"
    return left if left == right and left in _NARROW_INTEGERS else "int32"


def _sum_of_products(eqn: JaxprEqn, left: Any, right: Any) -> Any:
    (left_dims, right_dims), batch = eqn.params["dimension_numbers"]
    sums = np.dtype(_sums_in(str(left.dtype)))
    if any(map(len, batch)):
        left, right = (
            _as_batch(left, left_dims, batch[0]),
            _as_batch(right, right_dims, batch[1]),
        )
        numbers = (((2,), (2,)), ((0,), (0,)))
    else:
        left, left_k = _as_matrix(left, left_dims, contracted_last=True)
        right, right_k = _as_matrix(right, right_dims, contracted_last=False)
        numbers = (((left_k,), (right_k,)), ((), ()))
    return lax.dot_general(left, right, numbers, preferred_element_type=sums)


def _as_batch(
    x: jax.Array, contracted: Sequence[int], batch: Sequence[int]
) -> jax.Array:
    """`x` as [batch, free, contracted]."""
    free = [dim for dim in range(x.ndim) if dim not in (*contracted, *batch)]
    groups = [list(batch), free, list(contracted)]
    order = [dim for group in groups for dim in group]
    sizes = [math.prod(x.shape[dim] for dim in group) for group in groups]
    if order != sorted(order):
        x = lax.transpose(x, order)
    return x if list(x.shape) == sizes else x.reshape(sizes)


def _as_matrix(
    x: jax.Array, contracted: Sequence[int], *, contracted_last: bool
) -> tuple[jax.Array, int]:
    """`x` as a matrix, and which of its dimensions is contracted."""
    if x.ndim == 2 and len(contracted) == 1:
        return x, contracted[0]
    free = [dim for dim in range(x.ndim) if dim not in contracted]
    order = [*free, *contracted] if contracted_last else [*contracted, *free]
    if order != sorted(order):
        x = lax.transpose(x, order)
    free_size = math.prod(x.shape[order.index(dim)] for dim in free)
    size = math.prod(x.shape[order.index(dim)] for dim in contracted)
    if contracted_last:
        return x.reshape((free_size, size)), 1
    return x.reshape((size, free_size)), 0
