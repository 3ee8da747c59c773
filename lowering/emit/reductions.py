"""Reductions on one PE: vector operations where the dtype has them, or loops."""

from __future__ import annotations

from lowering.dtypes import ELEMENT_TYPES, SCALAR_TYPES
from lowering.emit.dsds import Dsds
from lowering.emit.indexing import loop_names
from lowering.emit.registry import step_lines
from lowering.emit.scalars import loaded, rounded, stored
from lowering.emit.text import index_text, nest, number
from lowering.neutral import neutral
from lowering.plan.element_ops import KINDS
from lowering.plan.schemes import ReduceScheme, adds_halves, reduce_scheme
from lowering.plan.steps import ReduceStep
from lowering.plan.values import Constant
from lowering.target import Target

_NEUTRAL = {"sum": "0.0", "max": "math.NEGATIVE_INF_f32"}
_COMBINE = {"sum": "add", "max": "max", "min": "min"}
_REGISTER_BUILTIN = {"sum": "@fadds", "max": "@fmaxs"}


@step_lines.register
def _reduce(step: ReduceStep, dsds: Dsds, target: Target) -> list[str]:
    scheme = reduce_scheme(step, target)
    return {"vector": _reduce_vector, "scalar": _reduce_scalar, "loop": _reduce_loop}[
        scheme.kind
    ](step, scheme, dsds)


def _reduce_vector(step: ReduceStep, scheme: ReduceScheme, dsds: Dsds) -> list[str]:
    """Slices over the kept dimensions, combined one after the other."""
    out = dsds.whole(step.out)
    first = dsds.vector(step.x.value, scheme.kept, scheme.kept_strides, step.x.offset)
    names = loop_names(scheme.reduced)
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
    names = loop_names(scheme.kept)
    if names:
        shift = index_text(names, scheme.kept_strides)
        element = ELEMENT_TYPES[str(step.x.dtype)]
        row = f"@increment_dsd_offset({row}, {shift}, {element})"
    index = index_text(names, scheme.out_strides)
    builtin = "@faddhs" if adds_halves(step) else _REGISTER_BUILTIN[step.op]
    body = [
        f"total = {_NEUTRAL[step.op]};",
        f"{builtin}(&total, total, {row});",
        f"{dsds.buffer_name(step.out)}[{index}] = total;",
    ]
    return nest(names, scheme.kept, body)


def _reduce_loop(step: ReduceStep, scheme: ReduceScheme, dsds: Dsds) -> list[str]:
    outer = loop_names(scheme.kept)
    inner = loop_names(scheme.reduced, after=len(outer))
    kept_strides = scheme.kept_strides[: len(outer)]
    strides = (*kept_strides, *scheme.reduced_strides[: len(inner)])
    index = index_text((*outer, *inner), strides, step.x.offset)
    element = f"{dsds.buffer_name(step.x.value)}[{index}]"
    store = f"{dsds.buffer_name(step.out)}[{index_text(outer, scheme.out_strides)}]"
    head, combined, result = _accumulation(step, element)
    body = [
        head,
        *(line[2:] for line in nest(inner, scheme.reduced, [combined])),
        f"{store} = {stored(step.out.dtype, result)};",
    ]
    if not outer:  # a scope of its own, for programs that reduce twice
        return ["  {", *(f"    {line}" for line in body), "  }"]
    return nest(outer, scheme.kept, body)


def _accumulation(step: ReduceStep, element: str) -> tuple[str, str, str]:
    """The declaration of `result`, one more element in it, and what it gives."""
    dtype = step.out.dtype
    start = number(Constant(neutral(step.op, dtype), (), dtype))
    row = KINDS[_COMBINE[step.op]]
    term = loaded(step.x.dtype, element)
    if SCALAR_TYPES[str(step.x.dtype)] != SCALAR_TYPES[str(dtype)]:
        term = f"@as({SCALAR_TYPES[str(dtype)]}, {term})"
    combined = row.text_for(str(dtype)).format("result", term)
    return (
        f"var result: {SCALAR_TYPES[str(dtype)]} = {start};",
        f"result = {combined};",
        "result" if row.is_exact else rounded(dtype, "result"),
    )
