import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowering.errors import LayoutError
from lowering.mesh import Layout, Mesh
from lowering.placement import (
    Placement,
    place,
    replicated,
    storage_size_bytes,
    type_text,
)

F32 = np.dtype("float32")
MESH = Mesh(3, 5)


@pytest.mark.parametrize(
    ("layout", "shape", "axes", "tile"),
    [
        (Layout("single_pe"), (7, 33), (None, None), (7, 33)),
        (Layout("row_partition", 3), (7, 33), ("rows", None), (3, 33)),
        (Layout("col_partition", 1, 5), (7, 33), (None, "cols"), (7, 7)),
        (Layout("grid", 3, 5), (7, 33), ("rows", "cols"), (3, 7)),
        (Layout("grid", 3, 5), (2, 7, 33), (None, "rows", "cols"), (2, 3, 7)),
        (Layout("grid", 3, 5), (33,), ("cols",), (7,)),
        (Layout("row_partition", 2), (7,), ("rows",), (4,)),
        (Layout("grid", 3, 5), (), (), ()),
        (Layout("grid", 3, 5), (1, 1), ("rows", "cols"), (1, 1)),
    ],
)
def test_layouts_place_dimensions(layout, shape, axes, tile):
    placement = place(layout, shape, F32, MESH)
    assert (placement.axes, placement.tile_shape) == (axes, tile)


def test_tiles_of_a_vector_with_padding_and_an_empty_tile():
    placement = place(Layout("col_partition", 1, 5), (6,), F32, MESH)
    tiles = placement.tile(np.arange(1, 7, dtype=F32), MESH)
    assert tiles.shape == (3, 5, 2)
    np.testing.assert_array_equal(tiles[0], [[1, 2], [3, 4], [5, 6], [0, 0], [0, 0]])
    assert not tiles[1:].any()


def test_replicas_inside_the_extent():
    placement = place(Layout("grid", 2, 5), (5,), F32, MESH)
    tiles = placement.tile(np.arange(5, dtype=F32), MESH)
    np.testing.assert_array_equal(tiles[0], tiles[1])
    assert not tiles[2].any()


@given(
    shape=st.lists(st.integers(1, 9), max_size=3).map(tuple),
    rows=st.integers(1, 4),
    cols=st.integers(1, 4),
    kind=st.sampled_from(["single_pe", "row_partition", "col_partition", "grid"]),
)
def test_untile_undoes_tile(shape, rows, cols, kind):
    rows = rows if kind in ("row_partition", "grid") else 1
    cols = cols if kind in ("col_partition", "grid") else 1
    mesh = Mesh(4, 4)
    placement = place(Layout(kind, rows, cols), shape, F32, mesh)
    array = np.arange(np.prod(shape, dtype=int), dtype=F32).reshape(shape)
    tiles = placement.tile(array, mesh)
    np.testing.assert_array_equal(placement.untile(tiles), array)


def test_transposed_axes():
    placement = Placement((4, 6), F32, ("cols", "rows"), (2, 2))
    array = np.arange(24, dtype=F32).reshape(4, 6)
    tiles = placement.tile(array, Mesh(2, 2))
    np.testing.assert_array_equal(tiles[1, 0], array[:2, 3:])
    np.testing.assert_array_equal(placement.untile(tiles), array)


def test_sizes_and_texts():
    placement = place(Layout("grid", 3, 5), (7, 33), F32, MESH)
    assert placement.tile_size_bytes == 3 * 7 * 4
    assert str(placement) == "f32[7,33] split (rows,cols) on 3x5 PEs"
    assert placement.is_padded(0)
    assert not replicated((7,), F32, MESH).is_padded(0)
    assert type_text((784, 256), np.dtype("int32")) == "i32[784,256]"
    assert type_text((), np.dtype("bool")) == "bool[]"
    assert type_text((1,), np.dtype("uint8")) == "u8[1]"
    assert storage_size_bytes(np.dtype("bool")) == 2


def test_a_layout_larger_than_the_mesh():
    with pytest.raises(LayoutError) as caught:
        place(Layout("grid", 4, 4), (8, 8), F32, MESH)
    assert str(caught.value) == (
        "layout grid(4, 4) does not fit a mesh of 3x5 PEs\n"
        "  rule      a layout may be smaller than the mesh, not larger\n"
        "  help      use a mesh of at least 4x5"
    )


def test_an_axis_that_splits_two_dimensions():
    with pytest.raises(LayoutError) as caught:
        Placement((4, 4), F32, ("rows", "rows"), (2, 2))
    assert str(caught.value) == (
        "axes ('rows', 'rows') do not place an array of shape (4, 4)\n"
        "  rule      one entry per dimension, each mesh axis at most once"
    )


def test_an_array_of_another_shape():
    placement = replicated((4,), F32, MESH)
    with pytest.raises(LayoutError) as caught:
        placement.tile(np.zeros(5, F32), MESH)
    assert str(caught.value) == (
        "an array of shape (5,) for a placement of f32[4] split (-) on 3x5 PEs"
    )
