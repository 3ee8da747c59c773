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
    loop_names,
    moved,
    scalar_text,
    slice_of,
    start_text,
    typed_number,
)
from lowering.emit.registry import step_lines
from lowering.emit.text import index_text, nest
from lowering.emit.windows import Window, window_lines
from lowering.mesh import ROWS
from lowering.plan.element_ops import MOVES
from lowering.plan.resources import function_name
from lowering.plan.schemes import (
    dot_scheme,
    inner_scheme,
)
from lowering.plan.steps import (
    CutStep,
    DotStep,
    ElementStep,
    FillStep,
    IndexStep,
    MoveStep,
    PutStep,
    Root,
    TakeStep,
    ZeroUnlessStep,
)
from lowering.plan.values import Count, Value, View, whole
from lowering.target import Target


@step_lines.register
def _element(step: ElementStep, dsds: Dsds, target: Target) -> list[str]:
    return element_lines(step, dsds)


@step_lines.register
def _product(step: DotStep, dsds: Dsds, target: Target) -> list[str]:
    if step.products is not None:
        return _inner_products(step, step.products, dsds, target)
    return _dot(step, dsds, target)


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


def _dot(step: DotStep, dsds: Dsds, target: Target) -> list[str]:
    scheme = dot_scheme(step, target)
    out, matrix, scalars = scheme.out, scheme.matrix, scheme.scalars
    arguments = [
        _first_vector(out, dsds),
        _first_vector(matrix, dsds),
        f"&{dsds.buffer_name(scalars.value)}",
        *map(
            str,
            (
                scheme.outer,
                scheme.inner,
                out.strides[0],
                matrix.strides[0],
                scalars.offset,
                *scalars.strides,
            ),
        ),
    ]
    function = "multiply_add" if step.adds else "multiply"
    return [f"  linalg.{function}({', '.join(arguments)});"]


def _inner_products(
    step: DotStep, products: Value, dsds: Dsds, target: Target
) -> list[str]:
    """Per element of the result: a row times a column, summed in `total`."""
    scheme = inner_scheme(step, target)
    names = loop_names(scheme.shape)
    row, column = (
        moved(dsds, view, index_text(names, strides)) if names else dsds.view(view)
        for view, strides in (
            (scheme.row, scheme.row_strides),
            (scheme.column, scheme.column_strides),
        )
    )
    vector = dsds.whole(products)
    element = f"{dsds.buffer_name(step.out)}[{index_text(names, scheme.out_strides)}]"
    body = [
        f"@fmuls({vector}, {row}, {column});",
        f"total = {element if step.adds else '0.0'};",
        f"@fadds(&total, total, {vector});",
        f"{element} = total;",
    ]
    return nest(names, scheme.shape, body)


def _first_vector(matrix: View, dsds: Dsds) -> str:
    return dsds.vector(
        matrix.value, matrix.shape[1:], matrix.strides[1:], matrix.offset
    )


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
