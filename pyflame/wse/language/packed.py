"""Packed structs and unions: fields in the bits of one unsigned integer.

Reading a field is a shift, a cut and a bitcast; storing one puts a new integer into
the place. So a machine needs to know nothing of them. Source of the layout: the 2.x
types page (fields from the lowest bit on). What it leaves open is decided here: the
integer has 16, 32 or 64 bits, and a union's shorter fields are its low bits.
"""

from __future__ import annotations

from pyflame.wse.language import code, types
from pyflame.wse.language.bits import bitcast_value
from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.source import Span
from pyflame.wse.language.types import Type

_BACKINGS = (types.U16, types.U32, types.U64)


def packed_type(
    kind: str,
    names: tuple[str, ...],
    field_types: tuple[Type, ...],
    identity: str,
    spans: tuple[Span, ...],
    span: Span,
) -> types.Packed:
    """The type that a declaration describes; `spans` are the places of its fields.

    Raises:
        CslError: a field has no fixed number of bits, or there are too many bits.
    """
    union = kind.endswith("union")
    offsets: list[int] = []
    total = 0
    for type_, place in zip(field_types, spans, strict=True):
        bits = field_bits(kind, type_, place)
        offsets.append(0 if union else total)
        total = max(total, bits) if union else total + bits
    backing = next((b for b in _BACKINGS if total <= b.bits), None)
    if backing is None or not names:
        fail(
            f"a {kind} holds 1 to 64 bits, but this one has {total}",
            span,
            help="use a plain struct, whose size is not limited",
        )
    return types.Packed(
        backing, (), identity, "", names, field_types, tuple(offsets), kind
    )


def field_bits(kind: str, type_: Type, span: Span) -> int:
    """Bits that a field takes.

    Raises:
        CslError: it is no number, bool, enum, packed struct or union.
    """
    if type_ == types.BOOL:
        return 1
    if isinstance(type_, (types.Int, types.Float)):
        return type_.bits
    if isinstance(type_, types.Enum):
        return type_.backing.bits
    fail(
        f"a {kind} cannot have a field of type '{type_}'",
        span,
        note="its fields are numbers, bool, enums, packed structs and unions",
    )


def field_index(type_: types.Packed, name: str, span: Span) -> int:
    """Raises CslError if there is no such field."""
    if name not in type_.names:
        fail(
            f"{type_.kind} '{type_}' has no field '{name}'",
            span,
            help=f"fields: {', '.join(type_.names)}",
        )
    return type_.names.index(name)


# --- reading ----------------------------------------------------------------------


def read_field(base: code.Expression, index: int, span: Span) -> code.Expression:
    """Field number `index` of a packed value."""
    packed = base.type
    assert isinstance(packed, types.Packed)
    field = packed.types[index]
    width = field_bits(packed.kind, field, span)
    shift = packed.offsets_bits[index]
    if isinstance(base, code.Constant):
        raw = base.value >> shift & (1 << width) - 1
        return code.Constant(field, span, _value_of_bits(raw, field))
    word: code.Expression = code.Bitcast(packed.backing, span, base)
    if shift:
        count = code.Constant(types.U16, span, shift)
        word = code.Binary(packed.backing, span, ">>", word, count)
    return _run_time_field(word, field, width, span)


def _value_of_bits(raw: int, field: Type) -> object:
    if field == types.BOOL:
        return bool(raw)
    return bitcast_value(raw, types.U64, field)


def _run_time_field(
    word: code.Expression, field: Type, width: int, span: Span
) -> code.Expression:
    if field == types.BOOL:
        one = code.Constant(word.type, span, 1)
        low = code.Binary(word.type, span, "&", word, one)
        return code.Convert(types.BOOL, span, low)
    raw = types.Int(width, False)
    cut = word if word.type == raw else code.Convert(raw, span, word)
    return cut if field == raw else code.Bitcast(field, span, cut)


# --- building and storing ---------------------------------------------------------


def build(
    type_: types.Packed, given: dict[int, code.Expression], span: Span
) -> code.Expression:
    """The packed value of some fields; the bits of the others are 0."""
    if all(isinstance(value, code.Constant) for value in given.values()):
        word = 0
        for index, value in given.items():
            assert isinstance(value, code.Constant)
            word |= _bits_of(type_, index, value) << type_.offsets_bits[index]
        return code.Constant(type_, span, word)
    parts = [_shifted(type_, index, value, span) for index, value in given.items()]
    whole = parts[0]
    for part in parts[1:]:
        whole = code.Binary(type_.backing, span, "|", whole, part)
    return code.Bitcast(type_, span, whole)


def _bits_of(type_: types.Packed, index: int, value: code.Constant) -> int:
    width = field_bits(type_.kind, type_.types[index], value.span)
    if value.type == types.BOOL:
        return int(value.value)
    return bitcast_value(value.value, value.type, types.Int(width, False))


def _shifted(
    type_: types.Packed, index: int, value: code.Expression, span: Span
) -> code.Expression:
    """A field's bits where they belong in the integer."""
    if isinstance(value, code.Constant):
        bits = _bits_of(type_, index, value) << type_.offsets_bits[index]
        return code.Constant(type_.backing, span, bits)
    word = value
    if value.type != types.BOOL:
        width = field_bits(type_.kind, type_.types[index], span)
        raw = types.Int(width, False)
        word = value if value.type == raw else code.Bitcast(raw, span, value)
    if word.type != type_.backing:
        word = code.Convert(type_.backing, span, word)
    if not type_.offsets_bits[index]:
        return word
    count = code.Constant(types.U16, span, type_.offsets_bits[index])
    return code.Binary(type_.backing, span, "<<", word, count)


def with_field(
    base: code.Expression, index: int, value: code.Expression, span: Span
) -> code.Expression:
    """The packed value with one field replaced."""
    packed = base.type
    assert isinstance(packed, types.Packed)
    width = field_bits(packed.kind, packed.types[index], span)
    hole = packed.backing.maximum & ~(((1 << width) - 1) << packed.offsets_bits[index])
    if isinstance(base, code.Constant) and isinstance(value, code.Constant):
        bits = _bits_of(packed, index, value) << packed.offsets_bits[index]
        return code.Constant(packed, span, base.value & hole | bits)
    word: code.Expression = code.Bitcast(packed.backing, span, base)
    mask = code.Constant(packed.backing, span, hole)
    kept = code.Binary(packed.backing, span, "&", word, mask)
    added = _shifted(packed, index, value, span)
    whole = code.Binary(packed.backing, span, "|", kept, added)
    return code.Bitcast(packed, span, whole)


def is_part(place: code.Expression) -> bool:
    """Whether a place is a field of a packed value, so no place of its own."""
    return isinstance(place, code.FieldOf) and isinstance(place.base.type, types.Packed)


def loaded(place: code.Expression) -> code.Expression:
    """What a place holds; fields of packed values are cut out."""
    if isinstance(place, code.FieldOf) and is_part(place):
        return read_field(loaded(place.base), place.index, place.span)
    return place


def stored(
    place: code.Expression, value: code.Expression
) -> tuple[code.Expression, code.Expression]:
    """The place and value to assign in order to store into a part of a packed one."""
    while isinstance(place, code.FieldOf) and is_part(place):
        value = with_field(loaded(place.base), place.index, value, place.span)
        place = place.base
    return place, value
