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
    for have, want in zip(outputs, jax.tree.leaves(function(*arrays)), strict=True):
        assert have.dtype == want.dtype
        np.testing.assert_allclose(have, want, rtol=2e-4, atol=2e-4)


def test_pivoting_is_refused() -> None:
    result = pf.compile_to_csl(
        lambda a: jax.scipy.linalg.qr(a, pivoting=True), A, pf.CodeGenOptions()
    )
    assert not result.success
    message = result.error_message.split("\n")
    assert message[0] == "qr with pivoting is not supported"
    assert message[-2:] == [
        "  rule      qr goes over the columns in their own order",
        "  help      leave pivoting out, or compute it with JAX on the host",
    ]
