"""The queues between a router and its CE, and the host's ends of its streams."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pyflame.wse.machine import wavelet
from pyflame.wse.machine.links import Buffer, Link
from pyflame.wse.machine.processor import Processor
from pyflame.wse.machine.router import Channel
from pyflame.wse.machine.timeline import Event, Timeline


class InputQueue(Buffer):
    """Wavelets of one color that wait for the CE.

    On WSE-3 it is queue `number`. On WSE-2 an operation or data task chooses the
    queue by the color, so a color has one buffer and `number` is the queue that last
    served it (None: none yet).

    Args:
        block_id: the id whose block bit stops tasks on this channel.
        reader: the operation that consumes the queue now, if any.
        fed_by_host: the host streams into it.
        initialised: `@initialize_queue` has bound it.
        first_control_id: added to the entry points of control wavelets: where the
            queue's part of the table of control tasks begins (WSE-3).
    """

    __slots__ = (
        "block_id",
        "color",
        "fed_by_host",
        "first_control_id",
        "initialised",
        "number",
        "pe",
        "read_count",
        "reader",
        "reader_waits",
    )

    def __init__(
        self, timeline: Timeline, pe: Processor, color: int, block_id: int, depth: int
    ) -> None:
        super().__init__(timeline, depth + pe.costs.ramp_cycles)
        self.pe = pe
        self.color = color
        self.block_id = block_id
        self.number: int | None = None
        self.reader: Event | None = None
        self.reader_waits = False
        self.fed_by_host = self.initialised = False
        self.first_control_id = 0
        self.read_count = 0

    def run(self, now: int) -> None:
        if self.reader is None:
            self.pe.wake(now)
        elif self.reader_waits:
            self.reader_waits = False
            self.reader.run(now)

    def has_head(self, now: int) -> bool:
        return bool(self.words) and self.times[0] <= now

    def ready(self, now: int, reader: Event) -> bool:
        """Whether the head can be read now; else `reader` is woken when it can."""
        if not self.words:
            self.reader_waits = True
            return False
        if self.times[0] > now:
            self.timeline.at(self.times[0], reader)
            return False
        return True

    def take(self, now: int) -> int:
        self.read_count += 1
        return self.pop(now)


class OutputQueue(Buffer):
    """Wavelets of one color on their way from the CE to the router.

    `channel` is the color served now, None before the first use.
    """

    __slots__ = ("channel", "latency_cycles", "number", "pe", "ramp", "writer")

    def __init__(
        self, timeline: Timeline, pe: Processor, number: int, depth: int, ramp: Link
    ) -> None:
        super().__init__(timeline, depth)
        self.pe = pe
        self.number = number
        self.ramp = ramp
        self.latency_cycles = pe.costs.ramp_cycles
        self.channel: Channel | None = None
        self.writer: Event | None = None

    def run(self, now: int) -> None:
        channel = self.channel
        assert channel is not None, "an output queue is bound before it is filled"
        port = channel.ramp
        if not port.has_room(now, self) or not self.ramp.is_free(now, self):
            return
        self.ramp.take(now)
        channel.wavelets_sent += 1
        port.push(self.pop(now), now + self.latency_cycles)
        if self.words:
            self.timeline.at(max(now + 1, self.times[0]), self)


class HostSource(Buffer):
    """The host's end of a stream into one PE, or into a side of its router."""

    __slots__ = ("latency_cycles", "ramp", "sent_count", "target")

    def __init__(
        self, timeline: Timeline, target: Buffer, ramp: Link, latency_cycles: int
    ) -> None:
        super().__init__(timeline, capacity=0)
        self.target = target
        self.ramp = ramp
        self.latency_cycles = latency_cycles
        self.sent_count = 0

    def feed(self, words: NDArray[np.uint32], now: int) -> None:
        if len(words) and not self.words:
            self.timeline.at(now, self)
        self.words.extend(words.tolist())
        self.times.extend([now] * len(words))

    def run(self, now: int) -> None:
        if not self.target.has_room(now, self) or not self.ramp.is_free(now, self):
            return
        self.ramp.take(now)
        self.sent_count += 1
        self.target.push(self.pop(now), now + self.latency_cycles)
        if self.words:
            self.timeline.at(now + 1, self)


class HostSink(Buffer):
    """The host's end of a streaming color out of one PE.

    It takes what receivers have asked for and, ahead of them, what its buffer holds.
    """

    __slots__ = ("arrived", "asked")

    def __init__(self, timeline: Timeline, capacity: int) -> None:
        super().__init__(timeline, capacity)
        self.asked = 0
        self.arrived: list[int] = []

    def push(self, word: int, seen_from: int) -> None:
        super().push(word, seen_from)
        if len(self.words) > 1:
            self.timeline.at(self.times[-1], self)

    def run(self, now: int) -> None:
        """Moves what has arrived to the host, as far as it asked for it."""
        while self.words and self.times[0] <= now and len(self.arrived) < self.asked:
            self.arrived.append(self.pop(now) & wavelet.PAYLOAD_MASK)

    def ask(self, count: int, now: int) -> None:
        self.asked += count
        self.timeline.at(now, self)


class PortSink(HostSink):
    """The host's end of a named port.

    Control wavelets end here: they steer the switches in front of the port, and the
    host never sees them (published programs count their data only).
    """

    __slots__ = ()

    def push(self, word: int, seen_from: int) -> None:
        if word < wavelet.CONTROL:
            super().push(word, seen_from)
