"""Copies that the allocation made superfluous: both ends have the same memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from lowering.plan.allocate import Buffer
from lowering.plan.steps import ElementOp, ElementStep, Step
from lowering.plan.values import Operand, Value, View

Buffers = Mapping[Value, Buffer]


def without_self_copies(steps: Sequence[Step], buffer_of: Buffers) -> list[Step]:
    """The steps that change something, their loops without what changes nothing."""
    kept: list[Step] = []
    for step in steps:
        if not isinstance(step, ElementStep):
            kept.append(step)
        elif ops := _effective(step, buffer_of):
            made = {op.out for op in ops}
            kept.append(replace(step, ops=ops, locals=step.locals & made))
    return kept


def _effective(step: ElementStep, buffer_of: Buffers) -> list[ElementOp]:
    """The operations that write something new, and what those read."""
    kept: list[ElementOp] = []
    read: set[Value] = set()
    for op in reversed(step.ops):
        is_dead = op.out in step.locals and op.out not in read
        if is_dead or _copies_itself(op, step, buffer_of):
            continue
        kept.append(op)
        read |= {o.value for o in op.operands if isinstance(o, View)}
    return kept[::-1]


def _copies_itself(op: ElementOp, step: ElementStep, buffer_of: Buffers) -> bool:
    if op.kind != "copy" or op.out in step.locals:
        return False
    source = _origin(op.operands[0], step)
    return (
        isinstance(source, View)
        and source.is_whole
        and source.value not in step.locals
        and buffer_of[source.value] is buffer_of[op.out]
    )


def _origin(operand: Operand, step: ElementStep) -> Operand:
    """What an operand is a copy of, behind the copies that only the loop sees."""
    for op in reversed(step.ops):
        if isinstance(operand, View) and op.out is operand.value:
            if op.kind != "copy" or op.out not in step.locals:
                break
            operand = op.operands[0]
    return operand
