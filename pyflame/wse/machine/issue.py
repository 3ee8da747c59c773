"""Issue of vector operations: on memory at once, or to a thread that may wait."""

from __future__ import annotations

from typing import Protocol

from pyflame.wse.machine.completion import Completing, Completion
from pyflame.wse.machine.dsd import (
    INFINITE_EXTENT,
    FabIn,
    FabOut,
    Fifo,
    ScalarPointer,
)
from pyflame.wse.machine.dsrs import DsrFile, Issued
from pyflame.wse.machine.limits import ArchLimits
from pyflame.wse.machine.microthreads import RANKS, Execution, Threaded
from pyflame.wse.machine.operand_making import Equipped, OperandMaker
from pyflame.wse.machine.operations import Operation
from pyflame.wse.machine.resolving import Resolver, Resolving
from pyflame.wse.machine.vector_cycles import element_cycles, setup_cycles
from pyflame.wse.machine.vector_plans import VectorPlan, VectorPlans


class Issuing(Threaded, Resolving, Equipped, Completing, Protocol):
    """A PE as the issue of operations sees it."""

    waiting_for: Execution | None
    main_thread_rank: int
    execution_kinds: tuple[type[Execution], type[Execution]]  # all, and @dfilt

    @property
    def arch(self) -> ArchLimits: ...
    @property
    def vector_plans(self) -> VectorPlans: ...
    def activate(self, id_: int) -> None: ...
    def unblock(self, kind: str, id_: int) -> None: ...


class Issuer:
    """Issues the operations of one PE."""

    __slots__ = ("_lanes", "_operands", "_pe", "completion", "resolve")

    def __init__(self, pe: Issuing, dsrs: DsrFile) -> None:
        self._pe = pe
        self.resolve = Resolver(pe, dsrs).resolve
        self._operands = OperandMaker(pe)
        self.completion = Completion(pe)
        self._lanes: dict[int, float] = {}

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
        self._check_ends(issued)
        vectors = self._pe.vectors
        return vectors.plan(
            issued.spec,
            issued.dest,
            issued.sources,
            issued.length,
            self._vector_cycles(issued),
        )

    def _check_ends(self, issued: Issued) -> None:
        """Raises MachineFault for an endless operation that nothing can stop."""
        if issued.length == INFINITE_EXTENT:
            raise self._pe.fault(
                f"{issued.spec.name} runs on memory alone and never ends: extent "
                f"{INFINITE_EXTENT} stands for endless, which only a control wavelet "
                "or a FIFO stops"
            )

    def _run_vector(self, issued: Issued) -> int:
        pe, spec = self._pe, issued.spec
        self._check_ends(issued)
        index = issued.config.index or 0
        pe.vectors.run(
            spec, issued.dest, issued.sources, issued.length, index, issued.accumulates
        )
        issued.save_addresses(issued.length)
        if issued.config.activate is not None:
            pe.activate(issued.config.activate)
        if issued.config.unblock is not None:
            pe.unblock(*issued.config.unblock)
        return self._vector_cycles(issued)

    def _vector_cycles(self, issued: Issued) -> int:
        pe = self._pe
        elements = element_cycles(issued, self._lanes_of(issued), pe.costs)
        return setup_cycles(issued, pe.clock, pe.costs) + elements

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
        dest = self._operands.dest(issued)
        execution = kind(
            pe,
            issued.spec,
            config,
            dest,
            self._operands.sources(issued, dest),
            issued.length,
            thread,
            rank,
            max(pe.costs.fabric_element_cycles, round(1 / lanes)),
            self.completion.finish,
            issued.site,
        )
        self.completion.expect(execution, issued)
        pe.clock += setup_cycles(issued, pe.clock, pe.costs)
        execution.issue(pe.clock)
        if asynchronous:
            pe.clock += pe.costs.async_issue_cycles
        return execution

    def _priority(self, issued: Issued) -> str | None:
        for operand in (issued.dest, *issued.sources):
            if isinstance(operand, Fifo):
                operand = self._pe.fifos[operand.number].config
            priority = getattr(operand, "priority", None)
            if priority is not None:
                return priority
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
