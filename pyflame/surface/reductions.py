"""Reductions over one, several or all dimensions, and running totals.

`dim` is an int, a tuple or list of them, or None for all; with `keepdim` the reduced
dimensions stay, with size 1. All raise ShapeError, if a dim is out of range or twice.
"""

from __future__ import annotations

import math
from typing import Any

from pyflame.arguments import frozen_dim, frozen_dims, number_arg
from pyflame.errors import ArgumentError
from pyflame.ops import reduction, statistics
from pyflame.ops.shapes import Dims
from pyflame.recorded import apply


def sum(x: Any, dim: Dims = None, keepdim: bool = False) -> Any:
    """Sum over `dim`; small integers and booleans are added as int32."""
    return apply(reduction.sum, x, dim=frozen_dims(dim), keepdim=bool(keepdim))


def mean(x: Any, dim: Dims = None, keepdim: bool = False) -> Any:
    """Mean over `dim`: float32 of integers and booleans, NaN of nothing."""
    return apply(reduction.mean, x, dim=frozen_dims(dim), keepdim=bool(keepdim))


def max(x: Any, dim: Dims = None, keepdim: bool = False) -> Any:
    """Largest values over `dim`; where they are tells `argmax`.

    Raises: ShapeError, if there are no elements.
    """
    return apply(reduction.max, x, dim=frozen_dims(dim), keepdim=bool(keepdim))


def min(x: Any, dim: Dims = None, keepdim: bool = False) -> Any:
    """Smallest values over `dim`; where they are tells `argmin`.

    Raises: ShapeError, if there are no elements.
    """
    return apply(reduction.min, x, dim=frozen_dims(dim), keepdim=bool(keepdim))


def prod(x: Any, dim: Dims = None, keepdim: bool = False) -> Any:
    """Product over `dim`; small integers and booleans are multiplied as int32."""
    return apply(statistics.prod, x, dim=frozen_dims(dim), keepdim=bool(keepdim))


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
    x: Any, dim: Dims = None, *, correction: float = 1, keepdim: bool = False
) -> Any:
    """Variance over `dim`: squared distances from the mean over count - correction.

    With `correction` 1 the estimate for a sample, with 0 that of the whole. NaN, where
    not more than `correction` elements are left.

    Raises: DTypeError for integers and booleans.
    """
    args = {"dim": frozen_dims(dim), "keepdim": bool(keepdim)}
    return apply(statistics.var, x, _correction("var", correction), **args)


def std(
    x: Any, dim: Dims = None, *, correction: float = 1, keepdim: bool = False
) -> Any:
    """The square root of `var`, with gradient 0 where that is 0.

    Raises: DTypeError for integers and booleans.
    """
    args = {"dim": frozen_dims(dim), "keepdim": bool(keepdim)}
    return apply(statistics.std, x, _correction("std", correction), **args)


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


def cumsum(x: Any, dim: int) -> Any:
    """Sums of the elements along `dim` so far; int32 of small integers and booleans."""
    return apply(statistics.cumsum, x, dim=frozen_dim(dim))


def cumprod(x: Any, dim: int) -> Any:
    """Products of the elements along `dim` so far; int32 of small integers."""
    return apply(statistics.cumprod, x, dim=frozen_dim(dim))


# other names of the same

amax = max
amin = min


def _optional_dim(dim: Any) -> Any:
    return None if dim is None else frozen_dim(dim)


def _correction(op: str, correction: Any) -> float:
    value = float(number_arg(op, "correction", correction))
    if not math.isfinite(value):
        raise ArgumentError(
            f"{op}: correction={correction!r} is not finite",
            rule="the correction is a finite number, commonly 1 or 0",
        )
    return value
