"""Drawings of the mesh: which elements each PE holds."""

import numpy as np
import pytest

import pyflame as pf
from lowering.mesh import Layout, Mesh
from lowering.placement import place
from pyflame.report.mesh import MAX_SHOWN, describe

GRID = pf.MeshLayout.grid
LAYOUTS = [
    (pf.MeshLayout.single_pe(), [3, 4]),
    (pf.MeshLayout.row_partition(5), [7, 33]),
    (pf.MeshLayout.col_partition(3), [4, 9]),
    (GRID(3, 4), [10, 33]),
    (GRID(2, 3), [5]),
    (GRID(2, 2), []),
    (GRID(750, 994), [10_000, 3_300]),
    (GRID(2, 2), [2, 3, 5, 7]),
    (GRID(2, 2), [0, 4]),
]


@pytest.mark.parametrize(("layout", "shape"), LAYOUTS, ids=str)
def test_geometry(read, layout, shape) -> None:
    picture = read(pf.report.tiles(layout, shape))
    cells = picture.boxes("pe")
    shown = [min(count, MAX_SHOWN - 1) for count in (layout.rows, layout.cols)]
    if max(layout.rows, layout.cols) <= MAX_SHOWN:
        shown = [layout.rows, layout.cols]
    assert len(cells) == shown[0] * shown[1]
    picture.check(cells)
    for held in picture.boxes("held"):
        (cell,) = [c for c in cells if (c.x, c.y) == (held.x, held.y)]
        assert held.right <= cell.right + 0.01
        assert held.bottom <= cell.bottom + 0.01


WHOLE = [(layout, shape) for layout, shape in LAYOUTS if layout.rows <= MAX_SHOWN]


@pytest.mark.parametrize(("layout", "shape"), WHOLE, ids=str)
def test_what_is_drawn_is_what_is_placed(read, layout, shape) -> None:
    """The part of a cell that is filled is the part of its tile that holds elements."""
    mesh = Mesh(layout.rows, layout.cols)
    lowered = Layout(layout.kind, layout.rows, layout.cols)
    placement = place(lowered, tuple(shape), "float32", mesh)
    tiles = placement.tile(np.ones(shape, np.float32), mesh)
    counts = tiles.reshape(layout.num_pes, -1).sum(1)
    size = max(tiles[0, 0].size, 1)
    picture = read(pf.report.tiles(layout, shape))
    held = {(box.x, box.y): box for box in picture.boxes("held")}
    for cell, count in zip(picture.boxes("pe"), counts, strict=True):
        box = held.get((cell.x, cell.y))
        share = 0.0
        if box is not None:
            share = box.width * box.height / (cell.width * cell.height)
        assert share == pytest.approx(count / size, abs=2e-3)


def test_texts_tell_the_elements_of_each_pe(read) -> None:
    texts = read(pf.report.tiles(GRID(2, 2), [3, 5])).texts()
    cells = ["[0:2, 0:3]", "[0:2, 3:5]", "[2:3, 0:3]", "[2:3, 3:5]"]
    assert [t for t in texts if t.startswith("[")] == cells
    assert {"row 0", "row 1", "col 0", "col 1"} <= set(texts)


def test_empty_tiles_say_so(read) -> None:
    texts = read(pf.report.tiles(pf.MeshLayout.row_partition(5), [7, 2])).texts()
    assert texts.count("empty") == 1


def test_a_mesh_without_a_tensor(read) -> None:
    texts = read(pf.report.tiles(GRID(1, 2))).texts()
    assert texts == ["grid(1, 2): 2 PEs", "col 0", "col 1", "row 0", "0, 0", "0, 1"]


def test_a_wafer_is_abbreviated(read) -> None:
    texts = read(pf.report.tiles(GRID(750, 994), [750, 994])).texts()
    assert "row 749" in texts
    assert "col 993" in texts
    assert {"⋯", "⋮", "⋱"} <= set(texts)
    assert len(texts) < 60


@pytest.mark.parametrize(
    ("layout", "shape", "text"),
    [
        (GRID(4, 4), None, "grid(4, 4): 16 PEs"),
        (GRID(4, 4), [1024, 1024], "grid(4, 4): 16 PEs, each with [256, 256] of "
         "[1024, 1024]"),
        (pf.MeshLayout.single_pe(), [3], "single_pe: 1 PE, with [3] of [3]"),
        (pf.MeshLayout.row_partition(5), [7, 2], "row_partition(5): 5 PEs, each with "
         "[2, 2] of [7, 2] at most; 1 without elements"),
        (GRID(4, 4), [9, 9], "grid(4, 4): 16 PEs, each with [3, 3] of [9, 9] at most; "
         "7 without elements"),
    ],
)  # fmt: skip
def test_description(layout, shape, text: str) -> None:
    assert describe(layout, shape) == text


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(pf.ShapeError) as caught:
        pf.report.tiles(GRID(2, 2), "ab")
    assert str(caught.value) == (
        "tiles: 'ab' is no shape\n"
        "  rule  a shape is a list or tuple of integers, 0 or more"
    )
    with pytest.raises(pf.ArgumentError, match="tiles: 'grid' is no layout"):
        pf.report.tiles("grid")


def test_a_drawing_can_be_kept(tmp_path) -> None:
    drawing = pf.report.tiles(GRID(2, 2))
    drawing.save(tmp_path / "mesh.svg")
    text = (tmp_path / "mesh.svg").read_text("utf-8")
    assert text == drawing.svg() + "\n"
    assert "prefers-color-scheme: dark" in text
    assert "prefers-color-scheme" not in drawing._repr_html_()
