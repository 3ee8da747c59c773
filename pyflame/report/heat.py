"""Numbers as colors: nothing for zero, amber above, blue below, paler when smaller."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pyflame.report.drawing import Drawing, rectangle
from pyflame.report.markup import AMBER, BLUE, RED, Markup

MAX_ROWS = 24
MAX_COLS = 48
_FAINT = 0.04  # so that a zero is seen to be there
_FULL = 0.92

Array = np.ndarray[Any, Any]


def heat_strip(values: Array, title: str, cell: float) -> Drawing:
    """A matrix as a small picture; a large one by the element of a block that is
    farthest from zero. What is not finite is red."""
    blocks = _blocks(np.asarray(values))
    shapes = heat_cells(blocks, cell, gap=0.0)
    rows, cols = blocks.shape
    return Drawing(title, cols * cell, rows * cell, tuple(shapes))


def heat_cells(values: Array, cell: float, gap: float) -> list[Markup]:
    """One square per number, row by row from (0, 0)."""
    finite = np.abs(values[np.isfinite(values)])
    largest = float(finite.max()) if finite.size else 0.0
    shapes: list[Markup] = []
    for (row, col), value in np.ndenumerate(values):
        color, opacity = _shade(float(value), largest)
        x, y, side = col * cell + gap, row * cell + gap, cell - 2 * gap
        shapes.append(
            rectangle(x, y, side, side, color, fill=opacity, class_="heat", radius=0)
        )
    return shapes


def _shade(value: float, largest: float) -> tuple[str, float]:
    if not math.isfinite(value):
        return RED, _FULL
    share = abs(value) / largest if largest else 0.0
    return (BLUE if value < 0 else AMBER), _FAINT + (_FULL - _FAINT) * share


def _blocks(values: Array) -> Array:
    """At most MAX_ROWS x MAX_COLS numbers that stand for all."""
    rows = np.array_split(values, min(MAX_ROWS, values.shape[0]), axis=0)
    parts = [
        np.array_split(part, min(MAX_COLS, values.shape[1]), axis=1) for part in rows
    ]
    return np.array([[_farthest(part) for part in line] for line in parts])


def _farthest(part: Array) -> float:
    numbers = part.astype(np.float64)
    bad = numbers[~np.isfinite(numbers)]
    if bad.size:
        return float(bad.flat[0])
    return float(numbers.flat[int(np.argmax(np.abs(numbers)))])
