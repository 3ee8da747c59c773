import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lowering import jaxprs
from lowering.errors import LayoutError
from lowering.mesh import Layout, Mesh
from lowering.normalise.core_set import CORE, MESH
from lowering.normalise.normalise import normalise
from lowering.partition.partition import evaluate, partition
from lowering.partition.registry import RULES
from lowering.placement import Placement, place

F32 = np.dtype("float32")
MESH_PAIR = (Mesh(4, 4), Mesh(750, 994))
ROWS4 = Mesh(4, 1)


def layer(x, w, b):
    return jax.nn.softmax(jax.nn.relu(x @ w + b))


def arrays(*shapes):
    random = np.random.default_rng(0)
    return [random.standard_normal(shape).astype(F32) for shape in shapes]


def partitioned(function, operands, mesh, layouts=None, out=None):
    closed = normalise(jax.make_jaxpr(function)(*operands))
    layouts = layouts or [None] * len(operands)
    inputs = [
        layout and place(layout, x.shape, x.dtype, mesh)
        for layout, x in zip(layouts, operands, strict=True)
    ]
    outputs = [
        out and place(out, aval.shape, aval.dtype, mesh) for aval in closed.out_avals
    ]
    return partition(closed, mesh, inputs, outputs)


def test_every_core_primitive_has_one_rule():
    assert set(RULES) == CORE | MESH


def test_the_pe_program_does_not_grow_with_the_mesh():
    avals = [
        jax.ShapeDtypeStruct(s, F32) for s in [(3001, 2003), (2003, 1001), (1001,)]
    ]
    closed = normalise(jaxprs.trace(layer, avals))
    small, large = (
        [
            eqn.primitive.name
            for eqn in partition(closed, mesh, [None] * 3, [None]).jaxpr.eqns
        ]
        for mesh in MESH_PAIR
    )
    assert small == large


def test_the_time_to_partition_does_not_depend_on_the_mesh():
    avals = [
        jax.ShapeDtypeStruct(s, F32) for s in [(3001, 2003), (2003, 1001), (1001,)]
    ]
    closed = normalise(jaxprs.trace(layer, avals))

    def seconds(mesh):
        start = time.process_time()
        for _ in range(5):
            partition(closed, mesh, [None] * 3, [None])
        return time.process_time() - start

    seconds(Mesh(4, 4))
    small, large = (min(seconds(mesh) for _ in range(3)) for mesh in MESH_PAIR)
    assert large < 2 * small + 0.01


def test_aligned_values_do_not_communicate():
    x, y = arrays((7, 33), (7, 33))
    grid = Layout("grid", 3, 5)
    program = partitioned(lambda x, y: x * y + 1, [x, y], Mesh(3, 5), [grid, grid])
    assert [eqn.primitive.name for eqn in program.jaxpr.eqns] == ["mul", "add"]


def test_a_bias_on_a_grid_is_local():
    x, b = arrays((7, 33), (33,))
    grid = Layout("grid", 3, 5)
    program = partitioned(lambda x, b: x + b, [x, b], Mesh(3, 5), [grid, grid])
    names = [eqn.primitive.name for eqn in program.jaxpr.eqns]
    assert names == ["broadcast_in_dim", "add"]
    assert program.jaxpr.eqns[0].params["shape"] == (3, 7)


def test_a_product_with_long_rows_adds_partial_sums():
    """Gathering k = 4096 of both would be dearer than adding up 4 numbers."""
    x, w = arrays((2, 4096), (2, 4096))
    layouts = [Layout("col_partition", 1, 4)] * 2
    program = partitioned(lambda x, w: x @ w.T, [x, w], Mesh(1, 4), layouts)
    names = [eqn.primitive.name for eqn in program.jaxpr.eqns]
    assert names == ["dot_general", "mesh_all_reduce"]


def test_a_transpose_moves_nothing():
    (x,) = arrays((7, 33))
    program = partitioned(lambda x: x.T, [x], Mesh(3, 5))
    assert [eqn.primitive.name for eqn in program.jaxpr.eqns] == ["transpose"]
    assert program.out_placements[0] == Placement(
        (33, 7), F32, ("cols", "rows"), (3, 5)
    )


def test_a_value_of_a_small_layout_is_broadcast_from_the_top_left():
    (x,) = arrays((7, 4))
    program = partitioned(
        lambda x: x[:, 0].sum() + x, [x], Mesh(3, 5), [Layout("single_pe")]
    )
    names = [(e.primitive.name, e.params.get("root")) for e in program.jaxpr.eqns]
    broadcasts = [name for name in names if name[0] == "mesh_broadcast"]
    assert broadcasts == []  # only PE (0, 0) needs any of it
    (y,) = evaluate(program, x)
    np.testing.assert_allclose(y, x[:, 0].sum() + x, rtol=1e-6)
    program = partitioned(lambda x: x @ x.T, [x], Mesh(3, 5), [Layout("single_pe")])
    names = [(e.primitive.name, e.params.get("root")) for e in program.jaxpr.eqns]
    assert names[:2] == [("mesh_broadcast", 0), ("mesh_broadcast", 0)]
    np.testing.assert_allclose(evaluate(program, x)[0], x @ x.T, rtol=1e-5)


def test_a_row_of_a_split_dimension_is_sent_by_the_pe_that_has_it():
    def row(x, i):
        return jax.lax.dynamic_slice(x, (i, 0), (1, 8))

    (x,) = arrays((12, 8))
    program = partitioned(row, [x, np.int32(7)], ROWS4)
    names = [eqn.primitive.name for eqn in program.jaxpr.eqns]
    assert "mesh_all_gather" not in names
    assert names.count("mesh_broadcast") == 1
    for i in (-3, 0, 2, 3, 11, 12):
        (got,) = evaluate(program, x, np.int32(i))
        np.testing.assert_array_equal(got, row(x, i))


def test_a_row_of_a_split_dimension_is_changed_where_it_is():
    def changed(x, i):
        return jax.lax.dynamic_update_slice(x, x[:1] * 0, (i, 0))

    (x,) = arrays((12, 8))
    program = partitioned(
        changed,
        [x, np.int32(7)],
        ROWS4,
        [Layout("row_partition", 4, 1), None],
        Layout("row_partition", 4, 1),
    )
    names = [eqn.primitive.name for eqn in program.jaxpr.eqns]
    assert "mesh_all_gather" not in names
    for i in (-3, 0, 2, 3, 11, 12):
        (got,) = evaluate(program, x, np.int32(i))
        np.testing.assert_array_equal(got, changed(x, i))


@pytest.mark.parametrize("mesh", [Mesh(1, 1), Mesh(3, 5), Mesh(4, 4)], ids=str)
def test_an_mlp_with_padding_full_of_nan(mesh):
    def mlp(x, w1, b1, w2, b2):
        return jax.nn.softmax(jnp.tanh(x @ w1 + b1) @ w2 + b2)

    operands = arrays((7, 64), (64, 33), (33,), (33, 10), (10,))
    program = partitioned(mlp, operands, mesh)
    (got,) = evaluate(program, *operands, padding=np.nan)
    np.testing.assert_allclose(got, mlp(*operands), rtol=1e-5, atol=1e-6)


def test_pe_equations_keep_the_users_lines():
    def program(x, w):
        h = x @ w
        return jnp.sum(h)

    pe = partitioned(program, arrays((7, 7), (7, 7)), Mesh(2, 2)).jaxpr
    texts = {jaxprs.place_of(eqn).text for eqn in pe.eqns}
    assert texts == {"h = x @ w", "return jnp.sum(h)"}


def test_the_same_program_gives_the_same_text():
    operands = arrays((7, 16), (16, 33), (33,))
    first, second = (
        str(partitioned(layer, operands, Mesh(3, 5)).jaxpr) for _ in range(2)
    )
    assert first == second


def test_a_reshape_that_cannot_stay_on_the_pes():
    def program(x):
        return x.reshape(300, 200)

    closed = normalise(jaxprs.trace(program, [jax.ShapeDtypeStruct((200, 300), F32)]))
    line = program.__code__.co_firstlineno + 1
    with pytest.raises(LayoutError) as caught:
        partition(closed, Mesh(4, 4), [None], [None])
    assert str(caught.value) == (
        "reshape of f32[200,300] split (rows,cols) on 4x4 PEs moves data between PEs\n"
        "  result    f32[300,200]\n"
        "  whole     60,000 bytes on each PE\n"
        "  limit     32,768 bytes\n"
        f"  at        test_partition.py:{line}  return x.reshape(300, 200)\n"
        "  rule      dimensions that are cut, merged or taken apart are whole on "
        "each PE\n"
        "  help      give the value a layout that does not split them"
    )


def test_a_layout_that_cannot_be_reached():
    closed = normalise(
        jaxprs.trace(lambda x: x.T, [jax.ShapeDtypeStruct((200, 300), F32)])
    )
    wanted = place(Layout("grid", 3, 4), (300, 200), F32, Mesh(4, 4))
    with pytest.raises(LayoutError) as caught:
        partition(closed, Mesh(4, 4), [None], [wanted])
    assert str(caught.value) == (
        "moving f32[300,200] split (cols,rows) on 4x4 PEs to (rows,cols) does not "
        "fit a PE\n"
        "  whole     60,000 bytes on each PE in passing\n"
        "  limit     32,768 bytes\n"
        "  rule      a value changes its placement by being gathered and cut again\n"
        "  help      give both values the same layout, or use a larger mesh"
    )
