"""Operands of running operations, element by element, as raw bits.

Sources have `ready(now, execution)` and `take(now)`; destinations have
`ready(now, execution)` and `put(bits, now)`. `ready` either is True or has seen to
it that the execution is run again when it may have become so. `waits` tells whether
`ready` can ever be False.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count, islice

from pyflame.wse.errors import MachineFault
from pyflame.wse.machine import wavelet
from pyflame.wse.machine.dsd import (
    INFINITE_EXTENT,
    FabIn,
    FabOut,
    Mem1d,
    Memory1or4,
    element_addresses,
    start_base,
)
from pyflame.wse.machine.fifos import FifoState
from pyflame.wse.machine.memory import Memory
from pyflame.wse.machine.queues import InputQueue, OutputQueue
from pyflame.wse.machine.router import Channel
from pyflame.wse.machine.timeline import Event

# Activates a local task in a cycle.
Activate = Callable[[int, int], None]


class ScalarSource:
    """A scalar, read once at issue."""

    waits = False
    __slots__ = ("bits",)

    def __init__(self, bits: int) -> None:
        self.bits = bits

    def ready(self, now: int, execution: Event) -> bool:
        return True

    def take(self, now: int) -> int:
        return self.bits


class MemoryOperand:
    """A vector in memory, as source or destination.

    `places` are its elements as indices of a view of memory; None if the operation
    has no end, or reaches an element outside.
    """

    waits = False
    __slots__ = ("_next", "_unit", "_view", "dsd", "places", "size_bytes")

    def __init__(
        self,
        memory: Memory,
        dsd: Memory1or4,
        size_bytes: int,
        index_words: int,
        length: int,
    ) -> None:
        self.dsd = dsd
        self.size_bytes = size_bytes
        start = start_base(dsd, index_words) + dsd.offset * size_bytes
        self._view: memoryview | _AnyWords = memory.u16
        self._unit = 2  # bytes
        if size_bytes == 4 and start % 4 == 0:
            self._view, self._unit = memory.u32, 4
        elif size_bytes == 4:
            self._view = _AnyWords(memory)
        self.places = self._bounded(memory, start, index_words, length)
        if self.places is not None:
            self._next = iter(self.places)
            return
        addresses = self._walk(start, index_words)
        checked = _checked(memory, addresses, size_bytes)
        self._next = map((self._unit >> 1).__rrshift__, checked)

    def _bounded(
        self, memory: Memory, start: int, index_words: int, length: int
    ) -> Sequence[int] | None:
        dsd, size, unit = self.dsd, self.size_bytes, self._unit
        if length == INFINITE_EXTENT:
            return None
        if isinstance(dsd, Mem1d):
            step = dsd.stride * size
            memory.check_range(start, size)
            memory.check_range(start + step * (length - 1), size)
            first, step = start // unit, step // unit
            if step == 0:
                return [first] * length
            return range(first, first + step * length, step)
        addresses = element_addresses(dsd, size, dsd.extent, index_words)
        if addresses.min() < 0 or addresses.max() + size > memory.size_bytes:
            return None
        return (addresses // unit).tolist()

    def _walk(self, start: int, index_words: int) -> Iterator[int]:
        """Addresses in order, as far as there are any."""
        dsd, size = self.dsd, self.size_bytes
        if isinstance(dsd, Mem1d):
            step = dsd.stride * size
            return islice(count(start, step), dsd.extent if step else None)
        return iter(element_addresses(dsd, size, dsd.extent, index_words).tolist())

    def ready(self, now: int, execution: Event) -> bool:
        return True

    def take(self, now: int) -> int:
        return self._view[next(self._next)]

    def put(self, bits: int, now: int) -> None:
        self._view[next(self._next)] = bits

    def reach(self, first: int, end: int) -> tuple[int, int]:
        """The bytes, from and to before, in which these elements lie."""
        places = self._run(first, end)
        ends = (places[0], places[-1]) if isinstance(places, range) else places
        low, high = min(ends), max(ends)
        return low * self._unit, high * self._unit + self.size_bytes

    def take_run(self, first: int, end: int) -> list[int]:
        """The elements from number `first` to before `end`; `end` is next then."""
        view, places = self._view, self._run(first, end)
        self.skip_to(end)
        return [view[place] for place in places]

    def put_run(self, first: int, values: list[int]) -> None:
        """Stores in the elements from number `first`; the one behind is next then."""
        end = first + len(values)
        view = self._view
        for place, bits in zip(self._run(first, end), values, strict=True):
            view[place] = bits
        self.skip_to(end)

    def skip_to(self, element: int) -> None:
        """Makes an element the next one."""
        assert self.places is not None, "only bounded vectors are used in runs"
        self._next = iter(self.places[element:])

    def _run(self, first: int, end: int) -> Sequence[int]:
        assert self.places is not None, "only bounded vectors are used in runs"
        return self.places[first:end]


class _AnyWords:
    """32-bit words at any 16-bit word of memory."""

    __slots__ = ("_words",)

    def __init__(self, memory: Memory) -> None:
        self._words = memory.u16

    def __getitem__(self, place: int) -> int:
        return self._words[place] | self._words[place + 1] << 16

    def __setitem__(self, place: int, bits: int) -> None:
        self._words[place] = bits & 0xFFFF
        self._words[place + 1] = bits >> 16


def _checked(
    memory: Memory, addresses: Iterator[int], size_bytes: int
) -> Iterator[int]:
    for address in addresses:
        memory.check_range(address, size_bytes)
        yield address
    raise MachineFault(
        "an operation without end has used up the elements of a memory operand; "
        "a control wavelet should have ended it before"
    )


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

    def ready(self, now: int, execution: Event) -> bool:
        times = self.queue.times
        if self._half is not None or (times and times[0] <= now):
            return True
        return self.queue.ready(now, execution)

    def at_control(self) -> bool:
        """Whether the (ready) head is a control wavelet that ends the operation."""
        if not self.stops_on_control or self._half is not None:
            return False
        return bool(self.queue.words[0] & wavelet.CONTROL)

    def take(self, now: int) -> int:
        if self._half is not None:
            half, self._half = self._half, None
            return half
        queue = self.queue
        queue.read_count += 1
        word = queue.pop(now) & wavelet.PAYLOAD_MASK
        if self.packed:
            self._half = word >> 16
        return word

    @property
    def has_half(self) -> bool:
        """Whether the second element of a wavelet is next."""
        return self._half is not None

    def take_run(self, words: list[int]) -> list[int]:
        """The elements that come while these wavelets are taken from the queue: as
        many as they hold."""
        if not self.packed:
            return words
        halves = [half for word in words for half in (word, word >> 16)]
        if self._half is not None:
            halves.insert(0, self._half)
            self._half = halves.pop()
        return halves


class FifoSource:
    waits = True
    __slots__ = ("_activate", "fifo")

    def __init__(self, fifo: FifoState, activate: Activate) -> None:
        self.fifo = fifo
        self._activate = activate

    @property
    def action(self) -> str:
        """What an operation does that finds it empty."""
        return self.fifo.config.empty_action

    def ready(self, now: int, execution: Event) -> bool:
        return self.fifo.can_pop(now, execution)

    def take(self, now: int) -> int:
        bits = self.fifo.pop(now)
        task = self.fifo.pop_event()
        if task is not None:
            self._activate(task, now + 1)
        return bits


class FifoDest:
    waits = True
    __slots__ = ("_activate", "fifo")

    def __init__(self, fifo: FifoState, activate: Activate) -> None:
        self.fifo = fifo
        self._activate = activate

    @property
    def action(self) -> str:
        """What an operation does that finds it full."""
        return self.fifo.config.full_action

    def ready(self, now: int, execution: Event) -> bool:
        return self.fifo.can_push(now, execution)

    def put(self, bits: int, now: int) -> None:
        self.fifo.push(bits, now + 1, now)
        task = self.fifo.push_event()
        if task is not None:
            self._activate(task, now + 1)


class FabricDest:
    """An output queue. `index` (or None) goes to the upper half of each wavelet;
    `packed` wavelets hold two 16-bit elements, the first in the lower half.

    A queue that still holds wavelets of another color is waited for.
    """

    waits = True
    __slots__ = (
        "_channel",
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
        channel: Channel,
        dsd: FabOut,
        size_bytes: int,
        index: int | None,
        element_cycles: int,
    ) -> None:
        self.queue = queue
        self.dsd = dsd
        self._channel = channel
        self._flags = wavelet.CONTROL if dsd.control else 0
        self._index_bits = 0
        self._mask = 0xFFFF if size_bytes == 2 else wavelet.PAYLOAD_MASK
        if dsd.index_offset and index is not None:
            self._index_bits, self._mask = (index & 0xFFFF) << 16, 0xFFFF
        self._visible = element_cycles
        self.packed = size_bytes == 2 and bool(dsd.simd_mode)
        self._half: int | None = None

    def ready(self, now: int, execution: Event) -> bool:
        queue = self.queue
        if queue.channel is not self._channel:
            if queue.words:
                queue.waiters.append(execution)
                return False
            queue.channel = self._channel
        return queue.has_room(now, execution)

    def put(self, bits: int, now: int) -> None:
        if self.packed:
            if self._half is None:
                self._half = bits & 0xFFFF
                return
            word, self._half = self._half | (bits & 0xFFFF) << 16, None
        else:
            word = bits & self._mask | self._index_bits
        self.queue.push(word | self._flags, now + self._visible)

    @property
    def has_half(self) -> bool:
        """Whether an element waits for the second one of its wavelet."""
        return self._half is not None

    def put_run(self, elements: list[int]) -> list[int]:
        """The wavelets that elements become; an even number if they are packed."""
        mask, index = self._mask, self._index_bits
        if not self.packed:
            return [bits & mask | index for bits in elements]
        if self._half is not None:
            elements = [self._half, *elements]
            self._half = elements.pop() & 0xFFFF
        pairs = zip(elements[::2], elements[1::2], strict=True)
        return [low & 0xFFFF | (high & 0xFFFF) << 16 for low, high in pairs]

    def flush(self, now: int) -> None:
        """Sends the lone last half of an odd number of packed elements."""
        if self._half is not None:
            self.put(0, now)

    def flag_last(self) -> None:
        """`.advance_switch`: marks the wavelets put from now on."""
        self._flags |= wavelet.ADVANCE_LOCAL


class ScalarDest:
    """A pointer to a scalar; also the accumulator of reductions.

    `stored_at_end` keeps what has been put until `finish`: a synchronous pop that finds
    its FIFO empty leaves the scalar as it was.
    """

    waits = False
    __slots__ = ("_address", "_memory", "_size", "bits", "stored_at_end")

    def __init__(
        self, memory: Memory, address: int, size_bytes: int, stored_at_end: bool
    ) -> None:
        self._memory = memory
        self.stored_at_end = stored_at_end
        self._address = address
        self._size = size_bytes
        self.bits = 0

    def ready(self, now: int, execution: Event) -> bool:
        return True

    def take(self, now: int) -> int:
        """The accumulated value, as first source of a reduction."""
        return self.bits

    def put(self, bits: int, now: int) -> None:
        self.bits = bits
        if not self.stored_at_end:
            self.finish()

    def finish(self) -> None:
        self._memory.store_bits(self._address, self._size, self.bits)

    def reach(self) -> tuple[int, int]:
        """The bytes, from and to before, in which it lies."""
        return self._address, self._address + self._size


Source = ScalarSource | MemoryOperand | FabricSource | FifoSource | ScalarDest
Dest = MemoryOperand | FifoDest | FabricDest | ScalarDest
