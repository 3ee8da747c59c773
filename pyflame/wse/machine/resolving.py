"""From an operation to what is issued: DSRs looked into, and the length found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol

from pyflame.wse.errors import MachineFault
from pyflame.wse.machine.dsd import (
    INFINITE_EXTENT,
    Circular,
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
from pyflame.wse.machine.operations import PLAIN, Operation, OpSpec
from pyflame.wse.machine.queues import InputQueue
from pyflame.wse.machine.register_rules import (
    FABRIC_KINDS,
    Register,
    check_streams,
    microthread_of,
)
from pyflame.wse.machine.vectors import MEMORY_KINDS

_EXTENDED = (Mem1d, Mem4d, FabIn, FabOut)
_DESCRIPTORS = (*_EXTENDED, Fifo)


class Resolving(Protocol):
    """A PE as the resolution of operations sees it."""

    fifos: list[FifoState]
    inputs: dict[int, InputQueue]

    @property
    def arch(self) -> ArchLimits: ...
    @property
    def semantics(self) -> Semantics: ...
    def fault(self, message: str) -> MachineFault: ...


class Resolver:
    """Resolves the operations of one PE."""

    __slots__ = ("_dsrs", "_pe")

    def __init__(self, pe: Resolving, dsrs: DsrFile) -> None:
        self._pe = pe
        self._dsrs = dsrs

    def resolve(self, operation: Operation) -> Issued:
        """Looks into DSRs and finds the length.

        Raises:
            MachineFault: for a DSR that is empty or loaded for another use, or a memory
                operand that is too short.
        """
        config = operation.config
        moving: list[tuple[LoadedDsr, Memory1or4]] = []
        streams: list[Register] = []
        operands: list[Any] = []
        usable_from = 0
        for operand in (operation.dest, *operation.sources):
            if type(operand) is Dsr:
                held = self._dsrs.loaded(operand)
                if type(held.descriptor) in FABRIC_KINDS:
                    streams.append((operand, held))
                usable_from = max(usable_from, held.usable_from)
                operand = held.descriptor
                if held.config is not PLAIN:
                    config = merged(config, held.config)
                if held.save_address and isinstance(operand, MEMORY_KINDS):
                    moving.append((held, operand))
            operands.append(operand)
        if streams:
            check_streams(self._pe, operation, operands, streams)
            config = replace(config, ut_id=microthread_of(operation, streams))
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
            _dsr_loads(operation),
            usable_from,
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
        extent = operand.extent if isinstance(operand, _EXTENDED) else 0
        if extent == INFINITE_EXTENT and isinstance(operand, Mem4d):
            raise self._pe.fault(
                f"a {_kind(operand)} has {INFINITE_EXTENT} elements, the length that "
                "stands for endless; split the operation"
            )
        return extent

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


def _dsr_loads(operation: Operation) -> int:
    """How many registers the operation loads with descriptors before it starts.

    A destination that is also the first of two sources shares the register of that
    source (FAB 12c); FIFOs have theirs for good.
    """
    dest, sources = operation.dest, operation.sources
    loads = sum(isinstance(operand, _EXTENDED) for operand in (dest, *sources))
    first = sources[0] if len(sources) > 1 else None
    shared = isinstance(dest, _EXTENDED) and isinstance(first, _EXTENDED)
    return loads - (shared and dest == first)


def _kind(operand: Mem4d) -> str:
    return "circbuf_dsd" if isinstance(operand, Circular) else "mem4d_dsd"
