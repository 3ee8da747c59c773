"""Fabric operands that move two wavelets in a step: `.simd_64` and `.simd_32_or_64`.

A source of `.simd_64` waits until both are there, unless the operation needs one more
only; one of `.simd_32_or_64` goes on with what there is. Destinations take the second
wavelet if the queue has room for it. Source: DOC.
"""

from __future__ import annotations

from typing import Protocol, cast

from pyflame.wse.machine import wavelet
from pyflame.wse.machine.dsd import FabIn
from pyflame.wse.machine.operands import FabricDest, FabricSource
from pyflame.wse.machine.queues import InputQueue
from pyflame.wse.machine.timeline import Event

WIDE_MODES = ("simd_64", "simd_32_or_64")


class Progressing(Event, Protocol):
    """An operation as its operands see it."""

    length: int
    processed: int


class WideSource(FabricSource):
    """`together` is set while it waits for two wavelets."""

    __slots__ = ("_first", "together")

    def __init__(
        self, queue: InputQueue, dsd: FabIn, size_bytes: int, stops_on_control: bool
    ) -> None:
        super().__init__(queue, dsd, size_bytes, stops_on_control)
        self.together = dsd.simd_mode == "simd_64"
        self._first: int | None = None  # taken from the queue, before the second

    def ready(self, now: int, execution: Event) -> bool:
        if not super().ready(now, execution):
            return False
        if not self.together or self._first is not None or self.has_half:
            return True
        if super().at_control() or self._wavelets_left(execution) <= 1:
            return True
        self._first = self.queue.take(now) & wavelet.PAYLOAD_MASK
        return super().ready(now, execution)

    def _wavelets_left(self, execution: Event) -> int:
        operation = cast(Progressing, execution)
        elements = operation.length - operation.processed
        return -(-elements // 2) if self.packed else elements

    def at_control(self) -> bool:
        return self._first is None and super().at_control()

    def take(self, now: int) -> int:
        if self._first is None or self.has_half:
            return super().take(now)
        word, self._first = self._first, None
        if self.packed:
            self._half = word >> 16
        return word

    def has_next(self, now: int) -> bool:
        """Whether one more element can be taken in this cycle."""
        if self.has_half or self._first is not None:
            return True
        return self.queue.has_head(now) and not self.at_control()


class WideDest(FabricDest):
    __slots__ = ()

    def has_next(self, now: int) -> bool:
        """Whether one more element can be put in this cycle."""
        queue = self.queue
        places = queue.capacity - len(queue.words) - (queue.popped_at == now)
        return self.has_half or places > 0
