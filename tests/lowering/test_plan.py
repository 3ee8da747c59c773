"""Selection, fusion, views and the plan as a whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from jax.extend.core import Primitive

from lowering.errors import (
    DoesNotFitError,
    LoweringError,
    SeveralErrors,
    UnsupportedDtypeError,
    UnsupportedPrimitiveError,
)
from lowering.mesh import Mesh
from lowering.partition import mesh_primitives as mesh_p
from lowering.plan import Plan, check_mesh, check_plan, plan
from lowering.plan.names import Names, identifier
from lowering.plan.steps import DotStep, ElementStep, MoveStep
from lowering.plan.values import Value, View, collapse, whole
from lowering.plan.views import broadcast, reshape, transpose, window
from lowering.target import WSE3

_F32 = np.dtype("float32")
mystery, riddle = map(Primitive, ("mystery", "riddle"))  # as a future JAX may have
for strange in (mystery, riddle):
    strange.def_abstract_eval(lambda x: x)


def _plan(function: Callable[..., Any], *shapes: tuple[int, ...]) -> Plan:
    specs = [jax.ShapeDtypeStruct(shape, "float32") for shape in shapes]
    closed = jax.make_jaxpr(function)(*specs)
    ins = [f"in{n}" for n in range(len(shapes))]
    outs = [f"out{n}" for n in range(len(closed.out_avals))]
    planned = plan(closed, Mesh(2, 3), ins, outs, WSE3)
    check_plan(planned)
    return planned


def _equations(planned: Plan) -> list[list[str]]:
    return [[o.equation for o in step.origins] for step in planned.steps]


def test_equations_become_steps_in_order_with_the_users_line() -> None:
    planned = _plan(lambda a, b: a @ b + 1.0, (4, 8), (8, 5))
    assert _equations(planned) == [
        ["dot: f32[4,5] = dot_general(in0, in1)"],
        ["out0: f32[4,5] = add(dot, 1)"],
    ]
    place = planned.steps[0].origins[0].place
    assert place is not None
    assert place.file.endswith("test_plan.py")
    assert "a @ b + 1.0" in place.text


def test_broadcast_transpose_and_slice_move_no_data() -> None:
    def program(a: Any, b: Any) -> Any:
        return a + lax.broadcast_in_dim(b.T[1], (4, 3), (1,))

    planned = _plan(program, (4, 3), (3, 5))
    assert len(planned.steps) == 1


def test_scalar_operations_join_one_loop_and_need_no_memory_between() -> None:
    planned = _plan(lambda a: lax.select(a > 0.5, lax.exp(a), a / 3.0), (4, 5))
    (loop,) = planned.steps
    assert isinstance(loop, ElementStep)
    assert [op.kind for op in loop.ops] == ["gt", "exp", "div", "select_n"]
    assert {value.name for value in loop.locals} == {"gt", "exp", "div"}
    assert [b.name for b in planned.allocation.buffers] == ["in0", "out0"]


def test_a_loop_does_not_read_what_is_written_after_it() -> None:
    def program(a: Any) -> Any:
        e = lax.exp(a)
        return e / lax.broadcast_in_dim(lax.reduce_sum(e, (1,)), (4, 5), (0,))

    planned = _plan(program, (4, 5))
    assert [len(step.origins) for step in planned.steps] == [1, 1, 1]


def test_an_all_reduce_is_a_chain_and_a_flood_in_place() -> None:
    planned = _plan(
        lambda a: mesh_p.mesh_all_reduce(a * 2.0, axis="cols", size=3, op="sum"), (4,)
    )
    kinds = [s.kind for s in planned.steps if isinstance(s, MoveStep)]
    assert kinds == ["reduce_inward", "flood"]
    assert len(planned.allocation.buffers) == 2


def test_an_output_that_is_an_input_gets_its_own_memory() -> None:
    planned = _plan(lambda a: (a, a), (4,))
    values = [planned.inputs["in0"], *planned.outputs.values()]
    buffers = {id(planned.allocation.buffer_of[value]) for value in values}
    assert len(buffers) == 3


def test_constants_of_one_number_need_no_memory() -> None:
    table = np.arange(6, dtype=np.float32)
    planned = _plan(lambda a: a * table + np.full(6, 2.0, np.float32), (6,))
    assert [value.name for value in planned.constants] == ["table"]


def test_costs_add_up_and_print() -> None:
    cost = _plan(lambda a: a + a, (4, 5)).cost
    assert cost.cycles == cost.launch_cycles + sum(s.cycles for s in cost.steps)
    assert cost.data_bytes == 160
    assert str(cost).splitlines()[0] == "    cycles    bytes  step"
    assert "of 49,152 bytes per PE" in str(cost)


def _products(planned: Plan) -> list[bool]:
    return [s.products is not None for s in planned.steps if isinstance(s, DotStep)]


def test_short_sides_are_multiplied_along_the_contracted_dimension() -> None:
    planned = _plan(lambda a, b: (a @ b, b.T @ a.T), (4, 300), (300, 1))
    assert _products(planned) == [True, True]
    names = [value.name for value in planned.allocation.buffer_of]
    assert any(name.startswith("products") for name in names)
    assert len(planned.allocation.buffers) == 5  # both products in one buffer
    assert _products(_plan(lambda a, b: a @ b, (16, 200), (200, 16))) == [False]


def test_products_that_do_not_fit_give_way_to_a_slower_scheme() -> None:
    planned = _plan(lambda a, b: a @ b, (1, 5000), (5000, 1))
    assert _products(planned) == [False]
    assert planned.cost.size_bytes <= planned.cost.sram_bytes


def test_a_transposed_operand_of_a_product_is_not_copied() -> None:
    planned = _plan(lambda a, b: lax.dot(a.T, b), (8, 4), (8, 5))
    (dot,) = planned.steps
    assert isinstance(dot, DotStep)
    assert dot.a.strides == (1, 4)


def test_an_operand_without_legal_vectors_is_copied_to_rows() -> None:
    """Both candidates walk memory in steps of 200, more than an i8 holds."""
    planned = _plan(lambda a, b: lax.dot(a, b.T), (8, 200), (10, 200))
    copy, dot = planned.steps
    assert isinstance(copy, ElementStep)
    assert isinstance(dot, DotStep)
    assert dot.b.strides == (10, 1)


def test_unknown_primitives_and_dtypes_are_listed_together() -> None:
    def program(a: Any) -> Any:
        return (
            riddle.bind(a),
            mystery.bind(a),
            lax.convert_element_type(a, jnp.complex64),
        )

    with pytest.raises(SeveralErrors) as caught:
        _plan(program, (4,))
    kinds = [type(error) for error in caught.value.errors]
    assert kinds == [
        UnsupportedPrimitiveError,
        UnsupportedPrimitiveError,
        UnsupportedDtypeError,
    ]
    first = str(caught.value.errors[0]).splitlines()
    assert first[0] == "primitive riddle has no emission rule"
    assert "test_plan.py" in first[1]
    assert str(caught.value.errors[2]).splitlines()[0] == (
        "result of convert_element_type has dtype complex64"
    )


def test_sums_of_integers_on_the_fabric_are_refused() -> None:
    def program(a: Any) -> Any:
        i = lax.convert_element_type(a, jnp.int32)
        return mesh_p.mesh_all_reduce(i, axis="cols", size=3, op="sum")

    with pytest.raises(UnsupportedDtypeError, match="PEs reduce float32 on the fabric"):
        _plan(program, (4,))


@pytest.mark.parametrize(
    ("program", "message", "rule"),
    [
        (
            lambda a: lax.dot(a.astype(jnp.uint32), a.astype(jnp.uint32)),
            "primitive dot_general on u32[4], u32[4] is not supported",
            "dot_general gives float32 of floats, int32 of integers",
        ),
        (
            lambda a: lax.select_n(a.astype(jnp.int32), a, a, a),
            "select_n with 3 cases is not supported",
            "select_n chooses between two cases by a bool",
        ),
        (
            lambda a: lax.dot_general(
                a.reshape(2, 2), a.reshape(2, 2), (((1,), (1,)), ((0,), (0,)))
            ),
            "dot_general of f32[2,2] and f32[2,2] has no PE form",
            "one contracted dimension, no batch, at most two dimensions",
        ),
        (
            lambda a: lax.reshape(a.reshape(2, 2), (4,), (1, 0)),
            "reshape with a dimension order is not supported",
            "",
        ),
    ],
)
def test_forms_without_a_rule_are_refused(
    program: Any, message: str, rule: str
) -> None:
    with pytest.raises(LoweringError) as caught:
        _plan(program, (4,))
    assert str(caught.value).splitlines()[0] == message
    assert caught.value.rule == rule
    assert caught.value.place is not None


def test_a_plan_whose_values_overlap_is_caught() -> None:
    """The checker can fail: here two live values are put into one buffer."""
    planned = _plan(lambda a: jnp.exp(a).T + jnp.exp(a * 2.0), (4, 4))
    first, second = planned.steps[0].writes()[0], planned.steps[1].writes()[0]
    buffers = planned.allocation.buffer_of
    buffers[second].values.remove(second)
    buffers[first].values.append(second)
    with pytest.raises(AssertionError, match="overlap"):
        check_plan(planned)


def test_empty_arrays_are_refused() -> None:
    with pytest.raises(LoweringError) as caught:
        _plan(lambda a: a + 1.0, (0, 4))
    assert str(caught.value) == (
        "input f32[0,4] has no elements\n"
        "  rule      memory vectors of a PE have at least one element\n"
        "  help      leave empty arrays out of the program"
    )


def test_a_mesh_beyond_the_wafer_is_refused() -> None:
    with pytest.raises(DoesNotFitError) as caught:
        check_mesh(Mesh(2000, 2), WSE3)
    assert str(caught.value) == (
        "a mesh of 2000x2 PEs does not fit the 1170x755 that a WSE-3 gives a program\n"
        "  help      use at most 1170 rows and 755 columns"
    )


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("layers[0].w", "layers_0_w"),
        ("2nd", "v2nd"),
        ("var", "var_value"),
        ("main", "main_value"),
        ("α", "value"),
        ("phase_3", "phase_3_value"),
    ],
)
def test_names_become_identifiers(wanted: str, name: str) -> None:
    assert identifier(wanted) == name


def test_names_are_unique() -> None:
    names = Names()
    assert [names.unique("h") for _ in range(3)] == ["h", "h_2", "h_3"]


def _matrix() -> View:
    return whole(Value("a", (4, 6), _F32))


def _elements(view: Any) -> np.ndarray[Any, Any]:
    """The positions in memory that a view shows."""
    grid = np.full(view.shape, view.offset)
    for dim, stride in enumerate(view.strides):
        shape = [1] * len(view.shape)
        shape[dim] = -1
        grid = grid + (np.arange(view.shape[dim]) * stride).reshape(shape)
    return grid


def test_views_show_the_elements_that_numpy_shows() -> None:
    positions = np.arange(24).reshape(4, 6)
    view = _matrix()
    turned: Any = transpose(view, (1, 0))
    np.testing.assert_array_equal(_elements(turned), positions.T)
    part: Any = window(turned, (1, 0), (6, 4), (2, 1))
    np.testing.assert_array_equal(_elements(part), positions.T[1:6:2])
    cut: Any = reshape(view, (2, 2, 3, 2))
    np.testing.assert_array_equal(_elements(cut), positions.reshape(2, 2, 3, 2))
    ones: Any = reshape(turned, (6, 1, 4))
    np.testing.assert_array_equal(_elements(ones), positions.T.reshape(6, 1, 4))
    repeated: Any = broadcast(view, (2, 4, 6), (1, 2))
    np.testing.assert_array_equal(_elements(repeated), np.stack([positions] * 2))
    assert reshape(turned, (24,)) is None


def test_neighbouring_dimensions_of_one_stride_merge() -> None:
    assert collapse((2, 3, 4), [(12, 4, 1), (4, 0, 1)]) == (
        (2, 3, 4),
        [(12, 4, 1), (4, 0, 1)],
    )
    assert collapse((2, 3, 4), [(12, 4, 1), (0, 0, 0)]) == ((24,), [(1,), (0,)])
    assert collapse((1, 1), [(1, 1)]) == ((1,), [(0,)])


def test_only_the_result_has_the_outputs_name() -> None:
    """What travels for a minimum or for flags is another value than the result."""

    def program(a: Any) -> Any:
        line: Any = {"axis": "cols", "size": 3}
        return (
            mesh_p.mesh_all_reduce(a, op="min", **line),
            mesh_p.mesh_all_gather(a > 0.0, dim=0, **line),
            mesh_p.mesh_broadcast(a > 1.0, root=1, **line),
            mesh_p.mesh_shift(a > 2.0, offset=1, **line),
        )

    planned = _plan(program, (4,))
    names = [value.name for value in planned.allocation.buffer_of]
    assert len(set(names)) == len(names)
    assert {f"out{n}" for n in range(4)} <= set(names)


def test_a_branch_hands_nothing_on_that_nobody_sends() -> None:
    """Of a gather whose result nobody reads, the PEs between once kept their part."""

    def program(x: Any) -> Any:
        def gathered(x: Any) -> Any:
            return mesh_p.mesh_all_gather(x, axis="rows", size=3, dim=0), x + 1.0

        return lax.cond(x[0] > 0.0, gathered, lambda x: (jnp.zeros(12), x), x)[1]

    closed = jax.make_jaxpr(program)(jax.ShapeDtypeStruct((4,), "float32"))
    planned = plan(closed, Mesh(3, 1), ["x"], ["y"], WSE3)
    assert not any(isinstance(step, MoveStep) for step in planned.steps)
