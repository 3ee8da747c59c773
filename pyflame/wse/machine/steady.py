"""Steady streams: what runs now and all that it can touch, in a form that compares.

Where streams have filled their routes, a few cycles are like the few before, for the
number of their wavelets. Two surveys that are equal but for the time between them prove
it: everything that can happen is decided by what they hold, so it happens again, until
an operation ends or something else is due. `leaps` moves that stretch at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pyflame.wse.machine.links import Buffer, Datapath, Link
from pyflame.wse.machine.microthreads import Execution
from pyflame.wse.machine.operands import (
    FabricDest,
    FabricSource,
    MemoryOperand,
    ScalarDest,
    ScalarSource,
)
from pyflame.wse.machine.queues import InputQueue, OutputQueue
from pyflame.wse.machine.router import Port
from pyflame.wse.machine.timeline import Event, Timeline
from pyflame.wse.machine.wavelet import CONTROL

Pending = list[tuple[int, list[Event]]]  # by cycles from now

# Operands whose elements come and go without any other effect.
_PLAIN_OPERANDS = (FabricSource, FabricDest, MemoryOperand, ScalarSource, ScalarDest)


@dataclass(slots=True)
class Survey:
    """What is due, and the objects that this can reach, as they stand.

    Args:
        fixed_at: the first cycle of anything that is no part of a stream.
        standings: of each object, in the order in which they were reached.
        progress: elements that each running operation has moved.
        busy: cycles that each datapath has been busy.
    """

    now: int
    pending: Pending
    fixed_at: float
    standings: dict[object, tuple[Any, ...]] = field(
        default_factory=dict[object, tuple[Any, ...]]
    )
    progress: dict[Execution, int] = field(default_factory=dict[Execution, int])
    busy: dict[Datapath, int] = field(default_factory=dict[Datapath, int])


def pending_streams(timeline: Timeline) -> tuple[Pending, float]:
    """What streams do next, and the first cycle in which anything else happens."""
    now = timeline.now
    late = timeline.first_late()
    fixed_at = float("inf") if late is None else late
    pending: Pending = []
    for cycle, events in timeline.due():
        if not all(map(_streams, events)):
            return pending, min(fixed_at, cycle)
        pending.append((cycle - now, list(events)))
    return pending, fixed_at


def streams_come_next(timeline: Timeline) -> bool:
    """Whether there is nothing but streams in the next cycle: quickly told, which the
    whole of what is due is not where many PEs compute."""
    events, and_late = timeline.soonest()
    return not and_late and all(map(_streams, events))


def _streams(event: Event) -> bool:
    kind = type(event)
    if kind is Execution:
        return event.started and not event.finished  # pyright: ignore
    if kind is InputQueue:
        return event.reader is not None  # pyright: ignore
    return kind in _REACH


def survey(timeline: Timeline) -> Survey | None:
    """The survey of this cycle's end; None if something is in reach whose doings hang
    on more than that: control wavelets, filters, FIFOs, the host's streams."""
    pending, fixed_at = pending_streams(timeline)
    found = Survey(timeline.now, pending, fixed_at)
    reached: list[object] = [event for _, events in pending for event in events]
    standings = found.standings
    for at in reached:
        if at in standings:
            continue
        reach = _REACH.get(type(at))
        standing = None if reach is None else reach(at, found, reached)
        if standing is None:
            return None
        standings[at] = standing
    return found


# --- what each kind of object can reach, and how it stands ------------------------

_Standing = tuple[Any, ...] | None


def _buffer(buffer: Buffer, found: Survey, reached: list[object]) -> _Standing:
    reached += buffer.waiters
    if buffer.words and max(buffer.words) >= CONTROL:
        return None
    return buffer.standing(found.now)


def _port(port: Port, found: Survey, reached: list[object]) -> _Standing:
    channel = port.channel
    branch = channel.route[port.direction]
    if channel.filter is not None:
        return None
    for hop in () if branch is None else branch.hops:
        reached += (hop.link, hop.target)
    route = branch, channel.position, channel.teardown, tuple(channel.parked)
    standing = _buffer(port, found, reached)
    return None if standing is None else (*standing, *route)


def _input(queue: InputQueue, found: Survey, reached: list[object]) -> _Standing:
    if queue.reader is not None:
        reached.append(queue.reader)
    standing = _buffer(queue, found, reached)
    return None if standing is None else (*standing, queue.reader, queue.reader_waits)


def _output(queue: OutputQueue, found: Survey, reached: list[object]) -> _Standing:
    reached.append(queue.ramp)
    if queue.channel is not None:
        reached.append(queue.channel.ramp)
    if queue.writer is not None:
        reached.append(queue.writer)
    standing = _buffer(queue, found, reached)
    return None if standing is None else (*standing, queue.channel, queue.writer)


def _link(link: Link, found: Survey, reached: list[object]) -> _Standing:
    reached += link.waiting
    return link.standing(found.now)


def _datapath(datapath: Datapath, found: Survey, reached: list[object]) -> _Standing:
    found.busy[datapath] = datapath.busy_cycles
    return _link(datapath, found, reached)


def _execution(execution: Execution, found: Survey, reached: list[object]) -> _Standing:
    if execution.over:
        return ("over",)
    if not execution.started or execution.finished or not _is_plain(execution):
        return None
    for operand in execution.operands:
        if isinstance(operand, FabricSource | FabricDest):
            reached.append(operand.queue)
    reached.append(execution.pe.datapath)
    found.progress[execution] = execution.processed
    return execution.standing()


def _is_plain(execution: Execution) -> bool:
    """Whether elements go the same way whatever they are."""
    if execution.spec.name == "@addc16":
        return False
    for operand in execution.operands:
        if type(operand) not in _PLAIN_OPERANDS:
            return False
        if isinstance(operand, MemoryOperand) and operand.places is None:
            return False
        if isinstance(operand, FabricDest) and operand.dsd.control:
            return False
    return True


_REACH: dict[type, Callable[[Any, Survey, list[Any]], _Standing]] = {
    Port: _port,
    InputQueue: _input,
    OutputQueue: _output,
    Link: _link,
    Datapath: _datapath,
    Execution: _execution,
}
