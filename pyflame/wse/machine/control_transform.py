"""Fabric operands with `.control_transform`: control wavelets that pass through memory.

Read from the fabric, a wavelet loses its control bit; with the transform its top two
payload bits tell of it instead, and the first six bits of its index (the entry point)
are changed by the mask of `<tile_config>.control_transform`. Sent with the transform,
marked words become control wavelets again. Source: the DSDs and libraries pages. What
they leave open: the mark is 3, that of data 0, and the mask is 0 at the start.
"""

from __future__ import annotations

from typing import Any

from pyflame.wse.machine import wavelet
from pyflame.wse.machine.operands import FabricDest, FabricSource

MASK_KEY = "control_transform"
MASK_BITS = 0x3F
_MARK = 3 << 30
_UNMARKED = (1 << 30) - 1


def marked(word: int, mask: int) -> int:
    """The payload of a wavelet, with its control bit at the top."""
    payload = word & _UNMARKED
    if not word & wavelet.CONTROL:
        return payload
    return (payload ^ (mask & MASK_BITS) << 16) | _MARK


class TransformedSource(FabricSource):
    """Marks what it takes."""

    __slots__ = ()

    def take(self, now: int) -> int:
        library: dict[str, Any] = self.queue.pe.library
        return marked(self.queue.take(now), library.get(MASK_KEY, 0))


class TransformedDest(FabricDest):
    """Sends marked words as control wavelets, others as data."""

    __slots__ = ()

    def put(self, bits: int, now: int) -> None:
        flags = self._flags
        if bits & _MARK == _MARK:
            self._flags |= wavelet.CONTROL
        super().put(bits & _UNMARKED, now)
        self._flags = flags
