"""Buffers with credits, and the one-at-a-time resources between them."""

from __future__ import annotations

from collections import deque
from typing import Any

from pyflame.wse.machine.timeline import Event, Timeline


class Buffer:
    """Wavelets in order, each with the cycle from which it can be seen.

    `capacity` counts wavelets from the moment they are sent here, so it includes what
    the link into the buffer holds by itself: its latency. A place that was freed in
    this cycle can be used from the next one.

    A buffer that is not empty has exactly one wake-up outstanding for its head:
    scheduled, or in the `waiters` of something.
    """

    __slots__ = ("capacity", "popped_at", "timeline", "times", "waiters", "words")

    def __init__(self, timeline: Timeline, capacity: int) -> None:
        self.timeline = timeline
        self.capacity = capacity
        self.words: deque[int] = deque()
        self.times: deque[int] = deque()
        self.popped_at = -1
        self.waiters: list[Event] = []

    def has_room(self, now: int, sender: Event) -> bool:
        """Whether a wavelet may be sent here now; else `sender` is woken later."""
        count = len(self.words)
        if count >= self.capacity:
            self.waiters.append(sender)
            return False
        if self.popped_at == now and count + 1 >= self.capacity:
            self.timeline.at(now + 1, sender)
            return False
        return True

    def push(self, word: int, seen_from: int) -> None:
        """Appends a wavelet; it does not overtake those before it."""
        if not self.words:
            self.timeline.at(seen_from, self)
        elif self.times[-1] >= seen_from:
            seen_from = self.times[-1] + 1
        self.words.append(word)
        self.times.append(seen_from)

    def pop(self, now: int) -> int:
        self.times.popleft()
        self.popped_at = now
        if self.waiters:
            for waiter in self.waiters:
                self.timeline.at(now + 1, waiter)
            self.waiters.clear()
        return self.words.popleft()

    def run(self, now: int) -> None:
        """The head has become visible, or what it waited for has happened."""
        raise NotImplementedError

    def standing(self, now: int) -> tuple[Any, ...]:
        """All that decides what happens to it after cycle `now`, but the payloads."""
        times = tuple([time - now if time > now else 0 for time in self.times])
        return times, tuple(self.waiters)

    def shift(self, cycles: int) -> None:
        """Everything that it knows of happens this much later."""
        self.times = deque([time + cycles for time in self.times])


class Link:
    """Carries one wavelet at a time; those who find it busy are served in order.

    `at_full_rate` carries one per cycle.
    """

    __slots__ = (
        "_free_millis",
        "_period",
        "_wake_at",
        "at_full_rate",
        "free_at",
        "timeline",
        "waiting",
    )

    def __init__(self, timeline: Timeline, period_millicycles: int = 1000) -> None:
        self.timeline = timeline
        self.free_at = 0
        self.waiting: list[Event] = []
        self._free_millis = 0
        self._wake_at = -1
        self._period = period_millicycles
        self.at_full_rate = period_millicycles == 1000

    def is_free(self, now: int, user: Event) -> bool:
        """Whether `user` may take the link now; else it is woken when it may."""
        if self.free_at <= now and not self.waiting:
            return True
        self.waiting.append(user)
        self._wake(max(self.free_at, now))
        return False

    def take(self, now: int) -> None:
        if self.at_full_rate:
            self.free_at = now + 1
            return
        start = now * 1000
        if start - self._free_millis >= 1000:
            self._free_millis = start
        self._free_millis += self._period
        self.free_at = -(-self._free_millis // 1000)

    def standing(self, now: int) -> tuple[Any, ...]:
        """All that decides what it does after cycle `now`."""
        free = max(0, self.free_at - now), max(0, self._free_millis - 1000 * now)
        return *free, max(0, self._wake_at - now), tuple(self.waiting)

    def shift(self, cycles: int) -> None:
        """Everything that it knows of happens this much later."""
        self.free_at += cycles
        self._free_millis += 1000 * cycles
        self._wake_at += cycles

    def choose(self) -> int:
        """The place in `waiting` of the user to serve next."""
        return self.timeline.pick(len(self.waiting))

    def run(self, now: int) -> None:
        """Serves the waiting until one of them takes the link."""
        if len(self.waiting) == 1 and self.free_at <= now:
            self._serve_one(now)
            return
        queue, self.waiting = self.waiting, []
        while queue and self.free_at <= now:
            self.waiting = queue
            place = self.choose()
            self.waiting = []
            queue.pop(place).run(now)
        late, self.waiting = self.waiting, queue
        self.waiting.extend(late)
        if self.waiting:
            self._wake(max(self.free_at, now + 1))

    def _serve_one(self, now: int) -> None:
        """`run` for a single user, which may have to wait for something else."""
        self.timeline.pick(1)
        self.waiting.pop().run(now)
        if self.waiting:
            self._wake(max(self.free_at, now + 1))

    def _wake(self, cycle: int) -> None:
        if self._wake_at < cycle:
            self._wake_at = cycle
            self.timeline.at(cycle, self)


class Datapath(Link):
    """The CE's execution slots: one element per cycle, shared by its threads.

    Threads of higher priority (lower `rank`) go first, equals take turns. Users of a
    datapath are executions of operations.
    """

    __slots__ = ("busy_cycles",)

    def __init__(self, timeline: Timeline) -> None:
        super().__init__(timeline)
        self.busy_cycles = 0

    def take_for(self, now: int, cycles: int) -> None:
        self.free_at = now + cycles
        self.busy_cycles += cycles

    def choose(self) -> int:
        ranks = [getattr(user, "rank", 0) for user in self.waiting]
        best = min(ranks)
        equals = [place for place, rank in enumerate(ranks) if rank == best]
        return equals[self.timeline.pick(len(equals))]
