"""The running operands of an issued operation that may wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from pyflame.wse.errors import MachineFault
from pyflame.wse.machine.arithmetic import to_bits
from pyflame.wse.machine.control_transform import TransformedDest, TransformedSource
from pyflame.wse.machine.costs import Costs
from pyflame.wse.machine.dsd import FabIn, FabOut, Fifo, Memory1or4, ScalarPointer
from pyflame.wse.machine.dsrs import Issued
from pyflame.wse.machine.fifos import FifoState
from pyflame.wse.machine.memory import Memory
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
from pyflame.wse.machine.operations import OpSpec
from pyflame.wse.machine.queues import InputQueue, OutputQueue
from pyflame.wse.machine.router import Channel
from pyflame.wse.machine.vectors import MEMORY_KINDS
from pyflame.wse.machine.wide_operands import WIDE_MODES, WideDest, WideSource


class Equipped(Protocol):
    """A PE as the operands of its operations see it."""

    fifos: list[FifoState]
    channel: Callable[[int], Channel]

    @property
    def costs(self) -> Costs: ...
    @property
    def memory(self) -> Memory: ...
    def input_queue(self, dsd: FabIn) -> InputQueue: ...
    def output_queue(self, dsd: FabOut) -> OutputQueue: ...
    def activate_by_hardware(self, id_: int, now: int) -> None: ...
    def fault(self, message: str) -> MachineFault: ...


class OperandMaker:
    """Makes the operands of the operations of one PE."""

    __slots__ = ("_pe",)

    def __init__(self, pe: Equipped) -> None:
        self._pe = pe

    def dest(self, issued: Issued) -> Dest | None:
        pe, operand, config = self._pe, issued.dest, issued.config
        size = issued.spec.dest_dtype.itemsize
        if operand is None:
            return None
        if isinstance(operand, MEMORY_KINDS):
            return self._vector(issued, operand, size)
        if isinstance(operand, Fifo):
            return FifoDest(pe.fifos[operand.number], pe.activate_by_hardware)
        if isinstance(operand, ScalarPointer):
            pops = any(isinstance(source, Fifo) for source in issued.sources)
            at_end = pops and not config.asynchronous
            return ScalarDest(pe.memory, operand.address, size, at_end)
        self._check_fabric(issued.spec, operand, size)
        self._check_zeroed(issued, operand)
        queue = pe.output_queue(operand)
        channel = pe.channel(operand.color)
        cycles = pe.costs.fabric_element_cycles
        wide = WideDest if operand.simd_mode in WIDE_MODES else FabricDest
        kind = TransformedDest if operand.control_transform else wide
        return kind(queue, channel, operand, size, config.index, cycles)

    def sources(self, issued: Issued, dest: Dest | None) -> list[Source]:
        """In order; the first of an accumulating operation is its destination."""
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
            return self._vector(issued, operand, dtype.itemsize)
        if isinstance(operand, FabIn):
            self._check_fabric(issued.spec, operand, dtype.itemsize)
            stops = issued.config.on_control is not None
            queue = pe.input_queue(operand)
            wide = WideSource if operand.simd_mode in WIDE_MODES else FabricSource
            source = TransformedSource if operand.control_transform else wide
            return source(queue, operand, dtype.itemsize, stops)
        if isinstance(operand, Fifo):
            return FifoSource(pe.fifos[operand.number], pe.activate_by_hardware)
        return ScalarSource(to_bits(operand, dtype))

    def _vector(self, issued: Issued, dsd: Memory1or4, size: int) -> MemoryOperand:
        index = issued.config.index or 0
        return MemoryOperand(self._pe.memory, dsd, size, index, issued.length)

    def _check_zeroed(self, issued: Issued, dsd: FabOut) -> None:
        place = issued.zeroed
        if dsd.zero and (
            place is None or not isinstance(issued.sources[place], MEMORY_KINDS)
        ):
            raise self._pe.fault(
                f"the fabout_dsd of {issued.spec.name} has .zero = .{dsd.zero}, which "
                "is no vector in memory; the only source of an operation is its second"
            )

    def _check_fabric(self, spec: OpSpec, dsd: FabIn | FabOut, size: int) -> None:
        if dsd.control_transform and size != 4:
            raise self._pe.fault(
                f"{spec.name} on color {dsd.color} has .control_transform, which marks "
                "the top bits of 32-bit elements; this operation has 16-bit ones"
            )
