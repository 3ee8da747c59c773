"""Values as bit patterns: what `@bitcast` reads anew, and fields that share a word."""

from __future__ import annotations

from typing import Any

from pyflame.wse.language import types
from pyflame.wse.language.floats import bits_of_float, float_of_bits
from pyflame.wse.language.types import Type


def width_bits(type_: Type) -> int | None:
    """Bits of a value of the type; None for what is no single number."""
    if isinstance(type_, (types.Int, types.Float)):
        return type_.bits
    if isinstance(type_, types.Enum):
        return type_.backing.bits
    if isinstance(type_, types.Pointer) or type_ == types.BOOL:
        return 16
    return None


def bitcast_value(value: Any, source: Type, target: Type) -> Any:
    """The same bits read as another type of the same width."""
    if isinstance(source, types.Float):
        bits = bits_of_float(source, value)
    else:
        bits = int(value)
    if isinstance(target, types.Float):
        return float_of_bits(target, bits & ((1 << target.bits) - 1))
    if isinstance(target, types.Int):
        return target.wrap(bits)
    if isinstance(target, types.Enum):
        return target.backing.wrap(bits)
    return bool(bits) if target == types.BOOL else bits
