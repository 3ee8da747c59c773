"""Data structure descriptors: what the operands of a vector operation name.

A descriptor is a value: it holds no data and does not change. Strides, offsets and
extents count elements, whose size is that of the operation.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

INFINITE_EXTENT = 0x7FFF


class Mem1d(NamedTuple):
    """`base` is a byte address. With `index_offset` the operation's `.index`
    (16-bit words) is added to the base. `origin` is the address that the descriptor
    was built over, None for the base: its variable is the one that it may touch.

    Loops make and look up millions of them, which tuples are quickest at."""

    base: int
    offset: int
    stride: int
    extent: int
    index_offset: bool = False
    origin: int | None = None

    def same_elements(self, other: Mem1d) -> bool:
        """Whether both name the same elements in the same order."""
        return self[:-1] == other[:-1]


@dataclass(frozen=True, slots=True)
class Mem4d:
    """`strides` innermost first, `extents` outermost first (as CSL spells them).

    A stride is added when its dimension steps, after the inner ones wrapped. `origin`
    is as in `Mem1d`.
    """

    base: int
    offset: int
    strides: tuple[int, ...]
    extents: tuple[int, ...]
    index_offset: bool = False
    origin: int | None = field(default=None, compare=False)

    @property
    def extent(self) -> int:
        """The number of elements."""
        total = 1
        for extent in self.extents:
            total *= extent
        return total


@dataclass(frozen=True, slots=True)
class Circular(Mem4d):
    """One dimension of stride 1, after whose first `wraparound` elements comes the
    first again. The offset is where it begins, below `wraparound`."""

    wraparound: int = 1


@dataclass(frozen=True, slots=True)
class FabIn:
    """Wavelets from an input queue. `queue` None: the PE's own choice."""

    color: int
    queue: int | None
    extent: int
    simd_mode: str = ""
    control_transform: bool = False
    priority: str | None = None


@dataclass(frozen=True, slots=True)
class FabOut:
    """Wavelets into an output queue; `zero` is "", "first_source" or
    "second_source": the memory operand to clear when the operation ends."""

    color: int
    queue: int | None
    extent: int
    control: bool = False
    index_offset: bool = False
    simd_mode: str = ""
    zero: str = ""
    advance_switch: bool = False
    control_transform: bool = False
    priority: str | None = None


@dataclass(frozen=True, slots=True)
class Fifo:
    """FIFO number `number` of the PE program (its place in `PeProgram.fifos`)."""

    number: int


@dataclass(frozen=True, slots=True)
class Dsr:
    """`@get_dsr(kind, number)`"""

    kind: str
    number: int


@dataclass(frozen=True, slots=True)
class ScalarPointer:
    """A pointer to a scalar as destination: its byte address."""

    address: int


Memory1or4 = Mem1d | Mem4d
Descriptor = Mem1d | Mem4d | FabIn | FabOut | Fifo | Dsr


def with_base(dsd: Memory1or4, address: int) -> Memory1or4:
    """`@set_dsd_base_addr`: a new base, and no offset."""
    if isinstance(dsd, Mem1d):
        return Mem1d(address, 0, dsd.stride, dsd.extent, dsd.index_offset)
    return replace(dsd, base=address, offset=0, origin=None)


def with_offset_added(dsd: Memory1or4, elements: int) -> Memory1or4:
    """The same vector some elements further on."""
    return replaced(dsd, dsd.base, dsd.offset + elements)


def replaced(dsd: Memory1or4, base: int, offset: int) -> Memory1or4:
    """The same vector from another place of the same variable."""
    origin = dsd.base if dsd.origin is None else dsd.origin
    index = dsd.index_offset
    if isinstance(dsd, Mem1d):
        return Mem1d(base, offset, dsd.stride, dsd.extent, index, origin)
    return Mem4d(base, offset, dsd.strides, dsd.extents, index, origin)


def with_stride(dsd: Mem1d, stride: int) -> Mem1d:
    """`@set_dsd_stride`."""
    return Mem1d(dsd.base, dsd.offset, stride, dsd.extent, dsd.index_offset, dsd.origin)


def element_offsets(dsd: Memory1or4, count: int) -> NDArray[np.int64]:
    """Offsets from the base, in elements, of the first `count` elements in order."""
    if isinstance(dsd, Mem1d):
        return dsd.offset + dsd.stride * np.arange(count, dtype=np.int64)
    if isinstance(dsd, Circular):
        return (dsd.offset + np.arange(count, dtype=np.int64)) % dsd.wraparound
    offsets = np.array([dsd.offset], dtype=np.int64)
    span = 0  # offset of the last element from the first, over the inner dimensions
    for extent, stride in zip(reversed(dsd.extents), dsd.strides, strict=True):
        step = span + stride
        steps = step * np.arange(extent, dtype=np.int64)
        offsets = (steps[:, None] + offsets[None, :]).ravel()
        span += step * (extent - 1)
    return offsets[:count]


def element_addresses(
    dsd: Memory1or4, size_bytes: int, count: int, index_words: int = 0
) -> NDArray[np.int64]:
    """Byte addresses of the first `count` elements of `size_bytes` each."""
    return start_base(dsd, index_words) + element_offsets(dsd, count) * size_bytes


def start_base(dsd: Memory1or4, index_words: int) -> int:
    """The base after the effect of `wavelet_index_offset`."""
    return dsd.base + 2 * index_words if dsd.index_offset else dsd.base


def advanced(dsd: Memory1or4, count: int) -> Memory1or4:
    """Where `.save_address` leaves a descriptor after an operation of `count`:
    one step of the outermost dimension past the elements used."""
    if isinstance(dsd, Circular):
        return replace(dsd, offset=(dsd.offset + count) % dsd.wraparound)
    if isinstance(dsd, Mem1d):
        return with_offset_added(dsd, dsd.stride * count)
    span = past = 0
    for extent, stride in zip(reversed(dsd.extents), dsd.strides, strict=True):
        step = span + stride
        span += step * (extent - 1)
        past = step * extent
    return with_offset_added(dsd, past)
