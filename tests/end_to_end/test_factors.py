"""Factorisations, triangular systems and linear equations on the simulated wafer."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.lax import linalg

import pyflame as pf

RANDOM = np.random.default_rng(0)
A = RANDOM.standard_normal((5, 5)).astype(np.float32)
STACK = RANDOM.standard_normal((2, 4, 3)).astype(np.float32)
POSITIVE = (A @ A.T + np.eye(5)).astype(np.float32)
RIGHT = RANDOM.standard_normal((5, 3)).astype(np.float32)
SINGULAR = np.zeros((3, 3), np.float32)


def cholesky(a: Any) -> Any:
    return jnp.linalg.cholesky(a), jnp.linalg.cholesky(-a)


def triangular(a: Any, b: Any) -> Any:
    return [
        linalg.triangular_solve(a, b, left_side=True, lower=True, transpose_a=True),
        linalg.triangular_solve(a, b, left_side=True, unit_diagonal=True),
        linalg.triangular_solve(a, b.T, lower=True),
    ]


def lu(a: Any, stack: Any, singular: Any) -> Any:
    return linalg.lu(a), linalg.lu(stack), linalg.lu(singular)


def qr(a: Any, stack: Any) -> Any:
    whole = jnp.linalg.qr(stack, mode="complete")
    return jnp.linalg.qr(a), jnp.linalg.qr(stack.swapaxes(1, 2)), whole


def pivoted(a: Any, stack: Any) -> Any:
    wide = stack.swapaxes(1, 2)
    return [linalg.qr(x, pivoting=True, full_matrices=True) for x in (a, stack, wide)]


def tridiagonal(a: Any, b: Any) -> Any:
    """Row exchanges, a stack, one equation, and a system that is singular."""
    low, middle, high = a[:3]
    return [
        linalg.tridiagonal_solve(low, middle.at[2].set(0), high, b),
        linalg.tridiagonal_solve(a, a + 3, a, jnp.stack([b] * 5)),
        linalg.tridiagonal_solve(low[:1], middle[:1], high[:1], b[:1]),
        linalg.tridiagonal_solve(low, middle * 0, high, b),
    ]


def _from_eigenvectors(vectors: Any, values: Any) -> Any:
    across = vectors.swapaxes(-1, -2)
    return values, vectors * values[..., None, :] @ across, across @ vectors


def eigenvalues(a: Any, b: Any) -> Any:
    """An odd number of rows; an even one, the upper half; NaN, as all else that is."""
    upper = linalg.eigh(jnp.triu(a[:4, :4]), lower=False, symmetrize_input=False)
    found = [_from_eigenvectors(*x) for x in (linalg.eigh(a + a.T), upper)]
    return [*found, linalg.eigh(b[:1, :1] * np.nan)[1]]


def stacked_eigenvalues(a: Any, b: Any) -> Any:
    """One of the stack is done before the other; equal values."""
    stack = jnp.stack([a + a.T, jnp.eye(5) + b[:, :1] * b[:, 0]])
    return _from_eigenvectors(*linalg.eigh(stack))


def singular_vectors(a: Any, b: Any) -> Any:
    """A wide matrix of rank 1; a tall one with all of U."""
    line = b[:3, :1] * a[0]
    v, small, wt = linalg.svd(line, full_matrices=False)
    u, values, vt = linalg.svd(b)
    squares = [x.T @ x for x in (u, v, vt.T, wt.T)]
    return [values, u[:, :3] * values @ vt, small, v * small @ wt, *squares[:3]]


def singular_values(a: Any, b: Any) -> Any:
    """Of numbers with large squares, and of a stack."""
    large = linalg.svd(a * 1e25, compute_uv=False) * 1e-25
    return large, linalg.svd(jnp.stack([a, a.T @ a]), compute_uv=False)


def equations(a: Any, b: Any) -> Any:
    def size(a: Any, b: Any) -> Any:
        return (jnp.linalg.solve(a, b) ** 2).sum()

    return jax.value_and_grad(size, (0, 1))(a, b), jnp.linalg.det(a)


@pytest.mark.parametrize(
    ("function", "arrays"),
    [
        (cholesky, [POSITIVE]),
        (triangular, [POSITIVE, RIGHT]),
        (lu, [A, STACK, SINGULAR]),
        (qr, [A, STACK]),
        (pivoted, [A, STACK]),
        (tridiagonal, [A, RIGHT]),
        (eigenvalues, [A, RIGHT]),
        (stacked_eigenvalues, [A, RIGHT]),
        (singular_vectors, [A, RIGHT]),
        (singular_values, [A, RIGHT]),
        (equations, [POSITIVE, RIGHT]),
    ],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_factors_are_those_of_lapack(
    function: Any, arrays: Any, tmp_path: Path
) -> None:
    options = pf.CodeGenOptions(output_dir=str(tmp_path), target="wse3")
    layout = pf.MeshLayout.grid(2, 2) if len(arrays) != 2 else pf.MeshLayout.single_pe()
    result = pf.compile_to_csl(function, *arrays, options=options, in_layouts=layout)
    assert result.success, result.error_message
    outputs = jax.tree.leaves(result.simulate(*arrays).outputs)
    expected = jax.tree.leaves(function(*map(jnp.asarray, arrays)))
    for have, want in zip(outputs, expected, strict=True):
        assert have.dtype == want.dtype
        np.testing.assert_allclose(have, want, rtol=2e-4, atol=2e-4)


def test_eigenvalues_where_the_matrix_is_split(tmp_path: Path) -> None:
    options = pf.CodeGenOptions(output_dir=str(tmp_path))
    result = pf.compile_to_csl(
        lambda a: linalg.eigh(a)[1],
        POSITIVE,
        options=options,
        in_layouts=pf.MeshLayout.grid(2, 2),
    )
    assert result.success, result.error_message
    values = result.simulate(POSITIVE).outputs
    np.testing.assert_allclose(values, np.linalg.eigvalsh(POSITIVE), 2e-5, 2e-5)


def test_perturbed_systems_are_refused() -> None:
    def program(a: Any) -> Any:
        low, middle, high = a[:3]
        return linalg.tridiagonal_solve_p.bind(
            low, middle, high, a, perturb_singular=True
        )

    result = pf.compile_to_csl(program, A, pf.CodeGenOptions())
    assert not result.success
    message = result.error_message.split("\n")
    assert message[0] == "tridiagonal_solve with perturb_singular is not supported"
    assert message[-2:] == [
        "  rule      singular systems give NaN",
        "  help      leave perturb_singular out, or compute it with JAX on the host",
    ]
