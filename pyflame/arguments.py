"""What callers write for shapes, dims and indices, in the one form that ops are given.

Static arguments are compared by `==` when compiled programs are looked up, and there
1, 1.0 and True are the same. So each is a plain int here, or refused.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from pyflame.errors import ArgumentError, ShapeError
from pyflame.ops.shapes import Unfit


def frozen_dims(dim: Any) -> Any:
    """`dim` as None, an int or a tuple of ints; what is no integer as `Unfit`."""
    if dim is None or type(dim) is int:
        return dim
    if isinstance(dim, (list, tuple)):
        return tuple(frozen_dim(d) for d in dim)
    return frozen_dim(dim)


def frozen_dim(dim: Any) -> Any:
    """One dim as an int; or as `Unfit`, for the op to refuse."""
    if type(dim) is int:
        return dim
    return int(dim) if isinstance(dim, np.integer) else Unfit(dim)


def reduce_args(dim: Any, keepdim: Any) -> dict[str, Any]:
    """The static arguments of a reduction."""
    return {"dim": frozen_dims(dim), "keepdim": bool(keepdim)}


def shape_arg(op: str, sizes: Any) -> tuple[int, ...]:
    """A shape from `(3, 4)`, `[3, 4]`, `3`, or `((3, 4),)` of a varargs call.

    Raises: ShapeError, if a size is no integer.
    """
    match sizes:
        case ([*_] as inner,):
            sizes = inner
    if isinstance(sizes, (int, np.integer)):
        sizes = (sizes,)
    if not isinstance(sizes, (list, tuple)) or not all(map(_is_size, sizes)):
        raise ShapeError(
            f"{op}: {sizes!r} is no shape",
            rule="a shape is a list or tuple of integers",
        )
    return tuple(int(size) for size in sizes)


def dims_arg(op: str, given: Any) -> tuple[int, ...]:
    """Dims from `(0, 1)`, `[0, 1]` or `0`, or `((0, 1),)` of a varargs call."""
    match given:
        case ([*_] as inner,):
            given = inner
    if isinstance(given, (int, np.integer)):
        given = (given,)
    if not isinstance(given, (list, tuple)):
        raise ShapeError(
            f"{op}: {given!r} are no dims", rule="dims are a list or tuple of integers"
        )
    return tuple(frozen_dim(d) for d in given)


def integer_arg(op: str, name: str, value: Any, least: int | None = None) -> int:
    """An integer, of at least `least` if that is given; a Tensor of one is computed.

    Raises: ArgumentError, if it is anything else.
    """
    if hasattr(value, "_node"):
        value = operator.index(value)
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or (least is not None and value < least):
        limit = "" if least is None else f" of {least} or more"
        raise ArgumentError(
            f"{op}: {name}={value!r} is no integer{limit}",
            rule=f"{name} is an integer{limit}",
        )
    return int(value)


def number_arg(op: str, name: str, value: Any) -> bool | int | float:
    """A Python or NumPy number as a Python number.

    Raises: ArgumentError, if it is anything else.
    """
    number = value.item() if isinstance(value, np.generic) else value
    if not isinstance(number, (bool, int, float)):
        raise ArgumentError(
            f"{op}: {name}={value!r} is no number", rule=f"{name} is one number"
        )
    return number


def choice_arg(op: str, name: str, value: Any, choices: tuple[Any, ...]) -> Any:
    """One of the choices.

    Raises: ArgumentError, that lists them.
    """
    if not isinstance(value, (str, type(None))) or value not in choices:
        raise ArgumentError(
            f"{op}: {name}={value!r} is not known",
            rule=f"{name} is one of {', '.join(map(repr, choices))}",
        )
    return value


def _is_size(size: Any) -> bool:
    return isinstance(size, (int, np.integer)) and not isinstance(size, bool)
