"""How a PE holds each dtype: what memory has, and what scalar code computes with.

bool, int8 and uint8 take 16-bit words; bfloat16 is held as its bits and computed in
float32.
"""

from __future__ import annotations

ELEMENT_TYPES = {
    "float32": "f32",
    "float16": "f16",
    "bfloat16": "u16",
    "int32": "i32",
    "int16": "i16",
    "int8": "i16",
    "uint32": "u32",
    "uint16": "u16",
    "uint8": "u16",
    "bool": "u16",
}
SCALAR_TYPES = {**ELEMENT_TYPES, "bfloat16": "f32", "bool": "bool"}

DTYPES = tuple(ELEMENT_TYPES)
HALVES = frozenset({"float16", "bfloat16"})
FLOATS = frozenset({"float32"}) | HALVES
INTEGERS = frozenset(DTYPES) - FLOATS - {"bool"}


def is_float(dtype: object) -> bool:
    return str(dtype) in FLOATS


def is_narrow(dtype: object) -> bool:
    """Whether an element takes one 16-bit word."""
    return not ELEMENT_TYPES[str(dtype)].endswith("32")
