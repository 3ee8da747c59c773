"""Loops and branches that run on the PEs, beside JAX on the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import pyflame as pf
from lowering.cases import Case
from lowering.partition.control_flow import CASES
from lowering.partition.rules import dynamic

MESHES = [((1, 1), "wse3"), ((2, 2), "wse2"), ((3, 5), "wse3")]
SIZES = {"n": 7, "m": 6, "k": 9}


def compiled(case: Case, mesh: tuple[int, int], target: str, folder: Path) -> Any:
    options = pf.CodeGenOptions(output_dir=str(folder), target=target)
    options.fabric_height, options.fabric_width = mesh
    arrays = case.arrays(SIZES, np.random.default_rng(1))
    result = pf.compile_to_csl(
        case.function, *arrays, options=options, in_layouts=pf.MeshLayout.grid(*mesh)
    )
    assert result.success, result.error_message
    return result, arrays


def check(run: Any, case: Case, arrays: list[Any]) -> None:
    wanted = jax.tree.leaves(jax.jit(case.function)(*arrays))
    for got, want in zip(jax.tree.leaves(run.outputs), wanted, strict=True):
        assert got.dtype == want.dtype
        np.testing.assert_allclose(got, want, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize(("mesh", "target"), MESHES, ids=str)
@pytest.mark.parametrize("case", CASES + dynamic.CASES, ids=lambda case: case.name)
def test_programs_that_loop_and_branch(
    case: Case, mesh: tuple[int, int], target: str, tmp_path: Path
) -> None:
    result, arrays = compiled(case, mesh, target, tmp_path)
    check(result.simulate(*arrays), case, arrays)


@pytest.mark.parametrize("name", ["conjugate gradients", "nested", "recurrent cell"])
def test_ten_scheduler_seeds_give_the_same_arrays(name: str, tmp_path: Path) -> None:
    case = next(case for case in CASES if case.name == name)
    result, arrays = compiled(case, (2, 3), "wse3", tmp_path)
    documented = jax.tree.leaves(result.simulate(*arrays).outputs)
    for seed in range(10):
        again = jax.tree.leaves(result.simulate(*arrays, seed=seed).outputs)
        for got, want in zip(again, documented, strict=True):
            np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_both_ways_of_a_branch(sign: float, tmp_path: Path) -> None:
    case = next(case for case in CASES if case.name == "either")
    result, (x, w, _) = compiled(case, (3, 2), "wse2", tmp_path)
    arrays = [x, w, np.float32(sign)]
    check(result.simulate(*arrays), case, arrays)


@pytest.mark.parametrize("number", [-3, 0, 1, 2, 9])
def test_all_ways_of_a_switch(number: int, tmp_path: Path) -> None:
    case = next(case for case in CASES if case.name == "one of three")
    result, (x, y, _) = compiled(case, (2, 2), "wse3", tmp_path)
    arrays = [x, y, np.int32(number)]
    check(result.simulate(*arrays), case, arrays)


@pytest.mark.parametrize("times", [0, 1, 5])
def test_a_loop_runs_as_often_as_its_data_say(times: int, tmp_path: Path) -> None:
    case = next(case for case in CASES if case.name == "times given as data")
    result, (x, _) = compiled(case, (2, 2), "wse3", tmp_path)
    arrays = [x, np.int32(times)]
    check(result.simulate(*arrays), case, arrays)


def _halved(x: Any) -> Any:
    def step(state: Any) -> Any:
        return state[0] / 2, state[1] + 1

    start = (x, jax.numpy.int32(0))
    return jax.lax.while_loop(lambda state: abs(state[0]).max() > 0.1, step, start)


def test_a_batch_of_loops_goes_on_while_one_of_them_does(tmp_path: Path) -> None:
    """The compiler crashed: each of the batch has a test of its own."""
    case = Case(
        "batch", lambda a: [jax.vmap(_halved)(a), jax.vmap(_halved)(a.T)], ("f32[n,m]",)
    )
    result, arrays = compiled(case, (2, 2), "wse3", tmp_path)
    check(result.simulate(*arrays), case, arrays)


def test_the_text_of_a_loop_does_not_grow_with_its_passes(tmp_path: Path) -> None:
    def repeated(times: int) -> str:
        function = lambda x: jax.lax.fori_loop(  # noqa: E731
            0, times, lambda _, x: x / x.sum(), x
        )
        options = pf.CodeGenOptions(output_dir=str(tmp_path), target="wse3")
        x = np.ones((4, 4), np.float32)
        result = pf.compile_to_csl(
            function, x, options=options, in_layouts=pf.MeshLayout.grid(2, 2)
        )
        return result.sources["pe.csl"]

    few = repeated(7)
    for words in ("< {}", "over {}", "{} passes"):
        few = few.replace(words.format(7), words.format(900))
    assert few == repeated(900)
