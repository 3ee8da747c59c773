"""Factorisations of matrices, and solutions of triangular systems, as loops.

Each goes over the columns once, and changes all that follows by an outer product
(Golub & Van Loan, Matrix Computations, 4.2, 3.4, 5.2), with LAPACK's choice of signs
and pivots. Stacks of matrices are mapped over.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false
# pyright: reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from lowering import jaxprs
from lowering.errors import UnsupportedPrimitiveError
from lowering.normalise.registry import rewrites

Array = jax.Array


def _each_matrix(function: Callable[..., Any], *stacks: Array) -> Any:
    """The function of every matrix of the stacks."""
    for _ in range(stacks[0].ndim - 2):
        function = jax.vmap(function)
    return function(*stacks)


def _identities(a: Array, size: int) -> Array:
    """An identity matrix for each matrix of the stack."""
    return jnp.broadcast_to(jnp.eye(size, dtype=a.dtype), (*a.shape[:-2], size, size))


def _untouched(a: Array) -> Array:
    """i32[..., height]: the rows of each matrix in their order."""
    height = a.shape[-2]
    return jnp.broadcast_to(_numbers(height), (*a.shape[:-2], height))


def _numbers(count: int) -> Array:
    return lax.iota(np.int32, count)


def _row(x: Array, number: Any) -> Array:
    return lax.dynamic_index_in_dim(x, number, 0, keepdims=False)


def _column(x: Array, number: Any) -> Array:
    return lax.dynamic_index_in_dim(x, number, 1, keepdims=False)


def _with_row(x: Array, row: Array, number: Any) -> Array:
    return lax.dynamic_update_index_in_dim(x, row, number, 0)


def _with_column(x: Array, column: Array, number: Any) -> Array:
    return lax.dynamic_update_index_in_dim(x, column, number, 1)


def _element(x: Array, number: Any) -> Array:
    """f32[]: an element of a vector."""
    return jnp.sum(jnp.where(_numbers(x.shape[0]) == number, x, 0))


@rewrites("cholesky")
def _cholesky(a: Array, **_: Any) -> Array:
    return _each_matrix(_cholesky_of_one, a)


def _cholesky_of_one(a: Array) -> Array:
    """The lower factor, of the lower triangle; NaN if there is none, as in JAX."""
    rows = _numbers(a.shape[0])

    def eliminate(number: Any, state: Any) -> Any:
        a, is_positive = state
        column = _column(a, number)
        pivot = _element(column, number)
        root = jnp.sqrt(pivot)
        below = jnp.where(rows > number, column / root, 0)
        a = a - below[:, None] * below[None, :]
        factor = jnp.where(rows == number, root, below)
        return _with_column(a, factor, number), is_positive & (pivot > 0)

    start = (a, jnp.bool_(True))
    factor, is_positive = lax.fori_loop(0, a.shape[0], eliminate, start)
    return jnp.where(is_positive, factor, jnp.nan)


@rewrites("triangular_solve")
def _triangular_solve(
    a: Array,
    b: Array,
    *,
    left_side: bool,
    lower: bool,
    transpose_a: bool,
    conjugate_a: bool,
    unit_diagonal: bool,
) -> Array:
    """Real numbers are their own conjugates. X A = B is A^T X^T = B^T."""
    del conjugate_a
    if transpose_a == left_side:
        a, lower = a.swapaxes(-1, -2), not lower
    if not left_side:
        b = b.swapaxes(-1, -2)

    def solve(a: Array, b: Array) -> Array:
        return _solution(a, b, lower, unit_diagonal)

    solved = _each_matrix(solve, a, b)
    return solved if left_side else solved.swapaxes(-1, -2)


def _solution(a: Array, b: Array, lower: bool, unit_diagonal: bool) -> Array:
    """X with A X = B, row by row; rows that are not known yet are zero."""
    count = a.shape[0]
    columns = _numbers(count)

    def substitute(step: Any, x: Array) -> Array:
        number = step if lower else np.int32(count - 1) - step
        row = _row(a, number)
        is_known = columns < number if lower else columns > number
        rest = _row(b, number) - jnp.where(is_known, row, 0) @ x
        if not unit_diagonal:
            rest = rest / _element(row, number)
        return _with_row(x, rest, number)

    return lax.fori_loop(0, count, substitute, jnp.zeros_like(b))


@rewrites("lu")
def _lu(a: Array, **_: Any) -> list[Array]:
    if a.size == 0:
        return [a, jnp.zeros((*a.shape[:-2], 0), np.int32), _untouched(a)]
    return list(_each_matrix(_lu_of_one, a))


def _lu_of_one(a: Array) -> tuple[Array, Array, Array]:
    """The factors in one matrix, the pivots, and the permutation of the rows."""
    height, width = a.shape
    rows, columns = _numbers(height), _numbers(width)
    count = min(height, width)

    def eliminate(number: Any, state: Any) -> Any:
        a, pivots, order = state
        sizes = jnp.where(rows >= number, jnp.abs(_column(a, number)), -1)
        chosen = jnp.argmax(sizes).astype(np.int32)
        a, order = _swapped(a, number, chosen), _swapped(order, number, chosen)
        pivots = jnp.where(_numbers(count) == number, chosen, pivots)
        column, row = _column(a, number), _row(a, number)
        pivot = _element(row, number)
        is_below = (rows > number) & (pivot != 0)
        factor = jnp.where(is_below, column / pivot, column)
        below = jnp.where(rows > number, factor, 0)
        right = jnp.where(columns > number, row, 0)
        a = a - below[:, None] * right[None, :]
        return _with_column(a, factor, number), pivots, order

    start = (a, jnp.zeros(count, np.int32), rows)
    return lax.fori_loop(0, count, eliminate, start)


def _swapped(x: Array, one: Any, other: Any) -> Array:
    first, second = _row(x, one), _row(x, other)
    return _with_row(_with_row(x, second, one), first, other)


@rewrites("qr")
def _qr(a: Array, *, pivoting: bool, full_matrices: bool, **_: Any) -> list[Array]:
    if pivoting:
        raise UnsupportedPrimitiveError(
            "qr with pivoting is not supported",
            rule="qr goes over the columns in their own order",
            help="leave pivoting out, or compute it with JAX on the host",
        )
    height, width = a.shape[-2:]
    if a.size == 0:
        return [_identities(a, height), jnp.zeros_like(a)]
    q, r = _each_matrix(_qr_of_one, a)
    kept = height if full_matrices else min(height, width)
    return [q[..., :kept], jnp.triu(r)[..., :kept, :]]


def _qr_of_one(a: Array) -> tuple[Array, Array]:
    """Q, with as many columns as rows, and what Householder reflections make of A."""
    height, width = a.shape
    rows = _numbers(height)

    def reflect(number: Any, state: Any) -> Any:
        q, a = state
        column = _column(a, number)
        first = _element(column, number)
        rest = jnp.where(rows > number, column, 0)
        square = jnp.sum(rest * rest)
        is_needed = square != 0
        length = jnp.sqrt(first * first + square)
        image = jnp.where(first < 0, length, -length)
        scale = jnp.where(is_needed, first - image, 1)
        vector = jnp.where(rows == number, 1, rest / scale)
        weight = jnp.where(is_needed, (image - first) / image, 0)
        a = a - (weight * vector)[:, None] * (vector @ a)[None, :]
        q = q - (q @ vector)[:, None] * (weight * vector)[None, :]
        return q, a

    start = (jnp.eye(height, dtype=a.dtype), a)
    return lax.fori_loop(0, min(height, width), reflect, start)


@rewrites("custom_linear_solve")
def _custom_linear_solve(*args: Any, const_lengths: Any, jaxprs: Any) -> Any:
    """The user's own solver; the other functions are there for gradients."""
    before = const_lengths.matvec + const_lengths.vecmat
    consts = args[before : before + const_lengths.solve]
    rights = args[sum(const_lengths) :]
    return _solved(jaxprs.solve, [*consts, *rights])


def _solved(closed: Any, args: list[Any]) -> list[Any]:
    return jaxprs.interpret(closed.jaxpr, closed.consts, args, jaxprs.bind)


@rewrites("platform_index")
def _platform_index(*, platforms: Any) -> Any:
    """Which of several ways to compute a value: the one of CPUs, or of any platform."""
    found = [n for n, names in enumerate(platforms) if names is None or "cpu" in names]
    return np.int32(found[0])
