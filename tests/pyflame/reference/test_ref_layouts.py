"""Layouts: what each PE of the mesh holds."""

import re

import pyflame as pf


def _held(layout: pf.MeshLayout, shape: list[int]) -> list[str]:
    """The slices that the drawing of the mesh shows."""
    svg = pf.report.tiles(layout, shape).svg()
    return re.findall(r"<text[^>]*>(\[[\d:, ]+\])</text>", svg)


def test_single_pe(documented) -> None:
    documented(pf.MeshLayout.single_pe)
    layout = pf.MeshLayout.single_pe()
    x = pf.zeros([10, 10], layout=layout)
    assert x.layout == pf.zeros([1]).layout == layout
    assert _held(layout, x.shape) == ["[0:10, 0:10]"]


def test_row_partition(documented) -> None:
    documented(pf.MeshLayout.row_partition, n=...)
    layout = pf.MeshLayout.row_partition(4)
    x = pf.zeros([20, 10], layout=layout)
    assert x.layout == layout
    rows = ["[0:5, 0:10]", "[5:10, 0:10]", "[10:15, 0:10]", "[15:20, 0:10]"]
    assert _held(layout, x.shape) == rows


def test_col_partition(documented) -> None:
    documented(pf.MeshLayout.col_partition, n=...)
    layout = pf.MeshLayout.col_partition(2)
    x = pf.zeros([20, 10], layout=layout)
    assert x.layout == layout
    assert _held(layout, x.shape) == ["[0:20, 0:5]", "[0:20, 5:10]"]


def test_grid(documented) -> None:
    documented(pf.MeshLayout.grid, rows=..., cols=...)
    layout = pf.MeshLayout.grid(2, 2)
    x = pf.zeros([64, 32], layout=layout)
    assert x.layout == layout
    held = ["[0:32, 0:16]", "[0:32, 16:32]", "[32:64, 0:16]", "[32:64, 16:32]"]
    assert _held(layout, x.shape) == held
    assert layout.num_pes == 4


def test_pe_coord(documented) -> None:
    documented(pf.PECoord, row=..., col=...)
    coord = pf.PECoord(5, 1)
    assert (coord.row, coord.col) == (5, 1)
    assert coord == pf.PECoord(row=5, col=1)
