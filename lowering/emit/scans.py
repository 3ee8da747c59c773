"""Steps that walk along a dimension, as statements: loops with a register each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from lowering.emit.dsds import Dsds
from lowering.emit.indexing import loop_names, moved, slice_of, typed_number
from lowering.emit.registry import step_lines
from lowering.emit.text import ELEMENT_TYPES, LOOP_NAMES, index_text, nest
from lowering.plan.element_ops import KINDS, MOVES
from lowering.plan.steps_scan import (
    CumulativeScheme,
    CumulativeStep,
    ExtremeIndexStep,
    FoldOp,
    FoldStep,
    cumulative_scheme,
)
from lowering.plan.values import Shape, View, collapse, whole
from lowering.target import Target

_COMBINE = {
    "sum": "{0} + {1}",
    "prod": "{0} * {1}",
    "and": "{0} & {1}",
    "or": "{0} | {1}",
    "xor": "{0} ^ {1}",
}
_NEUTRAL = {"sum": 0, "prod": 1, "or": 0, "xor": 0}
_VECTOR_BUILTINS = {"sum": "@fadds", "prod": "@fmuls", "max": "@fmaxs"}


def _combined(op: FoldOp, dtype: np.dtype[Any], seen: str, element: str) -> str:
    if op in ("max", "min"):
        return KINDS[op].text_for(str(dtype)).format(seen, element)
    return _COMBINE[op].format(seen, element)


@step_lines.register
def _fold(step: FoldStep, dsds: Dsds, target: Target) -> list[str]:
    rank = step.kept_rank
    kept, (kept_strides, out_strides) = collapse(
        step.x.shape[:rank], [step.x.strides[:rank], whole(step.out).strides]
    )
    reduced, (strides,) = collapse(step.x.shape[rank:], [step.x.strides[rank:]])
    outer = loop_names(kept)
    inner = loop_names(reduced, after=len(outer))
    index = index_text(
        (*outer, *inner), (*kept_strides[: len(outer)], *strides), step.x.offset
    )
    element = f"{dsds.buffer_name(step.x.value)}[{index}]"
    combined = _combined(step.op, step.x.dtype, "result", element)
    neutral = typed_number(_neutral(step.op, step.out.dtype), step.out.dtype)
    body = [
        f"var result: {ELEMENT_TYPES[str(step.out.dtype)]} = {neutral};",
        *_inner(nest(inner, reduced, [f"result = {combined};"])),
        f"{dsds.buffer_name(step.out)}[{index_text(outer, out_strides)}] = result;",
    ]
    return _scoped(outer, kept, body)


def _neutral(op: FoldOp, dtype: np.dtype[Any]) -> int:
    """The number that changes nothing; all bits for `and`."""
    if op == "and":
        return -1 if np.issubdtype(dtype, np.signedinteger) else np.iinfo(dtype).max
    return _NEUTRAL[op]


@step_lines.register
def _extreme_index(step: ExtremeIndexStep, dsds: Dsds, target: Target) -> list[str]:
    kept, (kept_strides, out_strides) = collapse(
        step.x.shape[:-1], [step.x.strides[:-1], whole(step.out).strides]
    )
    outer = loop_names(kept)
    inner = LOOP_NAMES[len(outer)]
    buffer, offset = dsds.buffer_name(step.x.value), step.x.offset
    first = index_text(outer, kept_strides, offset)
    strides = (*kept_strides[: len(outer)], step.x.strides[-1])
    element = f"{buffer}[{index_text((*outer, inner), strides, offset)}]"
    better = f"element {'>' if step.is_largest else '<'} best"
    if np.issubdtype(step.x.dtype, np.floating):
        better += " or (element != element and best == best)"
    index_type = ELEMENT_TYPES[str(step.out.dtype)]
    body = [
        f"var best: {ELEMENT_TYPES[str(step.x.dtype)]} = {buffer}[{first}];",
        f"var best_at: {index_type} = 0;",
        f"for (@range(i16, 1, {step.x.shape[-1]}, 1)) |{inner}| {{",
        f"  const element = {element};",
        f"  if ({better}) {{",
        "    best = element;",
        f"    best_at = @as({index_type}, {inner});",
        "  }",
        "}",
        f"{dsds.buffer_name(step.out)}[{index_text(outer, out_strides)}] = best_at;",
    ]
    return _scoped(outer, kept, body)


@step_lines.register
def _cumulative(step: CumulativeStep, dsds: Dsds, target: Target) -> list[str]:
    scheme = cumulative_scheme(step, target)
    if scheme.vectors:
        return _cumulative_slices(step, dsds)
    return _cumulative_lines(step, scheme, dsds)


def _cumulative_slices(step: CumulativeStep, dsds: Dsds) -> list[str]:
    """Each slice is the one before it combined with the operand's."""
    length = step.x.shape[step.dim]
    x, out = (_from_start(view, step) for view in (step.x, whole(step.out)))
    x_slice, out_slice = slice_of(x, step.dim), slice_of(out, step.dim)
    x_stride, stride = x.strides[step.dim], out.strides[step.dim]
    here = moved(dsds, out_slice, index_text("i", (stride,)))
    before = moved(dsds, out_slice, f"{stride} * (i - 1)")
    other = moved(dsds, x_slice, index_text("i", (x_stride,)))
    return [
        f"  {MOVES['float32']}({dsds.view(out_slice)}, {dsds.view(x_slice)});",
        f"  for (@range(i16, 1, {length}, 1)) |i| {{",
        f"    {_VECTOR_BUILTINS[step.op]}({here}, {before}, {other});",
        "  }",
    ]


def _cumulative_lines(
    step: CumulativeStep, scheme: CumulativeScheme, dsds: Dsds
) -> list[str]:
    """One line after the other, what was seen of it in a register."""
    outer = loop_names(scheme.lines)
    along = LOOP_NAMES[len(outer)]
    x, out = (_from_start(view, step) for view in (step.x, whole(step.out)))

    def element(view: View, strides: Shape, name: str | None) -> str:
        names = (*outer, name) if name else outer
        steps = (*strides[: len(outer)], view.strides[step.dim])
        return (
            f"{dsds.buffer_name(view.value)}[{index_text(names, steps, view.offset)}]"
        )

    combined = _combined(
        step.op, step.x.dtype, "seen", element(x, scheme.x_strides, along)
    )
    kind = ELEMENT_TYPES[str(step.out.dtype)]
    body = [
        f"var seen: {kind} = {element(x, scheme.x_strides, None)};",
        f"{element(out, scheme.out_strides, None)} = seen;",
        f"for (@range(i16, 1, {step.x.shape[step.dim]}, 1)) |{along}| {{",
        f"  seen = {combined};",
        f"  {element(out, scheme.out_strides, along)} = seen;",
        "}",
    ]
    return _scoped(outer, scheme.lines, body)


def _from_start(view: View, step: CumulativeStep) -> View:
    """The view in the order of the walk: a reversed one begins at the end."""
    if not step.is_reversed:
        return view
    dim, stride = step.dim, view.strides[step.dim]
    strides = (*view.strides[:dim], -stride, *view.strides[dim + 1 :])
    offset = view.offset + stride * (view.shape[dim] - 1)
    return replace(view, strides=strides, offset=offset)


def _scoped(names: tuple[str, ...], sizes: Shape, body: list[str]) -> list[str]:
    """`body` inside its loops; in a scope of its own where there are none."""
    if names:
        return nest(names, sizes, body)
    return ["  {", *(f"    {line}" for line in body), "  }"]


def _inner(lines: list[str]) -> list[str]:
    return [line[2:] for line in lines]
