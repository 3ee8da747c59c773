"""program.json read back: what a host needs, believing nothing that the file says."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any, NoReturn, cast

import numpy as np

from lowering.dtypes import DTYPES
from lowering.errors import LayoutError
from lowering.host.tiling import VERSION, constant_array
from lowering.mesh import AXES, Mesh
from lowering.placement import Placement

_MAX_SIDE = 4096  # PEs; no wafer has as many in a row
_MAX_DIMS = 32
_MAX_TILE_BYTES = 48 * 1024


class MalformedProgramError(ValueError):
    """Text that is no program.json of this version."""


@dataclass(frozen=True, slots=True)
class HostValue:
    """An array that the host copies: its name, its symbol on the wafer, its tiles.

    A launch overwrites inputs that are donated.
    """

    name: str
    symbol: str
    placement: Placement
    is_donated: bool = False


@dataclass(frozen=True, slots=True)
class Description:
    """What a host does with a program: copy in, launch `entry`, copy out.

    `constants` are inputs with the arrays that they always have.
    """

    mesh: Mesh
    entry: str
    inputs: tuple[HostValue, ...]
    outputs: tuple[HostValue, ...]
    constants: tuple[tuple[HostValue, np.ndarray[Any, Any]], ...]


def read_description(text: str) -> Description:
    """The program that `program_text` wrote as `text`.

    Raises: MalformedProgramError.
    """
    try:
        program: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedProgramError(f"it is no JSON: {error}") from None
    match program:
        case {"version": version} if version != VERSION:
            _refuse(f"it has version {version!r}, not {VERSION}")
        case {
            "mesh": {"rows": int(rows), "cols": int(cols)},
            "entry": str(entry),
            "inputs": [*inputs],
            "outputs": [*outputs],
        } if 0 < rows <= _MAX_SIDE and 0 < cols <= _MAX_SIDE:
            mesh = Mesh(rows, cols)
            tables = cast(list[Any], program.get("constants", []))
            return Description(
                mesh,
                entry,
                tuple(_value(each, mesh) for each in inputs),
                tuple(_value(each, mesh) for each in outputs),
                tuple(_constant(each, mesh) for each in tables),
            )
        case _:
            _refuse("it has no mesh, entry, inputs and outputs")


def _value(entry: Any, mesh: Mesh) -> HostValue:
    match entry:
        case {
            "name": str(name),
            "symbol": str(symbol),
            "shape": [*shape],
            "dtype": str(dtype),
            "axes": [*axes],
            "extent": [int(rows), int(cols)],
            "tile_shape": [*tile_shape],
        } if _are_sizes(shape) and dtype in DTYPES and set(axes) <= {*AXES, None}:
            if not (0 < rows <= mesh.rows and 0 < cols <= mesh.cols):
                _refuse(f"{name!r} lies on {rows}x{cols} PEs of {mesh}")
            placement = _placement(name, shape, dtype, axes, (rows, cols))
            if list(placement.tile_shape) != tile_shape:
                _refuse(f"{name!r} has tiles of {tile_shape}")
            if placement.tile_size_bytes > _MAX_TILE_BYTES:
                _refuse(f"{name!r} has tiles of {placement.tile_size_bytes} bytes")
            return HostValue(name, symbol, placement, entry.get("donated") is True)
        case _:
            _refuse(f"{str(entry)[:60]!r} describes no value")


def _placement(
    name: str, shape: list[int], dtype: str, axes: list[Any], extent: tuple[int, int]
) -> Placement:
    try:
        return Placement(tuple(shape), np.dtype(dtype), tuple(axes), extent)
    except LayoutError as error:
        _refuse(f"{name!r} cannot be placed: {error}")


def _are_sizes(shape: list[Any]) -> bool:
    return (
        len(shape) <= _MAX_DIMS
        and all(type(size) is int and 0 <= size for size in shape)
        and math.prod(size or 1 for size in shape) < 2**48
    )


def _constant(entry: Any, mesh: Mesh) -> tuple[HostValue, np.ndarray[Any, Any]]:
    value = _value(entry, mesh)
    try:
        array = constant_array(entry).astype(value.placement.dtype)
    except (KeyError, TypeError, ValueError) as error:
        _refuse(f"the data of {value.name!r} are none: {error}")
    return value, array


def _refuse(what: str) -> NoReturn:
    raise MalformedProgramError(what)
