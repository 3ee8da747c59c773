"""Factorisations of matrices, and solutions of triangular systems, as loops.

Each goes over the columns once, and changes all that follows by an outer product
(Golub & Van Loan, Matrix Computations, 4.2, 3.4, 5.2), with LAPACK's choice of signs
and pivots. Stacks of matrices are mapped over. Complex ones are staged as such, and
become pairs afterwards.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false
# pyright: reportUnknownParameterType=false

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from lowering import jaxprs
from lowering.cases import Case
from lowering.normalise.matrices import (
    Array,
    column_of,
    each_matrix,
    element,
    identities,
    numbers,
    row_of,
    untouched,
    with_column,
    with_row,
)
from lowering.normalise.registry import rewrites


@rewrites("cholesky")
def _cholesky(a: Array, **_: Any) -> Array:
    return each_matrix(_cholesky_of_one, a)


def _cholesky_of_one(a: Array) -> Array:
    """The lower factor, of the lower triangle; NaN if there is none, as in JAX."""

    def eliminate(number: Any, state: Any) -> Any:
        a, is_positive = state
        rows = numbers(a.shape[0])
        column = column_of(a, number)
        pivot = jnp.real(element(column, number))
        root = jnp.sqrt(pivot).astype(a.dtype)
        below = jnp.where(rows > number, column * (1 / root), 0)
        factor = jnp.where(rows == number, root, below)
        a = a - below[:, None] * jnp.conj(below)[None, :]
        return with_column(a, factor, number), is_positive & (pivot > 0)

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
    """X A = B is A^T X^T = B^T."""
    if conjugate_a:
        a = jnp.conj(a)
    if transpose_a == left_side:
        a, lower = a.swapaxes(-1, -2), not lower
    if not left_side:
        b = b.swapaxes(-1, -2)

    def solve(a: Array, b: Array) -> Array:
        return _solution(a, b, lower, unit_diagonal)

    solved = each_matrix(solve, a, b)
    return solved if left_side else solved.swapaxes(-1, -2)


def _solution(a: Array, b: Array, lower: bool, unit_diagonal: bool) -> Array:
    """X with A X = B, row by row; rows that are not known yet are zero."""
    count = a.shape[0]

    def substitute(step: Any, x: Array) -> Array:
        columns = numbers(count)
        number = step if lower else np.int32(count - 1) - step
        row = row_of(a, number)
        is_known = columns < number if lower else columns > number
        rest = row_of(b, number) - jnp.where(is_known, row, 0) @ x
        if not unit_diagonal:
            rest = rest / element(row, number)
        return with_row(x, rest, number)

    return lax.fori_loop(0, count, substitute, jnp.zeros_like(b))


@rewrites("lu")
def _lu(a: Array, **_: Any) -> list[Array]:
    if a.size == 0:
        return [a, jnp.zeros((*a.shape[:-2], 0), np.int32), untouched(a)]
    return list(each_matrix(_lu_of_one, a))


def _lu_of_one(a: Array) -> tuple[Array, Array, Array]:
    """The factors in one matrix, the pivots, and the permutation of the rows."""
    height, width = a.shape
    count = min(height, width)

    def eliminate(number: Any, state: Any) -> Any:
        a, pivots, order = state
        rows, columns = numbers(height), numbers(width)
        sizes = jnp.where(rows >= number, _size(column_of(a, number)), -1)
        chosen = jnp.argmax(sizes).astype(np.int32)
        a, order = _swapped(a, number, chosen), _swapped(order, number, chosen)
        pivots = jnp.where(numbers(count) == number, chosen, pivots)
        column, row = column_of(a, number), row_of(a, number)
        pivot = element(row, number)
        is_below = (rows > number) & (pivot != 0)
        factor = jnp.where(is_below, column / pivot, column)
        below = jnp.where(rows > number, factor, 0)
        right = jnp.where(columns > number, row, 0)
        a = a - below[:, None] * right[None, :]
        return with_column(a, factor, number), pivots, order

    start = (a, jnp.zeros(count, np.int32), numbers(height))
    return lax.fori_loop(0, count, eliminate, start)


def _size(x: Array) -> Array:
    """As LAPACK measures pivots: of complex numbers the sum of both parts' sizes."""
    if not jnp.iscomplexobj(x):
        return jnp.abs(x)
    return jnp.abs(jnp.real(x)) + jnp.abs(jnp.imag(x))


def _swapped(x: Array, one: Any, other: Any) -> Array:
    first, second = row_of(x, one), row_of(x, other)
    return with_row(with_row(x, second, one), first, other)


@rewrites("qr")
def _qr(a: Array, *, pivoting: bool, full_matrices: bool, **_: Any) -> list[Array]:
    height, width = a.shape[-2:]
    kept = height if full_matrices else min(height, width)
    if a.size == 0:
        nothing = jnp.zeros((*a.shape[:-2], kept, width), a.dtype)
        results = [identities(a, height)[..., :kept], nothing]
        return [*results, untouched(a.swapaxes(-1, -2))] if pivoting else results
    q, r, order = each_matrix(lambda a: reflections(a, pivoting), a)
    results = [q[..., :kept], jnp.triu(r)[..., :kept, :]]
    return [*results, order] if pivoting else results


def reflections(a: Array, pivoting: bool = False) -> tuple[Array, Array, Array]:
    """Q, with as many columns as rows; what Householder reflections make of A; and the
    order of A's columns.

    With pivoting the longest of the remaining columns is next (Golub & Van Loan,
    5.4.2).
    """
    height, width = a.shape

    def reflect(number: Any, state: Any) -> Any:
        q, a, order = state
        rows = numbers(height)
        if pivoting:
            chosen = _longest(a, number)
            a = _swapped(a.T, number, chosen).T
            order = _swapped(order, number, chosen)
        column = column_of(a, number)
        first = element(column, number)
        rest = jnp.where(rows > number, column, 0)
        square = jnp.sum(_square(rest))
        is_needed = (square != 0) | (jnp.imag(first) != 0)
        length = jnp.sqrt(_square(first) + square)
        image = jnp.where(jnp.real(first) < 0, length, -length)
        scale = jnp.where(is_needed, first - image, 1)
        vector = jnp.where(rows == number, 1, rest / scale)
        weight = jnp.where(is_needed, (image - first) / image, 0)
        across = jnp.conj(vector)
        a = a - (jnp.conj(weight) * vector)[:, None] * (across @ a)[None, :]
        q = q - (q @ vector)[:, None] * (weight * across)[None, :]
        return q, a, order

    start = (jnp.eye(height, dtype=a.dtype), a, numbers(width))
    return lax.fori_loop(0, min(height, width), reflect, start)


def _square(x: Array) -> Array:
    """|x|^2, which is real."""
    if not jnp.iscomplexobj(x):
        return x * x
    return jnp.real(x) ** 2 + jnp.imag(x) ** 2


def _longest(a: Array, number: Any) -> Array:
    """i32[]: the first of the longest columns, of what is left of the matrix."""
    height, width = a.shape
    left = jnp.where(numbers(height)[:, None] >= number, a, 0)
    squares = jnp.sum(_square(left), 0)
    is_left = numbers(width) >= number
    return jnp.argmax(jnp.where(is_left, squares, -1)).astype(np.int32)


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


CASES = [
    Case("Cholesky", lambda a: lax.linalg.cholesky(_definite(a)), ("f32[5,5]",)),
    Case("LU", lambda a: lax.linalg.lu(a + 3 * jnp.eye(5)), ("f32[5,5]",)),
    Case("QR", lambda a: lax.linalg.qr(a, full_matrices=False), ("f32[6,4]",)),
    Case(
        "a system",
        lambda a, b: jnp.linalg.solve(_definite(a), b),
        ("f32[5,5]", "f32[5,2]"),
    ),
    Case(
        "a triangle",
        lambda a, b: lax.linalg.triangular_solve(
            a + 3 * jnp.eye(5), b, left_side=True, lower=True
        ),
        ("f32[5,5]", "f32[5,2]"),
    ),
    Case(
        "by platform",
        lambda x: lax.platform_dependent(x, cpu=lambda x: 2 * x, default=lambda x: x),
        ("f32[n]",),
    ),
]


def _definite(a: Array) -> Array:
    return a @ a.T + jnp.eye(a.shape[0])
