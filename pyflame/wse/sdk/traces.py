"""The record format of <debug> trace buffers."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from pyflame.wse.errors import HostError

_TIMESTAMP_WORDS = 3

Traced = bool | int | float | str


def decode_trace(words: NDArray[np.uint16]) -> list[Traced]:
    """The records of a trace buffer.

    A record is a tag word, its low byte a type letter of the `struct` module (or
    `t` timestamp, `s` string), then the value, lowest word first. One-byte values
    and string lengths sit in the tag's high byte.

    Raises:
        HostError: a tag that no tracer writes, or a record cut short.
    """
    values: list[Traced] = []
    position = 0
    while position < len(words):
        tag = int(words[position])
        letter, payload = chr(tag & 0xFF), tag >> 8
        count = _words_after_tag(letter, payload, position)
        body = words[position + 1 : position + 1 + count]
        if len(body) < count:
            raise HostError(f"the trace ends inside the record at word {position}")
        values.append(_decode(letter, payload, body.astype("<u2").tobytes()))
        position += 1 + count
    return values


def _words_after_tag(letter: str, payload: int, position: int) -> int:
    if letter in "?bB":
        return 0
    if letter in "hHe":
        return 1
    if letter in "iIlLf":
        return 2
    if letter in "qQ":
        return 4
    if letter == "t":
        return _TIMESTAMP_WORDS
    if letter == "s":
        return (payload + 1) // 2
    raise HostError(f"the trace has an unknown tag {letter!r} at word {position}")


def _decode(letter: str, payload: int, body: bytes) -> Traced:
    if letter == "s":
        return body[:payload].split(b"\0")[0].decode("utf-8", "replace")
    if letter == "t":
        return int.from_bytes(body, "little")
    if letter in "?bB":
        body = bytes([payload])
    return struct.unpack("<" + letter, body)[0]
