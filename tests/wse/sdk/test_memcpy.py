"""Which host word belongs to which PE, against the formulas of the documentation."""

import numpy as np
import pytest

from pyflame.wse.errors import HostError
from pyflame.wse.sdk import memcpy
from pyflame.wse.sdk.enums import (
    FP16TYPE,
    Edge,
    MemcpyDataType,
    MemcpyOrder,
    Route,
    SdkTarget,
)
from pyflame.wse.sdk.memcpy import Region

ROW, COL = MemcpyOrder.ROW_MAJOR, MemcpyOrder.COL_MAJOR
BITS16, BITS32 = MemcpyDataType.MEMCPY_16BIT, MemcpyDataType.MEMCPY_32BIT
CONSTANTS = (MemcpyDataType, MemcpyOrder, SdkTarget, Edge, Route, FP16TYPE)


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 3, 4), (3, 1, 2), (1, 4, 1)])
def test_row_major(shape):
    h, w, n = shape
    tiles = memcpy.by_pe(np.arange(h * w * n, dtype=np.uint32), h, w, n, ROW)
    for j, i, e in np.ndindex(shape):
        assert tiles[j, i, e] == (j * w + i) * n + e


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 3, 4), (3, 1, 2), (1, 4, 1)])
def test_column_major(shape):
    h, w, n = shape
    tiles = memcpy.by_pe(np.arange(h * w * n, dtype=np.uint32), h, w, n, COL)
    for j, i, e in np.ndindex(shape):
        assert tiles[j, i, e] == j + h * (i + w * e)


def test_column_major_is_order_f():
    flat = np.arange(24, dtype=np.uint32)
    expected = flat.reshape((2, 3, 4), order="F")
    np.testing.assert_array_equal(memcpy.by_pe(flat, 2, 3, 4, COL), expected)


@pytest.mark.parametrize("order", [ROW, COL])
def test_tiles_are_a_view(order):
    host = np.zeros(24, np.float32)
    words = memcpy.host_words(host, 24, "memcpy_d2h")
    memcpy.by_pe(words, 2, 3, 4, order)[1, 2] = np.float32(1.5).view(np.uint32)
    assert (host == 1.5).sum() == 4


def test_host_words_of_a_raveled_array_write_through():
    host = np.zeros((3, 4), np.int32)
    memcpy.host_words(host.ravel(), 5, "memcpy_d2h")[:] = 7
    assert host.ravel().tolist() == [7] * 5 + [0] * 7


def test_sixteen_bit_mode_ignores_high_halves():
    words = np.array([0x10002, 0xFFFF0003], np.uint32)
    assert memcpy.to_device(words, BITS16) == b"\x02\x00\x03\x00"
    assert memcpy.from_device(b"\x02\x00\xff\xff", BITS16).tolist() == [2, 0xFFFF]


def test_thirty_two_bit_mode_keeps_the_bits():
    words = np.array([1.0, -2.5], np.float32).view(np.uint32)
    data = memcpy.to_device(words, BITS32)
    assert np.frombuffer(data, "<f4").tolist() == [1.0, -2.5]
    assert memcpy.from_device(data, BITS32).tolist() == words.tolist()


def test_strided_region():
    region = Region(1, 2, 5, 4, column_step=2, row_step=3)
    assert list(region.columns) == [1, 3, 5]
    assert list(region.rows) == [2, 5]


@pytest.mark.parametrize(
    ("array", "message"),
    [
        ([1, 2], "memcpy_h2d: the host tensor must be a NumPy array, not list"),
        (
            np.zeros(4, np.float64),
            "memcpy_h2d: the host tensor has dtype float64, but every element travels "
            "in 32 bits; use float32, int32 or uint32 (16-bit data is extended with "
            "sdk_utils.input_array_to_u32)",
        ),
        (
            np.zeros((4, 4), np.float32)[:, :2],
            "memcpy_h2d: the host tensor of shape (4, 2) is not C-contiguous; pass "
            "numpy.ascontiguousarray(...) of it",
        ),
        (
            np.zeros(3, np.float32),
            "memcpy_h2d: the host tensor has 3 elements, but the transfer moves 4",
        ),
    ],
)
def test_refused_host_arrays(array, message):
    with pytest.raises(HostError) as caught:
        memcpy.host_words(array, 4, "memcpy_h2d")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "region", [(0, 0, 5, 1), (-1, 0, 2, 1), (0, 2, 1, 1), (0, 0, 0, 1)]
)
def test_regions_outside_are_refused(region):
    with pytest.raises(HostError) as caught:
        memcpy.check_region(Region(*region), 4, 2, "h2d")
    x, y, w, h = region
    assert str(caught.value) == (
        "h2d subrectangle must be inside the core rectangle: "
        f"{w}x{h} at ({x}, {y}) is not inside 4x2"
    )


def test_strides_must_be_positive():
    with pytest.raises(HostError) as caught:
        memcpy.check_region(Region(0, 0, 2, 2, 0, 1), 4, 2, "h2d")
    assert str(caught.value) == (
        "row_stride or col_stride must be positive, got row_stride=0, col_stride=1"
    )


def test_options_must_be_the_enumerations():
    memcpy.check_options(BITS16, COL)
    with pytest.raises(HostError, match="Illegal data type option for memcpy: 1;"):
        memcpy.check_options(1, COL)
    with pytest.raises(HostError, match="Illegal order option for memcpy: 'row';"):
        memcpy.check_options(BITS16, "row")


def test_constants_have_the_values_of_the_sdk():
    assert {kind.__name__: {m.name: m.value for m in kind} for kind in CONSTANTS} == {
        "MemcpyDataType": {"MEMCPY_32BIT": 0, "MEMCPY_16BIT": 1},
        "MemcpyOrder": {"ROW_MAJOR": 0, "COL_MAJOR": 1},
        "SdkTarget": {"WSE2": 0, "WSE3": 1},
        "Edge": {"TOP": 0, "BOTTOM": 1, "LEFT": 2, "RIGHT": 3},
        "Route": {"RAMP": 0, "EAST": 1, "WEST": 2, "NORTH": 3, "SOUTH": 4},
        "FP16TYPE": {"F16": 0, "BF16": 1, "CB16": 2},
    }
