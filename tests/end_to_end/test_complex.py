"""Complex numbers on the simulated wafer, beside JAX."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from same_values import difference

import pyflame as pf


def mandelbrot(re: jax.Array, im: jax.Array) -> jax.Array:
    """How many steps each point stays near."""
    c = lax.complex(re, im)

    def step(state: tuple[Any, Any]) -> tuple[Any, Any]:
        z, count = state
        is_near = abs(z) <= 2
        return jnp.where(is_near, z * z + c, z), count + is_near

    start = (jnp.zeros_like(c), jnp.zeros(c.shape, jnp.int32))
    return lax.fori_loop(0, 12, lambda _, state: step(state), start)[1]


def waves(re: jax.Array, im: jax.Array) -> list[jax.Array]:
    """Phases, sizes, a product of matrices and its gradient."""
    z = lax.complex(re, im)
    turned = jnp.exp(1j * z) * z.conj() / (z + 2j)
    product = z @ z.T

    def energy(re: jax.Array) -> jax.Array:
        return jnp.sum(jnp.abs(lax.complex(re, im) ** 2 + 1) ** 2)

    return [jnp.angle(turned), abs(product), product.real, jax.grad(energy)(re)]


def power_iteration(re: jax.Array, im: jax.Array) -> list[jax.Array]:
    """The largest eigenvalue of a Hermitian matrix."""
    z = lax.complex(re, im)
    matrix = z @ z.conj().T

    def step(v: jax.Array, _: None) -> tuple[jax.Array, jax.Array]:
        v = matrix @ v
        size = jnp.sqrt(jnp.sum(abs(v) ** 2))
        return v / size, size

    v, sizes = lax.scan(step, jnp.ones(len(re), jnp.complex64), None, 6)
    return [abs(v), sizes]


@pytest.mark.parametrize("program", [mandelbrot, waves, power_iteration])
@pytest.mark.parametrize("mesh", [(1, 1), (2, 3)])
def test_programs(
    program: Callable[..., Any], mesh: tuple[int, int], tmp_path: Path
) -> None:
    random = np.random.default_rng(5)
    re, im = random.uniform(-1.5, 1.5, (2, 7, 5)).astype(np.float32)
    options = pf.CodeGenOptions(output_dir=str(tmp_path))
    options.fabric_height, options.fabric_width = mesh
    result = pf.compile_to_csl(
        program, re, im, options=options, in_layouts=pf.MeshLayout.grid(*mesh)
    )
    assert result.success, result.error_message
    got = result.simulate(re, im).outputs
    assert difference(got, jax.jit(program)(re, im)) == ""
