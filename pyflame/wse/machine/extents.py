"""Which global variable an address lies in: host transfers must not run past it."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from pyflame.wse.machine.program import CompiledProgram
from pyflame.wse.machine.storage import size_bytes


@dataclass(frozen=True, slots=True)
class Extent:
    """A global's name and the bytes `start` to `end` - 1 that it takes."""

    symbol: str
    start: int
    end: int


class Extents:
    """The globals of one program in memory, by address."""

    def __init__(self, compiled: CompiledProgram) -> None:
        self._extents = sorted(_extents(compiled), key=lambda extent: extent.start)
        self._starts = [extent.start for extent in self._extents]

    def at(self, address: int) -> Extent | None:
        """The global that holds a byte, None if no global does."""
        position = bisect_right(self._starts, address) - 1
        if position < 0 or address >= self._extents[position].end:
            return None
        return self._extents[position]


def _extents(compiled: CompiledProgram) -> list[Extent]:
    extents: list[Extent] = []
    for variable in compiled.source.globals:
        try:
            start = compiled.address(variable)
        except KeyError:
            continue  # lives outside memory
        if size := size_bytes(variable.type):
            extents.append(Extent(variable.symbol, start, start + size))
    return extents
