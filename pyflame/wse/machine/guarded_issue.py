"""Issue of operations in strict mode: the same, with its operands checked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyflame.wse.machine.completion import Completion
from pyflame.wse.machine.dsd import (
    INFINITE_EXTENT,
    Mem1d,
    Memory1or4,
    ScalarPointer,
    element_addresses,
)
from pyflame.wse.machine.dsrs import Issued
from pyflame.wse.machine.flights import Area, Flight, area_of, words_at
from pyflame.wse.machine.guard import Guard
from pyflame.wse.machine.issue import Issuer
from pyflame.wse.machine.layout_memory import RUNTIME_RESERVE_BYTES
from pyflame.wse.machine.memory import Memory
from pyflame.wse.machine.microthreads import Execution
from pyflame.wse.machine.operand_making import OperandMaker
from pyflame.wse.machine.operands import MemoryOperand
from pyflame.wse.machine.operations import Operation
from pyflame.wse.machine.sites import Site
from pyflame.wse.machine.vectors import MEMORY_KINDS


class GuardedIssuer(Issuer):
    """Checks what operations touch, before they do."""

    __slots__ = ("_guard",)

    def __init__(self, pe: Any, dsrs: Any, guard: Guard) -> None:
        super().__init__(pe, dsrs)
        self._guard = guard
        self._operands = GuardedOperandMaker(pe, guard)
        self.completion = GuardedCompletion(pe, guard)

    # --- on memory ---

    def run_on_memory(self, operation: Operation) -> int:
        self._check_memory_operation(self.resolve(operation))
        return super().run_on_memory(operation)

    def _run_vector(self, issued: Issued) -> int:
        self._check_memory_operation(issued)
        return super()._run_vector(issued)

    def _check_memory_operation(self, issued: Issued) -> None:
        self._check_reach_and_races(issued)
        stored = self._dest_addresses(issued)
        for source, dtype in zip(
            issued.sources, issued.spec.source_dtypes, strict=True
        ):
            if isinstance(source, MEMORY_KINDS):
                addresses = _addresses(issued, source, dtype.itemsize)
                self._check_defined(issued, addresses, dtype.itemsize, stored)
        if stored is not None:
            self._guard.define_all(stored, issued.spec.dest_dtype.itemsize)

    def _dest_addresses(self, issued: Issued) -> NDArray[np.int64] | None:
        if isinstance(issued.dest, ScalarPointer):
            return np.array([issued.dest.address])
        if isinstance(issued.dest, MEMORY_KINDS):
            return _addresses(issued, issued.dest, issued.spec.dest_dtype.itemsize)
        return None

    def _check_defined(
        self,
        issued: Issued,
        addresses: NDArray[np.int64],
        size: int,
        stored: NDArray[np.int64] | None,
    ) -> None:
        """Elements that the operation itself has written before are defined."""
        for place in self._guard.first_undefined(addresses, size):
            address = int(addresses[place])
            if stored is None or address not in stored[:place]:
                name = issued.spec.name
                self._guard.fail_undefined(issued.site, name, address, size)

    # --- all operations ---

    def _check_reach_and_races(self, issued: Issued) -> tuple[Area, ...]:
        areas: list[Area] = []
        dtypes = (issued.spec.dest_dtype, *issued.spec.source_dtypes)
        operands = (issued.dest, *issued.sources)
        for place, (operand, dtype) in enumerate(zip(operands, dtypes, strict=False)):
            area = self._checked_area(issued, operand, dtype.itemsize, place == 0)
            if area is not None:
                self._guard.check_area(issued.site, issued.spec.name, area)
                areas.append(area)
        return tuple(areas)

    def _checked_area(
        self, issued: Issued, operand: Any, size: int, writes: bool
    ) -> Area | None:
        name = issued.spec.name
        if isinstance(operand, ScalarPointer):
            address = operand.address
            if address >= RUNTIME_RESERVE_BYTES:
                what = f"the destination pointer of {name}"
                self._guard.check_inside(
                    issued.site, what, address, address, address + size
                )
            return words_at(np.array([address]), size, writes)
        if not isinstance(operand, MEMORY_KINDS):
            return None
        addresses = _addresses(issued, operand, size)
        origin = operand.base if operand.origin is None else operand.origin
        what = f"a DSD of {name}"
        self._guard.check_vector(issued.site, what, origin, addresses, size)
        index = issued.config.index or 0
        return area_of(operand, size, issued.length, index, writes)

    # --- operations that may wait ---

    def _start(self, issued: Issued, asynchronous: bool) -> Execution:
        areas = self._check_reach_and_races(issued)
        execution = super()._start(issued, asynchronous)
        if asynchronous and areas:
            flight = Flight(issued.spec.name, issued.site, areas)
            self._guard.take_off(id(execution), flight)
        return execution


class GuardedOperandMaker(OperandMaker):
    """Makes vectors that check their elements."""

    __slots__ = ("_guard",)

    def __init__(self, pe: Any, guard: Guard) -> None:
        super().__init__(pe)
        self._guard = guard

    def _vector(self, issued: Issued, dsd: Memory1or4, size: int) -> MemoryOperand:
        return _GuardedOperand(self._guard, issued, dsd, size)


class GuardedCompletion(Completion):
    """Gives the memory of operations free when they end."""

    __slots__ = ("_guard",)

    def __init__(self, pe: Any, guard: Guard) -> None:
        super().__init__(pe)
        self._guard = guard

    def finish(self, execution: Execution, result: bool, now: int) -> None:
        self._guard.land(id(execution))
        super().finish(execution, result, now)


class _GuardedOperand(MemoryOperand):
    """A vector whose elements must be defined when they are read."""

    __slots__ = ("_elements", "_guard", "_name", "_site", "_size")

    def __init__(
        self, guard: Guard, issued: Issued, dsd: Memory1or4, size_bytes: int
    ) -> None:
        index = issued.config.index or 0
        memory: Memory = guard.memory
        super().__init__(memory, dsd, size_bytes, index, issued.length)
        self._guard = guard
        self._site: Site | None = issued.site
        self._name = issued.spec.name
        self._size = size_bytes
        self._elements: Iterator[int] = _walk(issued, dsd, size_bytes)

    def take(self, now: int) -> int:
        address = next(self._elements)
        if not self._guard.memory.is_defined(address, self._size):
            self._guard.fail_undefined(self._site, self._name, address, self._size)
        return super().take(now)

    def put(self, bits: int, now: int) -> None:
        super().put(bits, now)
        self._guard.memory.define(next(self._elements), self._size)


def _walk(issued: Issued, dsd: Memory1or4, size: int) -> Iterator[int]:
    addresses = _addresses(issued, dsd, size).tolist()
    if issued.length == INFINITE_EXTENT and isinstance(dsd, Mem1d) and not dsd.stride:
        while True:
            yield addresses[0]
    yield from addresses


def _addresses(issued: Issued, dsd: Memory1or4, size: int) -> NDArray[np.int64]:
    """Of the elements that the operation touches."""
    length, index = issued.length, issued.config.index or 0
    if length == INFINITE_EXTENT:
        length = 1 if isinstance(dsd, Mem1d) and not dsd.stride else dsd.extent
    return element_addresses(dsd, size, max(1, min(length, 1 << 16)), index)
