"""A PE's private memory: one block of bytes under views of every element type."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyflame.wse.errors import MachineFault

U16, I16 = np.dtype("<u2"), np.dtype("<i2")
U32, I32 = np.dtype("<u4"), np.dtype("<i4")
F16, F32 = np.dtype("<f2"), np.dtype("<f4")


# A view, by its number in every memory, and the elements of it.
Window = tuple[int, slice]

# Views start at each 16-bit word that an element may start at.
_VIEWS = [
    (dtype, shift)
    for dtype in (U16, I16, F16, U32, I32, F32)
    for shift in range(0, dtype.itemsize, 2)
]
_NUMBERS = {key: number for number, key in enumerate(_VIEWS)}


class Memory:
    """Byte-addressed memory, little-endian.

    `u8 i8 u16 i16 u32 i32` are memoryviews and `f16 f32` NumPy arrays, all indexed
    by element (`memory.u16[address >> 1]`): they serve scalar accesses, which are
    aligned to their size. Vectors may be aligned to 2 bytes only; `vector` finds
    the right view; `views` are all of them, as windows number them.

    Raises:
        MachineFault: from `vector`, `gather`, `scatter`, `read` and `write` for
            addresses outside the memory.
    """

    __slots__ = (
        "data",
        "f16",
        "f32",
        "i8",
        "i16",
        "i32",
        "np_f16",
        "np_f32",
        "np_i16",
        "np_i32",
        "np_u16",
        "np_u32",
        "size_bytes",
        "u8",
        "u16",
        "u32",
        "views",
    )

    def __init__(self, size_bytes: int = 49_152) -> None:
        assert size_bytes % 4 == 0, "memory is a whole number of 32-bit words"
        self.size_bytes = size_bytes
        self.data = bytearray(size_bytes)
        raw = memoryview(self.data)
        self.u8, self.i8 = raw, raw.cast("b")
        self.u16, self.i16 = raw.cast("H"), raw.cast("h")
        self.u32, self.i32 = raw.cast("I"), raw.cast("i")
        self.views: list[NDArray[Any]] = [self._shifted(*key) for key in _VIEWS]
        self.np_u16, self.np_i16 = self._whole(U16), self._whole(I16)
        self.np_u32, self.np_i32 = self._whole(U32), self._whole(I32)
        self.np_f16, self.np_f32 = self._whole(F16), self._whole(F32)
        self.f16, self.f32 = self.np_f16, self.np_f32

    def _shifted(self, dtype: np.dtype[Any], shift: int) -> NDArray[Any]:
        count = (self.size_bytes - shift) // dtype.itemsize
        return np.frombuffer(self.data, dtype, count, shift)

    def _whole(self, dtype: np.dtype[Any]) -> NDArray[Any]:
        return self.views[_NUMBERS[dtype, 0]]

    def vector(
        self, dtype: np.dtype[Any], address: int, stride: int, count: int
    ) -> NDArray[Any]:
        """A writable view of `count` elements that are `stride` elements apart.

        Address in bytes, a multiple of 2. `stride` is not 0.
        """
        return self.view(self.window(dtype, address, stride, count))

    def view(self, window: Window) -> NDArray[Any]:
        """A writable view of the elements of a window."""
        return self.views[window[0]][window[1]]

    def window(
        self, dtype: np.dtype[Any], address: int, stride: int, count: int
    ) -> Window:
        """Where the elements of `vector` are, in any memory of this size."""
        size = dtype.itemsize
        first, shift = divmod(address, size)
        last = first + stride * (count - 1)
        if shift & 1:
            raise MachineFault(f"address {address:#06x} is not a multiple of 2 bytes")
        number = _NUMBERS[dtype, shift]
        view = self.views[number]
        if first < 0 or last < 0 or first >= len(view) or last >= len(view):
            raise self._outside(address, last * size + shift, size)
        if stride > 0:
            return number, slice(first, last + 1, stride)
        return number, slice(first, last - 1 if last else None, stride)

    def gather(
        self, dtype: np.dtype[Any], addresses: NDArray[np.int64]
    ) -> NDArray[Any]:
        """A copy of the elements at the given byte addresses (equal modulo size)."""
        view, indices = self._indexed(dtype, addresses)
        return view[indices]

    def scatter(
        self,
        dtype: np.dtype[Any],
        addresses: NDArray[np.int64],
        values: NDArray[Any],
    ) -> None:
        """Stores in order: of equal addresses the last one wins."""
        view, indices = self._indexed(dtype, addresses)
        view[indices] = values

    def _indexed(
        self, dtype: np.dtype[Any], addresses: NDArray[np.int64]
    ) -> tuple[NDArray[Any], NDArray[np.int64]]:
        low, high = int(addresses.min()), int(addresses.max())
        size = dtype.itemsize
        if low < 0 or high + size > self.size_bytes:
            raise self._outside(low, high, size)
        shift = low % size
        return self.views[_NUMBERS[dtype, shift]], (addresses - shift) // size

    def load(self, dtype: np.dtype[Any], address: int) -> Any:
        """The NumPy scalar at a byte address."""
        return self.vector(dtype, address, 1, 1)[0]

    def store(self, dtype: np.dtype[Any], address: int, value: Any) -> None:
        self.vector(dtype, address, 1, 1)[0] = value

    def load_bits(self, address: int, size_bytes: int) -> int:
        """The raw 16 or 32 bits at a byte address that is a multiple of 2."""
        self.check_range(address, size_bytes)
        low = self.u16[address >> 1]
        return low if size_bytes == 2 else low | self.u16[(address >> 1) + 1] << 16

    def store_bits(self, address: int, size_bytes: int, bits: int) -> None:
        self.check_range(address, size_bytes)
        self.u16[address >> 1] = bits & 0xFFFF
        if size_bytes == 4:
            self.u16[(address >> 1) + 1] = bits >> 16 & 0xFFFF

    def read(self, address: int, n_bytes: int) -> bytes:
        self.check_range(address, n_bytes)
        return bytes(self.data[address : address + n_bytes])

    def write(self, address: int, data: bytes) -> None:
        self.check_range(address, len(data))
        self.data[address : address + len(data)] = data

    def check_range(self, address: int, n_bytes: int) -> None:
        if address < 0 or address + n_bytes > self.size_bytes:
            raise self._outside(address, address, n_bytes)

    def _outside(self, first: int, last: int, size: int) -> MachineFault:
        low, high = min(first, last), max(first, last) + size - 1
        return MachineFault(
            f"bytes {low} to {high} are not in the {self.size_bytes:,} bytes "
            "of this PE's memory"
        )
