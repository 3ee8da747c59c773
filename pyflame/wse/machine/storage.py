"""How values of a CSL type lie in PE memory.

A scalar is one element of a typed view of `Memory`; aggregates are made of scalars.
What cannot lie in memory (DSDs, FIFOs, ranges) lives in `Pe.slots`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyflame.wse.language import types


@dataclass(frozen=True, slots=True)
class Scalar:
    """A scalar's place: `view` names a view of `Memory`, `size_bytes` its element."""

    view: str
    size_bytes: int


_WORD = Scalar("u16", 2)
_FLOATS = {"f32": Scalar("f32", 4), "f16": Scalar("f16", 2)}


def scalar_of(type_: types.Type) -> Scalar | None:
    """The view of a scalar type; None for aggregates, 64-bit integers and others."""
    match type_:
        case types.Int(bits=bits, signed=signed) if bits <= 32:
            room = 8 if bits <= 8 else 16 if bits <= 16 else 32
            return Scalar(f"{'i' if signed else 'u'}{room}", room // 8)
        case types.Float(name=name):
            return _FLOATS.get(name, _WORD)
        case types.Enum(backing=backing):
            return scalar_of(backing)
        case types.Identifier() | types.Pointer():
            return _WORD
        case types.Simple(name="bool" | "direction"):
            return _WORD
        case _:
            return None


def dtype_of(element: types.Type) -> np.dtype:
    """The NumPy type of array elements as they lie in memory.

    Structs are raw bytes: an array of them counts bytes, not structs.
    """
    if isinstance(element, types.Int) and element.bits == 64:
        return np.dtype("<i8" if element.signed else "<u8")
    scalar = scalar_of(element)
    if scalar is None:
        return np.dtype("u1")
    kind, bits = scalar.view[0], int(scalar.view[1:])
    return np.dtype(f"<{kind}{bits // 8}")


def lives_in_memory(type_: types.Type) -> bool:
    """Whether a value of the type can be laid out as bytes."""
    match type_:
        case types.Array(element=element):
            return lives_in_memory(element)
        case types.Struct(types=members):
            return bool(members) and all(map(lives_in_memory, members))
        case types.Int():
            return True
        case _:
            return scalar_of(type_) is not None


def size_bytes(type_: types.Type) -> int:
    """Bytes of a variable of the type.

    The fields of a struct lie in order, each at a multiple of its alignment, and the
    struct ends at one of its own.
    """
    return types.size_bytes(type_)


def stride_bytes(element: types.Type) -> int:
    """Bytes from one array element to the next."""
    return types.element_size_bytes(element)


def field_offset_bytes(struct: types.Struct, index: int) -> int:
    return types.field_offsets_bytes(struct)[index]


def alignment_bytes(type_: types.Type) -> int:
    """Natural alignment: that of the largest scalar, at most 4 bytes."""
    return types.alignment_bytes(type_)
