"""Operands of running operations, element by element, as raw bits.

Sources have `ready(now, execution)` and `take(now)`; destinations have
`ready(now, execution)` and `put(bits, now)`. `ready` either is True or has seen to
it that the execution is run again when it may have become so. `waits` tells whether
`ready` can ever be False.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pyflame.wse.machine import wavelet
from pyflame.wse.machine.dsd import FabIn, FabOut, Memory1or4, iterate_addresses
from pyflame.wse.machine.fifos import FifoState
from pyflame.wse.machine.memory import Memory
from pyflame.wse.machine.queues import InputQueue, OutputQueue

if TYPE_CHECKING:
    from pyflame.wse.machine.microthreads import Execution


class ScalarSource:
    """A scalar, read once at issue."""

    waits = False
    __slots__ = ("bits",)

    def __init__(self, bits: int) -> None:
        self.bits = bits

    def ready(self, now: int, execution: Execution) -> bool:
        return True

    def take(self, now: int) -> int:
        return self.bits


class MemoryOperand:
    """A vector in memory, as source or destination."""

    waits = False
    __slots__ = ("_addresses", "_memory", "_size", "dsd")

    def __init__(
        self, memory: Memory, dsd: Memory1or4, size_bytes: int, index_words: int
    ) -> None:
        self.dsd = dsd
        self._memory = memory
        self._size = size_bytes
        self._addresses: Iterator[int] = iterate_addresses(dsd, size_bytes, index_words)

    def ready(self, now: int, execution: Execution) -> bool:
        return True

    def take(self, now: int) -> int:
        return self._memory.load_bits(next(self._addresses), self._size)

    def put(self, bits: int, now: int) -> None:
        self._memory.store_bits(next(self._addresses), self._size, bits)


class FabricSource:
    """Wavelets of an input queue; `packed` ones hold two 16-bit elements, the first
    in the lower half."""

    waits = True
    __slots__ = ("_half", "dsd", "packed", "queue", "stops_on_control")

    def __init__(
        self, queue: InputQueue, dsd: FabIn, size_bytes: int, stops_on_control: bool
    ) -> None:
        self.queue = queue
        self.dsd = dsd
        self.packed = size_bytes == 2 and bool(dsd.simd_mode)
        self.stops_on_control = stops_on_control
        self._half: int | None = None  # the second element of a wavelet

    def ready(self, now: int, execution: Execution) -> bool:
        return self._half is not None or self.queue.ready(now, execution)

    def at_control(self) -> bool:
        """Whether the (ready) head is a control wavelet that ends the operation."""
        if not self.stops_on_control or self._half is not None:
            return False
        return bool(self.queue.words[0] & wavelet.CONTROL)

    def take(self, now: int) -> int:
        if self._half is not None:
            half, self._half = self._half, None
            return half
        word = self.queue.take(now) & wavelet.PAYLOAD_MASK
        if self.packed:
            self._half = word >> 16
        return word


class FifoSource:
    waits = True
    __slots__ = ("execution", "fifo")

    def __init__(self, fifo: FifoState) -> None:
        self.fifo = fifo
        self.execution: Execution | None = None

    def ready(self, now: int, execution: Execution) -> bool:
        self.execution = execution
        return self.fifo.can_pop(now, execution)

    def take(self, now: int) -> int:
        bits = self.fifo.pop(now)
        task = self.fifo.pop_event()
        if task is not None and self.execution is not None:
            self.execution.pe.activate_by_hardware(task, now + 1)
        return bits


class FifoDest:
    waits = True
    __slots__ = ("execution", "fifo")

    def __init__(self, fifo: FifoState) -> None:
        self.fifo = fifo
        self.execution: Execution | None = None

    def ready(self, now: int, execution: Execution) -> bool:
        self.execution = execution
        return self.fifo.can_push(now, execution)

    def put(self, bits: int, now: int) -> None:
        self.fifo.push(bits, now + 1, now)
        task = self.fifo.push_event()
        if task is not None and self.execution is not None:
            self.execution.pe.activate_by_hardware(task, now + 1)


class FabricDest:
    """An output queue. `index` (or None) goes to the upper half of each wavelet;
    `packed` wavelets hold two 16-bit elements, the first in the lower half."""

    waits = True
    __slots__ = (
        "_flags",
        "_half",
        "_index_bits",
        "_mask",
        "_visible",
        "dsd",
        "packed",
        "queue",
    )

    def __init__(
        self,
        queue: OutputQueue,
        dsd: FabOut,
        size_bytes: int,
        index: int | None,
        element_cycles: int,
    ) -> None:
        self.queue = queue
        self.dsd = dsd
        self._flags = wavelet.CONTROL if dsd.control else 0
        self._index_bits = 0
        self._mask = 0xFFFF if size_bytes == 2 else wavelet.PAYLOAD_MASK
        if dsd.index_offset and index is not None:
            self._index_bits, self._mask = (index & 0xFFFF) << 16, 0xFFFF
        self._visible = element_cycles
        self.packed = size_bytes == 2 and bool(dsd.simd_mode)
        self._half: int | None = None

    def ready(self, now: int, execution: Execution) -> bool:
        return self.queue.has_room(now, execution)

    def put(self, bits: int, now: int) -> None:
        if self.packed:
            if self._half is None:
                self._half = bits & 0xFFFF
                return
            word, self._half = self._half | (bits & 0xFFFF) << 16, None
        else:
            word = bits & self._mask | self._index_bits
        self.queue.push(word | self._flags, now + self._visible)

    def flush(self, now: int) -> None:
        """Sends the lone last half of an odd number of packed elements."""
        if self._half is not None:
            self.put(0, now)

    def flag_last(self) -> None:
        """`.advance_switch`: marks the wavelets put from now on."""
        self._flags |= wavelet.ADVANCE_LOCAL


class ScalarDest:
    """A pointer to a scalar; also the accumulator of reductions."""

    waits = False
    __slots__ = ("_address", "_memory", "_size", "bits")

    def __init__(
        self, memory: Memory, address: int, size_bytes: int, initial_bits: int
    ) -> None:
        self._memory = memory
        self._address = address
        self._size = size_bytes
        self.bits = initial_bits

    def ready(self, now: int, execution: Execution) -> bool:
        return True

    def take(self, now: int) -> int:
        """The accumulated value, as first source of a reduction."""
        return self.bits

    def put(self, bits: int, now: int) -> None:
        self.bits = bits
        self._memory.store_bits(self._address, self._size, bits)


Source = ScalarSource | MemoryOperand | FabricSource | FifoSource | ScalarDest
Dest = MemoryOperand | FifoDest | FabricDest | ScalarDest
