"""Leaps: many cycles of steady streams at once, with what they would have moved.

Between two equal surveys every operation has moved some elements; in each further
period it moves as many, by the same routes. A leap moves the elements of as many
periods as are certain and puts the time forward. Values, cycles and counts are those
of the single steps.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from pyflame.wse.machine.links import Buffer
from pyflame.wse.machine.microthreads import Execution
from pyflame.wse.machine.operands import (
    FabricDest,
    FabricSource,
    MemoryOperand,
    ScalarDest,
)
from pyflame.wse.machine.queues import InputQueue, OutputQueue
from pyflame.wse.machine.router import Port
from pyflame.wse.machine.steady import Survey
from pyflame.wse.machine.timeline import Timeline

Reach = tuple[int, int]


@dataclass(slots=True)
class Flow:
    """The way of an operation's wavelets in one period.

    Args:
        elements: that the operation moves.
        legs: the buffers that its wavelets pass, each before those that it fills.
    """

    execution: Execution
    elements: int
    legs: list[tuple[Buffer, list[Buffer]]] = field(
        default_factory=list[tuple[Buffer, list[Buffer]]]
    )


def flows_between(before: Survey, after: Survey) -> list[Flow] | None:
    """The flows of the period between two equal surveys, each behind those that feed
    it; None if streams merge, close a ring, or end where no operation reads."""
    moved = {
        execution: now - before.progress[execution]
        for execution, now in after.progress.items()
        if now > before.progress[execution]
    }
    return _Flows(moved).ordered()


class _Flows:
    """Follows wavelets from the operations that send to those that receive."""

    def __init__(self, moved: dict[Execution, int]) -> None:
        self._moved = moved
        self._passed: set[Buffer] = set()
        self._missing = {e: _fabric_sources(e) for e in moved}
        self._ready = [e for e, sources in self._missing.items() if not sources]

    def ordered(self) -> list[Flow] | None:
        flows: list[Flow] = []
        while self._ready:
            execution = self._ready.pop()
            flow = Flow(execution, self._moved[execution])
            dest = _fabric_dest(execution)
            if dest is not None and not self._follow(flow, dest):
                return None
            flows.append(flow)
        return flows if len(flows) == len(self._moved) else None

    def _follow(self, flow: Flow, dest: FabricDest) -> bool:
        """Whether all wavelets of a flow arrive where they are read as they come."""
        wavelets, rest = divmod(flow.elements, 2 if dest.packed else 1)
        ahead: list[Buffer] = [dest.queue]
        for buffer in ahead:
            if buffer in self._passed or rest:
                return False
            self._passed.add(buffer)
            targets = _targets(buffer)
            flow.legs.append((buffer, targets))
            ahead += targets
            if isinstance(buffer, InputQueue) and not self._arrives(buffer, wavelets):
                return False
        return True

    def _arrives(self, queue: InputQueue, wavelets: int) -> bool:
        reader = queue.reader
        if not isinstance(reader, Execution) or reader not in self._moved:
            return False
        missing = self._missing[reader]
        source = next(s for s in missing if s.queue is queue)
        missing.remove(source)
        if not missing:
            self._ready.append(reader)
        return self._moved[reader] == wavelets * (2 if source.packed else 1)


def _targets(buffer: Buffer) -> list[Buffer]:
    """The buffers that get what leaves another."""
    if isinstance(buffer, OutputQueue):
        assert buffer.channel is not None, "a queue in use has a channel"
        return [buffer.channel.ramp]
    if isinstance(buffer, Port):
        branch = buffer.channel.route[buffer.direction]
        assert branch is not None, "wavelets have gone this way"
        return [hop.target for hop in branch.hops]
    return []


def _fabric_sources(execution: Execution) -> list[FabricSource]:
    return [o for o in execution.operands if isinstance(o, FabricSource)]


def _fabric_dest(execution: Execution) -> FabricDest | None:
    found = [o for o in execution.operands if isinstance(o, FabricDest)]
    return found[0] if found else None


# --- how far ----------------------------------------------------------------------


def certain_periods(
    after: Survey, flows: list[Flow], period_cycles: int, max_cycles: int
) -> int:
    """The periods that end before an operation does, before anything else is due,
    and within the budget."""
    horizon = max((cycle for cycle, _ in after.pending), default=0)
    room = [(max_cycles - after.now) // period_cycles]
    if after.fixed_at != float("inf"):
        free = int(after.fixed_at) - after.now - horizon - 1
        room.append(free // period_cycles)
    for flow in flows:
        execution = flow.execution
        if not execution.endless:
            left = execution.length - 1 - execution.processed
            room.append(left // flow.elements)
    return max(0, min(room))


def share_memory(flows: list[Flow], periods: int) -> bool:
    """Whether an operation stores where another one of its PE reads or stores."""
    by_pe: dict[object, list[Flow]] = defaultdict(list)
    for flow in flows:
        by_pe[flow.execution.pe].append(flow)
    return any(
        _overlap(_stored(one, periods), _touched(other, periods))
        for group in by_pe.values()
        if len(group) > 1
        for one in group
        for other in group
        if one is not other
    )


def _overlap(ones: list[Reach], others: list[Reach]) -> bool:
    return any(a < d and c < b for a, b in ones for c, d in others)


def _stored(flow: Flow, periods: int) -> list[Reach]:
    dest = flow.execution.dest
    return _reaches([dest] if dest else [], flow, periods)


def _touched(flow: Flow, periods: int) -> list[Reach]:
    return _reaches(flow.execution.operands, flow, periods)


def _reaches(operands: Sequence[object], flow: Flow, periods: int) -> list[Reach]:
    first = flow.execution.processed
    end = first + flow.elements * periods
    found = [o.reach(first, end) for o in operands if isinstance(o, MemoryOperand)]
    return found + [o.reach() for o in operands if isinstance(o, ScalarDest)]


# --- the leap ---------------------------------------------------------------------


def leap(
    timeline: Timeline, before: Survey, after: Survey, flows: list[Flow], periods: int
) -> None:
    """Brings everything to where it is `periods` periods after the second survey."""
    arrived: dict[InputQueue, list[int]] = {}
    for flow in flows:
        words = flow.execution.move_run(flow.elements * periods, arrived)
        _carry(flow, words, arrived)
    for datapath, busy in after.busy.items():
        datapath.busy_cycles += (busy - before.busy[datapath]) * periods
    cycles = (after.now - before.now) * periods
    for at in after.standings:
        if not isinstance(at, Execution):
            at.shift(cycles)  # pyright: ignore
    now = timeline.now
    moved = [(now + cycle, events) for cycle, events in after.pending]
    timeline.jump(cycles, moved)


def _carry(flow: Flow, words: list[int], arrived: dict[InputQueue, list[int]]) -> None:
    """Moves the wavelets of a flow along its way, each buffer keeping as many."""
    arriving: dict[Buffer, list[int]] = {}
    count = len(words)
    for buffer, targets in flow.legs:
        line = [*buffer.words, *arriving.pop(buffer, words)]
        leaving = line[:count]
        buffer.words = deque(line[count:])
        for target in targets:
            arriving[target] = leaving
        if isinstance(buffer, OutputQueue) and buffer.channel is not None:
            buffer.channel.wavelets_sent += count
        elif isinstance(buffer, Port):
            buffer.channel.hop_count += count * len(targets)
        elif isinstance(buffer, InputQueue):
            buffer.read_count += count
            arrived[buffer] = leaving
