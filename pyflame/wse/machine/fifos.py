"""FIFOs in PE memory that one operation fills while another drains it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from pyflame.wse.machine.memory import Memory
from pyflame.wse.machine.timeline import Event, Timeline

TEST_OR_SUSPEND = "test_or_suspend"


@dataclass(frozen=True, slots=True)
class FifoConfig:
    """`activate_push` and `activate_pop` are local task ids or None; `priority` is that
    of microthreads that use it (WSE-3).

    The actions tell what a pop from the empty and a push into the full FIFO do:
    `test_or_suspend` suspends a microthread and ends the main thread's operation with
    false, `suspend` suspends both, `terminate` ends the operation with true, and
    `fault` stops the program (2.x).
    """

    base_address: int
    element_bytes: int
    capacity_elements: int
    activate_push: int | None = None
    activate_pop: int | None = None
    priority: str | None = None
    empty_action: str = TEST_OR_SUSPEND
    full_action: str = TEST_OR_SUSPEND


class FifoState:
    """One FIFO of one PE; its elements lie in its buffer in PE memory.

    All elements of the buffer are usable (the documentation does not say).
    `read_length` and `write_length` are the lengths it contributes as a source and
    as a destination. A push is seen by pops of later cycles.
    """

    __slots__ = (
        "_first",
        "_memory",
        "_timeline",
        "_waiters",
        "config",
        "pop_starved",
        "popped_at",
        "push_starved",
        "read_length",
        "times",
        "write_length",
    )

    def __init__(self, timeline: Timeline, memory: Memory, config: FifoConfig) -> None:
        self._timeline = timeline
        self._memory = memory
        self.config = config
        self.times: deque[int] = deque()  # from when each element can be popped
        self._first = 0
        self._waiters: list[Event] = []
        self.popped_at = -1
        self.read_length = self.write_length = 0
        self.pop_starved = self.push_starved = False

    def __len__(self) -> int:
        return len(self.times)

    def can_pop(self, now: int, reader: Event) -> bool:
        """Whether an element can be popped now; else the reader is woken when."""
        if not self.times:
            self.pop_starved = True
            self._waiters.append(reader)
            return False
        if self.times[0] > now:
            self._timeline.at(self.times[0], reader)
            return False
        return True

    def can_push(self, now: int, writer: Event) -> bool:
        count = len(self.times)
        if count >= self.config.capacity_elements:
            self.push_starved = True
            self._waiters.append(writer)
            return False
        if self.popped_at == now and count + 1 >= self.config.capacity_elements:
            self._timeline.at(now + 1, writer)
            return False
        return True

    def pop(self, now: int) -> int:
        """The raw bits of the oldest element."""
        config = self.config
        address = config.base_address + self._first * config.element_bytes
        self._first = (self._first + 1) % config.capacity_elements
        self.times.popleft()
        self.popped_at = now
        self._wake(now)
        return self._memory.load_bits(address, config.element_bytes)

    def push(self, bits: int, seen_from: int, now: int) -> None:
        config = self.config
        place = (self._first + len(self.times)) % config.capacity_elements
        address = config.base_address + place * config.element_bytes
        self._memory.store_bits(address, config.element_bytes, bits)
        self.times.append(seen_from)
        self._wake(now)

    def push_event(self) -> int | None:
        """The task to activate because a push ended a shortage, if any."""
        starved, self.pop_starved = self.pop_starved, False
        return self.config.activate_push if starved else None

    def pop_event(self) -> int | None:
        """The task to activate because a pop ended a jam, if any."""
        starved, self.push_starved = self.push_starved, False
        return self.config.activate_pop if starved else None

    def _wake(self, now: int) -> None:
        for waiter in self._waiters:
            self._timeline.at(now + 1, waiter)
        self._waiters.clear()
