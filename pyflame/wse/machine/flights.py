"""The memory of asynchronous operations that have not ended: nobody else's business."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyflame.wse.machine.dsd import (
    INFINITE_EXTENT,
    Mem1d,
    Memory1or4,
    element_addresses,
)
from pyflame.wse.machine.sites import Site


@dataclass(frozen=True, slots=True)
class Area:
    """The 16-bit words that an operand of an operation touches."""

    words: frozenset[int]
    writes: bool


@dataclass(frozen=True, slots=True)
class Flight:
    """An asynchronous operation: its name, where it was started, what it touches."""

    name: str
    site: Site | None
    areas: tuple[Area, ...]

    def clash(self, area: Area) -> tuple[int, bool] | None:
        """The first word that both touch, at least one of them writing it, and
        whether the flight writes it."""
        for own in self.areas:
            if (own.writes or area.writes) and not own.words.isdisjoint(area.words):
                return min(own.words & area.words), own.writes
        return None


def area_of(dsd: Memory1or4, size: int, length: int, index: int, writes: bool) -> Area:
    """The area of a vector of `length` elements of `size` bytes."""
    if length == INFINITE_EXTENT:
        length = 1 if isinstance(dsd, Mem1d) and not dsd.stride else dsd.extent
    return words_at(element_addresses(dsd, size, length, index), size, writes)


def words_at(addresses: np.ndarray, size: int, writes: bool) -> Area:
    words = addresses >> 1
    found = frozenset(words.tolist())
    return Area(found | frozenset((words + 1).tolist()) if size > 2 else found, writes)
