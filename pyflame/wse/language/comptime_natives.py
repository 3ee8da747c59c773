"""Natives that library code may use at compile time: `comptime @__native(...)`.

Each is a pure function of comptime values (int, float, str, bool, Type). The caller
converts the result to the type that the call names, which for floats means rounding.
A `CslError` raised here has no span; the caller gives it the one of the call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyflame.wse.library import format_strings, numeric, type_facts

COMPTIME_NATIVES: dict[str, Callable[..., Any]] = {
    **{
        f"{name}_{suffix}": numeric.FUNCTIONS[name]
        for name in numeric.COMPTIME_FUNCTIONS
        for suffix in ("f16", "f32")
    },
    "fscale_f16": numeric.fscale,
    "fscale_f32": numeric.fscale,
    "format_count": format_strings.format_count,
    "format_literal": format_strings.format_literal,
    "format_specifier": format_strings.format_specifier,
    "format_value": format_strings.format_value,
    "type_alignment_bytes": type_facts.type_alignment_bytes,
    "type_kind": type_facts.type_kind,
    "type_size_bits": type_facts.type_size_bits,
    "type_size_bytes": type_facts.type_size_bytes,
}
