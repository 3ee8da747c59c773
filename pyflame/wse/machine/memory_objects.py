"""Variables of a PE program in memory by address; which bytes have initial values."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pyflame.wse.language import types
from pyflame.wse.language.values import StructValue
from pyflame.wse.machine import storage


@dataclass(frozen=True, slots=True)
class MemoryObject:
    """A variable that takes the bytes `start` to `end` - 1."""

    name: str
    type: types.Type
    start: int
    end: int

    def element(self, address: int) -> str:
        """The source's name of what lies at an address inside: `A[1, 2]`."""
        if not isinstance(self.type, types.Array):
            return f"'{self.name}'"
        index = (address - self.start) // storage.stride_bytes(self.type.element)
        parts: list[str] = []
        for extent in reversed(self.type.dims):
            parts.append(str(index % extent))
            index //= extent
        return f"'{self.name}[{', '.join(reversed(parts))}]'"

    def extent_text(self) -> str:
        """Its size in the source's terms."""
        if isinstance(self.type, types.Array):
            return f"{self.type.count} elements"
        return f"{self.end - self.start} bytes"


class MemoryObjects:
    """Objects that do not overlap."""

    def __init__(self, objects: Iterable[MemoryObject]) -> None:
        self._objects = sorted(
            (o for o in objects if o.end > o.start), key=lambda o: o.start
        )
        self._starts = [o.start for o in self._objects]

    def at(self, address: int) -> MemoryObject | None:
        """The object that holds a byte, None if none does."""
        place = bisect_right(self._starts, address) - 1
        if place < 0 or address >= self._objects[place].end:
            return None
        return self._objects[place]

    def element(self, address: int) -> str:
        found = self.at(address)
        return f"address {address:#06x}" if found is None else found.element(address)


def defined_bytes(value: Any, type_: types.Type) -> bytes:
    """1 for each byte of a variable that its initial value determines, else 0."""
    size = storage.size_bytes(type_)
    if value is None:
        return bytes(size)
    if isinstance(value, StructValue) and isinstance(type_, types.Struct):
        members = zip(value.values, type_.types, strict=True)
        return _joined(type_, [defined_bytes(v, t) for v, t in members])
    return b"\1" * size


def _joined(struct: types.Struct, parts: list[bytes]) -> bytes:
    """The flags of a struct from those of its fields; what pads it counts as set."""
    flags = bytearray(b"\1" * storage.size_bytes(struct))
    for offset, part in zip(types.field_offsets_bytes(struct), parts, strict=True):
        flags[offset : offset + len(part)] = part
    return bytes(flags)
