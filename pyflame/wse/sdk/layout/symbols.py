"""Initial values of symbols, cut into one block per PE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyflame.wse.errors import HostError
from pyflame.wse.language import types
from pyflame.wse.language.image import Image

_DTYPES = ("float32", "int16", "int32", "uint16", "uint32")


@dataclass(frozen=True, eq=False, slots=True)
class SymbolData:
    """A matrix [height, width] over a region of `columns` x `rows` PEs."""

    name: str
    matrix: NDArray[Any]
    columns: int
    rows: int

    def block(self, x: int, y: int) -> bytes:
        """The rows and columns of one PE, flattened row by row."""
        height, width = self.matrix.shape
        h, w = height // self.rows, width // self.columns
        block = self.matrix[y * h : (y + 1) * h, x * w : (x + 1) * w]
        little = block.dtype.newbyteorder("<")
        return np.ascontiguousarray(block, little).tobytes()


def symbol_data(
    name: str, data: Any, width: int, height: int, columns: int, rows: int
) -> SymbolData:
    """Checks and copies what `set_symbol_all` is given.

    Raises:
        HostError: another dtype, or sizes that do not fit each other.
    """
    array = np.asarray(data)
    if array.dtype.name not in _DTYPES:
        raise HostError(
            f"set_symbol_all('{name}'): dtype {array.dtype} is none of "
            f"{', '.join(_DTYPES)}"
        )
    if array.size != width * height:
        raise HostError(
            f"set_symbol_all('{name}'): {array.size} elements are no "
            f"{width} x {height} matrix"
        )
    if width < 1 or height < 1 or width % columns or height % rows:
        raise HostError(
            f"set_symbol_all('{name}'): a {width} x {height} matrix cannot be cut "
            f"evenly over {columns} x {rows} PEs"
        )
    return SymbolData(name, array.reshape(height, width).copy(), columns, rows)


def check_symbol(image: Image, x: int, y: int, data: SymbolData) -> None:
    """Checks that a PE has the symbol, of the data's type and size.

    Raises:
        HostError: it does not.
    """
    program = image.programs[image.tiles[y][x]]
    wanted = data.matrix.dtype
    for variable in program.globals:
        if variable.symbol == data.name:
            break
    else:
        raise HostError(
            f"set_symbol_all('{data.name}'): '{program.file}' has no such symbol; "
            f"declare it as 'export var {data.name}'"
        )
    size = len(data.block(0, 0))
    if types.size_bytes(variable.type) != size or not _same_kind(variable.type, wanted):
        raise HostError(
            f"set_symbol_all('{data.name}'): every PE gets {size} bytes of {wanted}, "
            f"but '{program.file}' declares it as {variable.type}"
        )


def _same_kind(type_: types.Type, dtype: np.dtype[Any]) -> bool:
    element = type_
    while isinstance(element, types.Array):
        element = element.element
    if types.size_bytes(element) != dtype.itemsize:
        return False
    return isinstance(element, types.Float) == (dtype.kind == "f")
