import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from lowering import jaxprs
from lowering.errors import DivergentCollectiveError
from lowering.lower import lower_partitioned
from lowering.mesh import Mesh
from lowering.normalise.normalise import normalise
from lowering.partition import mesh_primitives as prims
from lowering.partition.partition import Partitioned, partition
from lowering.partition.uniform import check_uniform
from lowering.placement import Placement

X = jax.ShapeDtypeStruct((2,), jnp.float32)


def check(program):
    check_uniform(jaxprs.trace(program, [X]))


def total(x, axis="cols"):
    return prims.mesh_all_reduce(x, axis=axis, size=4, op="sum")


def everywhere(x):
    """The same on all PEs, whatever x is."""
    return total(total(jnp.sum(x), "rows"), "cols")


def in_branch(predicate, collective):
    return lambda x: lax.cond(predicate(x), collective, lambda x: x, x)


def test_no_control_flow():
    check(lambda x: total(x) + prims.mesh_index(axis="rows"))


@pytest.mark.parametrize(
    "predicate",
    [
        lambda x: x[0] > 0,
        lambda x: prims.mesh_index(axis="cols") == 0,
        lambda x: total(x, "rows")[0] > 0,
        lambda x: prims.mesh_shift(x, axis="cols", size=4, offset=1)[0] > 0,
    ],
)
def test_a_branch_on_what_differs_along_the_axis(predicate):
    with pytest.raises(DivergentCollectiveError) as caught:
        check(in_branch(predicate, total))
    caught.value.place = None
    assert str(caught.value) == (
        "mesh_all_reduce along cols stands under a predicate that differs between "
        "the PEs of one line of cols\n"
        "  rule      all PEs of a line enter a collective, or none does\n"
        "  help      move the collective out of the branch or loop, or make the "
        "predicate the same on all PEs, for example by a sum or maximum over the "
        "whole array"
    )


@pytest.mark.parametrize(
    "predicate",
    [
        lambda x: everywhere(x) > 0,
        lambda x: prims.mesh_index(axis="rows") == 0,  # a line of cols agrees
        lambda x: jnp.max(total(x)) > 0,
    ],
)
def test_a_branch_on_what_is_the_same_along_the_axis(predicate):
    check(in_branch(predicate, total))


def test_a_branch_without_collective_may_diverge():
    check(in_branch(lambda x: x[0] > 0, lambda x: x * 2))


def test_what_a_divergent_branch_gives_diverges():
    def program(x):
        flag = lax.cond(x[0] > 0, lambda: 1, lambda: 0)
        return lax.cond(flag > 0, total, lambda x: x, x)

    with pytest.raises(DivergentCollectiveError):
        check(program)


def test_a_collective_in_a_call_in_a_branch():
    with pytest.raises(DivergentCollectiveError):
        check(in_branch(lambda x: x[0] > 0, jax.jit(total)))


def test_while_until_each_pe_has_enough():
    with pytest.raises(DivergentCollectiveError):
        check(lambda x: lax.while_loop(lambda x: x[0] < 9, lambda x: x + total(x), x))


def test_while_until_all_pes_have_enough():
    check(
        lambda x: lax.while_loop(lambda x: everywhere(x) < 9, lambda x: x + total(x), x)
    )


def test_while_whose_predicate_starts_divergent_by_its_carry():
    def program(x):
        def body(carry):
            count, x = carry
            return count + x[0], total(x)

        return lax.while_loop(lambda carry: carry[0] < 9, body, (0.0, x))

    with pytest.raises(DivergentCollectiveError):
        check(program)


def test_while_that_counts():
    def body(carry):
        return carry[0] + 1, total(carry[1])

    check(lambda x: lax.while_loop(lambda carry: carry[0] < 9, body, (0, x)))


def test_scan_carries_divergence_into_a_branch():
    def body(carry, _):
        flag, x = carry
        x = lax.cond(flag > 0, total, lambda x: x, x)
        return (x[0], x), None

    with pytest.raises(DivergentCollectiveError):
        check(lambda x: lax.scan(body, (0.0, x), length=3)[0][1])


def test_scan_with_collectives():
    check(lambda x: lax.scan(lambda x, _: (total(x), None), x, length=3)[0])


def test_scan_over_what_differs_between_pes():
    def body(carry, element):
        return lax.cond(element > 0, total, lambda x: x, carry), None

    with pytest.raises(DivergentCollectiveError):
        check(lambda x: lax.scan(body, x, x)[0])


def test_a_root_that_differs_along_the_line():
    def program(x):
        root = prims.mesh_index(axis="cols")
        return prims.mesh_broadcast(x, axis="cols", size=4, root=root)

    with pytest.raises(DivergentCollectiveError) as caught:
        check(program)
    caught.value.place = None
    assert str(caught.value) == (
        "the root of mesh_broadcast along cols differs between the PEs of one line of "
        "cols\n"
        "  rule      all PEs of a line agree on who sends\n"
        "  help      make the root the same on all PEs, for example the number of a "
        "pass"
    )


def test_a_root_that_each_line_chooses_for_itself():
    def program(x):
        root = prims.mesh_index(axis="rows")
        return prims.mesh_broadcast(x, axis="cols", size=4, root=root)

    check(program)


DIVERGENT = {
    "cond": lambda x: lax.cond(x[0] > 0, total, lambda x: x, x),
    "while": lambda x: lax.while_loop(lambda x: x[0] < 9, total, x),
    "scan": lambda x: lax.scan(
        lambda c, _: (lax.cond(c[0] > 0, total, lambda c: c, c), None), x, None, 3
    )[0],
}


@pytest.mark.parametrize("name", DIVERGENT)
def test_a_divergent_program_is_never_emitted(name):
    """It would hang: some PEs of a line would wait for wavelets that never come."""
    closed = jaxprs.trace(DIVERGENT[name], [X])
    placement = Placement((8,), np.dtype("float32"), ("cols",), (1, 4))
    program = Partitioned(closed, (placement,), (placement,), Mesh(1, 4))
    with pytest.raises(DivergentCollectiveError):
        lower_partitioned(program, in_names=["x"], out_names=["y"])


UNIFORM_PREDICATES = {
    "cond": lambda x: lax.cond(jnp.sum(x) > 0, lambda x: x / x.sum(), lambda x: x, x),
    "while": lambda x: lax.while_loop(
        lambda x: jnp.max(x) < 9, lambda x: x + jnp.abs(x).sum() + 1, x
    ),
    "of one element": lambda x: lax.cond(
        x[3] > 0, lambda x: x - x.max(), lambda x: x + x.min(), x
    ),
    "scan": lambda x: lax.scan(
        lambda c, _: (lax.cond(c[0] > 0, lambda c: c - c.sum(), jnp.exp, c), None),
        x,
        None,
        3,
    )[0],
}


@pytest.mark.parametrize("name", UNIFORM_PREDICATES)
def test_predicates_of_distributed_values_are_the_same_on_all_pes(name):
    closed = jax.make_jaxpr(UNIFORM_PREDICATES[name])(jnp.zeros(9, jnp.float32))
    for mesh in (Mesh(1, 4), Mesh(3, 2)):
        partition(normalise(closed), mesh, [None], [None])


def test_functions_of_elements_do_not_make_copies_differ():
    """All rows hold the same, and so do they behind a function of each element."""

    def program(x, y):
        ones = jnp.sum(lax.population_count(x))
        return lax.cond(ones > 2, lambda y: y - jnp.max(y), jnp.abs, y)

    arrays = jnp.zeros((7, 5), jnp.int32), jnp.zeros(6, jnp.int32)
    closed = normalise(jax.make_jaxpr(program)(*arrays))
    columns = Placement((7, 5), np.dtype("int32"), (None, "cols"), (1, 2))
    rows = Placement((6,), np.dtype("int32"), ("rows",), (2, 1))
    partition(closed, Mesh(2, 2), [columns, rows], [None])


def test_functions_that_ask_where_a_pe_stands_make_copies_differ():
    def program(x):
        def function(a, b):
            return a + b * prims.mesh_index(axis="cols").astype(jnp.float32)

        reduced = lax.reduce(jnp.ones(2), jnp.float32(0), function, (0,))
        return lax.cond(reduced > 2, total, lambda x: x, x)

    with pytest.raises(DivergentCollectiveError):
        check(program)
