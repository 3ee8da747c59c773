"""Checks of what optimizers and schedulers are given."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pyflame.errors import ArgumentError
from pyflame.tensors import Tensor


def check_number(
    op: str,
    name: str,
    value: Any,
    *,
    at_least: float = -math.inf,
    above: float = -math.inf,
    at_most: float = math.inf,
    below: float = math.inf,
) -> float:
    """`value` as a Python float, within the bounds.

    Raises: ArgumentError, if it is no number, not finite, or out of bounds.
    """
    number = _as_float(value)
    if (
        number is not None
        and math.isfinite(number)
        and at_least <= number <= at_most
        and above < number < below
    ):
        return number
    raise ArgumentError(
        f"{op}: {name}={value!r}",
        rule=f"{name} is a finite number{_bounds(at_least, above, at_most, below)}",
    )


def check_lr(op: str, value: Any) -> float:
    """A learning rate as a Python float.

    Raises: ArgumentError, unless it is finite and not negative.
    """
    return check_number(op, "lr", value, at_least=0)


def check_integer(op: str, name: str, value: Any, *, at_least: int) -> int:
    """`value` as a Python int of at least `at_least`.

    Raises: ArgumentError.
    """
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        if value >= at_least:
            return int(value)
    raise ArgumentError(
        f"{op}: {name}={value!r}", rule=f"{name} is an integer of {at_least} or more"
    )


def check_bool(op: str, name: str, value: Any) -> bool:
    """`value`, which must be a bool.

    Raises: ArgumentError.
    """
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    raise ArgumentError(f"{op}: {name}={value!r}", rule=f"{name} is True or False")


def check_choice(op: str, name: str, value: Any, choices: tuple[str, ...]) -> str:
    """`value`, which must be one of `choices`.

    Raises: ArgumentError.
    """
    if isinstance(value, str) and value in choices:
        return value
    names = " or ".join(map(repr, choices))
    raise ArgumentError(f"{op}: {name}={value!r}", rule=f"{name} is {names}")


def check_keys(what: str, found: Any, required: Any, optional: Any = ()) -> None:
    """Raises: ArgumentError, if `found` is no dict of the required keys, and of no
    others but the optional ones; it names the missing and the unknown ones."""
    if not isinstance(found, dict):
        raise ArgumentError(f"{what} is of type {type(found).__name__}, not a dict")
    missing = [key for key in required if key not in found]
    unknown = [key for key in found if key not in (*required, *optional)]
    if not missing and not unknown:
        return
    parts = [("lacks", missing), ("has the unknown", unknown)]
    text = " and ".join(f"{verb} {_names(keys)}" for verb, keys in parts if keys)
    raise ArgumentError(
        f"{what} {text}",
        rule=f"its keys are {_names([*required, *optional])}",
    )


def _names(keys: list[Any]) -> str:
    return ", ".join(map(repr, keys)) or "none"


def _as_float(value: Any) -> float | None:
    if isinstance(value, (bool, np.bool_)):
        return None
    if isinstance(value, (int, float, np.integer, np.floating)):
        return float(value)
    if isinstance(value, Tensor) and value.numel == 1:
        return float(value)
    return None


def _bounds(at_least: float, above: float, at_most: float, below: float) -> str:
    words = [
        (f"{at_least:g} or more", at_least > -math.inf),
        (f"above {above:g}", above > -math.inf),
        (f"at most {at_most:g}", at_most < math.inf),
        (f"below {below:g}", below < math.inf),
    ]
    text = " and ".join(word for word, holds in words if holds)
    return f", {text}" if text else ""
