"""Sums of products that grow in place: `y = y + a b` without a value for `a b`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lowering.plan.steps import DotStep, ElementStep, Step
from lowering.plan.values import Value, View


def accumulate(steps: Sequence[Step]) -> list[Step]:
    """Joins each product with the addition after it that alone uses it."""
    kept: list[Step] = []
    for step in steps:
        before = kept[-1] if kept else None
        joined = _joined(before, step, steps) if isinstance(before, DotStep) else None
        if joined is None:
            kept.append(step)
        else:
            kept[-1] = joined
    return kept


def _joined(dot: DotStep, step: Step, steps: Sequence[Step]) -> DotStep | None:
    total = _grown(step, dot.out)
    uses = sum(dot.out in (*other.reads(), *other.writes()) for other in steps)
    if total is None or uses != 2 or total in (dot.a.value, dot.b.value):
        return None
    return replace(dot, out=total, adds=True)


def _grown(step: Step, added: Value) -> Value | None:
    """What the step adds `added` to, in place, if that is all it does."""
    if not isinstance(step, ElementStep) or len(step.ops) != 1:
        return None
    (op,) = step.ops
    if op.kind != "add" or op.out.shape != added.shape:
        return None
    if not all(isinstance(o, View) and o.is_whole for o in op.operands):
        return None
    read = {o.value for o in op.operands if isinstance(o, View)}
    return op.out if read == {op.out, added} else None
