"""How arrays of the host become words of the wafer, and back.

This file is the same in the compiler and beside every generated run.py; it needs
NumPy only, and any Python that the SDK brings. A value is described by its entry in
program.json: `shape` and `dtype` of the array, `axes` (per dimension the mesh axis that
splits it, "rows", "cols" or null), `extent` (rows and columns of PEs that hold it) and
`tile_shape`. A constant of the program has its elements in `data`, little-endian in
base64. Words travel as uint32[rows * cols * elements], row by row of PEs. An element
that PEs hold in 16 bits takes the low half of a word. NumPy has no bfloat16: such
arrays are float32 here, rounded on their way in.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np

VERSION = 1
# What PEs hold where it is not the dtype itself: whole 16-bit words.
_STORED = {"bool": "uint16", "int8": "int16", "uint8": "uint16", "bfloat16": "uint16"}


def load_program(path: Any) -> dict[str, Any]:
    """Reads program.json. Raises: ValueError, if its version is not this one's."""
    with open(path, encoding="utf-8") as file:
        program = json.load(file)
    if program.get("version") != VERSION:
        raise ValueError(f"{path} has version {program.get('version')}, not {VERSION}")
    return program


def constant_array(value: dict[str, Any]) -> Any:
    """The elements that a constant's entry holds."""
    is_bits = value["dtype"] == "bfloat16"
    dtype = np.dtype(_stored_dtype(value) if is_bits else value["dtype"])
    data = base64.b64decode(value["data"])
    flat = np.frombuffer(data, dtype.newbyteorder("<")).astype(dtype)
    return (_from_bits(flat) if is_bits else flat).reshape(value["shape"])


def host_dtype(value: dict[str, Any]) -> Any:
    """What the host has arrays of: the value's dtype, float32 for bfloat16."""
    return np.dtype("float32" if value["dtype"] == "bfloat16" else value["dtype"])


def element_count(value: dict[str, Any]) -> int:
    """Elements of one PE's tile."""
    return int(np.prod(value["tile_shape"], dtype=np.int64))


def is_narrow(value: dict[str, Any]) -> bool:
    """Whether an element takes 16 bits of a PE's memory."""
    return _stored_dtype(value).itemsize == 2


def to_words(array: Any, value: dict[str, Any], mesh: dict[str, int]) -> Any:
    """The array cut into tiles, as words; padding is zero.

    Raises: ValueError, if the array has another shape than the value.
    """
    array = np.asarray(array, host_dtype(value))
    if array.shape != tuple(value["shape"]):
        raise ValueError(
            f"{value['name']} has shape {array.shape}, not {tuple(value['shape'])}"
        )
    padded = np.zeros(_padded_shape(value), array.dtype)
    padded[_inside(value)] = array
    tiles = np.zeros((mesh["rows"], mesh["cols"], *value["tile_shape"]), array.dtype)
    for row in range(value["extent"][0]):
        for col in range(value["extent"][1]):
            tiles[row, col] = padded[_window(value, row, col)]
    stored = _to_stored(tiles.ravel(), value)
    if is_narrow(value):
        return stored.view(np.uint16).astype(np.uint32)
    return stored.view(np.uint32)


def from_words(words: Any, value: dict[str, Any], mesh: dict[str, int]) -> Any:
    """The array whose tiles the words are, without padding."""
    words = np.ascontiguousarray(words, np.uint32)
    if is_narrow(value):
        words = (words & 0xFFFF).astype(np.uint16)
    flat = _from_stored(words.view(_stored_dtype(value)), value)
    tiles = flat.reshape(mesh["rows"], mesh["cols"], *value["tile_shape"])
    padded = np.zeros(_padded_shape(value), flat.dtype)
    rows = value["extent"][0] if "rows" in value["axes"] else 1
    cols = value["extent"][1] if "cols" in value["axes"] else 1
    for row in range(rows):
        for col in range(cols):
            padded[_window(value, row, col)] = tiles[row, col]
    return padded[_inside(value)]


def _stored_dtype(value: dict[str, Any]) -> Any:
    return np.dtype(_STORED.get(value["dtype"], value["dtype"]))


def _to_stored(elements: Any, value: dict[str, Any]) -> Any:
    if value["dtype"] == "bfloat16":
        return _to_bits(elements)
    return elements.astype(_stored_dtype(value))


def _from_stored(stored: Any, value: dict[str, Any]) -> Any:
    if value["dtype"] == "bfloat16":
        return _from_bits(stored)
    return stored.astype(value["dtype"])


def _to_bits(numbers: Any) -> Any:
    """float32 as bfloat16: to the nearest, ties to even; NaN stays NaN."""
    words = numbers.view(np.uint32)
    bits = (words + 0x7FFF + (words >> 16 & 1)) >> 16
    not_numbers = np.isnan(numbers)
    bits[not_numbers] = words[not_numbers] >> 16 | 0x40
    return bits.astype(np.uint16)


def _from_bits(bits: Any) -> Any:
    return (bits.astype(np.uint32) << 16).view(np.float32)


def _padded_shape(value: dict[str, Any]) -> tuple[int, ...]:
    count = {"rows": value["extent"][0], "cols": value["extent"][1]}
    return tuple(
        tile * count.get(value["axes"][dim], 1)
        for dim, tile in enumerate(value["tile_shape"])
    )


def _inside(value: dict[str, Any]) -> tuple[slice, ...]:
    return tuple(slice(0, size) for size in value["shape"])


def _window(value: dict[str, Any], row: int, col: int) -> tuple[slice, ...]:
    """The slice of the padded array that PE(col, row) holds."""
    index = {"rows": row, "cols": col}
    window: list[slice] = []
    for dim, tile in enumerate(value["tile_shape"]):
        start = index.get(value["axes"][dim], 0) * tile
        window.append(slice(start, start + tile))
    return tuple(window)
