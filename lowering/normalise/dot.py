"""dot_general in its canonical form: two matrices, one contracted dimension each.

A vector becomes a matrix with a unit dimension; several free or contracted dimensions
are merged into one. What remains is [m,k] x [k,n] with either operand possibly
transposed by its dimension numbers, which cost nothing.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax
from jax import lax

from lowering import jaxprs
from lowering.jaxprs import JaxprEqn


def is_canonical(eqn: JaxprEqn) -> bool:
    """Whether the equation needs no rewriting."""
    (left, right), batch = eqn.params["dimension_numbers"]
    same_dtype = all(
        jaxprs.dtype_of(atom) == jaxprs.dtype_of(eqn.outvars[0]) for atom in eqn.invars
    )
    ranks = [len(jaxprs.shape_of(atom)) for atom in eqn.invars]
    return (
        same_dtype
        and ranks == [2, 2]
        and len(left) == len(right) == 1
        and not any(map(len, batch))
    )


def has_batch(eqn: JaxprEqn) -> bool:
    """Whether the equation has batch dimensions, which no rule takes yet."""
    _, batch = eqn.params["dimension_numbers"]
    return any(map(len, batch))


def canonical_dot(eqn: JaxprEqn, left: Any, right: Any) -> jax.Array:
    """The value of the equation by a canonical dot_general.

    The products are formed in the result's dtype; `precision` asks for less than that
    at most, so it changes nothing.
    """
    shape = jaxprs.shape_of(eqn.outvars[0])
    dtype = jaxprs.dtype_of(eqn.outvars[0])
    (left_dims, right_dims), _ = eqn.params["dimension_numbers"]
    left, left_k = _as_matrix(left.astype(dtype), left_dims, contracted_last=True)
    right, right_k = _as_matrix(right.astype(dtype), right_dims, contracted_last=False)
    product = lax.dot_general(left, right, (((left_k,), (right_k,)), ((), ())))
    return product if product.shape == shape else product.reshape(shape)


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
