"""Every case beside every rule: the PE program under vmap computes what JAX does."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lowering.mesh import Layout, Mesh
from lowering.normalise.normalise import normalise
from lowering.partition import control_flow, rules
from lowering.partition.partition import evaluate, partition
from lowering.placement import place

MESHES = [Mesh(1, 1), Mesh(2, 2), Mesh(3, 5), Mesh(4, 4), Mesh(1, 4)]
SIZES = [1, 7, 16, 33]
LAYOUTS = ["chosen", "single_pe", "row_partition", "col_partition", "grid", "mixed"]
FILES = [control_flow, *(m for m in vars(rules).values() if hasattr(m, "CASES"))]


def layouts(kind, mesh, count):
    """One layout per value; "mixed" gives each another, some smaller than the mesh."""
    known = [
        Layout("grid", mesh.rows, mesh.cols),
        None,
        Layout("row_partition", mesh.rows, 1),
        Layout("col_partition", 1, mesh.cols),
        Layout("single_pe"),
        Layout("grid", max(mesh.rows - 1, 1), max(mesh.cols - 2, 1)),
    ]
    if kind == "mixed":
        return [known[index % len(known)] for index in range(count)]
    return [next((x for x in known if x and x.kind == kind), None)] * count


def placed(layout, array, mesh):
    return None if layout is None else place(layout, array.shape, array.dtype, mesh)


def check_cases(cases, mesh, kind, sizes):
    """All cases as one program, its padding full of NaN."""
    random = np.random.default_rng(sum(sizes.values()))
    operands = [case.arrays(sizes, random) for case in cases]
    arrays = [jnp.asarray(array) for group in operands for array in group]

    def program(*flat):
        values = iter(flat)
        return [
            case.function(*[next(values) for _ in group])
            for case, group in zip(cases, operands, strict=True)
        ]

    results = jax.jit(program)(*arrays)
    names = [
        case.name
        for case, result in zip(cases, results, strict=True)
        for _ in jax.tree.leaves(result)
    ]
    expected = jax.tree.leaves(results)
    outputs = layouts(kind, mesh, len(expected))
    partitioned = partition(
        normalise(jax.make_jaxpr(program)(*arrays)),
        mesh,
        [
            placed(layout, array, mesh)
            for layout, array in zip(
                layouts(kind, mesh, len(arrays)), arrays, strict=True
            )
        ],
        [placed(lay, out, mesh) for lay, out in zip(outputs, expected, strict=True)],
    )
    results = evaluate(partitioned, *arrays, padding=np.nan)
    for name, got, want in zip(names, results, expected, strict=True):
        assert got.dtype == want.dtype, name
        np.testing.assert_allclose(got, want, rtol=2e-5, atol=2e-5, err_msg=name)


def sizes_for(number):
    n, m, k = (SIZES[(number + step) % 4] for step in (0, 1, 3))
    return {"n": n, "m": m, "k": k}


@pytest.mark.parametrize("rules", FILES, ids=lambda file: file.__name__.split(".")[-1])
@pytest.mark.parametrize(
    ("mesh", "kind", "number"),
    [
        (Mesh(2, 2), "col_partition", 1),
        (Mesh(3, 5), "mixed", 2),
        (Mesh(4, 4), "row_partition", 3),
        (Mesh(1, 4), "chosen", 0),
    ],
    ids=str,
)
def test_cases_equal_jax(rules, mesh, kind, number):
    check_cases(rules.CASES, mesh, kind, sizes_for(number))


@pytest.mark.slow
@pytest.mark.parametrize("rules", FILES, ids=lambda file: file.__name__.split(".")[-1])
@pytest.mark.parametrize("mesh", MESHES, ids=str)
@pytest.mark.parametrize("kind", LAYOUTS)
@pytest.mark.parametrize("number", range(4))
def test_cases_equal_jax_everywhere(rules, mesh, kind, number):
    check_cases(rules.CASES, mesh, kind, sizes_for(number))


@pytest.mark.parametrize("asked", LAYOUTS[:5])
def test_product_of_a_matrix_with_itself(asked):
    """XLA for CPUs once folded the gathered operand into the product, wrongly."""
    mesh = Mesh(4, 4)
    a = np.random.default_rng(0).standard_normal((33, 16)).astype(np.float32)
    (layout,) = layouts(asked, mesh, 1)
    partitioned = partition(
        normalise(jax.make_jaxpr(lambda a: a @ a.T)(a)),
        mesh,
        [placed(Layout("grid", 4, 4), a, mesh)],
        [placed(layout, np.zeros((33, 33), np.float32), mesh)],
    )
    (result,) = evaluate(partitioned, a, padding=np.nan)
    np.testing.assert_allclose(result, a @ a.T, rtol=1e-5, atol=1e-5)
