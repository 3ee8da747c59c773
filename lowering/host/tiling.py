"""How arrays of the host become words of the wafer, and back.

This file is the same in the compiler and beside every generated run.py; it needs
NumPy only, and any Python that the SDK brings. A value is described by its entry in
program.json: `shape` and `dtype` of the array, `axes` (per dimension the mesh axis that
splits it, "rows", "cols" or null), `extent` (rows and columns of PEs that hold it) and
`tile_shape`. A constant of the program has its elements in `data`, little-endian in
base64. Words travel as uint32[rows * cols * elements], row by row of PEs; a bool
takes the low half of a word.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np

VERSION = 1


def load_program(path: Any) -> dict[str, Any]:
    """Reads program.json. Raises: ValueError, if its version is not this one's."""
    with open(path, encoding="utf-8") as file:
        program = json.load(file)
    if program.get("version") != VERSION:
        raise ValueError(f"{path} has version {program.get('version')}, not {VERSION}")
    return program


def constant_array(value: dict[str, Any]) -> Any:
    """The elements that a constant's entry holds."""
    dtype = np.dtype(value["dtype"]).newbyteorder("<")
    flat = np.frombuffer(base64.b64decode(value["data"]), dtype)
    return flat.reshape(value["shape"]).astype(value["dtype"])


def element_count(value: dict[str, Any]) -> int:
    """Elements of one PE's tile."""
    return int(np.prod(value["tile_shape"], dtype=np.int64))


def is_narrow(value: dict[str, Any]) -> bool:
    """Whether an element takes 16 bits of a PE's memory."""
    return value["dtype"] == "bool"


def to_words(array: Any, value: dict[str, Any], mesh: dict[str, int]) -> Any:
    """The array cut into tiles, as words; padding is zero.

    Raises: ValueError, if the array has another shape than the value.
    """
    array = np.asarray(array, value["dtype"])
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
    flat = tiles.ravel()
    return flat.astype(np.uint32) if is_narrow(value) else flat.view(np.uint32)


def from_words(words: Any, value: dict[str, Any], mesh: dict[str, int]) -> Any:
    """The array whose tiles the words are, without padding."""
    words = np.ascontiguousarray(words, np.uint32)
    flat = (words & 0xFFFF) != 0 if is_narrow(value) else words.view(value["dtype"])
    tiles = flat.reshape(mesh["rows"], mesh["cols"], *value["tile_shape"])
    padded = np.zeros(_padded_shape(value), flat.dtype)
    rows = value["extent"][0] if "rows" in value["axes"] else 1
    cols = value["extent"][1] if "cols" in value["axes"] else 1
    for row in range(rows):
        for col in range(cols):
            padded[_window(value, row, col)] = tiles[row, col]
    return padded[_inside(value)]


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
