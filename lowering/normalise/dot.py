"""dot_general in its canonical form: two matrices, one contracted dimension each.

A vector becomes a matrix with a unit dimension; several free or contracted dimensions
are merged into one, and so are batch dimensions, which come first. What remains is
[m,k] x [k,n] or [b,m,k] x [b,k,n] with either operand possibly transposed by its
dimension numbers, which cost nothing.
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
    batches = tuple(map(tuple, batch))
    is_known = (ranks, batches) in (([2, 2], ((), ())), ([3, 3], ((0,), (0,))))
    return same_dtype and is_known and len(left) == len(right) == 1


def canonical_dot(eqn: JaxprEqn, left: Any, right: Any) -> jax.Array:
    """The value of the equation by a canonical dot_general.

    The products are formed in the result's dtype; `precision` asks for less than that
    at most, so it changes nothing.
    """
    shape = jaxprs.shape_of(eqn.outvars[0])
    dtype = jaxprs.dtype_of(eqn.outvars[0])
    (left_dims, right_dims), batch = eqn.params["dimension_numbers"]
    if any(map(len, batch)):
        left, right = (
            _as_batch(x.astype(dtype), dims, batch_dims)
            for x, dims, batch_dims in (
                (left, left_dims, batch[0]),
                (right, right_dims, batch[1]),
            )
        )
        product = lax.dot_general(left, right, (((2,), (2,)), ((0,), (0,))))
        return product if product.shape == shape else product.reshape(shape)
    left, left_k = _as_matrix(left.astype(dtype), left_dims, contracted_last=True)
    right, right_k = _as_matrix(right.astype(dtype), right_dims, contracted_last=False)
    product = lax.dot_general(left, right, (((left_k,), (right_k,)), ((), ())))
    return product if product.shape == shape else product.reshape(shape)


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
