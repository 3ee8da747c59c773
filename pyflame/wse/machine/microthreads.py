"""Operations that may wait, run element by element by a microthread or the main
thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from pyflame.wse.errors import MachineFault
from pyflame.wse.machine.dsd import INFINITE_EXTENT
from pyflame.wse.machine.links import Datapath
from pyflame.wse.machine.operands import (
    Dest,
    FabricDest,
    FabricSource,
    FifoDest,
    FifoSource,
    MemoryOperand,
    Source,
)
from pyflame.wse.machine.operations import OpConfig, OpSpec
from pyflame.wse.machine.processor import Processor
from pyflame.wse.machine.queues import InputQueue
from pyflame.wse.machine.sites import Site
from pyflame.wse.machine.vectors import VectorUnit
from pyflame.wse.machine.wavelet import CONTROL
from pyflame.wse.machine.wide_operands import WideDest, WideSource

# Order of threads at the datapath: microthreads of high and medium priority, then
# the main thread, then microthreads of low priority, the default. A program can move
# the main thread up, as far as to those of high priority.
RANKS = {"high": 0, "medium": 2, "low": 4, None: 4}
MAIN_THREAD_RANK = 3

Done = Callable[["Execution", bool, int], None]


class Threaded(Processor, Protocol):
    """A PE as the operations that run on it see it."""

    gated_microthreads: set[int]

    @property
    def datapath(self) -> Datapath: ...
    @property
    def vectors(self) -> VectorUnit: ...
    def claim(self, execution: Execution, now: int) -> None: ...
    def control_ended(self, execution: Execution, now: int) -> None: ...


class Execution:
    """A running operation: its operands, and how many elements are left.

    Args:
        thread: the microthread's number, None for the main thread.
        length: elements to process; `INFINITE_EXTENT` never ends by itself.
        suspends: waits at an empty or full FIFO; otherwise ends with False there.
        done: called as `done(execution, result, cycle)` at the end.
        site: the operation in the source, if it comes from there.
    """

    __slots__ = (
        "_at_gate",
        "_compute",
        "_datapath",
        "_dest",
        "_done",
        "_flags_last",
        "_pairs",
        "_sources",
        "_stoppable",
        "_timeline",
        "_waitable",
        "_wide",
        "config",
        "element_cycles",
        "ended_by_control",
        "endless",
        "finished",
        "length",
        "over",
        "pe",
        "processed",
        "rank",
        "site",
        "spec",
        "started",
        "suspends",
        "thread",
        "waiting_on",
    )

    def __init__(
        self,
        pe: Threaded,
        spec: OpSpec,
        config: OpConfig,
        dest: Dest | None,
        sources: list[Source],
        length: int,
        thread: int | None,
        rank: int,
        element_cycles: int,
        done: Done,
        site: Site | None = None,
    ) -> None:
        self.pe = pe
        self._datapath, self._timeline = pe.datapath, pe.timeline
        self.site = site
        self.spec = spec
        self.config = config
        self.thread = thread
        self.rank = rank
        self.length = length
        self.endless = length == INFINITE_EXTENT
        self.processed = 0
        self.element_cycles = element_cycles
        self.finished = self.started = self.over = self.ended_by_control = False
        self.suspends = thread is not None
        self.waiting_on: Source | Dest | None = None
        self._dest = dest
        self._sources = sources
        self._compute = pe.vectors.element_function(spec)
        self._done = done
        self._at_gate = False
        operands: list[Source | Dest] = [*sources, *([dest] if dest else [])]
        self._waitable = [operand for operand in operands if operand.waits]
        self._flags_last: FabricDest | None = None
        if isinstance(dest, FabricDest) and dest.dsd.advance_switch:
            self._flags_last = dest
        self._stoppable = [
            source
            for source in sources
            if isinstance(source, FabricSource) and source.stops_on_control
        ]
        # Two elements per step if every wavelet holds two.
        self._pairs = bool(self._waitable) and all(
            isinstance(operand, FabricSource | FabricDest) and operand.packed
            for operand in self._waitable
        )

        # Two wavelets per step if every operand on the fabric can.
        self._wide = bool(self._waitable) and all(
            isinstance(operand, WideSource | WideDest) for operand in self._waitable
        )
        for operand in self._waitable:
            if isinstance(operand, WideSource):
                operand.together &= self._wide

    @property
    def dest(self) -> Dest | None:
        return self._dest

    @property
    def operands(self) -> list[Source | Dest]:
        return [*self._sources, *([self._dest] if self._dest else [])]

    def issue(self, at_cycle: int) -> None:
        """Schedules the operation to claim its resources at a cycle."""
        self.pe.timeline.at(at_cycle, self)

    def run(self, now: int) -> None:
        """Processes the next element, or arranges to be run again."""
        if not self.started:
            self._start(now)
            return
        if self.finished:
            self._end(True, now)
            return
        if self.over or (self.pe.gated_microthreads and self._stops_at_gate()):
            return
        for operand in self._waitable:
            if not operand.ready(now, self):
                self._wait(operand, now)
                return
        for source in self._stoppable:
            if source.at_control():
                self._end_by_control(source, now)
                return
        datapath, cycles = self._datapath, self.element_cycles
        taken = datapath.free_at > now or datapath.waiting
        if taken and not datapath.is_free(now, self):
            return
        datapath.free_at = now + cycles
        datapath.busy_cycles += cycles
        self.waiting_on = None
        try:
            self.processed += self._process(now)
            if self._pairs and self.processed < self.length:
                self.processed += self._process(now)
            if self._wide:
                self._process_second_wavelet(now)
        except MachineFault as fault:
            self._place(fault)
            raise
        if self.processed >= self.length and not self.endless:
            self._finish(now)
        self._timeline.at(now + cycles, self)

    def _finish(self, now: int) -> None:
        self.finished = True
        if isinstance(self._dest, FabricDest):
            self._dest.flush(now)

    def _start(self, now: int) -> None:
        self.started = True
        self.pe.claim(self, now)
        self.pe.timeline.at(now + self.pe.costs.dsd_start_cycles, self)

    def _process(self, now: int) -> int:
        """Moves one element; gives how much of the length that was."""
        dest, sources = self._dest, self._sources
        assert dest is not None, "only @dfilt has no destination"
        if self._flags_last and self.processed == self.length - 1:
            self._flags_last.flag_last()
        if len(sources) == 1:
            bits = self._compute(sources[0].take(now))
        else:
            bits = self._compute(*[source.take(now) for source in sources])
        dest.put(bits, now)
        return 1

    def _process_second_wavelet(self, now: int) -> None:
        """Goes on in the same step, as far as all operands can."""
        for _ in range(2 if self._pairs else 1):
            for operand in self._waitable:
                assert isinstance(operand, WideSource | WideDest), "all are wide"
                if not operand.has_next(now):
                    return
            if self.processed >= self.length:
                return
            self.processed += self._process(now)

    # --- many elements at once: see `steady` ---

    def standing(self) -> tuple[Any, ...]:
        """All that decides what it does next, but its elements and their number."""
        gated = self._at_gate, frozenset(self.pe.gated_microthreads)
        halves = [operand.has_half for operand in self._fabric_operands()]
        return self.waiting_on, *gated, *halves

    def _fabric_operands(self) -> list[FabricSource | FabricDest]:
        return [o for o in self._waitable if isinstance(o, FabricSource | FabricDest)]

    def move_run(self, count: int, arrived: dict[InputQueue, list[int]]) -> list[int]:
        """Moves the next elements, given the wavelets that its queues gave for them;
        the wavelets that they become. As `_process`, element after element."""
        first, dest = self.processed, self._dest
        assert dest is not None, "only @dfilt has no destination"
        self.processed = end = first + count
        if self._feeds_itself(first, end):
            return self._move_in_order(first, end, arrived)
        columns = [_run_of(s, first, end, arrived) for s in self._sources]
        values = list(map(self._compute, *columns))
        if isinstance(dest, FabricDest):
            return dest.put_run(values)
        assert isinstance(dest, MemoryOperand), "scalars are moved in order"
        dest.put_run(first, values)
        return []

    def _feeds_itself(self, first: int, end: int) -> bool:
        """Whether an element may read what the run stores."""
        dest = self._dest
        if not isinstance(dest, MemoryOperand):
            return not isinstance(dest, FabricDest)
        low, high = dest.reach(first, end)
        reaches = [
            source.reach(first, end)
            for source in self._sources
            if isinstance(source, MemoryOperand)
        ]
        return any(start < high and low < past for start, past in reaches)

    def _move_in_order(
        self, first: int, end: int, arrived: dict[InputQueue, list[int]]
    ) -> list[int]:
        dest, sources = self._dest, self._sources
        assert dest is not None, "only @dfilt has no destination"
        assert not isinstance(dest, FabricDest), "the fabric feeds nobody at once"
        given = {
            source: iter(source.take_run(arrived[source.queue]))
            for source in sources
            if isinstance(source, FabricSource)
        }
        for _ in range(first, end):
            bits = [
                next(given[s]) if isinstance(s, FabricSource) else s.take(0)
                for s in sources
            ]
            dest.put(self._compute(*bits), 0)
        return []

    def _place(self, fault: MachineFault) -> None:
        """Tells a fault of an operand which PE and operation it belongs to."""
        if fault.span is None and self.site is not None:
            fault.span = self.site.span
        if str(self.pe) not in fault.message:
            fault.message = f"{self.pe}: {self.spec.name}: {fault.message}"

    def _wait(self, operand: Source | Dest, now: int) -> None:
        self.waiting_on = operand
        if isinstance(operand, FifoSource | FifoDest):
            self._meet_shortage(operand, now)

    def _meet_shortage(self, operand: FifoSource | FifoDest, now: int) -> None:
        """What the FIFO tells an operation to do that finds it empty or full."""
        match operand.action:
            case "fault":
                state = "empty" if isinstance(operand, FifoSource) else "full"
                self._place(fault := MachineFault(f"its FIFO is {state}"))
                raise fault
            case "terminate":
                self._finish(now)
                self.pe.timeline.at(now + 1, self)
            case "test_or_suspend" if not self.suspends:
                self._end(False, now)
            case _:
                pass  # the FIFO wakes it

    def _end(self, result: bool, now: int) -> None:
        if not self.over:
            self.over = True
            self._done(self, result, now)

    def ungate(self, now: int) -> None:
        """`@unblock` of the microthread: goes on if it had stopped at the gate."""
        if self._at_gate:
            self._at_gate = False
            self.pe.timeline.at(max(now, self.pe.timeline.now), self)

    def _stops_at_gate(self) -> bool:
        self._at_gate = self.thread in self.pe.gated_microthreads
        return self._at_gate

    def _end_by_control(self, source: FabricSource, now: int) -> None:
        source.take(now)
        self.ended_by_control = True
        self._finish(now)
        self.pe.control_ended(self, now + 1)
        self.pe.timeline.at(now + 1, self)


def _run_of(
    source: Source, first: int, end: int, arrived: dict[InputQueue, list[int]]
) -> Iterable[int]:
    """The elements of a source from number `first` to before `end`."""
    if isinstance(source, FabricSource):
        return source.take_run(arrived[source.queue])
    if isinstance(source, MemoryOperand):
        return source.take_run(first, end)
    return [source.take(0)] * (end - first)


class DropFilter(Execution):
    """`@dfilt`: drops data wavelets until `length` control wavelets have come."""

    def _process(self, now: int) -> int:
        source = self.operands[0]
        assert isinstance(source, FabricSource), "@dfilt reads the fabric"
        return int(bool(source.queue.take(now) & CONTROL))
