"""Comptime values as the run time sees them: numbers, addresses, descriptors."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from pyflame.wse.errors import CslError
from pyflame.wse.language import types
from pyflame.wse.language.values import (
    ArrayValue,
    DsdValue,
    DsrValue,
    FifoValue,
    FunctionValue,
    PointerValue,
    RangeValue,
    StructValue,
)
from pyflame.wse.machine import dsd, storage
from pyflame.wse.machine.codegen_core import Unit
from pyflame.wse.machine.scalar_support import SMALL_FLOATS


def run_time_value(unit: Unit, value: Any, type_: types.Type) -> Any:
    """The run-time form of a comptime value of the given type.

    Raises:
        CslError: for a pointer to something that has no address.
    """
    match value:
        case bool():
            return value
        case int() | float():
            return _number(value, type_)
        case PointerValue():
            return address_of(unit, value)
        case FunctionValue(function=function):
            return unit.numbers[function]
        case StructValue():
            members = zip(value.values, value.type.types, strict=True)
            return [run_time_value(unit, v, t) for v, t in members]
        case ArrayValue():
            return _array(unit, value, type_)
        case RangeValue(start=start, stop=stop, step=step):
            return (start, stop, step)
        case DsdValue():
            return descriptor(unit, value)
        case DsrValue(kind=kind, number=number):
            return dsd.Dsr(kind, number)
        case FifoValue():
            return dsd.Fifo(unit.fifos[value])
        case _:
            return value


def _number(value: float, type_: types.Type) -> Any:
    match type_:
        case types.Float(name="f32"):
            return np.float32(value)
        case types.Float(name="f16"):
            return np.float16(value)
        case types.Float():
            return float(value)
        case types.Simple(name="comptime_float"):
            return float(value)
        case _:
            return int(value)


def address_of(unit: Unit, pointer: PointerValue) -> int:
    """The byte address that a comptime pointer stands for."""
    address = unit.layout.addresses.get(pointer.variable)
    if address is None:
        raise CslError(
            f"'{pointer.variable.name}' has no address: a "
            f"'{pointer.variable.type}' does not lie in memory",
            pointer.variable.span,
        )
    return address + pointer.offset_bytes


def _array(unit: Unit, value: ArrayValue, type_: types.Type) -> Any:
    """A NumPy array as it lies in memory, or a list of what cannot lie there."""
    assert isinstance(type_, types.Array)
    element = type_.element
    if not storage.lives_in_memory(element):
        return [run_time_value(unit, v, element) for v in value.elements]
    dtype = storage.dtype_of(element)
    if isinstance(element, types.Struct):
        data = b"".join(encode(unit, v, element) for v in value.elements)
        return np.frombuffer(data, np.uint8)
    if isinstance(value.elements, np.ndarray) and _is_plain(element):
        return value.elements.astype(dtype, copy=True).ravel()
    words = [_raw(unit, v, element) for v in value.elements]
    return np.array(words, dtype)


def _is_plain(element: types.Type) -> bool:
    if isinstance(element, types.Float):
        return element.name in ("f32", "f16")
    return True


def _raw(unit: Unit, value: Any, type_: types.Type) -> Any:
    """One scalar as the number that its word of memory holds."""
    if type_ == types.DIRECTION:
        return _DIRECTIONS.index(value)
    if isinstance(type_, types.Float) and type_.name in SMALL_FLOATS:
        return SMALL_FLOATS[type_.name].encode(float(value))
    result = run_time_value(unit, _plain(value), type_)
    return int(result) if isinstance(result, bool) else result


def _plain(value: Any) -> Any:
    return cast(Any, value).item() if isinstance(value, np.generic) else value


_DIRECTIONS = ("NORTH", "SOUTH", "EAST", "WEST", "RAMP")


def encode(unit: Unit, value: Any, type_: types.Type) -> bytes:
    """The bytes of an initial value; None (unspecified) gives zeros."""
    size = storage.size_bytes(type_)
    if value is None:
        return bytes(size)
    match type_:
        case types.Array():
            return np.ascontiguousarray(_array(unit, value, type_)).tobytes()
        case types.Struct():
            members = zip(value.values, type_.types, strict=True)
            return joined(type_, [encode(unit, v, t) for v, t in members])
        case types.Int(bits=bits, signed=signed) if bits <= 8:
            return int(value).to_bytes(2, "little", signed=signed)
        case _:
            return np.array(_raw(unit, value, type_), storage.dtype_of(type_)).tobytes()


def joined(struct: types.Struct, parts: list[bytes]) -> bytes:
    """The bytes of a struct from those of its fields, with what lies between."""
    data = bytearray(storage.size_bytes(struct))
    for offset, part in zip(types.field_offsets_bytes(struct), parts, strict=True):
        data[offset : offset + len(part)] = part
    return bytes(data)


# --- descriptors ------------------------------------------------------------------


def descriptor(unit: Unit, value: DsdValue) -> dsd.Descriptor:
    """The descriptor that a comptime DSD stands for."""
    fields = {
        name: run_time_value(unit, field, types.U16)
        for name, field in value.fields.items()
    }
    size = 0 if value.element is None else storage.stride_bytes(value.element)
    return make_descriptor(value.kind, fields, size)


def make_descriptor(
    kind: str, fields: dict[str, Any], element_bytes: int = 0
) -> dsd.Descriptor:
    """A descriptor from the fields of `@get_dsd`, as run-time values.

    Strides count elements of the operation that uses it, but the offset those of the
    tensor it was built over, if known: the first element is where the tensor's is
    also if an f32 operation walks over pairs of f16.
    """
    offset = fields.get("offset")
    if offset and element_bytes:
        origin = fields["base_address"]
        base = origin + offset * element_bytes & 0xFFFF
        fields = {**fields, "base_address": base, "offset": 0, "origin": origin}
    return _MAKERS[kind](fields)


def _mem1d(fields: dict[str, Any]) -> dsd.Mem1d:
    return dsd.Mem1d(
        fields.get("base_address", 0),
        fields.get("offset", 0),
        _single(fields.get("stride", 1)),
        _single(fields["extent"]),
        bool(fields.get("wavelet_index_offset", False)),
        fields.get("origin"),
    )


def _single(value: Any) -> int:
    return _tuple(value)[0]


def _mem4d(fields: dict[str, Any]) -> dsd.Mem4d:
    extents = _tuple(fields["extent"])
    return dsd.Mem4d(
        fields.get("base_address", 0),
        fields.get("offset", 0),
        _tuple(fields.get("stride", (1,) * len(extents))),
        extents,
        bool(fields.get("wavelet_index_offset", False)),
        fields.get("origin"),
    )


def _circular(fields: dict[str, Any]) -> dsd.Circular:
    base, extent = fields.get("base_address", 0), _tuple(fields["extent"])
    around = _single(fields["wraparound"])
    return dsd.Circular(base, 0, (1,), extent, wraparound=around)


def _tuple(value: Any) -> tuple[int, ...]:
    if not isinstance(value, (tuple, list)):
        return (int(value),)
    return tuple(int(v) for v in cast(list[Any], value))


def _fabin(fields: dict[str, Any]) -> dsd.FabIn:
    return dsd.FabIn(
        fields.get("fabric_color"),  # pyright: ignore[reportArgumentType]
        fields.get("input_queue"),
        _single(fields["extent"]),
        simd_mode=chosen(fields, "simd_mode") or "",
        control_transform=bool(fields.get("control_transform", False)),
        priority=chosen(fields, "priority"),
    )


def _fabout(fields: dict[str, Any]) -> dsd.FabOut:
    return dsd.FabOut(
        fields.get("fabric_color"),  # pyright: ignore[reportArgumentType]
        fields.get("output_queue"),
        _single(fields["extent"]),
        control=bool(fields.get("control", False)),
        index_offset=bool(fields.get("wavelet_index_offset", False)),
        simd_mode=chosen(fields, "simd_mode") or "",
        zero=chosen(fields, "zero") or "",
        advance_switch=bool(fields.get("advance_switch", False)),
        control_transform=bool(fields.get("control_transform", False)),
        priority=chosen(fields, "priority"),
    )


def chosen(fields: dict[str, Any], name: str) -> str | None:
    """Which of `.name = .{ .x = true }` is set, given flat or by name."""
    value = fields.get(name)
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        flags = cast(dict[str, bool], value)
        return next((key for key, on in flags.items() if on), None)
    prefix = name + "."
    for key, on in fields.items():
        if key.startswith(prefix) and on:
            return key[len(prefix) :]
    return None


_MAKERS = {
    "mem1d_dsd": _mem1d,
    "mem4d_dsd": _mem4d,
    "circbuf_dsd": _circular,
    "fabin_dsd": _fabin,
    "fabout_dsd": _fabout,
}
