"""The statements of the steps that all programs are made of."""

from __future__ import annotations

from dataclasses import replace

from lowering.dtypes import is_narrow
from lowering.emit.dsds import Dsds
from lowering.emit.elements import element_lines
from lowering.emit.indexing import (
    COORDINATE,
    indented,
    inside,
    moved,
    scalar_text,
    slice_of,
    start_text,
    typed_number,
)
from lowering.emit.registry import step_lines
from lowering.emit.text import index_text
from lowering.emit.windows import Window, window_lines
from lowering.mesh import ROWS
from lowering.plan.element_ops import MOVES
from lowering.plan.resources import function_name
from lowering.plan.steps import (
    CutStep,
    ElementStep,
    FillStep,
    IndexStep,
    MoveStep,
    PutStep,
    Root,
    TakeStep,
    ZeroUnlessStep,
)
from lowering.plan.values import Count, View, whole
from lowering.target import Target


@step_lines.register
def _element(step: ElementStep, dsds: Dsds, target: Target) -> list[str]:
    return element_lines(step, dsds)


@step_lines.register
def _index(step: IndexStep, dsds: Dsds, target: Target) -> list[str]:
    call = f"geometry.{COORDINATE[step.axis]}()"
    return [f"  {dsds.buffer_name(step.out)}[0] = @as(i32, {call});"]


@step_lines.register
def _take(step: TakeStep, dsds: Dsds, target: Target) -> list[str]:
    source = Window(step.x, start_text(step.starts, dsds))
    return indented(window_lines(Window(whole(step.out)), source, dsds))


@step_lines.register
def _put(step: PutStep, dsds: Dsds, target: Target) -> list[str]:
    to = Window(step.window, start_text(step.starts, dsds))
    source = Window(step.x) if isinstance(step.x, View) else step.x
    return indented(window_lines(to, source, dsds))


@step_lines.register
def _fill(step: FillStep, dsds: Dsds, target: Target) -> list[str]:
    """One fill per index of the dimension that lies beyond the array's end."""
    view = whole(step.value)
    tile, stride = view.shape[step.dim], view.strides[step.dim]
    first = inside(step.axis, tile, step.length)
    part = moved(dsds, slice_of(view, step.dim), index_text("i", (stride,)))
    fill = typed_number(step.number, step.value.dtype)
    return [
        f"  for (@range(i16, {first}, {tile}, 1)) |i| {{",
        f"    {MOVES[str(step.value.dtype)]}({part}, {fill});",
        "  }",
    ]


@step_lines.register
def _cut(step: CutStep, dsds: Dsds, target: Target) -> list[str]:
    """One move from a run-time offset, or one per index that has elements."""
    out, builtin = whole(step.out), MOVES[str(step.out.dtype)]
    tile, length = out.shape[step.dim], step.x.shape[step.dim]
    stride = step.x.strides[step.dim]
    start = f"@as(i16, geometry.{COORDINATE[step.axis]}()) * {tile * stride}"
    if step.is_even:
        part = replace(step.x, shape=out.shape)
        return [f"  {builtin}({dsds.view(out)}, {moved(dsds, part, start)});"]
    to = moved(dsds, slice_of(out, step.dim), index_text("i", (out.strides[step.dim],)))
    index = index_text("i", (stride,))
    origin = moved(dsds, slice_of(step.x, step.dim), f"{start} + {index}")
    return [
        f"  {builtin}({dsds.view(out)}, {typed_number(0, step.out.dtype)});",
        f"  for (@range(i16, {inside(step.axis, tile, length)})) |i| {{",
        f"    {builtin}({to}, {origin});",
        "  }",
    ]


@step_lines.register
def _zero_unless(step: ZeroUnlessStep, dsds: Dsds, target: Target) -> list[str]:
    vector, zero = dsds.whole(step.value), typed_number(0, step.value.dtype)
    return [
        f"  if (geometry.{COORDINATE[step.axis]}() != {step.root}) {{",
        f"    {MOVES[str(step.value.dtype)]}({vector}, {zero});",
        "  }",
    ]


@step_lines.register
def _move(step: MoveStep, dsds: Dsds, target: Target) -> list[str]:
    line = "rows_line" if step.axis == ROWS else "cols_line"
    arguments = [*_move_vectors(step, dsds), str(step.extent_words)]
    if step.kind == "relay_inward":
        arguments.append(_root_text(step.root, dsds))
    return [f"  {line}.{function_name(step)}({', '.join(arguments)});"]


def _root_text(root: Root, dsds: Dsds) -> str:
    if isinstance(root, int):
        return str(root)
    text = str(root) if isinstance(root, Count) else scalar_text(root, dsds)
    return f"@as(u16, {text})"


def _move_vectors(step: MoveStep, dsds: Dsds) -> list[str]:
    target, n = step.target, step.extent_elements
    if step.kind == "pass_inward":
        return []
    if is_narrow(target.dtype):
        return _word_vectors(step, dsds)
    if step.kind == "reduce_star":
        repeated = View(target, (step.size - 1, n), (0, 1))
        return [dsds.whole(target), dsds.view(repeated)]
    if step.source is None:
        return [dsds.whole(target)]
    source = dsds.vector(step.source, (n,), (1,), 0)
    if step.kind == "shift":
        return [source, dsds.whole(target)]
    joined = whole(target)
    tile = step.source.shape[step.dim]
    first = View(target, step.source.shape, joined.strides)
    pitch = tile * joined.strides[step.dim]
    rest = View(target, (step.size - 1, *first.shape), (pitch, *first.strides), pitch)
    return [source, dsds.view(first), dsds.view(rest)]


def _word_vectors(step: MoveStep, dsds: Dsds) -> list[str]:
    """Vectors of whole words over elements of 16 bits; tiles begin at whole words."""
    target, n = dsds.buffer_name(step.target), step.extent_words
    if step.source is None:
        return [_words(target, n)]
    source = _words(dsds.buffer_name(step.source), n)
    if step.kind == "shift":
        return [source, _words(target, n)]
    rest = _words(f"{target}[{step.extent_elements}]", (step.size - 1) * n)
    return [source, _words(target, n), rest]


def _words(first: str, count: int) -> str:
    return f"words.of(@ptrcast([*]u32, &{first}), {count})"
