"""What rewrites of linear algebra share: rows and columns of matrices in loops."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

Array = jax.Array


def each_matrix(function: Callable[..., Any], *stacks: Array) -> Any:
    """The function of every matrix of the stacks."""
    for _ in range(stacks[0].ndim - 2):
        function = jax.vmap(function)
    return function(*stacks)


def identities(a: Array, size: int) -> Array:
    """An identity matrix for each matrix of the stack."""
    return jnp.broadcast_to(jnp.eye(size, dtype=a.dtype), (*a.shape[:-2], size, size))


def untouched(a: Array) -> Array:
    """i32[..., height]: the rows of each matrix in their order."""
    height = a.shape[-2]
    return jnp.broadcast_to(numbers(height), (*a.shape[:-2], height))


def numbers(count: int) -> Array:
    return lax.iota(np.int32, count)


def row_of(x: Array, number: Any) -> Array:
    return lax.dynamic_index_in_dim(x, number, 0, keepdims=False)


def column_of(x: Array, number: Any) -> Array:
    return lax.dynamic_index_in_dim(x, number, 1, keepdims=False)


def with_row(x: Array, row: Array, number: Any) -> Array:
    return lax.dynamic_update_index_in_dim(x, row, number, 0)


def with_column(x: Array, column: Array, number: Any) -> Array:
    return lax.dynamic_update_index_in_dim(x, column, number, 1)


def element(x: Array, number: Any) -> Array:
    """f32[]: an element of a vector."""
    return jnp.sum(jnp.where(numbers(x.shape[0]) == number, x, 0))
