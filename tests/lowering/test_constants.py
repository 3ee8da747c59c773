"""Large arrays that a program closes over, as inputs with values of their own."""

from __future__ import annotations

import json
from typing import Any

import jax
import numpy as np

from lowering import jaxprs
from lowering.constants import constant_names, with_constants_as_inputs
from lowering.host import tiling
from lowering.lower import Lowered, lower
from lowering.mesh import Layout, Mesh

TABLE = np.random.default_rng(0).standard_normal((40, 24)).astype(np.float32)
SMALL = np.arange(6, dtype=np.float32)
X = np.random.default_rng(1).standard_normal((5, 40)).astype(np.float32)


def _program(x: Any) -> Any:
    return (x @ TABLE)[:, :6] + SMALL + np.full((5, 6), 3, np.float32)


def _lowered(mesh: Mesh) -> Lowered:
    return lower(
        jax.make_jaxpr(_program)(X),
        in_names=["constant_1"],
        out_names=["y"],
        mesh=mesh,
        in_layouts=[Layout("grid", *mesh.extent)],
    )


def test_large_constants_become_inputs_in_order() -> None:
    closed = jax.make_jaxpr(lambda x: (x @ TABLE) * 2 + TABLE[:5] * 3)(X)
    after, values = with_constants_as_inputs(closed)
    assert len(after.in_avals) == 1 + len(values)
    assert all(value.nbytes > 512 for value in values)
    got = jaxprs.jaxpr_as_fun(after)(X, *values)
    want = (X @ TABLE) * 2 + TABLE[:5] * 3
    np.testing.assert_allclose(got[0], want, rtol=1e-4, atol=1e-4)


def test_small_and_uniform_constants_stay() -> None:
    closed = jax.make_jaxpr(lambda x: x[:, :6] + SMALL + np.zeros((5, 6), "f4"))(X)
    assert with_constants_as_inputs(closed) == (closed, ())


def test_their_names_are_new() -> None:
    assert constant_names(2, {"constant_1"}) == ["constant_2", "constant_3"]


def test_each_pe_holds_its_tile_of_them() -> None:
    plan = _lowered(Mesh(4, 2)).plan
    assert plan.inputs["constant_2"].shape == (10, 12)


def test_the_host_reads_them_from_the_program() -> None:
    lowered = _lowered(Mesh(2, 2))
    described = json.loads(lowered.files["program.json"])
    assert [value["name"] for value in described["inputs"]] == ["constant_1"]
    (entry,) = described["constants"]
    assert entry["symbol"] == "constant_2"
    array = tiling.constant_array(entry)
    assert array.dtype == np.float32
    np.testing.assert_array_equal(array, TABLE)
