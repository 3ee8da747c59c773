"""Buffers by size: the largest values are placed first, whenever they are written.

Source: Pisarchyk & Lee 2020, "Efficient memory management for deep neural net
inference" (greedy by size, for shared objects). Small values then use what large ones
leave free, and no buffer grows. What is copied is placed with its copy where it can be:
then the copy vanishes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Sequence

from lowering.plan.allocate import Allocation, Buffer, finish, open_buffer
from lowering.plan.liveness import Interval, intervals, may_replace
from lowering.plan.steps import ElementStep, Step
from lowering.plan.values import Value, View


def pack(
    steps: Sequence[Step],
    persistent: Sequence[Value],
    outputs: Collection[Value],
    donated: Sequence[Value] = (),
) -> Allocation:
    """Gives every value a buffer, as `allocate` does, but the largest first."""
    lives = intervals(steps, outputs, donated)
    allocation = Allocation(tuple(steps), [], {}, lives)
    for value in (*persistent, *donated):
        open_buffer(allocation, value)
    shared = {b: _Row(steps, lives) for b in allocation.buffers[len(persistent) :]}
    for buffer, row in shared.items():
        row.add(buffer.values[0])
    partners = _copies(steps)
    made = [value for value in lives if value not in donated]
    for value in sorted(made, key=lambda v: (-v.element_count, lives[v].first)):
        buffer = _place(shared, value, partners.get(value, set()))
        if buffer is None:
            buffer = open_buffer(allocation, value)
            shared[buffer] = _Row(steps, lives)
        allocation.buffer_of[value] = buffer
        shared[buffer].add(value)
    for buffer, row in shared.items():
        buffer.values[:] = row.values
    count = len(persistent)
    allocation.buffers[count:] = sorted(
        allocation.buffers[count:], key=lambda b: lives[b.values[0]].first
    )
    finish(allocation)
    return allocation


class _Row:
    """The values of a buffer one after the other, and what there is room between."""

    def __init__(self, steps: Sequence[Step], lives: dict[Value, Interval]) -> None:
        self._steps = steps
        self._lives = lives
        self._firsts: list[int] = []
        self.values: list[Value] = []

    def add(self, value: Value) -> None:
        place = bisect_left(self._firsts, self._lives[value].first)
        self._firsts.insert(place, self._lives[value].first)
        self.values.insert(place, value)

    def has_room(self, value: Value) -> bool:
        """Whether the value before it is dead by then, and it before the next."""
        first = self._lives[value].first
        place = bisect_left(self._firsts, first)
        if place < len(self.values) and self._firsts[place] == first:
            return False
        before, after = self.values[place - 1 : place], self.values[place : place + 1]
        return all(self._follows(old, value) for old in before) and all(
            self._follows(value, new) for new in after
        )

    def _follows(self, old: Value, new: Value) -> bool:
        end, start = self._lives[old].last, self._lives[new].first
        return end < start or (
            self._lives[old].first < end == start
            and may_replace(self._steps[start], old, new)
        )


def _place(
    shared: dict[Buffer, _Row], value: Value, partners: set[Value]
) -> Buffer | None:
    """The free buffer of the dtype that has a copy of the value, or wastes least."""
    free = [
        buffer
        for buffer, row in shared.items()
        if buffer.dtype == str(value.dtype)
        and buffer.element_count >= value.element_count
        and row.has_room(value)
    ]
    return min(
        free,
        key=lambda b: (partners.isdisjoint(shared[b].values), b.element_count),
        default=None,
    )


def _copies(steps: Sequence[Step]) -> dict[Value, set[Value]]:
    """What each value is a copy of, or is copied to."""
    found: dict[Value, set[Value]] = {}
    for step in steps:
        for op in step.ops if isinstance(step, ElementStep) else ():
            source = op.operands[0]
            if op.kind == "copy" and isinstance(source, View):
                found.setdefault(op.out, set()).add(source.value)
                found.setdefault(source.value, set()).add(op.out)
    return found
