"""A model and its gradient on the simulated wafer, beside JAX on the CPU."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pyflame as pf

TOLERANCE = 1e-4  # of sums over layers, relative to the largest element


def check(
    function: Callable[..., Any],
    *args: Any,
    mesh: tuple[int, int] = (2, 2),
    target: str = "wse3",
) -> None:
    """Compiles for a mesh with a grid for every input, runs, and compares."""
    got = run(function, *args, mesh=mesh, target=target)
    want = jax.jit(function)(*args)
    assert jax.tree.structure(got) == jax.tree.structure(want)
    for mine, reference in zip(
        jax.tree.leaves(got), map(np.asarray, jax.tree.leaves(want)), strict=True
    ):
        assert (mine.dtype, mine.shape) == (reference.dtype, reference.shape)
        scale = max(1.0, float(np.max(np.abs(reference), initial=0)))
        np.testing.assert_allclose(mine, reference, TOLERANCE, TOLERANCE * scale)


def check_with_gradient(
    function: Callable[..., Any],
    params: Any,
    *args: Any,
    mesh: tuple[int, int] = (2, 2),
    target: str = "wse3",
) -> None:
    """`function(params, *args)`, and the gradient of a sum of it by the parameters.

    Every element of the result weighs differently in the sum.
    """

    def total(params: Any, *args: Any) -> Any:
        out = function(params, *args)
        weights = np.linspace(0.5, 1.5, out.size, dtype=out.dtype)
        return jnp.sum(out * weights.reshape(out.shape))

    check(function, params, *args, mesh=mesh, target=target)
    check(jax.grad(total), params, *args, mesh=mesh, target=target)


def run(
    function: Callable[..., Any],
    *args: Any,
    mesh: tuple[int, int] = (2, 2),
    target: str = "wse3",
) -> Any:
    """What the simulated wafer gives."""
    with tempfile.TemporaryDirectory() as folder:
        options = pf.CodeGenOptions(output_dir=folder, target=target)
        options.fabric_height, options.fabric_width = mesh
        result = pf.compile_to_csl(
            function, *args, options=options, in_layouts=pf.MeshLayout.grid(*mesh)
        )
    assert result.success, result.error_message
    return result.simulate(*args).outputs


def parameters(names: Iterable[str], quick: set[str]) -> list[Any]:
    """Names of models for pytest: those that are not `quick` run with -m slow."""
    marks = {name: () if name in quick else (pytest.mark.slow,) for name in names}
    return [pytest.param(name, marks=marks[name]) for name in marks]


def normal(seed: int, *shape: int) -> np.ndarray[Any, Any]:
    """Random numbers, float32."""
    random = np.random.default_rng(seed)
    return np.asarray(random.standard_normal(shape)).astype(np.float32)
