"""Reductions over one, several or all dimensions, and running totals.

`dim` is an int, a tuple or list of them, or None for all; an empty tuple is all, too,
except for `any` and `all`, which then take each element for itself (PyTorch). With
`keepdim` the reduced dimensions stay, with size 1. All raise ShapeError, if a dim is
out of range or twice.
"""

from __future__ import annotations

import math
from typing import Any

from pyflame.arguments import frozen_dim, frozen_dims, number_arg
from pyflame.dtypes import as_dtype
from pyflame.errors import ArgumentError
from pyflame.node import Op
from pyflame.ops import elementwise, reduction, statistics
from pyflame.ops.shapes import Dims
from pyflame.recorded import apply


def sum(
    x: Any, dim: Dims = None, keepdim: bool = False, *, dtype: object = None
) -> Any:
    """Sum over `dim`; small integers and booleans are added as int32.

    `dtype` is that of the result; `x` is converted first.
    """
    return _in_dtype(reduction.sum, x, dtype, dim=frozen_dims(dim), keepdim=keepdim)


def mean(
    x: Any, dim: Dims = None, keepdim: bool = False, *, dtype: object = None
) -> Any:
    """Mean over `dim`: float32 of integers and booleans, NaN of nothing.

    `dtype` is that of the result; `x` is converted first.
    """
    return _in_dtype(reduction.mean, x, dtype, dim=frozen_dims(dim), keepdim=keepdim)


def max(x: Any, dim: Dims = None, keepdim: bool = False) -> Any:
    """Largest values over `dim`; where they are tells `argmax`.

    Equal ones share the gradient evenly, as in PyTorch's `amax`.

    Raises: ShapeError, if there are no elements.
    """
    return apply(reduction.max, x, dim=frozen_dims(dim), keepdim=bool(keepdim))


def min(x: Any, dim: Dims = None, keepdim: bool = False) -> Any:
    """Smallest values over `dim`; where they are tells `argmin`.

    Equal ones share the gradient evenly, as in PyTorch's `amin`.

    Raises: ShapeError, if there are no elements.
    """
    return apply(reduction.min, x, dim=frozen_dims(dim), keepdim=bool(keepdim))


def prod(
    x: Any, dim: Dims = None, keepdim: bool = False, *, dtype: object = None
) -> Any:
    """Product over `dim`; small integers and booleans are multiplied as int32.

    `dtype` is that of the result; `x` is converted first.
    """
    return _in_dtype(statistics.prod, x, dtype, dim=frozen_dims(dim), keepdim=keepdim)


def any(x: Any, dim: Dims = None, keepdim: bool = False) -> Any:
    """Whether an element over `dim` is not 0; False of nothing."""
    return apply(statistics.any, x, dim=frozen_dims(dim), keepdim=bool(keepdim))


def all(x: Any, dim: Dims = None, keepdim: bool = False) -> Any:
    """Whether no element over `dim` is 0; True of nothing."""
    return apply(statistics.all, x, dim=frozen_dims(dim), keepdim=bool(keepdim))


def count_nonzero(x: Any, dim: Dims = None, keepdim: bool = False) -> Any:
    """How many elements over `dim` are not 0, as int32."""
    args = {"dim": frozen_dims(dim), "keepdim": bool(keepdim)}
    return apply(statistics.count_nonzero, x, **args)


def argmax(x: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """Where the first of the largest is, as int32: along `dim`, or of the flat array.

    Raises: ShapeError, if there are no elements.
    """
    return apply(statistics.argmax, x, dim=_optional_dim(dim), keepdim=bool(keepdim))


def argmin(x: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """Where the first of the smallest is, as int32: along `dim`, or of the flat array.

    Raises: ShapeError, if there are no elements.
    """
    return apply(statistics.argmin, x, dim=_optional_dim(dim), keepdim=bool(keepdim))


def var(
    x: Any,
    dim: Dims = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Any:
    """Variance over `dim`: squared distances from the mean over count - correction.

    `correction` is 1, the estimate for a sample, unless `unbiased` is off: then 0, the
    variance of the whole. `var(x, False)` is that of all elements. NaN, where not more
    than `correction` elements are left.

    Raises: DTypeError for integers and booleans.
    """
    dim, unbiased = _dim_or_unbiased(dim, unbiased)
    args = {"dim": frozen_dims(dim), "keepdim": bool(keepdim)}
    return apply(statistics.var, x, _correction("var", correction, unbiased), **args)


def std(
    x: Any,
    dim: Dims = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Any:
    """The square root of `var`, with gradient 0 where that is 0.

    Raises: DTypeError for integers and booleans.
    """
    dim, unbiased = _dim_or_unbiased(dim, unbiased)
    args = {"dim": frozen_dims(dim), "keepdim": bool(keepdim)}
    return apply(statistics.std, x, _correction("std", correction, unbiased), **args)


def norm(
    x: Any, p: float | str = "fro", dim: Dims = None, keepdim: bool = False
) -> Any:
    """sum(|x| ** p) ** (1 / p) over `dim`, with gradient 0 at 0.

    "fro" is 2; infinity gives the largest |x|, -infinity the smallest, 0 the count of
    what is not 0.

    Raises: DTypeError for integers and booleans; ArgumentError for another `p`.
    """
    order = 2.0 if p == "fro" else p
    if isinstance(order, (str, bool)) or order != order:
        raise ArgumentError(
            f"norm: p={p!r} is not known", rule="p is 'fro' or a number, even infinite"
        )
    order = float(number_arg("norm", "p", order))
    args = {"dim": frozen_dims(dim), "keepdim": bool(keepdim)}
    return apply(statistics.norm, x, p=order or 0.0, **args)


def logsumexp(x: Any, dim: Dims = None, keepdim: bool = False) -> Any:
    """log(sum(exp(x))) over `dim`, which does not overflow on the way."""
    return apply(statistics.logsumexp, x, dim=frozen_dims(dim), keepdim=bool(keepdim))


def cumsum(x: Any, dim: int, *, dtype: object = None) -> Any:
    """Sums of the elements along `dim` so far; int32 of small integers and booleans.

    `dtype` is that of the result; `x` is converted first.
    """
    return _in_dtype(statistics.cumsum, x, dtype, dim=frozen_dim(dim))


def cumprod(x: Any, dim: int, *, dtype: object = None) -> Any:
    """Products of the elements along `dim` so far; int32 of small integers.

    `dtype` is that of the result; `x` is converted first.
    """
    return _in_dtype(statistics.cumprod, x, dtype, dim=frozen_dim(dim))


# other names of the same

amax = max
amin = min


def _optional_dim(dim: Any) -> Any:
    return None if dim is None else frozen_dim(dim)


def _in_dtype(op: Op, x: Any, dtype: object, **static: Any) -> Any:
    """The op on `x` as `dtype`, and the result as `dtype`; without one, as it comes."""
    if "keepdim" in static:
        static["keepdim"] = bool(static["keepdim"])
    if dtype is None:
        return apply(op, x, **static)
    name = as_dtype(dtype).value
    result = apply(op, apply(elementwise.cast, x, dtype=name), **static)
    return apply(elementwise.cast, result, dtype=name)


def _dim_or_unbiased(dim: Any, unbiased: Any) -> tuple[Any, bool]:
    """A bool in the place of `dim` is `unbiased`, as in PyTorch."""
    return (None, dim) if isinstance(dim, bool) else (dim, bool(unbiased))


def _correction(op: str, correction: Any, unbiased: bool) -> float:
    if correction is None:
        return float(unbiased)
    value = float(number_arg(op, "correction", correction))
    if not math.isfinite(value):
        raise ArgumentError(
            f"{op}: correction={correction!r} is not finite",
            rule="the correction is a finite number, commonly 1 or 0",
        )
    return value
