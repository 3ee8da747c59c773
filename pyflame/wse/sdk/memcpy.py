"""Index arithmetic of host transfers: which host word belongs to which PE.

The host array is logically A[height][width][elements] over the region of interest,
flattened row-major (`(j*w + i)*l + e`) or column-major (`j + h*(i + w*e)`). The
second formula is what the official examples compute with NumPy's order "F".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from pyflame.wse.errors import HostError
from pyflame.wse.sdk.enums import MemcpyDataType, MemcpyOrder

Words = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Region:
    """Columns x to x+width-1 and rows y to y+height-1 of the program rectangle.

    Every `column_step`-th column and `row_step`-th row of it takes part.
    """

    x: int
    y: int
    width: int
    height: int
    column_step: int = 1
    row_step: int = 1

    @property
    def columns(self) -> range:
        return range(self.x, self.x + self.width, self.column_step)

    @property
    def rows(self) -> range:
        return range(self.y, self.y + self.height, self.row_step)


def check_region(
    region: Region, program_width: int, program_height: int, what: str
) -> None:
    """Raises HostError if a region is empty or leaves the program rectangle.

    Args:
        what: "h2d" or "d2h", for the message.
    """
    if region.column_step < 1 or region.row_step < 1:
        raise HostError(
            "row_stride or col_stride must be positive, got "
            f"row_stride={region.column_step}, col_stride={region.row_step}"
        )
    inside = (
        region.x >= 0
        and region.y >= 0
        and region.width >= 1
        and region.height >= 1
        and region.x + region.width <= program_width
        and region.y + region.height <= program_height
    )
    if not inside:
        raise HostError(
            f"{what} subrectangle must be inside the core rectangle: "
            f"{region.width}x{region.height} at ({region.x}, {region.y}) is not "
            f"inside {program_width}x{program_height}"
        )


def check_options(data_type: object, order: object) -> None:
    """Raises HostError unless both are members of the SDK's enumerations."""
    if not isinstance(data_type, MemcpyDataType):
        raise HostError(
            f"Illegal data type option for memcpy: {data_type!r}; the options are "
            "MemcpyDataType.MEMCPY_32BIT and MemcpyDataType.MEMCPY_16BIT"
        )
    if not isinstance(order, MemcpyOrder):
        raise HostError(
            f"Illegal order option for memcpy: {order!r}; the options are "
            "MemcpyOrder.ROW_MAJOR and MemcpyOrder.COL_MAJOR"
        )


def host_words(array: object, count: int, what: str) -> Words:
    """The first `count` elements of a host array as 32-bit words: a flat view.

    Raises:
        HostError: no C-contiguous NumPy array of 32-bit elements, or too short.
    """
    if not isinstance(array, np.ndarray):
        raise HostError(
            f"{what}: the host tensor must be a NumPy array, not {type(array).__name__}"
        )
    array = cast("NDArray[Any]", array)
    if array.dtype.itemsize != 4 or array.dtype.kind not in "iuf":
        raise HostError(
            f"{what}: the host tensor has dtype {array.dtype}, but every element "
            "travels in 32 bits; use float32, int32 or uint32 (16-bit data is "
            "extended with sdk_utils.input_array_to_u32)"
        )
    if not array.flags.c_contiguous:
        raise HostError(
            f"{what}: the host tensor of shape {array.shape} is not C-contiguous; "
            "pass numpy.ascontiguousarray(...) of it"
        )
    if array.size < count:
        raise HostError(
            f"{what}: the host tensor has {array.size} elements, but the transfer "
            f"moves {count}"
        )
    return array.reshape(-1).view(np.uint32)[:count]


def by_pe(
    words: Words, height: int, width: int, elements: int, order: MemcpyOrder
) -> Words:
    """A view [height, width, elements] on flat words[height*width*elements]."""
    if order is MemcpyOrder.ROW_MAJOR:
        return words.reshape(height, width, elements)
    return words.reshape(elements, width, height).transpose(2, 1, 0)


def to_device(words: Words, data_type: MemcpyDataType) -> bytes:
    """The device memory image of one PE's elements; 16-bit mode keeps low halves."""
    if data_type is MemcpyDataType.MEMCPY_16BIT:
        return (words & 0xFFFF).astype("<u2").tobytes()
    return words.astype("<u4").tobytes()


def from_device(data: bytes, data_type: MemcpyDataType) -> Words:
    """Host words of one PE's memory; 16-bit elements are extended with zeros."""
    if data_type is MemcpyDataType.MEMCPY_16BIT:
        return np.frombuffer(data, "<u2").astype(np.uint32)
    return np.frombuffer(data, "<u4").astype(np.uint32, copy=False)


def element_size_bytes(data_type: MemcpyDataType) -> int:
    return 2 if data_type is MemcpyDataType.MEMCPY_16BIT else 4
