"""Elements and vectors at places in memory that a program computes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lowering.dtypes import ELEMENT_TYPES
from lowering.emit.dsds import Dsds
from lowering.emit.text import LOOP_NAMES, stored_number
from lowering.plan.control import Start
from lowering.plan.values import Shape, View

COORDINATE = {"rows": "get_y_coord", "cols": "get_x_coord"}


def loop_names(shape: Shape, after: int = 0) -> tuple[str, ...]:
    """One loop variable per dimension; none for a single pass."""
    return () if shape == (1,) else LOOP_NAMES[after : after + len(shape)]


def slice_of(view: View, dim: int) -> View:
    """The part of the view at index 0 of `dim`."""
    shape = (*view.shape[:dim], 1, *view.shape[dim + 1 :])
    return replace(view, shape=shape)


def moved(dsds: Dsds, view: View, shift: str) -> str:
    """The view's vector, moved by a number of elements known at run time."""
    element = ELEMENT_TYPES[str(view.dtype)]
    return f"@increment_dsd_offset({dsds.view(view)}, {shift}, {element})"


def inside(axis: str, tile: int, length: int) -> str:
    return f"tiles.inside(geometry.{COORDINATE[axis]}(), {tile}, {length})"


def start_text(starts: tuple[Start, ...], dsds: Dsds) -> str:
    """The number of elements by which a window is moved; empty if by none."""
    return " + ".join(_term(start, dsds) for start in starts)


def indented(lines: list[str]) -> list[str]:
    """The lines, one level deeper."""
    return [f"  {line}" for line in lines]


def _term(start: Start, dsds: Dsds) -> str:
    """`stride * index`, as i16."""
    index = str(start.index)
    if isinstance(start.index, View):
        index = f"@as(i16, {scalar_text(start.index, dsds)})"
    return index if start.stride == 1 else f"{start.stride} * {index}"


def scalar_text(view: View, dsds: Dsds) -> str:
    """An element of memory that is a number of its own."""
    return f"{dsds.buffer_name(view.value)}[{view.offset}]"


def typed_number(value: float | int | bool, dtype: Any) -> str:
    """The number as a PE's memory holds it, in the type of an element."""
    text = stored_number(value, dtype)
    element = ELEMENT_TYPES[str(dtype)]
    return text if element == "f32" else f"@as({element}, {text})"
