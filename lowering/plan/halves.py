"""Reductions of halves in float32 that read the halves themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lowering.dtypes import HALVES
from lowering.plan.control import is_control
from lowering.plan.origins import Step
from lowering.plan.steps import ElementStep, ReduceStep
from lowering.plan.values import View, whole


def reduce_halves(steps: Sequence[Step]) -> list[Step]:
    """Reductions of widened halves without the wide copy, where it is all they read."""
    return [
        _without_copy(step, steps[:number]) if isinstance(step, ReduceStep) else step
        for number, step in enumerate(steps)
    ]


def _without_copy(step: ReduceStep, before: Sequence[Step]) -> ReduceStep:
    source = _widened(step, before)
    x = source and _seen_through(source, step.x)
    return step if x is None else replace(step, x=x)


def _widened(step: ReduceStep, before: Sequence[Step]) -> View | None:
    """The halves that the operand is a copy of, if nothing wrote either since."""
    written: set[object] = set()
    for earlier in reversed(before):
        if is_control(earlier):
            return None
        if step.x.value in earlier.writes():
            source = _source(earlier)
            return None if source is None or source.value in written else source
        written |= set(earlier.writes())
    return None


def _source(step: Step) -> View | None:
    """What the step widens, if that is all it does."""
    if not isinstance(step, ElementStep) or len(step.ops) != 1:
        return None
    (op,) = step.ops
    operand = op.operands[0]
    if op.kind != "to_f32" or not isinstance(operand, View):
        return None
    return operand if str(operand.dtype) in HALVES else None


def _seen_through(source: View, view: View) -> View | None:
    """The view of the copy as a view of the source, if it permutes dimensions."""
    strides = whole(view.value).strides
    if view.offset or len(set(strides)) != len(strides):
        return None
    dims = dict(zip(strides, source.strides, strict=True))
    is_permuted = sorted(view.strides) == sorted(strides)
    if not is_permuted or sorted(view.shape) != sorted(source.shape):
        return None
    return View(
        source.value,
        view.shape,
        tuple(dims[stride] for stride in view.strides),
        source.offset,
    )
