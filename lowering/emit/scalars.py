"""How scalar code reads, rounds and writes elements of each dtype.

Scalar code computes in `SCALAR_TYPES`. What is wider than the dtype is brought back to
it after every operation: bytes wrap, bfloat16 rounds to nearest, ties to even.
"""

from __future__ import annotations

from lowering.dtypes import ELEMENT_TYPES

_ROUNDED = {
    "bfloat16": "bfloat16.rounded({0})",
    "int8": "@as(i16, @as(u16, {0}) << 8) >> 8",
    "uint8": "({0}) & 0xff",
}
_STORED = {"bfloat16": "bfloat16.bits({0})", "bool": "@as(u16, {0})"}
_LOADED = {"bfloat16": "bfloat16.value({0})", "bool": "({0} != 0)"}


def loaded(dtype: object, element: str) -> str:
    """An element of memory as a number."""
    return _LOADED.get(str(dtype), "{0}").format(element)


def rounded(dtype: object, text: str) -> str:
    """The result of an operation as a number of the dtype."""
    return _ROUNDED.get(str(dtype), "{0}").format(text)


def stored(dtype: object, text: str) -> str:
    """A number of the dtype, or one that storing rounds, as an element of memory."""
    return _STORED.get(str(dtype), "{0}").format(text)


def rounds_when_stored(dtype: object) -> bool:
    """Whether `stored` takes numbers that are not rounded yet."""
    return str(dtype) == "bfloat16"


def stored_typed(dtype: object, text: str) -> str:
    """`stored`, in the type of an element even if `text` has none."""
    element = ELEMENT_TYPES[str(dtype)]
    has_type = element == "f32" or str(dtype) in _STORED
    return stored(dtype, text) if has_type else f"@as({element}, {text})"
