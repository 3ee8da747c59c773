"""What a waiting operation takes at its start, and what its end does."""

from __future__ import annotations

from typing import Protocol

from pyflame.wse.errors import MachineFault
from pyflame.wse.machine.dsd import Fifo
from pyflame.wse.machine.dsrs import Issued
from pyflame.wse.machine.fifos import FifoState
from pyflame.wse.machine.limits import Semantics
from pyflame.wse.machine.memory import Memory
from pyflame.wse.machine.microthreads import Execution
from pyflame.wse.machine.operands import (
    FabricDest,
    FabricSource,
    MemoryOperand,
    ScalarDest,
)
from pyflame.wse.machine.queues import InputQueue
from pyflame.wse.machine.timeline import Event


class Completing(Protocol):
    """A PE as the end of operations sees it."""

    clock: int
    fifos: list[FifoState]
    microthreads: list[Execution | None]
    inputs: dict[int, InputQueue]

    @property
    def semantics(self) -> Semantics: ...
    @property
    def memory(self) -> Memory: ...
    def activate_by_hardware(self, id_: int, now: int) -> None: ...
    def unblock_by_hardware(self, kind: str, id_: int, now: int) -> None: ...
    def resume(self, result: bool, now: int) -> None: ...
    def wake(self, now: int) -> None: ...
    def fault(self, message: str) -> MachineFault: ...


class Completion:
    """The running operations of one PE: what they hold, and how they end."""

    __slots__ = ("_issued", "_pe")

    def __init__(self, pe: Completing) -> None:
        self._pe = pe
        self._issued: dict[int, Issued] = {}  # by id of the execution

    def expect(self, execution: Execution, issued: Issued) -> None:
        """Remembers what an execution was issued as; comes before its start."""
        self._issued[id(execution)] = issued

    def claim(self, execution: Execution, now: int) -> None:
        """Takes the microthread and the queues of an operation at its issue.

        Raises:
            MachineFault: if another operation holds one of them.
        """
        pe = self._pe
        thread = execution.thread
        if thread is not None:
            holder = pe.microthreads[thread]
            if holder is not None:
                name = f"microthread {thread}"
                raise self._conflict(execution, name, holder, now)
            pe.microthreads[thread] = execution
        for operand in execution.operands:
            if isinstance(operand, FabricSource):
                self._claim_input(execution, operand, now)
            elif isinstance(operand, FabricDest):
                if operand.queue.writer is not None:
                    name = f"output queue {operand.queue.number}"
                    raise self._conflict(execution, name, operand.queue.writer, now)
                operand.queue.writer = execution

    def _claim_input(
        self, execution: Execution, operand: FabricSource, now: int
    ) -> None:
        queue, number = operand.queue, operand.dsd.queue
        if queue.reader is not None:
            name = f"the input queue of color {queue.color}"
            raise self._conflict(execution, name, queue.reader, now)
        queue.reader = execution
        if number is None:
            return
        for other in self._pe.inputs.values():
            if other is not queue and number == other.number:
                self._change_color(execution, queue, other, now)
        queue.number = number

    def _change_color(
        self, execution: Execution, queue: InputQueue, old: InputQueue, now: int
    ) -> None:
        """Takes an input queue from one color for another (WSE-2).

        Raises:
            MachineFault: it is in use, initialised for its color, or not empty.
        """
        name = f"input queue {old.number}"
        if old.reader is not None:
            raise self._conflict(execution, name, old.reader, now)
        if old.initialised:
            state = f"@initialize_queue has bound to color {old.color}"
        elif old.has_head(now):
            state = f"still holds wavelets of color {old.color}"
        else:
            old.number = None
            return
        raise self._fault(
            execution,
            f"{execution.spec.name} reads color {queue.color} through {name}, which "
            f"{state}; a queue changes its color only if it is not initialised and "
            "empty",
            now,
        )

    def _conflict(
        self, execution: Execution, resource: str, holder: Event, now: int
    ) -> MachineFault:
        """The error of an operation that comes too early, with both places."""
        fault = self._fault(
            execution,
            f"{execution.spec.name} is issued while another operation still uses "
            f"{resource}; start it when that one has ended",
            now,
        )
        if isinstance(holder, Execution) and holder.site is not None:
            note = f"that one, {holder.spec.name}, was issued here"
            fault.notes = ((note, holder.site.span),)
        return fault

    def _fault(self, execution: Execution, message: str, now: int) -> MachineFault:
        self._pe.clock = now
        fault = self._pe.fault(message)
        if execution.site is not None:
            fault.span = execution.site.span
        return fault

    def release(self, execution: Execution) -> None:
        pe = self._pe
        if execution.thread is not None:
            pe.microthreads[execution.thread] = None
        for operand in execution.operands:
            if isinstance(operand, FabricSource):
                operand.queue.reader = None
            elif isinstance(operand, FabricDest):
                operand.queue.writer = None

    def finish(self, execution: Execution, result: bool, now: int) -> None:
        """Releases the resources, then tells tasks and the main thread."""
        pe = self._pe
        issued = self._issued.pop(id(execution))
        self.release(execution)
        issued.save_addresses(execution.processed)
        dest = execution.dest
        if result and isinstance(dest, ScalarDest) and dest.stored_at_end:
            dest.finish()
        self._keep_fifo_lengths(issued, execution, result)
        self._clear(issued, execution.processed)
        config = issued.config
        completed = result and (
            pe.semantics.control_end_completes or not execution.ended_by_control
        )
        if completed and config.activate is not None:
            pe.activate_by_hardware(config.activate, now)
        if completed and config.unblock is not None:
            pe.unblock_by_hardware(*config.unblock, now)
        if execution.thread is None:
            pe.resume(result, now)
        else:
            pe.wake(now)

    def _keep_fifo_lengths(
        self, issued: Issued, execution: Execution, result: bool
    ) -> None:
        """A synchronous operation that a FIFO cut short leaves the rest there."""
        if result:
            return
        rest = execution.length - execution.processed
        for operand in issued.sources:
            if isinstance(operand, Fifo):
                self._pe.fifos[operand.number].read_length = rest
        if isinstance(issued.dest, Fifo):
            self._pe.fifos[issued.dest.number].write_length = rest

    def _clear(self, issued: Issued, count: int) -> None:
        """`.zero` of a fabric destination: its source vector becomes zeros."""
        place = issued.zeroed
        if place is None or not count:
            return
        size = issued.spec.source_dtypes[place].itemsize
        index, source = issued.config.index or 0, issued.sources[place]
        operand = MemoryOperand(self._pe.memory, source, size, index, count)
        for _ in range(count):
            operand.put(0, 0)
