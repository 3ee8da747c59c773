"""Flushing a queue of WSE-3: the teardown task runs as soon as the queue is empty.

`@queue_flush(q)` asks for it. When the queue is empty, or at once if it already is,
its flush bit is set and task 29 becomes active; `<tile_config>.queue_flush.exit`
clears the bit. Source: the WSE-3 pages on builtins and libraries. What they leave
open: the queue works on as before, while it is being flushed and after.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from pyflame.wse.machine.limits import TEARDOWN_TASK_ID
from pyflame.wse.machine.links import Buffer
from pyflame.wse.machine.queues import InputQueue, OutputQueue
from pyflame.wse.machine.timeline import Timeline

Queue = tuple[str, int]  # input_queue or output_queue, and its number


class FlushingPe(Protocol):
    """The part of a PE that flushing needs; `library` keeps its state."""

    clock: int
    timeline: Timeline
    inputs: dict[int, InputQueue]
    outputs: list[OutputQueue]
    library: dict[str, Any]

    def activate_by_hardware(self, id_: int, now: int) -> None: ...


@dataclass(slots=True)
class Flushes:
    """The flush bits of a PE; `fresh` are those that no handler was called for."""

    bits: set[Queue] = field(default_factory=set[Queue])
    fresh: list[Queue] = field(default_factory=list[Queue])

    def taken(self) -> list[Queue]:
        """The queues whose bit was set since the last call."""
        fresh, self.fresh = self.fresh, []
        return fresh

    def mask(self, kind: str) -> int:
        """One bit per queue of a kind."""
        return sum(1 << number for found, number in self.bits if found == kind)


def flushes_of(pe: FlushingPe) -> Flushes:
    return pe.library.setdefault("flushes", Flushes())


class Flush:
    """Waits for one queue to become empty: woken by every wavelet that leaves it."""

    __slots__ = ("_buffer", "_pe", "_queue")

    def __init__(self, pe: FlushingPe, queue: Queue, buffer: Buffer | None) -> None:
        self._pe = pe
        self._queue = queue
        self._buffer = buffer

    def run(self, now: int) -> None:
        if self._buffer is not None and self._buffer.words:
            self._buffer.waiters.append(self)
            return
        flushes = flushes_of(self._pe)
        flushes.bits.add(self._queue)
        flushes.fresh.append(self._queue)
        self._pe.activate_by_hardware(TEARDOWN_TASK_ID, now)


def flush(pe: FlushingPe, kind: str, number: int) -> None:
    """Asks for a queue's flush bit, from the PE's clock on."""
    found: list[Buffer] = (
        [queue for queue in pe.inputs.values() if queue.number == number]
        if kind == "input_queue"
        else [queue for queue in pe.outputs if queue.number == number]
    )
    event = Flush(pe, (kind, number), found[0] if found else None)
    pe.timeline.at(max(pe.clock, pe.timeline.now), event)
