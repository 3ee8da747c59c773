"""What Python numbers, lists and arrays become as tensors."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from pyflame.dtypes import DType, as_dtype, unknown_dtype
from pyflame.errors import ArgumentError, DTypeError

_DTYPES: dict[Any, DType] = {
    **{dtype.numpy: dtype for dtype in DType},
    np.dtype(np.float64): DType.float32,
    np.dtype(np.int64): DType.int32,
}

# XLA computes on memory of NumPy's as it is, where that is aligned as its own.
# Source: xla/backends/cpu/alignment.h, MinAlign.
ALIGNMENT_BYTES = 64
SHARED_FROM_BYTES = 1 << 14


def to_array(data: Any, dtype: object = None) -> jax.Array:
    """A JAX array with the values of `to_values`."""
    values = to_values(data, dtype)
    return on_device(values) if isinstance(values, np.ndarray) else values


def to_values(data: Any, dtype: object = None) -> jax.Array | np.ndarray[Any, Any]:
    """A JAX array, or a NumPy array that nobody writes to or has elsewhere.

    Compiled programs take either; the second is moved to the device with their call.
    Lists and numbers become float32 (booleans stay boolean). Arrays, also those of
    other libraries, keep their kind: float64 becomes float32, int64 becomes int32.

    Raises: DTypeError, if the dtype has no counterpart; ArgumentError, if the data is
    ragged or an integer does not fit.
    """
    if type(data) is not np.ndarray and isinstance(data, jax.Array):
        target = as_dtype(dtype if dtype is not None else data.dtype)
        return jax.lax.convert_element_type(data, target.numpy)
    array = _numpy_array(data)
    target = as_dtype(dtype) if dtype is not None else _default_dtype(data, array)
    if array.dtype != target.numpy and array.dtype.kind in "iu":
        if target.numpy.kind == "i":
            _check_range(array, target)
    values = _copied(array, target.numpy)
    values.flags.writeable = False
    return values


def _copied(array: np.ndarray[Any, Any], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """A copy in row-major order; of a large array one that JAX need not copy again."""
    size_bytes = array.size * dtype.itemsize
    if size_bytes < SHARED_FROM_BYTES:
        return array.astype(dtype, order="C")
    room = np.empty(size_bytes + ALIGNMENT_BYTES, np.uint8)
    start = -room.ctypes.data % ALIGNMENT_BYTES
    copy = np.ndarray(array.shape, dtype, room, start)
    np.copyto(copy, array, casting="unsafe")
    return copy


def on_device(values: np.ndarray[Any, Any]) -> jax.Array:
    """A JAX array with the values, a constant of whatever is being traced."""
    with jax.ensure_compile_time_eval():
        return _moved(values)


@jax.jit
def _moved(values: Any) -> jax.Array:
    """The argument, on the device; jnp.array takes several times as long."""
    return values


def to_literal(value: bool | int | float) -> bool | int | float:
    """A Python number as an operand: float64 and subclasses become plain numbers.

    Raises: ArgumentError, if an integer is beyond int32.
    """
    if type(value) is not int:
        if isinstance(value, bool):
            return value
        if not isinstance(value, int):
            return float(value)
    if not -(2**31) <= value < 2**31:
        raise ArgumentError(
            f"the number {value} does not fit int32",
            rule="Python integers are 32 bits wide beside tensors",
            help=f"write {float(value)!r} if a float32 is meant",
        )
    return int(value)


def _numpy_array(data: Any) -> np.ndarray[Any, Any]:
    try:
        array = np.asarray(data)
    except ValueError as error:
        raise ArgumentError(
            f"tensor: the data is no array: {error}",
            rule="nested lists have one length per level",
        ) from None
    except TypeError as error:
        raise DTypeError(
            f"tensor: {type(data).__name__} gives no NumPy array: {error}",
            rule="other libraries' arrays are read as NumPy arrays",
            help="convert it there first, for example to float32",
        ) from None
    if array.dtype.kind not in "biufcV":
        raise DTypeError(
            f"tensor: {type(data).__name__} gives an array of {array.dtype}",
            rule="a tensor holds numbers or booleans",
        )
    return array


def _default_dtype(data: Any, array: np.ndarray[Any, Any]) -> DType:
    if array.dtype.kind == "b":
        return DType.bool_
    if not hasattr(data, "__array__") or isinstance(data, float):
        return DType.float32
    found = _DTYPES.get(array.dtype)
    if found is None:
        raise unknown_dtype(array.dtype, "tensor: an array of")
    return found


def _check_range(array: np.ndarray[Any, Any], target: DType) -> None:
    limits = np.iinfo(target.numpy)
    if array.size and not limits.min <= array.min() <= array.max() <= limits.max:
        raise ArgumentError(
            f"tensor: values from {array.min()} to {array.max()} do not fit "
            f"{target.name}",
            rule=f"{target.name} holds {limits.min} to {limits.max}",
            help="pass dtype=pf.float32, or a wider integer",
        )
