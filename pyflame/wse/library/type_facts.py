"""The natives of <types>: kinds of types, and their size in PE memory."""

from __future__ import annotations

from pyflame.wse.errors import CslError
from pyflame.wse.language import types
from pyflame.wse.machine import storage


def type_kind(type_: types.Type) -> str:
    """`unsigned int`, `signed int`, `float16`, `float32`, `dsd`, `dsr` or `other`."""
    match type_:
        case types.Int(signed=signed):
            return "signed int" if signed else "unsigned int"
        case types.Float(name=name):
            return "float32" if name == "f32" else "float16"
        case types.Simple(name=name) if name in types.DSD_KINDS:
            return "dsd"
        case types.Simple(name=name) if name in types.DSR_KINDS:
            return "dsr"
        case _:
            return "other"


def type_size_bytes(type_: types.Type) -> int:
    """Bytes of a variable; of an 8-bit integer, of an element of an array.

    Raises:
        CslError: for a type whose values do not lie in memory.
    """
    if not storage.lives_in_memory(type_):
        raise CslError(f"a '{type_}' does not lie in memory, so it has no size")
    if isinstance(type_, types.Int):
        return -(-type_.bits // 8)
    return storage.size_bytes(type_)


def type_size_bits(type_: types.Type) -> int:
    return 8 * type_size_bytes(type_)


def type_alignment_bytes(type_: types.Type) -> int:
    type_size_bytes(type_)
    return storage.alignment_bytes(type_)
