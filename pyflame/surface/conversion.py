"""Methods of a Tensor that change its dtype, and what Python and NumPy ask of it."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
from jax.core import Tracer

from pyflame.arguments import frozen_dim
from pyflame.dtypes import DType, as_dtype
from pyflame.errors import ArgumentError, DTypeError, ShapeError
from pyflame.layout import MeshLayout
from pyflame.ops import elementwise
from pyflame.ops.shapes import one_dim
from pyflame.recorded import Recorded, apply, as_tensor


def to(x: Recorded, dtype: object) -> Any:
    """The values as another dtype, or as that of another Tensor.

    A Tensor that has the dtype is given back itself. Floats are truncated towards zero
    for integers; integers that do not fit wrap.

    Raises: DTypeError, if `dtype` is none of the seven.
    """
    target = dtype.dtype if isinstance(dtype, Recorded) else as_dtype(dtype)
    if x.dtype is target and not x._aval().weak:
        return x
    return apply(elementwise.cast, x, dtype=target.value)


def to_float32(x: Recorded) -> Any:
    """The values as float32."""
    return to(x, DType.float32)


def to_float16(x: Recorded) -> Any:
    """The values as float16."""
    return to(x, DType.float16)


def to_bfloat16(x: Recorded) -> Any:
    """The values as bfloat16."""
    return to(x, DType.bfloat16)


def to_int32(x: Recorded) -> Any:
    """The values as int32, truncated towards zero."""
    return to(x, DType.int32)


def to_int16(x: Recorded) -> Any:
    """The values as int16, truncated towards zero."""
    return to(x, DType.int16)


def to_int8(x: Recorded) -> Any:
    """The values as int8, truncated towards zero."""
    return to(x, DType.int8)


def to_bool(x: Recorded) -> Any:
    """Whether the values are not 0."""
    return to(x, DType.bool_)


def no_float64(x: Recorded) -> NoReturn:
    """Raises DTypeError: there is no float64 here."""
    raise _no_wide_dtype(x, "double", "float64", "x.float() for float32")


def no_int64(x: Recorded) -> NoReturn:
    """Raises DTypeError: there is no int64 here."""
    raise _no_wide_dtype(x, "long", "int64", "x.int() for int32")


def _no_wide_dtype(x: Recorded, method: str, dtype: str, instead: str) -> DTypeError:
    return DTypeError(
        f"{method} of {x._text()}: {dtype} is not supported",
        rule=f"a tensor is one of {', '.join(d.name for d in DType)}",
        help=f"write {instead}; indices and class numbers may be int32",
    )


def is_floating_point(x: Recorded) -> bool:
    """Whether the dtype is float32, float16 or bfloat16."""
    return x.dtype.is_floating


def element_size(x: Recorded) -> int:
    """Size of one element in bytes."""
    return x.dtype.numpy.itemsize


def size(x: Recorded, dim: int | None = None) -> Any:
    """The shape as a list; or the size of one dimension.

    Raises: ShapeError, if `dim` is out of range.
    """
    if dim is None:
        return x.shape
    return x.shape[one_dim("size", x._aval(), frozen_dim(dim), x.ndim)]


def rank(x: Recorded) -> int:
    """The number of dimensions."""
    return x.ndim


def contiguous(x: Recorded) -> Any:
    """The tensor itself: elements are always stored in row-major order."""
    return x


def tolist(x: Recorded) -> Any:
    """The values as Python numbers in nested lists; one number of a scalar."""
    return x.numpy().tolist()


def contains(x: Recorded, value: Any) -> bool:
    """Whether an element equals the value. Computes the tensor."""
    if not isinstance(value, (bool, int, float, np.generic, Recorded)):
        raise ArgumentError(
            f"{type(value).__name__} in {x._text()}: only numbers are elements",
            rule="`value in x` compares each element with a number",
        )
    return bool(np.any(x.numpy() == np.asarray(value)))


def index(x: Recorded) -> int:
    """A single integer as a Python index.

    Raises: DTypeError for floats and booleans; ShapeError for several elements.
    """
    if np.dtype(x.dtype.numpy).kind != "i":
        raise DTypeError(
            f"index by {x._text()}: only integers are indices",
            help="convert first: int(x)",
        )
    return int(x.item())


def formatted(x: Recorded, spec: str) -> str:
    """A scalar as its number, so that f"{loss:.4f}" works; else the representation."""
    if not spec or isinstance(x._node.value, Tracer):
        return repr(x) if x.ndim else _scalar_text(x)
    if x.ndim:
        raise ShapeError(
            f"format of {x._text()} by {spec!r}: there is more than a number",
            rule="a format such as .4f is for scalars",
            help="reduce it first, or format the elements of x.tolist()",
        )
    return format(x.item(), spec)


def _scalar_text(x: Recorded) -> str:
    value = x.__jax_array__()
    return repr(x) if isinstance(value, Tracer) else str(value.item())


def dlpack(x: Recorded, **options: Any) -> Any:
    """The values for another library, without a copy where it can; see DLPack."""
    return x.__jax_array__().__dlpack__(**options)


def dlpack_device(x: Recorded) -> tuple[Any, int]:
    """Where the values are: type and number of a device, as DLPack counts them."""
    return x.__jax_array__().__dlpack_device__()


def deep_copy(x: Recorded, memo: dict[int, Any]) -> Any:
    """A leaf of its own with the values, the layout and a copy of the gradient.

    Values never change, so both share them until one is assigned others.
    """
    copy = x.detach()
    copy._node.layout = x._node.layout
    if not copy._aval().floating:
        return copy
    copy._assign(copy)
    grad = x.grad
    if grad is not None:
        copy.grad = deep_copy(grad, memo)
    return copy


def reduced(self: Recorded) -> tuple[Any, tuple[Any, ...]]:
    """How pickle writes a Tensor: values, dtype and layout; no graph, no gradient.

    Raises: ArgumentError inside a JAX transformation, where there are no values.
    """
    value = self.__jax_array__()
    if isinstance(value, Tracer):
        raise ArgumentError(
            f"pickle of {self._text()} inside a JAX transformation",
            rule="there are no values to write while JAX traces a function",
        )
    return restored, (np.asarray(value), self._node.layout)


def restored(values: np.ndarray[Any, Any], layout: MeshLayout | None) -> Any:
    """The Tensor that `reduced` took apart."""
    x = as_tensor(values)
    x._node.layout = layout
    return x
