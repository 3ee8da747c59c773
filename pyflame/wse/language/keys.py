"""Structural keys of comptime values, to find out whether two are the same."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyflame.wse.language import code
from pyflame.wse.language.values import ArrayValue, StructValue


def constant_key(constant: code.Constant) -> Any:
    """Equal for equal types and values; functions and modules count by identity."""
    return (constant.type, value_key(constant.value))


def value_key(value: Any) -> Any:
    if isinstance(value, StructValue):
        return (value.type, tuple(value_key(v) for v in value.values))
    if isinstance(value, ArrayValue):
        if isinstance(value.elements, np.ndarray):
            return (str(value.elements.dtype), value.elements.tobytes())
        return tuple(value_key(v) for v in value.elements)
    if isinstance(value, float):
        return ("float", value.hex())
    if isinstance(value, bool):
        return ("bool", value)
    try:
        hash(value)
    except TypeError:
        return ("object", id(value))
    return value
