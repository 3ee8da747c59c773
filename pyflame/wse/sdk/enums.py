"""The constants of the SDK's host interface, with the vendor's names and values."""

from __future__ import annotations

from enum import IntEnum


class MemcpyDataType(IntEnum):
    """Width of one element on the device. A host element is always 32 bits wide."""

    MEMCPY_32BIT = 0
    MEMCPY_16BIT = 1


class MemcpyOrder(IntEnum):
    """How the host array A[height][width][elements] is flattened."""

    ROW_MAJOR = 0
    COL_MAJOR = 1


class SdkTarget(IntEnum):
    WSE2 = 0
    WSE3 = 1


class Edge(IntEnum):
    TOP = 0
    BOTTOM = 1
    LEFT = 2
    RIGHT = 3


class Route(IntEnum):
    RAMP = 0
    EAST = 1
    WEST = 2
    NORTH = 3
    SOUTH = 4


class FP16TYPE(IntEnum):
    F16 = 0
    BF16 = 1
    CB16 = 2
