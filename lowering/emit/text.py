"""Small pieces of CSL: numbers, index expressions, types, comments."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np

from lowering.dtypes import ELEMENT_TYPES, SCALAR_TYPES, is_float
from lowering.plan.values import Constant, Count

LOOP_NAMES = ("i", "j", "k", "l", "m", "n", "p", "q", "r", "s", "t")
_COLUMNS = 92


def number(constant: Constant) -> str:
    """The constant as scalar code reads it; negative ones in parentheses."""
    dtype = str(constant.dtype)
    if isinstance(constant.number, Count):
        return f"@as({SCALAR_TYPES[dtype]}, {constant.number})"
    if dtype == "bool":
        return "true" if constant.number else "false"
    if is_float(dtype):
        return float_text(float(constant.number), SCALAR_TYPES[dtype])
    return _signed(str(int(constant.number)))


def stored_number(value: float | int | bool, dtype: Any) -> str:
    """The number as a PE's memory holds it, without a type if it is no float."""
    name = str(dtype)
    if name == "bfloat16":
        return f"0x{int(np.asarray(value, dtype).view(np.uint16)):04x}"
    if is_float(name):
        return float_text(float(value), ELEMENT_TYPES[name])
    return _signed(str(int(value)))


def float_text(value: float, element: str = "f32") -> str:
    """The shortest text that is this float again, however it is read."""
    if math.isnan(value):
        return f"math.NaN_{element}"
    if math.isinf(value):
        return f"math.{'POSITIVE' if value > 0 else 'NEGATIVE'}_INF_{element}"
    single = np.float32(value)
    short = str(single)
    text = short if np.float32(float(short)) == single else repr(float(single))
    return _signed(text)


def _signed(text: str) -> str:
    return f"({text})" if text.startswith("-") else text


def index_text(names: Sequence[str], strides: Sequence[int], offset: int = 0) -> str:
    """`8 * i + j + 3`; without names just the offset."""
    terms = [
        name if stride == 1 else f"{stride} * {name}"
        for name, stride in zip(names, strides, strict=False)
        if stride
    ]
    if offset or not terms:
        terms.append(str(offset))
    return " + ".join(terms)


def comment(text: str, indent: str = "  ") -> list[str]:
    """The text as comment lines of at most 92 columns."""
    return textwrap.wrap(
        text,
        _COLUMNS,
        initial_indent=f"{indent}// ",
        subsequent_indent=f"{indent}//   ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def nest(names: Sequence[str], sizes: Sequence[int], body: list[str]) -> list[str]:
    """`body` inside one `for` per dimension; both indented by one level."""
    if not names:
        return [f"  {line}" for line in body]
    inner = nest(names[1:], sizes[1:], body)
    head = f"for (@range(i16, {sizes[0]})) |{names[0]}| {{"
    return [f"  {line}" for line in (head, *inner, "}")]


def array_initial(dtype: Any, count: int, data: np.ndarray[Any, Any] | None) -> str:
    """The initialiser of a global array."""
    element = ELEMENT_TYPES[str(dtype)]
    if data is None:
        return f"@zeros([{count}]{element})"
    numbers = [stored_number(item, dtype) for item in data.ravel().tolist()]
    numbers += [stored_number(0, dtype)] * (count - len(numbers))
    text = ", ".join(item.strip("()") for item in numbers)
    rows = textwrap.wrap(text, _COLUMNS, initial_indent="  ", subsequent_indent="  ")
    return "\n".join([f"[{count}]{element} {{", *rows, "}"])
