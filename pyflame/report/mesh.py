"""The mesh of PEs as a drawing: which elements of a tensor each PE holds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lowering.mesh import Layout, Mesh
from lowering.placement import Placement, place
from pyflame.errors import ShapeError
from pyflame.layout import MeshLayout, check_layout
from pyflame.report.drawing import Drawing, label, rectangle
from pyflame.report.markup import BLUE, INK, Markup, text_width
from pyflame.report.tables import block

MAX_SHOWN = 6  # PEs along an axis that are drawn; of more, the first and the last
_SHOWN_FIRST = 4
_MIN_WIDTH, _HEIGHT, _PADDING = 64.0, 38.0, 8.0
_GAP, _ELLIPSIS = 6.0, 26.0
_MARGIN_LEFT, _MARGIN_TOP = 46.0, 40.0
_SIZE = 11.0


@dataclass(frozen=True)
class _Pe:
    """What one PE shows: the elements it holds, as a slice of the tensor, and the part
    of its tile that they fill, in height and width."""

    text: str
    filled: tuple[float, float]


def tiles(layout: MeshLayout, shape: Sequence[int] | None = None) -> Drawing:
    """The mesh of a layout; with a tensor's shape, what each PE holds of it.

    The filled part of a PE is the part of its tile that is used: sizes that do not
    divide leave the last tiles part empty, or empty.

    Raises: ArgumentError, if `layout` is none; ShapeError, if `shape` is none.
    """
    check_layout("tiles", layout)
    placement = None if shape is None else _placement(layout, _sizes(shape))
    rows, cols = _shown(layout.rows), _shown(layout.cols)
    cells = [
        [None if None in (r, c) else _pe(r, c, placement) for c in cols] for r in rows
    ]
    return _drawing(layout, placement, rows, cols, cells)


def describe(layout: MeshLayout, shape: Sequence[int] | None = None) -> str:
    """A line about it: `grid(4, 4): 16 PEs, each with [256, 256] of [1024, 1024]`."""
    pes = "1 PE" if layout.num_pes == 1 else f"{layout.num_pes:,} PEs"
    if shape is None:
        return f"{layout}: {pes}"
    placement = _placement(layout, _sizes(shape))
    each = "with" if layout.num_pes == 1 else "each with"
    tile = list(placement.tile_shape)
    padded = any(map(placement.is_padded, range(len(placement.shape))))
    at_most = " at most" if padded else ""
    text = f"{layout}: {pes}, {each} {tile} of {list(placement.shape)}{at_most}"
    empty = _empty_count(placement)
    return f"{text}; {empty:,} without elements" if empty else text


def _sizes(shape: Any) -> tuple[int, ...]:
    sizes: tuple[Any, ...] = (
        tuple(shape) if isinstance(shape, (list, tuple)) else (shape,)
    )
    if not all(isinstance(n, (int, np.integer)) and n >= 0 for n in sizes):
        raise ShapeError(
            f"tiles: {shape!r} is no shape",
            rule="a shape is a list or tuple of integers, 0 or more",
        )
    return tuple(int(size) for size in sizes)


def _placement(layout: MeshLayout, shape: tuple[int, ...]) -> Placement:
    as_lowered = Layout(layout.kind, layout.rows, layout.cols)  # pyright: ignore
    mesh = Mesh(layout.rows, layout.cols)
    return place(as_lowered, shape, np.dtype(np.float32), mesh)


def _shown(count: int) -> list[int | None]:
    """Coordinates that are drawn; None stands for those left out."""
    if count <= MAX_SHOWN:
        return list(range(count))
    return [*range(_SHOWN_FIRST), None, count - 1]


def _span(placement: Placement, dim: int, row: int, col: int) -> tuple[int, int]:
    """The elements along a dimension that PE(col, row) holds: from, and up to."""
    axis, size = placement.axes[dim], placement.shape[dim]
    if axis is None:
        return 0, size
    tile = placement.tile_shape[dim]
    index = row if axis == "rows" else col
    return min(index * tile, size), min((index + 1) * tile, size)


def _pe(row: int | None, col: int | None, placement: Placement | None) -> _Pe:
    assert row is not None, "left out"
    assert col is not None, "left out"
    if placement is None:
        return _Pe(f"{row}, {col}", (1.0, 1.0))
    dims = range(len(placement.shape))
    spans = [_span(placement, dim, row, col) for dim in dims]
    if any(start == end for start, end in spans):
        return _Pe("empty", (0.0, 0.0))
    filled = {
        axis: (spans[d][1] - spans[d][0]) / placement.tile_shape[d]
        for d, axis in enumerate(placement.axes)
    }
    text = ", ".join(f"{start}:{end}" for start, end in spans)
    return _Pe(f"[{text}]", (filled.get("rows", 1.0), filled.get("cols", 1.0)))


def _empty_count(placement: Placement) -> int:
    """How many PEs of the extent hold no element."""
    if 0 in placement.shape:
        return math.prod(placement.extent)
    used = [math.prod(placement.extent[i : i + 1]) for i in (0, 1)]
    for dim, axis in enumerate(placement.axes):
        if axis is not None:
            number = -(-placement.shape[dim] // placement.tile_shape[dim])
            used[axis == "cols"] = number
    return math.prod(placement.extent) - math.prod(used)


def _drawing(
    layout: MeshLayout,
    placement: Placement | None,
    rows: list[int | None],
    cols: list[int | None],
    cells: list[list[_Pe | None]],
) -> Drawing:
    pes = [pe for line in cells for pe in line if pe is not None]
    longest = max(text_width(pe.text, _SIZE) for pe in pes)
    width, height = max(_MIN_WIDTH, longest + 2 * _PADDING), _HEIGHT
    title = describe(layout, None if placement is None else placement.shape)
    xs, right = _positions(cols, width, _MARGIN_LEFT)
    ys, bottom = _positions(rows, height, _MARGIN_TOP)
    shapes = [label(title, 0, 14, anchor="start", bold=True)]
    shapes += _axis_labels(rows, cols, xs, ys, width, height)
    for line, y in zip(cells, ys, strict=True):
        for pe, x in zip(line, xs, strict=True):
            if pe is not None:
                shapes += _cell(pe, x, y, width, height)
    shapes += _dots(rows, cols, xs, ys, width, height)
    full = max(right, text_width(title, 12))
    return Drawing(title, full + 2, bottom + 2, tuple(shapes))


def _positions(
    shown: list[int | None], size: float, start: float
) -> tuple[list[float], float]:
    """Where each starts, and where the last ends."""
    places: list[float] = []
    for index in shown:
        places.append(start)
        start += (_ELLIPSIS if index is None else size) + _GAP
    return places, start - _GAP


def _axis_labels(
    rows: list[int | None],
    cols: list[int | None],
    xs: list[float],
    ys: list[float],
    width: float,
    height: float,
) -> Iterator[Markup]:
    """Row numbers at the left, column numbers above."""
    for col, x in zip(cols, xs, strict=True):
        if col is not None:
            place = x + width / 2
            yield label(f"col {col}", place, _MARGIN_TOP - 6, size=10, opacity=0.6)
    for row, y in zip(rows, ys, strict=True):
        if row is not None:
            place = y + height / 2 + 4
            yield label(f"row {row}", 0, place, size=10, anchor="start", opacity=0.6)


def _cell(pe: _Pe, x: float, y: float, width: float, height: float) -> Iterator[Markup]:
    used_height, used_width = pe.filled
    empty = not used_height
    yield rectangle(
        x, y, width, height, INK, line=0.45, class_="pe", dashed=empty, radius=4
    )
    if not empty:
        yield rectangle(
            x, y, width * used_width, height * used_height, BLUE, fill=0.22,
            class_="held", radius=4,
        )  # fmt: skip
    yield label(pe.text, x + width / 2, y + height / 2 + 4, size=_SIZE)


def _dots(
    rows: list[int | None],
    cols: list[int | None],
    xs: list[float],
    ys: list[float],
    width: float,
    height: float,
) -> Iterator[Markup]:
    """Dots where PEs were left out."""
    for row, y in zip(rows, ys, strict=True):
        for col, x in zip(cols, xs, strict=True):
            if row is None or col is None:
                middle = x + (_ELLIPSIS if col is None else width) / 2
                base = y + (_ELLIPSIS if row is None else height) / 2 + 4
                text = (
                    "⋱" if row is None and col is None else "⋮" if row is None else "⋯"
                )
                yield label(text, middle, base, opacity=0.6)


def layout_html(layout: MeshLayout) -> str:
    """The report of a layout: its mesh."""
    return block(tiles(layout).inline())
