"""Products of vectors and matrices beyond `matmul`, with shapes checked."""

from __future__ import annotations

from collections import Counter

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

    As in PyTorch, sums of one operand are `sum`, which of small integers and booleans
    is int32; what several operands share is contracted, in their dtype.

    Raises: ShapeError, if it does not fit the operands.
    """
    try:
        if _sums_one_operand(equation, operands):
            operands = tuple(map(_summable, operands))
        return jnp.einsum(equation, *operands)
    except (ValueError, TypeError) as error:
        raise ShapeError(
            f"einsum {equation!r} of {', '.join(map(text, operands))}: "
            f"{str(error).splitlines()[0]}",
            rule="each operand has a letter per dimension, and a letter one size",
        ) from None


def _sums_one_operand(equation: str, operands: tuple[jax.Array, ...]) -> bool:
    """Whether a letter stands in one operand only, and not in the result."""
    terms, arrow, result = equation.replace(" ", "").partition("->")
    counts = Counter[str]()
    for term, operand in zip(terms.split(","), operands, strict=False):
        letters = term.replace("...", "")
        counts.update(set(letters))
        counts["."] += operand.ndim > len(letters)
    kept = result if arrow else _implied_result(terms)
    return any(n == 1 for letter, n in counts.items() if letter not in kept)


def _implied_result(terms: str) -> set[str]:
    """What stands once, and the dimensions that have no letter."""
    return {letter for letter in terms if terms.count(letter) == 1} | {"."}


def _summable(x: jax.Array) -> jax.Array:
    """Small integers and booleans as `sum` takes them: int32."""
    is_float = jnp.issubdtype(jnp.result_type(x), jnp.floating)
    return x if is_float else jnp.asarray(x).astype(jnp.int32)


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
