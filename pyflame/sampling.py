"""Random tensors beyond `rand` and `randn`; see `pf.manual_seed`."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyflame.arguments import integer_arg
from pyflame.creation import (
    Layout,
    Shape,
    filled_by,
    like,
    random_by,
    random_key,
)
from pyflame.dtypes import as_dtype, int32
from pyflame.errors import ArgumentError, DTypeError
from pyflame.ops import random
from pyflame.recorded import as_tensor
from pyflame.tensors import Tensor, apply


def rand_like(x: Any, dtype: object = None, layout: Layout = None) -> Tensor:
    """Uniform values in [0, 1), with the shape, dtype and layout of `x`.

    Raises: DTypeError for integers and booleans.
    """
    return random_by("rand_like", random.rand, *like(x, dtype, layout))


def randn_like(x: Any, dtype: object = None, layout: Layout = None) -> Tensor:
    """Standard normal values, with the shape, dtype and layout of `x`.

    Raises: DTypeError for integers and booleans.
    """
    return random_by("randn_like", random.randn, *like(x, dtype, layout))


def randint(
    low: int,
    high: Any = None,
    shape: Shape | None = None,
    dtype: object = int32,
    layout: Layout = None,
) -> Tensor:
    """Integers from `low` to `high - 1`: `randint(2, 5, [3])`; or `randint(5, [3])`.

    Raises: ArgumentError, if there is no integer between the bounds or it does not fit
    the dtype.
    """
    if shape is None:
        low, high, shape = 0, low, high
    elif high is None:
        low, high = 0, low
    first = integer_arg("randint", "low", low)
    last = integer_arg("randint", "high", high) - 1
    _check_range("randint", first, last, as_dtype(dtype).numpy)
    key = random_key()
    bounds = (*key, first, min(last + 1, 2**31 - 1))
    return filled_by("randint", random.randint, bounds, shape, dtype, layout)


def randperm(n: int, dtype: object = int32) -> Tensor:
    """The integers from 0 to n - 1 in a random order.

    Raises: ArgumentError, unless `n` is an integer of 0 or more that fits the dtype.
    """
    count = integer_arg("randperm", "n", n, least=0)
    if count:
        _check_range("randperm", 0, count - 1, as_dtype(dtype).numpy)
    key = random_key()
    return filled_by("randperm", random.randperm, key, (count,), dtype, None)


def bernoulli(x: Any, p: float | None = None) -> Any:
    """1 with probability `p`, else 0, in the shape and dtype of `x`.

    Without `p`, the elements of `x` are the probabilities, each from 0 to 1.

    Raises: ArgumentError, unless `p` is from 0 to 1; DTypeError, if `x` holds the
    probabilities and no floats.
    """
    model = as_tensor(x)
    if p is None and not model.dtype.is_floating:
        raise DTypeError(
            f"bernoulli of {model._text()}: probabilities are floats",
            help="give the probability: pf.bernoulli(x, 0.5)",
        )
    if p is not None and not 0 <= p <= 1:
        raise ArgumentError(
            f"bernoulli: p={p!r} is no probability", rule="p is from 0 to 1"
        )
    chance = model if p is None else float(p)
    size = tuple(model.shape)
    drawn = apply(random.bernoulli, *random_key(), chance, shape=size)
    return drawn if drawn.dtype == model.dtype else drawn.to(model.dtype)


def _check_range(op: str, first: int, last: int, dtype: np.dtype[Any]) -> None:
    if first > last:
        raise ArgumentError(
            f"{op} with low={first} and high={last + 1}: there is no such integer",
            rule="low is less than high",
        )
    wide = dtype if dtype.kind == "i" else np.dtype(np.int32)
    limits = np.iinfo(wide)
    if first < limits.min or last > limits.max:
        raise ArgumentError(
            f"{op}: integers from {first} to {last} do not fit {dtype}",
            rule=f"{wide} holds {limits.min} to {limits.max}",
        )
