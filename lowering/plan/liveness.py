"""When each value is needed, and which values may share memory."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from lowering.plan.control import loop_spans
from lowering.plan.fuse import is_same_element
from lowering.plan.steps import ElementStep, Step
from lowering.plan.values import Value, View

_BEFORE = -1  # the first step is number 0


@dataclass(frozen=True, slots=True)
class Interval:
    """A value is written at step `first` and last touched at step `last`."""

    first: int
    last: int


def intervals(
    steps: Sequence[Step], outputs: Collection[Value], donated: Collection[Value] = ()
) -> dict[Value, Interval]:
    """The life of every value that a step makes; outputs live to the end.

    Inputs live all the time, also those whose padding a step fills; but those that are
    donated only until they are touched last. What a loop finds from before lives
    through all of it, and so does what it leaves for later.
    """
    lives = {value: Interval(_BEFORE, _BEFORE) for value in donated}
    for number, step in enumerate(steps):
        for value in step.writes():
            if value.role == "input" and value not in lives:
                continue
            first = lives[value].first if value in lives else number
            lives[value] = Interval(first, number)
        for value in step.reads():
            if value in lives:
                lives[value] = Interval(lives[value].first, number)
    for value in outputs:
        if value in lives:
            lives[value] = Interval(lives[value].first, len(steps))
    for span in loop_spans(steps):  # inner loops first
        lives = {value: _around(life, *span) for value, life in lives.items()}
    return lives


def _around(life: Interval, start: int, end: int) -> Interval:
    """The life of a value, given that steps `start` to `end` repeat."""
    first, last = life.first, life.last
    if first < start < last <= end:
        return Interval(first, end)
    if start < first <= end < last:
        return Interval(start, last)
    return life


def may_replace(step: Step, old: Value, new: Value) -> bool:
    """Whether `step` may write `new` where `old`, which it reads last, stands.

    True when every element of `old` is read in the same iteration that writes `new`,
    and not after that write.
    """
    if not isinstance(step, ElementStep) or old.dtype != new.dtype:
        return False
    if old.element_count != new.element_count:
        return False
    written = [number for number, op in enumerate(step.ops) if op.out is new]
    for number, op in enumerate(step.ops):
        for operand in op.operands:
            if not isinstance(operand, View) or operand.value is not old:
                continue
            if number > written[0] or not is_same_element(operand, op.out):
                return False
    return True
