"""Steps as CSL statements."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lowering.emit.dsds import Dsds
from lowering.emit.elements import element_lines
from lowering.emit.text import (
    ELEMENT_TYPES,
    LOOP_NAMES,
    comment,
    float_text,
    index_text,
    nest,
)
from lowering.mesh import ROWS
from lowering.plan.control import ControlStep, Start
from lowering.plan.element_ops import MOVES
from lowering.plan.origins import Origin
from lowering.plan.resources import function_name
from lowering.plan.schemes import (
    ReduceScheme,
    dot_scheme,
    inner_scheme,
    reduce_scheme,
)
from lowering.plan.steps import (
    CutStep,
    DotStep,
    ElementStep,
    FillStep,
    IndexStep,
    MoveStep,
    PutStep,
    ReduceStep,
    Root,
    Step,
    TakeStep,
    ZeroUnlessStep,
)
from lowering.plan.values import Count, Shape, Value, View, whole
from lowering.target import Target

COORDINATE = {"rows": "get_y_coord", "cols": "get_x_coord"}
_NEUTRAL = {
    "sum": "0.0",
    "max": "math.NEGATIVE_INF_f32",
    "min": "math.POSITIVE_INF_f32",
}
_NEUTRAL_I32 = {"sum": "0", "max": "(-2147483648)", "min": "2147483647"}
_COMBINE = {
    "sum": "{0} + {1}",
    "max": "extremes.maximum({0}, {1})",
    "min": "extremes.minimum({0}, {1})",
}
_REGISTER_BUILTIN = {"sum": "@fadds", "max": "@fmaxs"}


def step_lines(step: Step, dsds: Dsds, target: Target) -> list[str]:
    """The step's statements, without comment; empty if there is nothing to do."""
    match step:
        case ElementStep():
            return element_lines(step, dsds)
        case DotStep() if step.products is not None:
            return _inner_products(step, step.products, dsds, target)
        case DotStep():
            return _dot(step, dsds, target)
        case ReduceStep():
            return _reduce(step, dsds, target)
        case IndexStep():
            call = f"geometry.{COORDINATE[step.axis]}()"
            return [f"  {dsds.buffer_name(step.out)}[0] = @as(i32, {call});"]
        case ZeroUnlessStep():
            return _zero_unless(step, dsds)
        case FillStep():
            return _fill(step, dsds)
        case CutStep():
            return _cut(step, dsds)
        case TakeStep():
            moved = _moved_by(dsds, step.x, step.starts)
            return [_copy(step.out, dsds.whole(step.out), moved)]
        case PutStep():
            moved = _moved_by(dsds, step.window, step.starts)
            return [_copy(step.window.value, moved, dsds.view(step.x))]
        case MoveStep():
            return _move(step, dsds)
        case _:
            return _not_local(step)


def _not_local(step: ControlStep) -> list[str]:
    raise AssertionError(f"{type(step).__name__} is written by the state machine")


def step_comment(step: Step) -> list[str]:
    """The equations of the step, each with the user's line."""
    lines: list[str] = []
    for origin in step.origins:
        lines += comment(_origin_text(origin))
    return lines


def _origin_text(origin: Origin) -> str:
    if origin.place is None:
        return origin.equation
    file = origin.place.file.rsplit("/", 1)[-1]
    return f"{origin.equation}  at {file}:{origin.place.line}"


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
    names = _loop_names(scheme.shape)
    row, column = (
        _moved(dsds, view, index_text(names, strides)) if names else dsds.view(view)
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


def _reduce(step: ReduceStep, dsds: Dsds, target: Target) -> list[str]:
    scheme = reduce_scheme(step, target)
    return {"vector": _reduce_vector, "scalar": _reduce_scalar, "loop": _reduce_loop}[
        scheme.kind
    ](step, scheme, dsds)


def _reduce_vector(step: ReduceStep, scheme: ReduceScheme, dsds: Dsds) -> list[str]:
    """Slices over the kept dimensions, combined one after the other."""
    out = dsds.whole(step.out)
    first = dsds.vector(step.x.value, scheme.kept, scheme.kept_strides, step.x.offset)
    names = _loop_names(scheme.reduced)
    shift = index_text(names, scheme.reduced_strides)
    moved = f"@increment_dsd_offset({first}, {shift}, f32)"
    body = [f"{_REGISTER_BUILTIN[step.op]}({out}, {out}, {moved});"]
    clear = f"  @fmovs({out}, {_NEUTRAL[step.op]});"
    return [clear, *nest(names, scheme.reduced, body)]


def _reduce_scalar(step: ReduceStep, scheme: ReduceScheme, dsds: Dsds) -> list[str]:
    """One vector per result, reduced into the register `total`."""
    row = dsds.vector(
        step.x.value, scheme.reduced, scheme.reduced_strides, step.x.offset
    )
    names = _loop_names(scheme.kept)
    if names:
        shift = index_text(names, scheme.kept_strides)
        row = f"@increment_dsd_offset({row}, {shift}, f32)"
    index = index_text(names, scheme.out_strides)
    body = [
        f"total = {_NEUTRAL[step.op]};",
        f"{_REGISTER_BUILTIN[step.op]}(&total, total, {row});",
        f"{dsds.buffer_name(step.out)}[{index}] = total;",
    ]
    return nest(names, scheme.kept, body)


def _reduce_loop(step: ReduceStep, scheme: ReduceScheme, dsds: Dsds) -> list[str]:
    outer = _loop_names(scheme.kept)
    inner = _loop_names(scheme.reduced, after=len(outer))
    kept_strides = scheme.kept_strides[: len(outer)]
    strides = (*kept_strides, *scheme.reduced_strides[: len(inner)])
    index = index_text((*outer, *inner), strides, step.x.offset)
    element = f"{dsds.buffer_name(step.x.value)}[{index}]"
    store = f"{dsds.buffer_name(step.out)}[{index_text(outer, scheme.out_strides)}]"
    is_float = str(step.out.dtype) == "float32"
    neutral = (_NEUTRAL if is_float else _NEUTRAL_I32)[step.op]
    combined = _COMBINE[step.op].format("result", element)
    body = [
        f"var result: {'f32' if is_float else 'i32'} = {neutral};",
        *(line[2:] for line in nest(inner, scheme.reduced, [f"result = {combined};"])),
        f"{store} = result;",
    ]
    if not outer:  # a scope of its own, for programs that reduce twice
        return ["  {", *(f"    {line}" for line in body), "  }"]
    return nest(outer, scheme.kept, body)


def _loop_names(shape: Shape, after: int = 0) -> tuple[str, ...]:
    """One loop variable per dimension; none for a single pass."""
    return () if shape == (1,) else LOOP_NAMES[after : after + len(shape)]


def _fill(step: FillStep, dsds: Dsds) -> list[str]:
    """One fill per index of the dimension that lies beyond the array's end."""
    view = whole(step.value)
    tile, stride = view.shape[step.dim], view.strides[step.dim]
    inside = _inside(step.axis, tile, step.length)
    part = _moved(dsds, _slice_of(view, step.dim), index_text("i", (stride,)))
    fill = _typed_number(step.number, step.value.dtype)
    return [
        f"  for (@range(i16, {inside}, {tile}, 1)) |i| {{",
        f"    {MOVES[str(step.value.dtype)]}({part}, {fill});",
        "  }",
    ]


def _cut(step: CutStep, dsds: Dsds) -> list[str]:
    """One move from a run-time offset, or one per index that has elements."""
    out, builtin = whole(step.out), MOVES[str(step.out.dtype)]
    tile, length = out.shape[step.dim], step.x.shape[step.dim]
    stride = step.x.strides[step.dim]
    start = f"@as(i16, geometry.{COORDINATE[step.axis]}()) * {tile * stride}"
    if step.is_even:
        part = replace(step.x, shape=out.shape)
        return [f"  {builtin}({dsds.view(out)}, {_moved(dsds, part, start)});"]
    to = _moved(
        dsds, _slice_of(out, step.dim), index_text("i", (out.strides[step.dim],))
    )
    index = index_text("i", (stride,))
    origin = _moved(dsds, _slice_of(step.x, step.dim), f"{start} + {index}")
    return [
        f"  {builtin}({dsds.view(out)}, {_typed_number(0, step.out.dtype)});",
        f"  for (@range(i16, {_inside(step.axis, tile, length)})) |i| {{",
        f"    {builtin}({to}, {origin});",
        "  }",
    ]


def _slice_of(view: View, dim: int) -> View:
    """The part of the view at index 0 of `dim`."""
    shape = (*view.shape[:dim], 1, *view.shape[dim + 1 :])
    return replace(view, shape=shape)


def _moved(dsds: Dsds, view: View, shift: str) -> str:
    """The view's vector, moved by a number of elements known at run time."""
    element = ELEMENT_TYPES[str(view.dtype)]
    return f"@increment_dsd_offset({dsds.view(view)}, {shift}, {element})"


def _inside(axis: str, tile: int, length: int) -> str:
    return f"tiles.inside(geometry.{COORDINATE[axis]}(), {tile}, {length})"


def _copy(value: Value, target: str, source: str) -> str:
    return f"  {MOVES[str(value.dtype)]}({target}, {source});"


def _moved_by(dsds: Dsds, view: View, starts: tuple[Start, ...]) -> str:
    """The view's vector, moved to where indices of the program say."""
    terms = [_term(start, dsds) for start in starts]
    return _moved(dsds, view, " + ".join(terms)) if terms else dsds.view(view)


def _term(start: Start, dsds: Dsds) -> str:
    """`stride * index`, as i16."""
    index = str(start.index)
    if isinstance(start.index, View):
        index = f"@as(i16, {scalar_text(start.index, dsds)})"
    return index if start.stride == 1 else f"{start.stride} * {index}"


def scalar_text(view: View, dsds: Dsds) -> str:
    """An element of memory that is a number of its own."""
    return f"{dsds.buffer_name(view.value)}[{view.offset}]"


def _typed_number(value: float | int | bool, dtype: Any) -> str:
    """The number as memory of this dtype holds it."""
    if str(dtype) == "float32":
        return float_text(float(value))
    return f"@as({ELEMENT_TYPES[str(dtype)]}, {int(value)})"


def _zero_unless(step: ZeroUnlessStep, dsds: Dsds) -> list[str]:
    vector = dsds.whole(step.value)
    return [
        f"  if (geometry.{COORDINATE[step.axis]}() != {step.root}) {{",
        f"    @fmovs({vector}, 0.0);",
        "  }",
    ]


def _move(step: MoveStep, dsds: Dsds) -> list[str]:
    line = "rows_line" if step.axis == ROWS else "cols_line"
    arguments = [*_move_vectors(step, dsds), str(step.extent_elements)]
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
