"""dot_general in its canonical form: two matrices, one contracted dimension each.

A vector becomes a matrix with a unit dimension; several free or contracted dimensions
are merged into one, and so are batch dimensions, which come first. What remains is
[m,k] x [k,n] or [b,m,k] x [b,k,n] with either operand possibly transposed by its
dimension numbers, which cost nothing; where k is 1, an element-wise product. Products
of floats are added in float32, those of integers in int32, and the sums are then
rounded or cut off to the result's dtype.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from lowering import jaxprs
from lowering.cases import Case
from lowering.dtypes import FLOATS
from lowering.jaxprs import JaxprEqn
from lowering.normalise.conditional import rewrites_where

_NARROW_INTEGERS = frozenset({"int8", "int16", "uint8", "uint16"})
_OPERANDS = FLOATS | _NARROW_INTEGERS | {"int32"}


def is_canonical(eqn: JaxprEqn) -> bool:
    """Whether the equation needs no rewriting."""
    (left, _), batch = eqn.params["dimension_numbers"]
    dtypes = {str(jaxprs.dtype_of(atom)) for atom in eqn.invars}
    sums = str(jaxprs.dtype_of(eqn.outvars[0]))
    has_dtypes = (
        len(dtypes) == 1 and dtypes <= _OPERANDS and {*map(_sums_in, dtypes)} == {sums}
    )
    ranks = [len(jaxprs.shape_of(atom)) for atom in eqn.invars]
    batches = tuple(map(tuple, batch))
    is_known = (ranks, batches) in (([2, 2], ((), ())), ([3, 3], ((0,), (0,))))
    is_sum = [jaxprs.shape_of(eqn.invars[0])[dim] > 1 for dim in left] == [True]
    is_plain = eqn.params.get("precision") is None
    return has_dtypes and is_known and is_sum and is_plain


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
    contracted, batch = eqn.params["dimension_numbers"]
    sums = np.dtype(_sums_in(str(left.dtype)))
    pairs = sorted(zip(*contracted, strict=True))
    operands = [
        _merged(
            x, [pair[side] for pair in pairs], batch[side], contracted_last=not side
        )
        for side, x in enumerate((left, right))
    ]
    (left, left_k), (right, right_k) = operands
    if left.shape[left_k] == 1:
        return _products(left.squeeze(left_k), right.squeeze(right_k), sums)
    batches = ((0,), (0,)) if any(map(len, batch)) else ((), ())
    numbers = (((left_k,), (right_k,)), batches)
    return lax.dot_general(left, right, numbers, preferred_element_type=sums)


def _products(left: Any, right: Any, dtype: Any) -> Any:
    """Each of the left with each of the right: sums of one product."""
    *batch, rows = left.shape
    shape, rank = (*batch, rows, right.shape[-1]), len(batch)
    return lax.mul(
        lax.broadcast_in_dim(left.astype(dtype), shape, range(rank + 1)),
        lax.broadcast_in_dim(right.astype(dtype), shape, (*range(rank), rank + 1)),
    )


def _merged(
    x: jax.Array,
    contracted: Sequence[int],
    batch: Sequence[int],
    *,
    contracted_last: bool,
) -> tuple[jax.Array, int]:
    """`x` with one free and one contracted dimension, behind one of the batch if there
    is any; and which of them is contracted.

    Dimensions keep their order as far as they can, so that little is transposed.
    """
    free = [dim for dim in range(x.ndim) if dim not in (*contracted, *batch)]
    groups = [list(contracted), free]
    if contracted_last if not (contracted and free) else free[0] < contracted[0]:
        groups.reverse()
    is_last = groups[1] is not free
    order = [dim for group in (batch, *groups) for dim in group]
    sizes = [math.prod(x.shape[dim] for dim in group) for group in groups]
    if batch:
        sizes.insert(0, math.prod(x.shape[dim] for dim in batch))
    if order != sorted(order):
        x = lax.transpose(x, order)
    x = x if list(x.shape) == sizes else x.reshape(sizes)
    return x, len(sizes) - (1 if is_last else 2)


CASES = [
    Case("vectors", jnp.vdot, ("f32[n]", "f32[n]")),
    Case(
        "all but the last",
        lambda a: jnp.tensordot(a, a, ((0, 1),) * 2),
        ("f32[3,3,4]",),
    ),
    Case("rows and columns", lambda a, b: a @ b, ("f32[n,1]", "f32[1,m]")),
    Case(
        "several batches",
        lambda a, b: jnp.einsum("ijhk,ilhk->ihjl", a, b),
        ("f32[2,n,3,4]", "f32[2,m,3,4]"),
    ),
    Case("of small integers", lambda a, b: a @ b, ("i8[n,m]", "i8[m,k]")),
]
