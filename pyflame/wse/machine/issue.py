"""Issue of vector operations: operands, lengths and threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from pyflame.wse.errors import MachineFault
from pyflame.wse.machine.arithmetic import to_bits
from pyflame.wse.machine.completion import Completion
from pyflame.wse.machine.control_transform import TransformedDest, TransformedSource
from pyflame.wse.machine.dsd import (
    INFINITE_EXTENT,
    Dsr,
    FabIn,
    FabOut,
    Fifo,
    Mem1d,
    Mem4d,
    Memory1or4,
    ScalarPointer,
)
from pyflame.wse.machine.dsrs import DsrFile, Issued, LoadedDsr, merged
from pyflame.wse.machine.fifos import FifoState
from pyflame.wse.machine.limits import ArchLimits, Semantics
from pyflame.wse.machine.memory import Memory
from pyflame.wse.machine.microthreads import RANKS, Execution, Threaded
from pyflame.wse.machine.operands import (
    Dest,
    FabricDest,
    FabricSource,
    FifoDest,
    FifoSource,
    MemoryOperand,
    ScalarDest,
    ScalarSource,
    Source,
)
from pyflame.wse.machine.operations import Operation, OpSpec
from pyflame.wse.machine.queues import InputQueue, OutputQueue
from pyflame.wse.machine.router import Channel
from pyflame.wse.machine.vector_plans import VectorPlan, VectorPlans
from pyflame.wse.machine.vectors import MEMORY_KINDS, cycles

_EXTENDED = (Mem1d, Mem4d, FabIn, FabOut)
_DESCRIPTORS = (*_EXTENDED, Fifo)


class Issuing(Threaded, Protocol):
    """A PE as the issue of operations sees it."""

    clock: int
    waiting_for: Execution | None
    main_thread_rank: int
    fifos: list[FifoState]
    microthreads: list[Execution | None]
    inputs: dict[int, InputQueue]
    channel: Callable[[int], Channel]
    execution_kinds: tuple[type[Execution], type[Execution]]  # all, and @dfilt

    @property
    def arch(self) -> ArchLimits: ...
    @property
    def semantics(self) -> Semantics: ...
    @property
    def memory(self) -> Memory: ...
    @property
    def vector_plans(self) -> VectorPlans: ...
    def input_queue(self, dsd: FabIn) -> InputQueue: ...
    def output_queue(self, dsd: FabOut) -> OutputQueue: ...
    def activate_by_hardware(self, id_: int, now: int) -> None: ...
    def unblock_by_hardware(self, kind: str, id_: int, now: int) -> None: ...
    def resume(self, result: bool, now: int) -> None: ...
    def fault(self, message: str) -> MachineFault: ...


class Issuer:
    """Issues the operations of one PE."""

    __slots__ = ("_dsrs", "_lanes", "_pe", "completion")

    def __init__(self, pe: Issuing, dsrs: DsrFile) -> None:
        self._pe = pe
        self._dsrs = dsrs
        self.completion = Completion(pe)
        self._lanes: dict[int, float] = {}

    # --- from operation to issued ---

    def resolve(self, operation: Operation) -> Issued:
        """Looks into DSRs and finds the length.

        Raises:
            MachineFault: for an empty DSR, or a memory operand that is too short.
        """
        config = operation.config
        moving: list[tuple[LoadedDsr, Memory1or4]] = []
        operands: list[Any] = []
        for operand in (operation.dest, *operation.sources):
            if type(operand) is Dsr:
                held = self._dsrs.loaded(operand)
                operand = held.descriptor
                config = merged(config, held.config)
                if held.save_address and isinstance(operand, MEMORY_KINDS):
                    moving.append((held, operand))
            operands.append(operand)
        dest, sources = operands[0], tuple(operands[1:])
        length = self._length(operation.spec, dest, sources)
        return Issued(
            operation.spec,
            dest,
            sources,
            config,
            length,
            self._accumulates(operation.spec, dest, sources),
            tuple(moving),
            operation.site,
        )

    def _length(self, spec: OpSpec, dest: Any, sources: tuple[Any, ...]) -> int:
        """The first of sources, then destination, that has a length; else 1."""
        length = 0
        for operand in sources:
            length = length or self._extent(operand, "read")
        length = length or self._extent(dest, "write") or 1
        for operand in (dest, *sources):
            if isinstance(operand, MEMORY_KINDS):
                self._check_reach(spec, operand, length)
        return length

    def _extent(self, operand: Any, side: str) -> int:
        if isinstance(operand, Fifo):
            fifo = self._pe.fifos[operand.number]
            return fifo.read_length if side == "read" else fifo.write_length
        return operand.extent if isinstance(operand, _EXTENDED) else 0

    def _check_reach(self, spec: OpSpec, dsd: Memory1or4, length: int) -> None:
        if dsd.extent >= length or length == INFINITE_EXTENT:
            return
        if isinstance(dsd, Mem1d) and not self._pe.semantics.short_memory_fault:
            return
        raise self._pe.fault(
            f"{spec.name} runs over {length} elements, but a memory operand has "
            f"{dsd.extent}; the length is that of the first source that has one "
            "(0 counts as none), and no document says what a shorter operand does"
        )

    def _accumulates(self, spec: OpSpec, dest: Any, sources: tuple[Any, ...]) -> bool:
        """Whether it is `@op(&scalar, scalar, vector)`."""
        return (
            spec.reduces
            and isinstance(dest, ScalarPointer)
            and not isinstance(sources[0], _DESCRIPTORS)
            and self._pe.semantics.scalar_is_accumulator
        )

    # --- on memory ---

    def run_on_memory(self, operation: Operation) -> int:
        """Runs it now; gives its cycles."""
        pe = self._pe
        plan = pe.vector_plans.find(operation, self._plan)
        if plan is None:
            return self._run_vector(self.resolve(operation))
        plan.run(pe.memory, operation.sources)
        return plan.cycles

    def _plan(self, operation: Operation) -> VectorPlan | None:
        issued = self.resolve(operation)
        vectors = self._pe.vectors
        return vectors.plan(
            issued.spec,
            issued.dest,
            issued.sources,
            issued.length,
            self._vector_cycles(issued),
        )

    def _run_vector(self, issued: Issued) -> int:
        pe, spec = self._pe, issued.spec
        index = issued.config.index or 0
        pe.vectors.run(
            spec, issued.dest, issued.sources, issued.length, index, issued.accumulates
        )
        issued.save_addresses(issued.length)
        return self._vector_cycles(issued)

    def _vector_cycles(self, issued: Issued) -> int:
        costs = self._pe.costs
        sizes = tuple(dtype.itemsize for dtype in issued.spec.source_dtypes)
        return costs.dsd_setup_cycles + cycles(
            self._lanes_of(issued),
            costs.bank_conflict_factor,
            costs.bank_count,
            issued.sources,
            sizes,
            issued.length,
        )

    def _lanes_of(self, issued: Issued) -> float:
        costs = self._pe.costs
        if isinstance(issued.dest, ScalarPointer):
            return costs.scalar_result_lanes if issued.accumulates else 1.0
        spec = issued.spec
        lanes = self._lanes.get(spec.number)
        if lanes is None:
            lanes = getattr(costs, f"{spec.lanes}_lanes")
            self._lanes[spec.number] = lanes
        return lanes

    # --- operations that may wait ---

    def start_async(self, operation: Operation) -> None:
        self._start(self.resolve(operation), asynchronous=True)

    def run_or_wait(self, operation: Operation) -> bool | None:
        """Issues what generated code has yielded; None if the thread must wait."""
        pe = self._pe
        issued = self.resolve(operation)
        if issued.config.asynchronous:
            self._start(issued, asynchronous=True)
            return True
        if not issued.waits:
            pe.clock += self._run_vector(issued)
            return True
        pe.waiting_for = self._start(issued, asynchronous=False)
        return None

    def _start(self, issued: Issued, asynchronous: bool) -> Execution:
        pe, config = self._pe, issued.config
        thread = self._microthread(issued) if asynchronous else None
        rank = RANKS[self._priority(issued)] if asynchronous else pe.main_thread_rank
        lanes = self._lanes_of(issued)
        kind = pe.execution_kinds[issued.spec.name == "@dfilt"]
        dest = self._dest(issued)
        execution = kind(
            pe,
            issued.spec,
            config,
            dest,
            self._sources(issued, dest),
            issued.length,
            thread,
            rank,
            max(pe.costs.fabric_element_cycles, round(1 / lanes)),
            self.completion.finish,
            issued.site,
        )
        self.completion.expect(execution, issued)
        execution.issue(pe.clock)
        if asynchronous:
            pe.clock += pe.costs.async_issue_cycles
        return execution

    def _priority(self, issued: Issued) -> str | None:
        for operand in (issued.dest, *issued.sources):
            if isinstance(operand, FabIn | FabOut) and operand.priority:
                return operand.priority
        return issued.config.priority

    def _microthread(self, issued: Issued) -> int:
        """WSE-3: the number asked for; else that of the queue of the destination,
        or of the first source.

        Raises:
            MachineFault: if nothing gives a number below 8.
        """
        number = issued.config.ut_id if self._pe.arch.queues_need_init else None
        if number is None:
            for operand in (issued.dest, *issued.sources):
                if isinstance(operand, FabIn | FabOut):
                    number = operand.queue
                    break
        if number is None or not 0 <= number < len(self._pe.microthreads):
            raise self._pe.fault(
                f"asynchronous {issued.spec.name} needs a fabric operand with a queue: "
                "its number chooses the microthread"
            )
        return number

    def _sources(self, issued: Issued, dest: Dest | None) -> list[Source]:
        sources: list[Source] = []
        dtypes = issued.spec.source_dtypes
        for place, (operand, dtype) in enumerate(
            zip(issued.sources, dtypes, strict=True)
        ):
            if place == 0 and issued.accumulates and isinstance(dest, ScalarDest):
                dest.bits = to_bits(operand, dtype)
                sources.append(dest)
            else:
                sources.append(self._source(issued, operand, dtype))
        return sources

    def _source(self, issued: Issued, operand: Any, dtype: Any) -> Source:
        pe = self._pe
        if isinstance(operand, MEMORY_KINDS):
            index = issued.config.index or 0
            size = dtype.itemsize
            return MemoryOperand(pe.memory, operand, size, index, issued.length)
        if isinstance(operand, FabIn):
            self._check_fabric(issued.spec, operand, dtype.itemsize)
            stops = issued.config.on_control is not None
            queue = pe.input_queue(operand)
            source = TransformedSource if operand.control_transform else FabricSource
            return source(queue, operand, dtype.itemsize, stops)
        if isinstance(operand, Fifo):
            return FifoSource(pe.fifos[operand.number], pe.activate_by_hardware)
        return ScalarSource(to_bits(operand, dtype))

    def _dest(self, issued: Issued) -> Dest | None:
        pe, operand, config = self._pe, issued.dest, issued.config
        size = issued.spec.dest_dtype.itemsize
        if operand is None:
            return None
        if isinstance(operand, MEMORY_KINDS):
            index = config.index or 0
            return MemoryOperand(pe.memory, operand, size, index, issued.length)
        if isinstance(operand, Fifo):
            return FifoDest(pe.fifos[operand.number], pe.activate_by_hardware)
        if isinstance(operand, ScalarPointer):
            return ScalarDest(pe.memory, operand.address, size, 0)
        self._check_fabric(issued.spec, operand, size)
        queue = pe.output_queue(operand)
        channel = pe.channel(operand.color)
        cycles_ = pe.costs.fabric_element_cycles
        kind = TransformedDest if operand.control_transform else FabricDest
        return kind(queue, channel, operand, size, config.index, cycles_)

    def _check_fabric(self, spec: OpSpec, dsd: FabIn | FabOut, size: int) -> None:
        if dsd.control_transform and size != 4:
            raise self._pe.fault(
                f"{spec.name} on color {dsd.color} has .control_transform, which marks "
                "the top bits of 32-bit elements; this operation has 16-bit ones"
            )
