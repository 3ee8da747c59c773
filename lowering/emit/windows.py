"""Windows on memory, copied to or combined with another of the same shape.

As many dimensions as a memory vector has are one operation; loops run over the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lowering.dtypes import ELEMENT_TYPES
from lowering.emit.dsds import Dsds
from lowering.emit.elements import Locals, expression, in_dtype
from lowering.emit.indexing import typed_number
from lowering.emit.scalars import loaded, stored
from lowering.emit.text import LOOP_NAMES, index_text, nest
from lowering.plan.element_ops import MOVES, vector_builtin
from lowering.plan.origins import Origin
from lowering.plan.steps import ElementOp
from lowering.plan.values import Constant, Count, Shape, Value, View, collapse, whole
from lowering.target import WSE3


@dataclass(frozen=True, slots=True)
class Window:
    """A view, moved by a number of elements that the program computes as `shift`."""

    view: View
    shift: str = ""


@dataclass(frozen=True, slots=True)
class _Walk:
    """A window on the way through its dimensions: the outer ones are loops."""

    window: Window
    strides: tuple[int, ...]

    def element(self, names: tuple[str, ...], dsds: Dsds) -> str:
        view = self.window.view
        index = index_text(names, self.strides, view.offset)
        return f"{dsds.buffer_name(view.value)}[{sum_text(self.window.shift, index)}]"

    def vector(self, names: tuple[str, ...], shape: Shape, dsds: Dsds) -> str:
        view, rank = self.window.view, len(shape)
        vector = dsds.vector(view.value, shape, self.strides[-rank:], view.offset)
        shift = sum_text(self.window.shift, index_text(names, self.strides[:-rank]))
        if shift == "0":
            return vector
        element = ELEMENT_TYPES[str(view.dtype)]
        return f"@increment_dsd_offset({vector}, {shift}, {element})"


def window_lines(
    to: Window,
    source: Window | Constant,
    dsds: Dsds,
    kind: str = "copy",
    depth: int = 0,
) -> list[str]:
    """Statements for `to = source`, or `to = kind(to, source)`, not indented.

    `depth` loops are around already.
    """
    windows = [to] if isinstance(source, Constant) else [to, source]
    shape, strides = collapse(to.view.shape, [w.view.strides for w in windows])
    walks = [_Walk(w, s) for w, s in zip(windows, strides, strict=True)]
    builtin = _builtin(kind, to.view.dtype)
    rank = _vector_rank(shape, strides, dsds) if builtin else 0
    loops = () if shape == (1,) else shape[: len(shape) - rank]
    names = LOOP_NAMES[depth : depth + len(loops)]
    if rank:
        texts = [walk.vector(names, shape[-rank:], dsds) for walk in walks]
    else:
        texts = [walk.element(names, dsds) for walk in walks]
    if isinstance(source, Constant):
        assert not isinstance(source.number, Count), "counts stand in memory"
        texts.append(typed_number(source.number, source.dtype))
    if rank:
        operands = texts if kind == "copy" else [texts[0], *texts]
        body = [f"{builtin}({', '.join(operands)});"]
    else:
        target, operand = texts
        body = [_element_statement(kind, target, operand, to.view.dtype)]
    return [line[2:] for line in nest(names, loops, body)]


def sum_text(*terms: str) -> str:
    """The sum of what is neither empty nor 0."""
    return " + ".join(term for term in terms if term not in ("", "0")) or "0"


def _builtin(kind: str, dtype: Any) -> str | None:
    """What works on vectors of this dtype in memory."""
    return MOVES[str(dtype)] if kind == "copy" else vector_builtin(kind, dtype)


def _vector_rank(shape: Shape, strides: list[tuple[int, ...]], dsds: Dsds) -> int:
    """How many of the last dimensions one vector runs through in every window."""
    if shape == (1,):
        return 0
    for rank in range(min(len(shape), WSE3.max_dsd_rank), 0, -1):
        if all(dsds.fits(shape[-rank:], each[-rank:]) for each in strides):
            return rank
    return 0


def _element_statement(kind: str, target: str, operand: str, dtype: Any) -> str:
    if kind == "copy":
        return f"{target} = {operand};"
    old, new, out = (Value(name, (), dtype) for name in ("old", "new", "out"))
    op = ElementOp(kind, out, (whole(old), whole(new)), Origin(kind))
    texts = {old: loaded(dtype, target), new: loaded(dtype, operand)}
    text = in_dtype(op, expression(op, Locals(texts)), is_stored=True)
    return f"{target} = {stored(dtype, text)};"
