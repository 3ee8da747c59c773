"""Matrix products whose operands are sent in chunks, beside JAX on the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pyflame as pf
from lowering.lower import Lowered, lower_partitioned
from lowering.mesh import Layout, Mesh
from lowering.normalise.normalise import normalise
from lowering.partition.partition import Partitioned, evaluate, partition
from lowering.placement import place
from pyflame.codegen.executable import Executable
from pyflame.wse.machine.engine import MachineConfig

MESHES = [(2, 2), (3, 5), (4, 4), (1, 4), (3, 1), (4, 2)]
SIZES = [(8, 8, 8), (7, 16, 5), (9, 33, 20)]
FORMS = {
    "a b": (lambda a, b: a @ b, lambda m, k, n: [(m, k), (k, n)]),
    "a' b": (lambda a, b: a.T @ b, lambda m, k, n: [(k, m), (k, n)]),
    "a b'": (lambda a, b: a @ b.T, lambda m, k, n: [(m, k), (n, k)]),
}


def in_chunks(
    form: str, mesh: tuple[int, int], sizes: tuple[int, int, int]
) -> tuple[Partitioned, list[np.ndarray[Any, Any]], np.ndarray[Any, Any]]:
    """A product that should do with next to no memory; its operands and its value."""
    function, shapes = FORMS[form]
    random = np.random.default_rng(sum(sizes))
    arrays = [random.standard_normal(s).astype(np.float32) for s in shapes(*sizes)]
    grid = Layout("grid", *mesh)
    placements = [place(grid, a.shape, a.dtype, Mesh(*mesh)) for a in arrays]
    want = np.asarray(jax.jit(function)(*arrays))
    parts = partition(
        normalise(jax.make_jaxpr(function)(*arrays)),
        Mesh(*mesh),
        placements,
        [place(grid, want.shape, want.dtype, Mesh(*mesh))],
        budget_bytes=1,
    )
    return parts, arrays, want


def loops(parts: Partitioned) -> int:
    return sum(eqn.primitive.name == "scan" for eqn in parts.jaxpr.eqns)


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("mesh", MESHES, ids=str)
def test_chunks_give_the_product_under_vmap(
    mesh: tuple[int, int], sizes: tuple[int, int, int]
) -> None:
    for form in FORMS:
        parts, arrays, want = in_chunks(form, mesh, sizes)
        (got,) = evaluate(parts, *arrays, padding=np.nan)
        np.testing.assert_allclose(got, want, 2e-5, 2e-5, err_msg=form)
    if sizes == (8, 8, 8):
        assert loops(in_chunks("a b", mesh, sizes)[0]) == 1


def lowered(parts: Partitioned, target: str = "wse3") -> Lowered:
    return lower_partitioned(parts, in_names=["a", "b"], out_names=["c"], target=target)


@pytest.mark.parametrize(
    ("mesh", "target"), [((2, 2), "wse2"), ((3, 5), "wse3"), ((1, 4), "wse3")], ids=str
)
@pytest.mark.parametrize("form", FORMS)
def test_chunks_give_the_product_on_the_wafer(
    form: str, mesh: tuple[int, int], target: str
) -> None:
    parts, arrays, want = in_chunks(form, mesh, (7, 16, 9))
    program = Executable.of(lowered(parts, target))
    got, _, _ = program.run(arrays, MachineConfig())
    np.testing.assert_allclose(got[0], want, 2e-5, 2e-5)


def test_ten_scheduler_seeds_give_the_same_product() -> None:
    parts, arrays, _ = in_chunks("a b", (3, 4), (9, 24, 8))
    program = Executable.of(lowered(parts))
    runs = [
        program.run(arrays, MachineConfig(seed=seed))[0][0]
        for seed in (None, *range(10))
    ]
    for run in runs:
        np.testing.assert_array_equal(run, runs[0])


def test_the_code_does_not_grow_with_the_passes() -> None:
    few, many = (
        lowered(in_chunks("a b", (side, side), (8 * side, 8 * side, 8 * side))[0])
        for side in (2, 8)
    )
    lines = [program.files["pe.csl"].count("\n") for program in (few, many)]
    assert lines[0] == lines[1]


def _large(side: int, mesh: int, folder: Path) -> Any:
    random = np.random.default_rng(0)
    a, b = (random.standard_normal((side, side)).astype(np.float32) for _ in "ab")
    options = pf.CodeGenOptions(output_dir=str(folder), target="wse3")
    result = pf.compile_to_csl(
        lambda a, b: a @ b,
        a,
        b,
        options=options,
        in_layouts=pf.MeshLayout.grid(mesh, mesh),
    )
    assert result.success, result.error_message
    return result, a, b


def test_panels_are_whole_as_long_as_they_fit(tmp_path: Path) -> None:
    """Long vectors are fastest: rows of B are gathered, and k stays split."""
    result, _, _ = _large(64, 4, tmp_path)
    program = result.sources["pe.csl"]
    assert ".gather_" in program
    assert ".reduce_" in program
    assert program.count("linalg.multiply(") == 1


def test_a_product_larger_than_its_panels_fits(tmp_path: Path) -> None:
    """Whole panels of A and B would take 128 KiB of the 48 KiB of a PE."""
    result, _, _ = _large(512, 16, tmp_path)
    assert result.cost.size_bytes < 32_000
    assert result.sources["pe.csl"].count("relay_inward") == 2


@pytest.mark.slow
def test_a_product_of_512_by_512_on_16_by_16(tmp_path: Path) -> None:
    result, a, b = _large(512, 16, tmp_path)
    run = result.simulate(a, b)
    np.testing.assert_allclose(run.outputs, a @ b, rtol=1e-4, atol=1e-4)
    assert 0.8 < result.cost.cycles / run.cycles < 1.25


def test_a_layer_that_did_not_fit_uses_smaller_chunks(tmp_path: Path) -> None:
    """Each product would fit with gathered panels, were the others not there."""
    random = np.random.default_rng(0)
    shapes = [(64, 64), (64, 96), (96, 96), (96, 64)]
    arrays = [random.standard_normal(s).astype(np.float32) * 0.1 for s in shapes]
    function = lambda x, u, v, w: jnp.tanh(jnp.tanh(x @ u) @ v) @ w  # noqa: E731
    options = pf.CodeGenOptions(output_dir=str(tmp_path), target="wse3")
    result = pf.compile_to_csl(
        function, *arrays, options=options, in_layouts=pf.MeshLayout.grid(2, 2)
    )
    assert result.success, result.error_message
    want = jax.jit(function)(*arrays)
    np.testing.assert_allclose(
        result.simulate(*arrays).outputs, want, rtol=1e-4, atol=1e-4
    )
