"""Which scheme a product of matrices gets, and what its consumers find."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lowering.jaxprs import JaxprEqn, sub_jaxprs
from lowering.mesh import Mesh
from lowering.normalise.normalise import normalise
from lowering.partition.partition import Partitioned, evaluate, partition
from lowering.partition.predicted import product_cycles


def _parts(function: Callable[..., Any], *arrays: Any, mesh: Mesh) -> Partitioned:
    closed = normalise(jax.make_jaxpr(function)(*arrays))
    return partition(closed, mesh, [None] * len(arrays), [None])


def _equations(jaxpr: Any) -> Iterator[JaxprEqn]:
    for eqn in jaxpr.eqns:
        yield eqn
        for inner in sub_jaxprs(eqn):
            yield from _equations(inner.jaxpr)


def _collectives(parts: Partitioned) -> list[str]:
    names = [eqn.primitive.name for eqn in _equations(parts.jaxpr.jaxpr)]
    exchanges = ("mesh_all_gather", "mesh_all_reduce", "mesh_broadcast")
    return [name for name in names if name in exchanges]


def _arrays(*shapes: tuple[int, ...]) -> list[Any]:
    random = np.random.default_rng(0)
    return [random.standard_normal(shape).astype(np.float32) for shape in shapes]


def test_vectors_along_the_longer_side_take_fewer_cycles() -> None:
    """Per factor a vector operation is set up: 16 of 64 elements, not 64 of 16."""
    assert product_cycles(16, 64, 64, "float32") < product_cycles(64, 64, 16, "float32")
    assert product_cycles(16, 16, 64, "float32") < product_cycles(16, 64, 16, "float32")
    assert product_cycles(1, 400, 1, "float32") < 400 * 4  # along k
    assert product_cycles(8, 8, 8, "int32") > 4 * product_cycles(8, 8, 8, "float32")


def test_the_contracted_dimension_stays_split_where_that_makes_vectors_long() -> None:
    a, b = _arrays((64, 64), (64, 64))
    parts = _parts(lambda a, b: a @ b, a, b, mesh=Mesh(4, 4))
    assert "mesh_all_reduce" in _collectives(parts)
    (got,) = evaluate(parts, a, b, padding=np.nan)
    np.testing.assert_allclose(got, a @ b, 2e-5, 2e-5)


def test_a_resident_matrix_does_not_move_for_a_vector() -> None:
    a, x = _arrays((64, 64), (64,))
    parts = _parts(lambda a, x: a @ x, a, x, mesh=Mesh(4, 4))
    moved = [
        eqn
        for eqn in _equations(parts.jaxpr.jaxpr)
        if eqn.primitive.name.startswith("mesh_")
        and eqn.outvars[0].aval.size >= 16 * 16
    ]
    assert not moved
    (got,) = evaluate(parts, a, x, padding=np.nan)
    np.testing.assert_allclose(got, a @ x, 2e-5, 2e-5)


@pytest.mark.parametrize("n", [64, 30, 3])
def test_sums_over_a_line_are_split_over_it_again(n: int) -> None:
    """exp works on a part of the sums, unless it is shorter than the line."""

    def program(a: Any, b: Any) -> Any:
        y = a @ b
        return jnp.exp(y) / (1.0 + jnp.abs(y @ jnp.ones((n, 2), np.float32))[:, :1])

    a, b = _arrays((16, 64), (64, n))
    parts = _parts(program, a, b / 64, mesh=Mesh(4, 4))
    exps = [e for e in _equations(parts.jaxpr.jaxpr) if e.primitive.name == "exp"]
    part = -(-n // 4) if n > 4 else n
    assert [e.outvars[0].aval.size for e in exps] == [4 * part]
    (got,) = evaluate(parts, a, b / 64, padding=np.nan)
    np.testing.assert_allclose(got, program(a, b / 64), 1e-4, 1e-4)
