"""Running operations that tell what they spend their time on."""

from __future__ import annotations

from typing import Any

from pyflame.wse.machine.microthreads import DropFilter, Execution
from pyflame.wse.machine.operands import (
    Dest,
    FabricDest,
    FabricSource,
    FifoDest,
    FifoSource,
    Source,
)
from pyflame.wse.machine.recorder import MAIN_THREAD, Recorder, Slice

# What an operation's time goes to. The first is no wait: elements move.
MOVING = "moving elements"
STARTING = "starting"
DATAPATH = "execution slots taken"
BLOCKED = "microthread blocked"


class _Watched(Execution):
    """Books the cycles between two looks at an operation to what it did then."""

    __slots__ = ("_began", "_moved", "_since", "_state", "recorder")

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.recorder: Recorder = self.pe.recorder  # pyright: ignore
        self._state = STARTING
        self._began = self._since = 0
        self._moved = False

    @property
    def track(self) -> int:
        return MAIN_THREAD if self.thread is None else 1 + self.thread

    def run(self, now: int) -> None:
        if not self.started:
            self._began = self._since = now
        elif not self.over:
            self.book(now)
        self._moved = False
        super().run(now)
        if self.over:
            return
        self._state = self._doing()

    def book(self, now: int) -> None:
        """Counts the time since the last look."""
        pe: Any = self.pe
        cycles = now - self._since
        if cycles:
            self.recorder.waits[pe.x, pe.y][self.track, self._state] += cycles
            if self._state != MOVING:
                self._slice(self._since, now, "wait", self._state)
        self._since = now

    def _doing(self) -> str:
        if self._moved or self.finished:
            return MOVING
        if self.waiting_on is not None:
            return cause_of(self.waiting_on)
        if self.processed == 0 and self._state == STARTING:
            return STARTING
        return BLOCKED if self.thread in self.pe.gated_microthreads else DATAPATH

    def _process(self, now: int) -> int:
        self._moved = True
        return super()._process(now)

    def _end(self, result: bool, now: int) -> None:
        if not self.over:
            self.book(now)
            self._slice(self._began, now, "operation", self.spec.name)
            pe: Any = self.pe
            name = self.spec.name
            ended = f"{name} has ended after {self.processed} elements"
            self.recorder.log(pe.x, pe.y, now, ended)
        super()._end(result, now)

    def _slice(self, start: int, end: int, kind: str, name: str) -> None:
        pe: Any = self.pe
        self.recorder.add_slice(
            Slice(pe.x, pe.y, self.track, start, end, kind, name, self.site)
        )


class WatchedOperation(_Watched):
    __slots__ = ()


class WatchedFilter(_Watched, DropFilter):
    __slots__ = ()


def cause_of(operand: Source | Dest) -> str:
    """What an operation lacks that waits for an operand."""
    if isinstance(operand, FabricSource):
        number = operand.queue.number
        where = "" if number is None else f" in input queue {number}"
        return f"no wavelet of color {operand.queue.color}{where}"
    if isinstance(operand, FabricDest):
        return f"output queue {operand.queue.number} full"
    if isinstance(operand, FifoSource):
        return "FIFO empty"
    return "FIFO full" if isinstance(operand, FifoDest) else "memory"
