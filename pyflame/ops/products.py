"""Products of vectors and matrices beyond `matmul`, with shapes checked."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from pyflame.errors import ShapeError
from pyflame.ops.linalg import matmul
from pyflame.ops.shapes import text


def dot(a: jax.Array, b: jax.Array) -> jax.Array:
    """The sum of products of two vectors of one size."""
    _check_ranks("dot", a, b, (1, 1), "two vectors")
    _check_inner("dot", a, b, "[K] and [K] give a scalar")
    return matmul(a, b)


def mv(a: jax.Array, b: jax.Array) -> jax.Array:
    """[M, K] and [K] give [M]."""
    _check_ranks("mv", a, b, (2, 1), "a matrix and a vector")
    _check_inner("mv", a, b, "[M, K] and [K] give [M]")
    return matmul(a, b)


def mm(a: jax.Array, b: jax.Array) -> jax.Array:
    """[M, K] and [K, N] give [M, N]."""
    _check_ranks("mm", a, b, (2, 2), "two matrices")
    _check_inner("mm", a, b, "[M, K] and [K, N] give [M, N]")
    return matmul(a, b)


def bmm(a: jax.Array, b: jax.Array) -> jax.Array:
    """[B, M, K] and [B, K, N] give [B, M, N]."""
    _check_ranks("bmm", a, b, (3, 3), "two stacks of matrices")
    if a.shape[0] != b.shape[0]:
        raise ShapeError(
            f"bmm of {text(a)} and {text(b)}: batch sizes {a.shape[0]} and "
            f"{b.shape[0]} differ",
            rule="[B, M, K] and [B, K, N] give [B, M, N]",
            help="use matmul, where batches broadcast",
        )
    _check_inner("bmm", a, b, "[B, M, K] and [B, K, N] give [B, M, N]")
    return matmul(a, b)


def outer(a: jax.Array, b: jax.Array) -> jax.Array:
    """[M] and [N] give [M, N]."""
    _check_ranks("outer", a, b, (1, 1), "two vectors")
    return a[:, None] * b[None, :]


def einsum(*operands: jax.Array, equation: str) -> jax.Array:
    """Products summed as the equation says.

    Raises: ShapeError, if it does not fit the operands.
    """
    try:
        return jnp.einsum(equation, *operands)
    except (ValueError, TypeError) as error:
        raise ShapeError(
            f"einsum {equation!r} of {', '.join(map(text, operands))}: "
            f"{str(error).splitlines()[0]}",
            rule="each operand has a letter per dimension, and a letter one size",
        ) from None


def _check_ranks(
    op: str, a: jax.Array, b: jax.Array, ranks: tuple[int, int], what: str
) -> None:
    if (jnp.ndim(a), jnp.ndim(b)) != ranks:
        raise ShapeError(
            f"{op} of {text(a)} and {text(b)}: these are not {what}",
            rule=f"{op} takes {what}",
            help="use matmul for other ranks, or * for each pair of elements",
        )


def _check_inner(op: str, a: jax.Array, b: jax.Array, rule: str) -> None:
    m, n = a.shape[-1], b.shape[-2] if b.ndim > 1 else b.shape[0]
    if m != n:
        raise ShapeError(
            f"{op} of {text(a)} and {text(b)}: inner sizes {m} and {n} differ",
            rule=rule,
            help="transpose or reshape one of them",
        )
