"""Eigenvalues and singular values by Jacobi's method.

A sweep turns every pair of rows once, so that what they have in common vanishes, in
rounds of pairs that share no row: each row of the first half with one of the second.
After a round all rows but the first move on by a place, as players of a tournament, and
after the sweep they are where they were (Brent & Luk 1985). The machine turns all pairs
of a round in one vector operation each. Rows are an even number: there may be one more,
of zeros, which nothing turns.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false
# pyright: reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from lowering.cases import Case
from lowering.normalise.matrices import Array, each_matrix
from lowering.normalise.registry import rewrites
from lowering.normalise.rewrites_factors import reflections
from lowering.replicate import replicate

_MAX_SWEEPS = 15
# What is left before the last sweep, beside the whole: its square vanishes.
_NEARLY_DONE = np.float32(1e-5)
_NEGLIGIBLE = np.float32(1e-13)  # of squares, beside their sum: rounding errors
Subset = tuple[int, int] | None


@rewrites("eigh")
def _eigh(
    a: Array, *, lower: bool, subset_by_index: Subset = None, **_: Any
) -> list[Array]:
    vectors, values = each_matrix(lambda a: _eigh_of_one(a, lower), a)
    first, last = subset_by_index or (0, a.shape[-1])
    return [vectors[..., first:last], values[..., first:last]]


def _eigh_of_one(a: Array, lower: bool) -> tuple[Array, Array]:
    """f32[n, n], f32[n]: eigenvectors as columns, and eigenvalues, which grow."""
    count = a.shape[0]
    half = jnp.tril(a) if lower else jnp.triu(a).T
    a, scale = _scaled(half + jnp.tril(half, -1).T)
    a = replicate(jnp.pad(a, (0, count % 2)))
    identity = _identity(a)
    is_diagonal = identity > 0
    total = jnp.sum(a * a)

    def turn(_: Any, state: Any) -> Any:
        a, vectors, left = state
        middle = a.shape[0] // 2
        first, both, second = (
            jnp.sum(jnp.where(is_diagonal[:middle, :middle], block, 0), 1)
            for block in (
                a[:middle, :middle],
                a[:middle, middle:],
                a[middle:, middle:],
            )
        )
        angle = _angle(first, both, second)
        a = _turned(_turned(a, *angle).T, *angle)
        return a, _turned(vectors, *angle), left

    def sweep(state: Any) -> Any:
        a, vectors, _ = state
        others = jnp.where(is_diagonal, 0, a)
        left = jnp.sqrt(jnp.sum(others * others) / jnp.maximum(total, 1e-30))
        return lax.fori_loop(0, a.shape[0] - 1, turn, (a, vectors, left))

    a, vectors, _ = _swept(sweep, (a, identity))
    values = jnp.sum(jnp.where(is_diagonal, a, 0), 1)[:count]
    order = jnp.argsort(values)
    vectors = vectors[:count, :count][order].T
    is_known = jnp.isfinite(total)
    return _if(is_known, vectors), _if(is_known, values[order] * scale)


@rewrites("svd")
def _svd(
    a: Array,
    *,
    full_matrices: bool,
    compute_uv: bool,
    subset_by_index: Subset = None,
    **_: Any,
) -> list[Array]:
    count = min(a.shape[-2:])
    if count == 0:
        return _svd_of_nothing(a, full_matrices, compute_uv)
    first, last = subset_by_index or (0, count)
    if not compute_uv:
        (values,) = each_matrix(lambda a: _singular(a)[:1], a)
        return [values[..., first:last]]
    values, u, vt = each_matrix(lambda a: _svd_of_one(a, full_matrices), a)
    if subset_by_index is None:
        return [values, u, vt]
    return [values[..., first:last], u[..., first:last], vt[..., first:last, :]]


def _svd_of_nothing(a: Array, full_matrices: bool, compute_uv: bool) -> list[Array]:
    height, width = a.shape[-2:]
    stack = a.shape[:-2]
    values = jnp.zeros((*stack, 0), a.dtype)
    if not compute_uv:
        return [values]
    if not full_matrices:
        shapes = ((*stack, height, 0), (*stack, 0, width))
        return [values, *(jnp.zeros(shape, a.dtype) for shape in shapes)]
    sides = (jnp.eye(size, dtype=a.dtype) for size in (height, width))
    return [values, *(jnp.broadcast_to(x, (*stack, *x.shape)) for x in sides)]


def _svd_of_one(a: Array, full_matrices: bool) -> tuple[Array, Array, Array]:
    """S, U and V^T: V turns the columns of A until they are at right angles.

    Then they are those of U, times S. Reflections find the rest of U, and all of it
    that belongs to singular values of zero.
    """
    height, width = a.shape
    if height < width:
        values, v, ut = _svd_of_one(a.T, full_matrices)
        return values, ut.T, v.T
    values, columns, vt = _singular(a)
    lengths = jnp.sqrt(jnp.sum(columns * columns, 1, keepdims=True))
    u = (columns / jnp.where(lengths == 0, 1, lengths)).T
    q, r, _ = reflections(u)
    signs = jnp.sum(jnp.where(jnp.eye(width, dtype=bool), r[:width], 0), 1)
    signs = jnp.pad(jnp.where(signs < 0, -1, 1), (0, height - width), constant_values=1)
    q = q * signs.astype(q.dtype)
    return values, q if full_matrices else q[:, :width], vt


def _singular(a: Array) -> tuple[Array, Array, Array]:
    """S, which falls; U S, as rows; and V^T (one-sided: Hestenes 1958)."""
    a, scale = _scaled(a if a.shape[0] >= a.shape[1] else a.T)
    width = a.shape[1]
    rows = replicate(jnp.pad(a.T, ((0, width % 2), (0, 0))))
    total = jnp.sum(rows * rows)

    def turn(_: Any, state: Any) -> Any:
        rows, vt, left = state
        middle = rows.shape[0] // 2
        upper, lower = rows[:middle], rows[middle:]
        first, both, second = (
            jnp.sum(x, 1) for x in (upper * upper, upper * lower, lower * lower)
        )
        is_negligible = jnp.minimum(first, second) <= _NEGLIGIBLE * total
        lengths = jnp.where(is_negligible, 1, jnp.sqrt(first) * jnp.sqrt(second))
        worst = jnp.max(jnp.where(is_negligible, 0, jnp.abs(both) / lengths))
        angle = _angle(first, both, second)
        rows, vt = (_turned(x, *angle) for x in (rows, vt))
        return rows, vt, jnp.maximum(left, worst)

    def sweep(state: Any) -> Any:
        start = (*state[:2], jnp.zeros((), rows.dtype))
        return lax.fori_loop(0, rows.shape[0] - 1, turn, start)

    columns, vt, _ = _swept(sweep, (rows, _identity(rows)))
    squares = jnp.sum(columns * columns, 1)[:width]
    order = jnp.argsort(-squares)
    is_known = jnp.isfinite(total)
    values = jnp.sqrt(squares[order]) * scale
    columns, vt = columns[:width][order], vt[:width, :width][order]
    return _if(is_known, values), _if(is_known, columns), _if(is_known, vt)


def _swept(sweep: Callable[[Any], Any], start: tuple[Array, Array]) -> Any:
    """Sweeps until there was nearly nothing left before the last one."""

    def goes_on(state: Any) -> Any:
        number, (*_, left) = state
        return (number < _MAX_SWEEPS) & (left > _NEARLY_DONE)

    def step(state: Any) -> Any:
        number, matrices = state
        return number + 1, sweep(matrices)

    begin = (np.int32(0), (*start, jnp.asarray(np.inf, start[0].dtype)))
    return lax.while_loop(goes_on, step, begin)[1]


def _angle(first: Array, both: Array, second: Array) -> tuple[Array, Array]:
    """Sine, and tangent of half, of the smaller angle that diagonalises
    [first both; both second] (Golub & Van Loan, Matrix Computations, 8.5.2)."""
    is_needed = both != 0
    ratio = (second - first) / (2 * jnp.where(is_needed, both, 1))
    sign = jnp.where(ratio < 0, np.float32(-1), np.float32(1))
    tangent = sign / (jnp.abs(ratio) + jnp.sqrt(1 + ratio * ratio))
    tangent = jnp.where(is_needed, tangent, 0)
    cosine = 1 / jnp.sqrt(1 + tangent * tangent)
    sine = tangent * cosine
    return sine, sine / (1 + cosine)


def _turned(x: Array, sine: Array, tangent: Array) -> Array:
    """Row i and row i + half turned by angle i; then all at their next places.

    Small angles make small changes: so their rounding errors are small, too
    (Rutishauser 1966).
    """
    middle = x.shape[0] // 2
    upper, lower = x[:middle], x[middle:]
    sine, tangent = sine[:, None], tangent[:, None]
    first = upper - sine * (lower + tangent * upper)
    second = lower + sine * (upper - tangent * lower)
    if middle == 1:
        return jnp.concatenate([first, second])
    last = middle - 1
    return jnp.concatenate(
        [first[:1], second[:1], first[1:last], second[1:], first[last:]]
    )


def _identity(rows: Array) -> Array:
    """As large as there are rows."""
    return replicate(jnp.eye(rows.shape[0], dtype=rows.dtype))


def _scaled(a: Array) -> tuple[Array, Array]:
    """The matrix with 1 for its largest element, so that squares do not overflow."""
    scale = jnp.max(jnp.abs(a))
    scale = jnp.where(scale == 0, 1, scale)
    return a / scale, scale


def _if(is_known: Array, x: Array) -> Array:
    return jnp.where(is_known, x, jnp.nan)


CASES = [
    Case("symmetric", lambda a: _put_together(jnp.linalg.eigh(a + a.T)), ("f32[4,4]",)),
    Case("any", lambda a: jnp.linalg.svd(a, compute_uv=False), ("f32[5,3]",)),
]


def _put_together(parts: Any) -> tuple[Array, Array]:
    """The eigenvalues, and the matrix again: eigenvectors may have either sign."""
    values, vectors = parts
    return values, vectors * values @ vectors.T
