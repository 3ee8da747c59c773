"""Proves by following the program that every step finds the values it reads.

Apart from `liveness`, and by another way: for each buffer, the values that may stand in
it are carried along all paths, around loops and through branches. A step that reads a
value must find nothing else in its buffer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lowering.plan.allocate import Buffer
from lowering.plan.control import (
    BranchCase,
    BranchEnd,
    BranchStart,
    LoopEnd,
    LoopStart,
    LoopTest,
)
from lowering.plan.steps import Step
from lowering.plan.values import Value

# What may stand in each buffer: values, or None for what nobody wrote.
_State = dict[Buffer, frozenset[Value | None]]


def check_flow(steps: Sequence[Step], buffer_of: Mapping[Value, Buffer]) -> None:
    """Raises AssertionError, if a step may read what another value has overwritten."""
    start: _State = {
        buffer: frozenset(
            [v for v in buffer.values if v.role in ("input", "constant")] or [None]
        )
        for buffer in buffer_of.values()
    }
    following = _successors(steps)
    states: dict[int, _State] = {0: start}
    waiting = [0]
    while waiting:
        number = waiting.pop()
        if number == len(steps):
            continue
        after = _after(steps[number], states[number], buffer_of)
        for target in following[number]:
            joined = _joined(states.get(target), after)
            if joined != states.get(target):
                states[target] = joined
                waiting.append(target)


def _after(step: Step, state: _State, buffer_of: Mapping[Value, Buffer]) -> _State:
    for value in step.reads():
        found = state[buffer_of[value]]
        others = [other.name if other else "nothing" for other in found - {value}]
        assert not others, (
            f"{step.origins[-1].equation}: {value.name} may be overwritten by "
            f"{', '.join(sorted(others))}"
        )
    written = {buffer_of[value]: frozenset([value]) for value in step.writes()}
    return {**state, **written}


def _joined(known: _State | None, more: _State) -> _State:
    if known is None:
        return dict(more)
    return {buffer: known[buffer] | values for buffer, values in more.items()}


def _successors(steps: Sequence[Step]) -> list[list[int]]:
    """The steps that may run after each; the number of steps stands for the end."""
    following = [[number + 1] for number in range(len(steps))]
    starts: dict[object, int] = {}
    tests: dict[object, int] = {}
    case_ends: dict[object, list[int]] = {}
    for number, step in enumerate(steps):
        match step:
            case LoopStart():
                starts[step.loop] = number
            case LoopTest():
                tests[step.loop] = number
            case LoopEnd() if step.loop in tests:
                following[number] = [starts[step.loop] + 1]
                following[tests[step.loop]].append(number + 1)
            case LoopEnd():
                following[number].append(starts[step.loop] + 1)
            case BranchStart():
                starts[step.branch] = number
            case BranchCase():
                following[starts[step.branch]].append(number + 1)
                case_ends.setdefault(step.branch, []).append(number)
            case BranchEnd():
                for end in case_ends.get(step.branch, []):
                    following[end] = [number]
            case _:
                pass
    return following
