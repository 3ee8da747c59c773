"""Exchanges stop at the first PE of a line unless others need what comes of them."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from lowering import jaxprs
from lowering.errors import DivergentCollectiveError
from lowering.mesh import Mesh
from lowering.normalise.normalise import normalise
from lowering.partition import mesh_primitives as prims
from lowering.partition.partition import Partitioned, evaluate, partition
from lowering.partition.uniform import check_uniform
from lowering.placement import Layout, place

X = np.random.default_rng(0).standard_normal((6, 8)).astype(np.float32)
MESH = Mesh(2, 4)


def partitioned(program: Any, layout: Layout | None = None) -> Partitioned:
    closed = normalise(jax.make_jaxpr(program)(X))
    (aval,) = closed.out_avals
    wanted = None if layout is None else place(layout, aval.shape, aval.dtype, MESH)
    return partition(closed, MESH, [None], [wanted])


def endings(program: Any, layout: Layout | None = None) -> list[tuple[str, bool]]:
    """The collectives, and whether they stop; PEs behind have what would show."""
    found = partitioned(program, layout)
    got = evaluate(found, X)[0]
    np.testing.assert_allclose(got, program(X), rtol=1e-5, atol=1e-6)
    return [
        (eqn.primitive.name.removeprefix("mesh_"), eqn.params["first_only"])
        for eqn in found.jaxpr.eqns
        if "first_only" in eqn.params
    ]


def test_a_total_goes_to_the_first_pe() -> None:
    assert endings(jnp.sum) == [("all_reduce", True), ("all_reduce", True)]


def test_what_is_computed_from_a_total_is_computed_there() -> None:
    stops = [("all_reduce", True), ("all_reduce", True)]
    assert endings(lambda x: jnp.sqrt(jnp.sum(x * x)) + 1) == stops


def test_what_all_pes_divide_by_reaches_them() -> None:
    """Each keeps its tile of the result."""
    reaches = [("all_reduce", False), ("all_reduce", False)]
    assert endings(lambda x: x / jnp.sum(x * x)) == reaches


def test_sums_of_rows_stop_along_rows() -> None:
    assert endings(lambda x: jnp.sum(x, axis=1)) == [("all_reduce", True)]


def test_a_layout_that_holds_copies_gets_them() -> None:
    """A vector on a grid is split over columns, and the same in all rows."""
    program = lambda x: jnp.sum(x, axis=0)  # noqa: E731
    assert endings(program, Layout("grid", 2, 4)) == [("all_reduce", False)]
    assert endings(program, Layout("col_partition", 1, 4)) == [("all_reduce", True)]


def test_a_value_of_the_first_pe_stays_there() -> None:
    """`x[0, 0]` comes from PE(0,0), so nothing moves at all."""
    assert endings(lambda x: x[:1, :1] * 2) == []


NEEDED_EVERYWHERE = {
    "predicate": lambda x: lax.cond(jnp.sum(x) > 0, jnp.max, jnp.min, x),
    "loop": lambda x: lax.while_loop(
        lambda t: t < 20, lambda t: t + jnp.sum(x * x) + 1, jnp.sum(x * x)
    ),
    "address": lambda x: lax.dynamic_index_in_dim(
        x[:, 0], jnp.argmax(jnp.sum(x, axis=1)), keepdims=False
    ),
}


@pytest.mark.parametrize("name", NEEDED_EVERYWHERE)
def test_what_pes_branch_loop_or_address_by_reaches_them(name: str) -> None:
    program = NEEDED_EVERYWHERE[name]
    first = endings(program)[0]
    assert first == (first[0], False)


def test_what_stopped_is_no_predicate() -> None:
    """Hand-made: the PEs behind the first one would take either branch."""

    def program(x: Any) -> Any:
        total = prims.mesh_all_reduce_p.bind(
            x, axis="cols", size=4, op="sum", first_only=True
        )
        sums = lambda x: prims.mesh_all_reduce(  # noqa: E731
            x, axis="cols", size=4, op="sum"
        )
        return lax.cond(total[0] > 0, sums, lambda x: x, x)

    with pytest.raises(DivergentCollectiveError):
        check_uniform(jaxprs.trace(program, [jax.ShapeDtypeStruct((2,), np.float32)]))
