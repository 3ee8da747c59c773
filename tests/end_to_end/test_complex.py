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


def convolved(x: jax.Array, y: jax.Array) -> jax.Array:
    """A periodic convolution of images, by their transforms."""
    return jnp.fft.ifft2(jnp.fft.fft2(x) * jnp.fft.fft2(y)).real


def spectra(x: jax.Array, y: jax.Array) -> list[jax.Array]:
    """A power spectrum, a filter, a derivative and its gradient."""
    frequencies = jnp.arange(x.shape[1] // 2 + 1)
    spectrum = jnp.fft.rfft(x)
    smooth = jnp.fft.irfft(jnp.exp(-(frequencies**2) / 9) * spectrum, x.shape[1])

    def slopes(x: jax.Array) -> jax.Array:
        turned = 1j * frequencies * jnp.fft.rfft(x)
        return jnp.fft.irfft(turned, x.shape[1])

    rough = jax.grad(lambda x: jnp.sum(slopes(x) ** 2))(x)
    return [abs(spectrum) ** 2, smooth + y, slopes(x), rough / 16]


PROGRAMS = [mandelbrot, waves, power_iteration, convolved, spectra]


@pytest.mark.parametrize("program", PROGRAMS)
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


def step(state: dict[str, Any], factor: jax.Array) -> tuple[dict[str, Any], jax.Array]:
    z = state["z"] * factor + 1j
    return {"z": z, "n": state["n"] + 1}, jnp.sum(abs(z))


def test_complex_arguments_and_results(tmp_path: Path) -> None:
    """In pytrees and layouts, carried between launches, saved, and given as lists."""
    random = np.random.default_rng(7)
    z = random.standard_normal((5, 4)) + 1j * random.standard_normal((5, 4))
    state = {"z": z.astype(np.complex64), "n": np.int32(0)}
    factor = np.array([1, 1j, -1, 0.5 - 2j], np.complex64)
    result = pf.compile_to_csl(
        step,
        state,
        factor,
        options=pf.CodeGenOptions(output_dir=str(tmp_path / "csl")),
        in_layouts={"state.z": pf.MeshLayout.grid(2, 2)},
        carry={"state": "out.0"},
    )
    assert result.success, result.error_message
    first, total = jax.jit(step)(state, factor)
    got = result.simulate({"z": z, "n": 0}, factor.tolist()).outputs
    assert difference(_real(got), _real((first, total))) == ""
    assert got[0]["z"].dtype == np.complex64
    result.save(tmp_path / "saved")
    session = pf.CodeGenResult.load(tmp_path / "saved").session()
    session.run(state, factor)
    got = session.run(..., factor).outputs
    assert difference(_real(got), _real(jax.jit(step)(first, factor))) == ""


def _real(tree: Any) -> list[Any]:
    return [part for x in jax.tree.leaves(tree) for part in (np.real(x), np.imag(x))]


def test_a_real_array_is_no_complex_one(tmp_path: Path) -> None:
    options = pf.CodeGenOptions(output_dir=str(tmp_path))
    z = np.ones(3, np.complex64)
    result = pf.compile_to_csl(lambda z: z * 1j, z, options=options)
    with pytest.raises(pf.PyFlameError) as caught:
        result.simulate(np.ones(3, np.float32))
    assert str(caught.value) == (
        "simulate: input z is float32\n"
        "  rule  the program was compiled for complex64[3]\n"
        "  help  convert it: x.astype('complex64')"
    )
