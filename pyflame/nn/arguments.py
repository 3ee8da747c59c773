"""Checks of constructor arguments."""

from __future__ import annotations

import operator
from typing import Any

from pyflame.errors import ArgumentError


def check_positive(name: str, **sizes: Any) -> None:
    """Raises: ArgumentError, unless all sizes are integers of 1 or more."""
    for argument, size in sizes.items():
        if not _is_integer(size) or size < 1:
            raise ArgumentError(
                f"{name}: {argument}={size!r} is no size",
                rule=f"{argument} is an integer of 1 or more",
            )


def check_probability(name: str, p: Any) -> float:
    """`p` as a float.

    Raises: ArgumentError, unless it is from 0 to 1.
    """
    if not isinstance(p, (int, float)) or not 0 <= p <= 1:
        raise ArgumentError(
            f"{name}: p={p!r} is no probability", rule="p is from 0 to 1"
        )
    return float(p)


def per_dim(
    name: str, argument: str, value: Any, count: int, least: int
) -> tuple[int, ...]:
    """One integer for each of `count` dimensions, from one for all or a sequence.

    A sequence of one stands for all, too.

    Raises: ArgumentError, if one is below `least` or the number is wrong.
    """
    values = tuple(value) if isinstance(value, (list, tuple)) else (value,)
    values = values * count if len(values) == 1 else values
    fits = len(values) == count and all(map(_is_integer, values))
    if not fits or min(values) < least:
        one = f"one integer of {least} or more"
        raise ArgumentError(
            f"{name}: {argument}={value!r} is not understood",
            rule=one if count == 1 else f"{argument} is {one}, or {count} of them",
        )
    return tuple(map(operator.index, values))


def normalized_sizes(name: str, shape: Any) -> tuple[int, ...]:
    """The sizes of the normalized dimensions, from one or several.

    Raises: ArgumentError, if there is none or one is not positive.
    """
    sizes = tuple(shape) if isinstance(shape, (list, tuple)) else (shape,)
    if not sizes or not all(_is_integer(n) and n > 0 for n in sizes):
        raise ArgumentError(
            f"{name}: normalized_shape={shape!r} is no shape",
            rule="normalized_shape is one size of 1 or more, or a list of them",
        )
    return tuple(map(operator.index, sizes))


def _is_integer(value: Any) -> bool:
    return hasattr(value, "__index__") and not isinstance(value, bool)
