"""Simulated time: what happens in which cycle."""

from __future__ import annotations

from heapq import heappop, heappush
from random import Random
from typing import Protocol

from pyflame.wse.errors import MachineFault


class Event(Protocol):
    """Anything that can be due: `run` is called once per time it was scheduled."""

    def run(self, now: int, /) -> None: ...


class Timeline:
    """Cycles in order, each a list of events, then a list of late ones.

    Events of one cycle do not see each other's effects, which last from the next
    cycle on; only arbiters depend on the order, and `seed` permutes it. Late events
    (task pickers) run when the cycle's state is settled.
    """

    # weakly referred to by what all PEs of a wafer share
    __slots__ = ("__weakref__", "_cycles", "_due", "_late", "_random", "now")

    def __init__(self, seed: int | None = None) -> None:
        self.now = 0
        self._due: dict[int, list[Event]] = {}
        self._late: dict[int, list[Event]] = {}
        self._cycles: list[int] = []
        self._random = None if seed is None else Random(seed)

    def at(self, cycle: int, event: Event) -> None:
        bucket = self._due.get(cycle)
        if bucket is None:
            self._due[cycle] = [event]
            if cycle not in self._late:
                heappush(self._cycles, cycle)
        else:
            bucket.append(event)

    def late(self, cycle: int, event: Event) -> None:
        bucket = self._late.get(cycle)
        if bucket is None:
            self._late[cycle] = [event]
            if cycle not in self._due:
                heappush(self._cycles, cycle)
        else:
            bucket.append(event)

    def due(self) -> list[tuple[int, list[Event]]]:
        """What is due, by cycle, without late events."""
        return sorted(self._due.items())

    def awaits(self, events: list[tuple[int, list[Event]]]) -> bool:
        """Whether these are due, by cycles from now, as the whole of their cycles."""
        now, due = self.now, self._due
        return all(due.get(now + cycle) == bucket for cycle, bucket in events)

    def soonest(self) -> tuple[list[Event], bool]:
        """What is due in the next cycle, and whether it has late events, too."""
        if not self._cycles:
            return [], False
        cycle = self._cycles[0]
        return self._due.get(cycle, []), cycle in self._late

    def first_late(self) -> int | None:
        """The first cycle that has late events."""
        return min(self._late, default=None)

    def jump(self, cycles: int, moved: list[tuple[int, list[Event]]]) -> None:
        """Puts time and these buckets of `due`, which must not meet others, forward."""
        self.now += cycles
        for cycle, _ in moved:
            del self._due[cycle]
        for cycle, events in moved:
            self._due[cycle + cycles] = events
        self._cycles = sorted({*self._due, *self._late})

    def pick(self, count: int) -> int:
        """A place among `count` equals: the first, or any under a seed."""
        return 0 if self._random is None else self._random.randrange(count)

    def step(self) -> bool:
        """Runs the next cycle that has events; False if there is none."""
        if not self._cycles:
            return False
        now = self.now = heappop(self._cycles)
        due = self._due.pop(now, None)
        while due is not None:
            if self._random is not None:
                self._random.shuffle(due)
            for event in due:
                event.run(now)
            due = self._due.pop(now, None)
        for event in self._late.pop(now, ()):
            event.run(now)
        return True

    def step_within(self, max_cycles: int) -> bool:
        """`step`, with a budget.

        Raises:
            MachineFault: when the next event is due after `max_cycles`.
        """
        if self._cycles and self._cycles[0] > max_cycles:
            raise MachineFault(
                f"the program ran for {max_cycles:,} cycles, the limit of this run; "
                "a larger `max_cycles` lets it run on"
            )
        return self.step()
