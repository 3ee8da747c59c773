"""Host transfers between NumPy arrays and the PEs of a region."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pyflame.wse.errors import HostError, HostWarning
from pyflame.wse.language.types import Type
from pyflame.wse.machine.extents import Extent
from pyflame.wse.sdk import memcpy
from pyflame.wse.sdk.command_stream import CopyTask, HostWafer, StreamTask
from pyflame.wse.sdk.enums import MemcpyDataType, MemcpyOrder
from pyflame.wse.sdk.memcpy import Region, Words
from pyflame.wse.sdk.read_log import Received


class MemoryWafer(HostWafer, Protocol):
    """What transfers need of the machine."""

    def extent_at(self, x: int, y: int, address: int) -> Extent | None: ...
    def symbol(self, x: int, y: int, name: str) -> tuple[int, Type]: ...
    def read_memory(self, x: int, y: int, address: int, n_bytes: int) -> bytes: ...
    def write_memory(self, x: int, y: int, address: int, data: bytes) -> None: ...


@dataclass(frozen=True, slots=True)
class Transfer:
    """What one memcpy call asks for, checked: `elements` per PE of the region."""

    region: Region
    elements: int
    data_type: MemcpyDataType
    order: MemcpyOrder

    @property
    def shape(self) -> tuple[int, int, int]:
        """Rows, columns and elements per PE."""
        return len(self.region.rows), len(self.region.columns), self.elements

    @property
    def size_bytes(self) -> int:
        """Bytes per PE on the device."""
        return self.elements * memcpy.element_size_bytes(self.data_type)


def tiles_of_host(
    src: NDArray[np.generic], transfer: Transfer, shape: tuple[int, int, int], what: str
) -> Words:
    """A private copy [rows, columns, elements] of a source array.

    Args:
        shape: what the host array holds; an extent of 1 is broadcast to the region.
    """
    height, width, elements = shape
    words = memcpy.host_words(src, height * width * elements, what).copy()
    tiles = memcpy.by_pe(words, height, width, elements, transfer.order)
    return np.broadcast_to(tiles, transfer.shape)


def write_task(
    wafer: MemoryWafer, name: str, transfer: Transfer, tiles: Words
) -> CopyTask:
    """Writes tiles[rows, columns, elements] to the symbol on every PE.

    The fabric comes to rest first: a PE may still be sending from the memory that is
    written here, and the host is far slower than the wafer.
    """

    def write() -> None:
        wafer.run_until_quiet()
        for j, i, x, y in _places(transfer.region):
            address, _ = wafer.symbol(x, y, name)
            if remark := _overrun(wafer, name, transfer, x, y, address):
                raise HostError(remark)
            data = memcpy.to_device(tiles[j, i], transfer.data_type)
            wafer.write_memory(x, y, address, data)

    return CopyTask(write)


def read_task(
    wafer: MemoryWafer,
    name: str,
    transfer: Transfer,
    dest: NDArray[np.generic],
    received: Received,
) -> CopyTask:
    """Reads the symbol of every PE into the host array, in place.

    The fabric comes to rest first: a PE may have been released from a launch while
    wavelets that its neighbours wait for are still travelling. Reading past the array
    is only warned of: the official 25-pt-stencil reads six elements of five.
    """
    tiles = _destination(dest, transfer)

    def read() -> None:
        wafer.run_until_quiet()
        for j, i, x, y in _places(transfer.region):
            address, _ = wafer.symbol(x, y, name)
            if remark := _overrun(wafer, name, transfer, x, y, address):
                warnings.warn(remark, HostWarning, stacklevel=2)
            data = wafer.read_memory(x, y, address, transfer.size_bytes)
            tiles[j, i] = memcpy.from_device(data, transfer.data_type)
        received(tiles)

    return CopyTask(read)


def _overrun(
    wafer: MemoryWafer, name: str, transfer: Transfer, x: int, y: int, address: int
) -> str:
    """What is wrong if the transfer runs past the array at `address`, else ""."""
    extent = wafer.extent_at(x, y, address)
    if extent is None or address + transfer.size_bytes <= extent.end:
        return ""
    return (
        f"'{name}' on PE({x},{y}): {transfer.elements} elements are "
        f"{transfer.size_bytes} bytes, but '{extent.symbol}', which it points "
        f"into, ends after {extent.end - address}; check elem_per_pe and data_type"
    )


def send_task(
    wafer: MemoryWafer, color: int, transfer: Transfer, tiles: Words
) -> StreamTask:
    """Streams tiles[rows, columns, elements], every PE its elements in order."""

    def issue() -> list[int]:
        return [
            wafer.send(color, x, y, np.ascontiguousarray(tiles[j, i]))
            for j, i, x, y in _places(transfer.region)
        ]

    return StreamTask(issue)


def receive_task(
    wafer: MemoryWafer,
    color: int,
    transfer: Transfer,
    dest: NDArray[np.generic],
    received: Received,
) -> StreamTask:
    """Receives `elements` wavelets from every PE into the host array, in place."""
    tiles = _destination(dest, transfer)

    def issue() -> list[int]:
        return [
            wafer.receive(color, x, y, transfer.elements)
            for _, _, x, y in _places(transfer.region)
        ]

    def collect(tickets: Sequence[int]) -> None:
        places = _places(transfer.region)
        for (j, i, _, _), ticket in zip(places, tickets, strict=True):
            tiles[j, i] = wafer.words(ticket)
        received(tiles)

    return StreamTask(issue, collect)


def _places(region: Region) -> Iterator[tuple[int, int, int, int]]:
    """Row and column in the host array, column and row on the wafer, of every PE."""
    for j, y in enumerate(region.rows):
        for i, x in enumerate(region.columns):
            yield j, i, x, y


def _destination(dest: NDArray[np.generic], transfer: Transfer) -> Words:
    height, width, elements = transfer.shape
    words = memcpy.host_words(dest, height * width * elements, "memcpy_d2h")
    if not words.flags.writeable:
        raise HostError("memcpy_d2h: the host tensor is read-only")
    return memcpy.by_pe(words, height, width, elements, transfer.order)
