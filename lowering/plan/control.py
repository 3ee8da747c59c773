"""Loops and branches of a plan: markers between which its steps repeat or are left out.

The plan stays one list of steps. A loop is a `LoopStart`, its body, and a `LoopEnd`; a
loop without a fixed number of passes has a `LoopTest` in it. A branch is a
`BranchStart`, the steps of case 0, one `BranchCase` before each further case, and a
`BranchEnd`. Both nest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lowering.plan.origins import OneEquation, Origin
from lowering.plan.values import Count, Loop, Value, View


@dataclass(frozen=True, slots=True)
class Start:
    """`stride * index` elements: where a window begins along one dimension."""

    index: Count | View
    stride: int


@dataclass(slots=True)
class LoopStart(OneEquation):
    """The first pass of the loop begins; later ones come back here."""

    loop: Loop
    origin: Origin


@dataclass(slots=True)
class LoopTest(OneEquation):
    """Leaves the loop if `predicate`, bool[], is false."""

    loop: Loop
    predicate: View
    origin: Origin

    def reads(self) -> list[Value]:
        return [self.predicate.value]


@dataclass(slots=True)
class LoopEnd(OneEquation):
    """Back to the start, unless it was the last pass."""

    loop: Loop
    origin: Origin


@dataclass(eq=False, slots=True)
class Branch:
    """Steps of which one of `cases` lists runs."""

    cases: int


@dataclass(slots=True)
class BranchStart(OneEquation):
    """Goes to the case of number `selector`, i32[]; case 0 follows."""

    branch: Branch
    selector: View
    origin: Origin

    def reads(self) -> list[Value]:
        return [self.selector.value]


@dataclass(slots=True)
class BranchCase(OneEquation):
    """The case before ends; case `number` begins."""

    branch: Branch
    number: int
    origin: Origin


@dataclass(slots=True)
class BranchEnd(OneEquation):
    """All cases go on here."""

    branch: Branch
    origin: Origin


ControlStep = LoopStart | LoopTest | LoopEnd | BranchStart | BranchCase | BranchEnd


def is_control(step: Any) -> bool:
    """Whether the step only says what runs next."""
    return isinstance(step, ControlStep)


def loop_spans(steps: Sequence[Any]) -> list[tuple[int, int]]:
    """The numbers of each loop's start and end, inner loops before outer ones."""
    spans: list[tuple[int, int]] = []
    open_starts: list[int] = []
    for number, step in enumerate(steps):
        if isinstance(step, LoopStart):
            open_starts.append(number)
        elif isinstance(step, LoopEnd):
            spans.append((open_starts.pop(), number))
    assert not open_starts, "a loop has no end"
    return spans
