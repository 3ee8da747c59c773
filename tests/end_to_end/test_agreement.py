"""Generated CSL on the simulated wafer beside JAX on the CPU: the same numbers.

Every program runs on every layout, on meshes of four shapes and with sizes that do not
divide. A covering sample runs always; `-m slow` runs the full product.
"""

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pyflame as pf

MESHES = [(1, 1), (2, 2), (4, 4), (3, 5)]
SIZES = [1, 7, 16, 33]
KINDS = ["default", "single_pe", "row_partition", "col_partition", "grid"]
Case = tuple[str, str, tuple[int, int], tuple[int, int, int]]


def dense(a: Any, b: Any, c: Any) -> Any:
    return pf.relu(a @ b + c)


def softmax(x: Any) -> Any:
    shifted = pf.exp(x - pf.max(x, dim=1, keepdim=True))
    return shifted / pf.sum(shifted, dim=1, keepdim=True)


def mlp(x: Any, w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
    return pf.relu(x @ w1 + b1) @ w2 + b2


def statistics(x: Any) -> Any:
    centred = x - pf.mean(x, dim=0)
    return {
        "variance": pf.mean(centred * centred, dim=0),
        "range": (pf.max(x), pf.min(x)),
        "positive": pf.sum(pf.where(x > 0, x, -x), dim=1),
    }


def columns(x: Any) -> Any:
    return pf.sum(pf.transpose(x, 0, 1) * 2.0, dim=1, keepdim=True)


PROGRAMS: dict[str, tuple[Callable[..., Any], Callable[[int, int, int], Any]]] = {
    "dense": (dense, lambda m, k, n: [(m, k), (k, n), (n,)]),
    "softmax": (softmax, lambda m, k, n: [(m, n)]),
    "mlp": (mlp, lambda m, k, n: [(m, k), (k, n), (n,), (n, 3), (3,)]),
    "statistics": (statistics, lambda m, k, n: [(m, n)]),
    "columns": (columns, lambda m, k, n: [(m, n)]),
}


def layout(kind: str, mesh: tuple[int, int]) -> pf.MeshLayout | None:
    rows, cols = mesh
    return {
        "default": None,
        "single_pe": pf.MeshLayout.single_pe(),
        "row_partition": pf.MeshLayout.row_partition(rows),
        "col_partition": pf.MeshLayout.col_partition(cols),
        "grid": pf.MeshLayout.grid(rows, cols),
    }[kind]


def arrays(shapes: list[tuple[int, ...]]) -> list[np.ndarray[Any, Any]]:
    random = np.random.default_rng(sum(map(sum, shapes)))
    return [random.standard_normal(shape).astype(np.float32) for shape in shapes]


def run_case(case: Case, folder: Path, target: str = "wse3") -> None:
    name, kind, mesh, sizes = case
    function, shapes_of = PROGRAMS[name]
    inputs = arrays(shapes_of(*sizes))
    options = pf.CodeGenOptions(output_dir=str(folder), target=target)
    options.fabric_height, options.fabric_width = mesh
    result = pf.compile_to_csl(
        function, *inputs, options=options, in_layouts=layout(kind, mesh)
    )
    assert result.success, result.error_message
    check_equal(result.simulate(*inputs).outputs, function(*map(pf.tensor, inputs)))


def check_equal(mine: Any, expected: Any) -> None:
    is_tensor = lambda x: isinstance(x, pf.Tensor)  # noqa: E731
    assert jax.tree.structure(mine) == jax.tree.structure(expected, is_leaf=is_tensor)
    for got, want in zip(
        jax.tree.leaves(mine), jax.tree.leaves(expected, is_leaf=is_tensor), strict=True
    ):
        reference = want.numpy()
        assert got.dtype == reference.dtype
        assert got.shape == reference.shape
        np.testing.assert_allclose(got, reference, rtol=2e-5, atol=2e-5)


def covering_sample() -> list[Case]:
    """Each program with each layout on each mesh of interest, the sizes in turn."""
    triples = list(product(SIZES, repeat=3))
    cases: list[Case] = []
    for number, (name, kind) in enumerate(product(PROGRAMS, KINDS)):
        for step, mesh in enumerate(MESHES if kind == "grid" else MESHES[1::2]):
            sizes = triples[(7 * number + 29 * step) % len(triples)]
            cases.append((name, kind, mesh, sizes))
    return cases


@pytest.mark.parametrize("case", covering_sample(), ids=str)
def test_sample(case: Case, tmp_path: Path) -> None:
    run_case(case, tmp_path)


@pytest.mark.parametrize("name", list(PROGRAMS))
def test_wse2(name: str, tmp_path: Path) -> None:
    run_case((name, "grid", (2, 2), (7, 16, 5)), tmp_path, "wse2")


@pytest.mark.slow
@pytest.mark.parametrize("mesh", MESHES, ids=str)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", list(PROGRAMS))
def test_full_product(
    name: str, kind: str, mesh: tuple[int, int], tmp_path: Path
) -> None:
    for sizes in product(SIZES, repeat=3):
        run_case((name, kind, mesh, sizes), tmp_path)


def test_what_is_joined_to_a_copy_in_place_is_computed(tmp_path: Path) -> None:
    # A copy that needs no statement once took all that was joined to it along.
    run_case(("statistics", "grid", (3, 5), (2, 9, 3)), tmp_path)


def test_a_value_may_be_returned_more_than_once(tmp_path: Path) -> None:
    def function(x: Any) -> Any:
        y = pf.exp(x)
        flat = pf.reshape(y, [-1])
        return flat, y, x, y, flat

    (x,) = arrays([(3, 4)])
    options = pf.CodeGenOptions(output_dir=str(tmp_path), target="wse3")
    for grid in (pf.MeshLayout.single_pe(), pf.MeshLayout.col_partition(2)):
        result = pf.compile_to_csl(function, x, options, in_layouts=grid)
        assert result.success, result.error_message
        check_equal(result.simulate(x).outputs, function(pf.tensor(x)))


def test_mixed_layouts(tmp_path: Path) -> None:
    inputs = arrays([(7, 16), (16, 5), (5,)])
    options = pf.CodeGenOptions(output_dir=str(tmp_path), target="wse3")
    result = pf.compile_to_csl(
        dense,
        *inputs,
        options=options,
        in_layouts=(
            pf.MeshLayout.row_partition(3),
            pf.MeshLayout.grid(2, 4),
            pf.MeshLayout.single_pe(),
        ),
        out_layouts=pf.MeshLayout.col_partition(2),
    )
    assert result.success, result.error_message
    check_equal(result.simulate(*inputs).outputs, dense(*map(pf.tensor, inputs)))


def test_ten_scheduler_seeds_give_the_same_arrays(tmp_path: Path) -> None:
    inputs = arrays([(7, 16), (16, 5), (5,)])
    options = pf.CodeGenOptions(output_dir=str(tmp_path), target="wse3")
    result = pf.compile_to_csl(
        dense, *inputs, options=options, in_layouts=pf.MeshLayout.grid(3, 5)
    )
    documented = result.simulate(*inputs).outputs
    for seed in range(10):
        run = result.simulate(*inputs, seed=seed)
        np.testing.assert_array_equal(run.outputs, documented)


def test_a_second_run_gives_the_same(tmp_path: Path) -> None:
    inputs = arrays([(7, 33)])
    options = pf.CodeGenOptions(output_dir=str(tmp_path), target="wse3")
    result = pf.compile_to_csl(
        softmax, *inputs, options=options, in_layouts=pf.MeshLayout.grid(2, 2)
    )
    first, second = result.simulate(*inputs), result.simulate(*inputs)
    np.testing.assert_array_equal(first.outputs, second.outputs)
    assert first.cycles == second.cycles


def test_gradient_of_a_network(tmp_path: Path) -> None:
    x, w1, b1, w2, b2 = arrays([(6, 5), (5, 4), (4,), (4, 3), (3,)])

    def loss(weights: Any, x: Any) -> Any:
        return pf.mean(mlp(x, *weights) ** 2)

    weights = (w1, b1, w2, b2)
    options = pf.CodeGenOptions(output_dir=str(tmp_path), target="wse3")
    gradient = jax.grad(loss)
    result = pf.compile_to_csl(
        gradient, weights, x, options=options, in_layouts=pf.MeshLayout.grid(2, 2)
    )
    assert result.success, result.error_message
    expected = gradient(jax.tree.map(jnp.array, weights), jnp.array(x))
    for got, want in zip(result.simulate(weights, x).outputs, expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=2e-5, atol=2e-5)
