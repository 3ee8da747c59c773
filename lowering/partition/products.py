"""Products of matrices on one PE, by the fastest arithmetic that gives the same sums.

PEs multiply and add vectors of float32, and of float16 into float32. bfloat16 is
widened first. Products of bytes are exact in float32, and so are their sums up to a
length.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from typing import Any

import numpy as np
from jax import lax

from lowering.dtypes import FLOATS

_FLOAT = np.dtype("float32")
# The most products whose sum float32 holds exactly: 2**24 by the largest product.
_EXACT_LENGTH = {"int8": 2**24 // 128**2, "uint8": 2**24 // 255**2}


def local_product(a: Any, b: Any, a_dim: int, b_dim: int, room_bytes: int) -> Any:
    """T[m, k] T[k, n] -> f32 or i32[m, n], contracted along `a_dim` and `b_dim`.

    Where the wide operands take more than `room_bytes`, PEs multiply element by
    element.
    """
    dtype = str(a.dtype)
    length = min(a.shape[a_dim], _EXACT_LENGTH.get(dtype, a.shape[a_dim]))
    elements = (a.size + b.size) * length // a.shape[a_dim]
    if is_widened(dtype) and elements * _FLOAT.itemsize <= room_bytes:
        return _in_pieces(a, b, a_dim, b_dim, length)
    return _dot(a, b, a_dim, b_dim, _sums_in(dtype))


def is_widened(dtype: Any) -> bool:
    """Whether the operands stand in memory a second time, as float32."""
    return str(dtype) == "bfloat16" or str(dtype) in _EXACT_LENGTH


def _sums_in(dtype: str) -> np.dtype[Any]:
    return _FLOAT if dtype in FLOATS else np.dtype("int32")


def _in_pieces(a: Any, b: Any, a_dim: int, b_dim: int, length: int) -> Any:
    """Wide products of `length` elements at a time, added in the dtype of the sums."""
    total: Any = None
    for start in range(0, a.shape[a_dim], length):
        piece = _dot(
            _widened(a, a_dim, start, length),
            _widened(b, b_dim, start, length),
            a_dim,
            b_dim,
            _FLOAT,
        )
        piece = lax.convert_element_type(piece, _sums_in(str(a.dtype)))
        total = piece if total is None else total + piece
    return total


def _widened(x: Any, dim: int, start: int, length: int) -> Any:
    if length < x.shape[dim]:
        end = min(start + length, x.shape[dim])
        x = lax.slice_in_dim(x, start, end, axis=dim)
    return lax.convert_element_type(x, _FLOAT)


def _dot(a: Any, b: Any, a_dim: int, b_dim: int, sums: np.dtype[Any]) -> Any:
    numbers = (((a_dim,), (b_dim,)), ((), ()))
    return lax.dot_general(a, b, numbers, preferred_element_type=sums)
