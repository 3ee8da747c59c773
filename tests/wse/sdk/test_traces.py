"""Trace buffers of <debug>."""

import struct

import numpy as np
import pytest

from pyflame.wse.errors import HostError
from pyflame.wse.sdk.traces import decode_trace


def words(data):
    return np.frombuffer(data, "<u2")


def record(letter, data):
    return bytes([ord(letter), 0]) + data


def test_all_record_types():
    data = b"".join(
        [
            b"?\x01",
            b"b\xff",
            b"B\xff",
            record("h", struct.pack("<h", -2)),
            record("H", struct.pack("<H", 65535)),
            record("e", struct.pack("<e", 1.5)),
            record("i", struct.pack("<i", -3)),
            record("L", struct.pack("<I", 1 << 31)),
            record("q", struct.pack("<q", -(1 << 40))),
            record("Q", struct.pack("<Q", 1 << 63)),
            record("f", struct.pack("<f", 0.25)),
            record("t", (1 << 40).to_bytes(6, "little")),
            b"s\x06hello\x00",
            b"s\x00",
        ]
    )
    assert decode_trace(words(data)) == [
        True,
        -1,
        255,
        -2,
        65535,
        1.5,
        -3,
        1 << 31,
        -(1 << 40),
        1 << 63,
        0.25,
        1 << 40,
        "hello",
        "",
    ]


def test_a_string_ends_at_its_first_nul():
    assert decode_trace(words(b"s\x04a\x00bc")) == ["a"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"?\x00z\x00", "the trace has an unknown tag 'z' at word 1"),
        (b"i\x00\x01\x00", "the trace ends inside the record at word 0"),
    ],
)
def test_damaged_traces(data, message):
    with pytest.raises(HostError) as caught:
        decode_trace(words(data))
    assert str(caught.value) == message
