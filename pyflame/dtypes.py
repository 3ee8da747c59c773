"""The seven dtypes, their sizes and names, and what other spellings mean."""

from __future__ import annotations

from enum import Enum
from typing import Any, cast

import jax.numpy as jnp
import numpy as np

from pyflame.errors import DTypeError


class DType(Enum):
    """A dtype of the wafer; the value is its name."""

    float32 = "float32"
    float16 = "float16"
    bfloat16 = "bfloat16"
    int32 = "int32"
    int16 = "int16"
    int8 = "int8"
    bool_ = "bool"

    def __repr__(self) -> str:
        return f"DType.{self.name}"

    __str__ = __repr__

    @property
    def numpy(self) -> np.dtype[Any]:
        """The NumPy dtype (bfloat16 is the one that JAX brings along)."""
        return _NUMPY[self]

    @property
    def is_floating(self) -> bool:
        return self in (DType.float32, DType.float16, DType.bfloat16)


_NUMPY: dict[DType, np.dtype[Any]] = {d: jnp.dtype(d.value) for d in DType}
_DTYPES = {numpy: dtype for dtype, numpy in _NUMPY.items()}

float32 = DType.float32
float16 = DType.float16
bfloat16 = DType.bfloat16
int32 = DType.int32
int16 = DType.int16
int8 = DType.int8
bool_ = DType.bool_


def as_dtype(dtype: object) -> DType:
    """The DType meant by a DType, a name, or anything NumPy takes as a dtype.

    Raises: DTypeError, if it is none of the seven.
    """
    if isinstance(dtype, DType):
        return dtype
    try:
        return _DTYPES[np.dtype(cast(Any, dtype))]
    except (TypeError, KeyError):
        raise unknown_dtype(dtype) from None


def unknown_dtype(dtype: object, what: str = "dtype") -> DTypeError:
    """The error that lists the dtypes there are."""
    return DTypeError(
        f"{what} {dtype!s} is not supported",
        rule=f"a tensor is one of {', '.join(d.name for d in DType)}",
        help="pass dtype=pf.float32 or another of these, or convert the data first",
    )


def dtype_size(dtype: object) -> int:
    """Size of one element in bytes.

    Raises: DTypeError, if `dtype` is none of the seven.
    """
    return as_dtype(dtype).numpy.itemsize


def dtype_name(dtype: object) -> str:
    """Name of a dtype: `'float32'`; `'bool_'` for booleans, as `pf` spells it.

    Raises: DTypeError, if `dtype` is none of the seven.
    """
    return as_dtype(dtype).name
