"""Tridiagonal systems, by elimination with row exchanges, as LAPACK's gtsv does it."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from lowering.cases import Case
from lowering.errors import UnsupportedPrimitiveError
from lowering.normalise.matrices import Array
from lowering.normalise.registry import rewrites


@rewrites("tridiagonal_solve")
def _tridiagonal_solve(
    dl: Array, d: Array, du: Array, b: Array, *, perturb_singular: bool = False
) -> Array:
    if perturb_singular:
        raise UnsupportedPrimitiveError(
            "tridiagonal_solve with perturb_singular is not supported",
            rule="singular systems give NaN",
            help="leave perturb_singular out, or compute it with JAX on the host",
        )
    solve = _solution
    for _ in range(d.ndim - 1):
        solve = jax.vmap(solve)
    return solve(dl, d, du, b)


def _solution(dl: Array, d: Array, du: Array, b: Array) -> Array:
    """X of one system; NaN if it is singular, as in JAX.

    Elimination leaves rows of three numbers, the pivot and two above the diagonal;
    which of two rows is next, the larger pivot decides.
    """

    def eliminate(row: Any, following: Any) -> Any:
        pivot, above, right = row
        below, diagonal, beyond, side = following
        is_kept = abs(pivot) >= abs(below)
        chosen = jnp.where(is_kept, pivot, below)
        other = jnp.where(is_kept, below, pivot)
        factor = jnp.where(other == 0, 0, other / chosen)
        kept = (
            chosen,
            jnp.where(is_kept, above, diagonal),
            jnp.where(is_kept, 0, beyond),
            jnp.where(is_kept, right, side),
        )
        rest = (
            jnp.where(is_kept, diagonal, above) - factor * kept[1],
            jnp.where(is_kept, beyond, 0) - factor * kept[2],
            jnp.where(is_kept, side, right) - factor * kept[3],
        )
        return rest, kept

    last, rows = lax.scan(
        eliminate, (d[0], du[0], b[0]), (dl[1:], d[1:], du[1:], b[1:])
    )
    pivots = jnp.concatenate([rows[0], last[0][None]])
    final = last[2] / last[0]

    def substitute(known: Any, row: Any) -> Any:
        pivot, above, far, right = row
        x = (right - above * known[0] - far * known[1]) / pivot
        return (x, known[0]), x

    start = (final, jnp.zeros_like(final))
    _, xs = lax.scan(substitute, start, rows, reverse=True)
    x = jnp.concatenate([xs, final[None]])
    return jnp.where(jnp.any(pivots == 0), jnp.nan, x)


CASES = [
    Case(
        "three diagonals",
        lambda low, x, b: lax.linalg.tridiagonal_solve(low, abs(x) + 4, low, b),
        ("f32[7]", "f32[7]", "f32[7,2]"),
    ),
]
