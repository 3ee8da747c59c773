"""Builtins on types, values and comptime: language reference 12.1."""

from __future__ import annotations

import json
import math
import sys
from typing import Any, cast

from pyflame.wse.language import code, tree, types
from pyflame.wse.language.bits import bitcast_value, width_bits
from pyflame.wse.language.coercions import coerce, convert
from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.dispatch import evaluate
from pyflame.wse.language.evaluate_names import check_bool
from pyflame.wse.language.identifiers import check_id
from pyflame.wse.language.invocation import Invocation
from pyflame.wse.language.modules import load_module
from pyflame.wse.language.operands import (
    array_elements,
    make_struct,
    need_known,
    parts_of,
)
from pyflame.wse.language.places import struct_field
from pyflame.wse.language.state import MAX_STRING_BYTES, FunctionRef, Module
from pyflame.wse.language.types import Type
from pyflame.wse.language.values import ArrayValue, StructValue


def as_(call: Invocation) -> code.Expression:
    type_ = call.type(0)
    return convert(call.operand(1), type_, call.span)


def bitcast(call: Invocation) -> code.Expression:
    type_ = call.type(0)
    operand = call.operand(1)
    if operand.type == types.COMPTIME_INT and isinstance(type_, types.Int):
        return coerce(operand, type_)
    _check_same_width(operand.type, type_, call)
    if isinstance(operand, code.Constant) and not isinstance(type_, types.Pointer):
        if not isinstance(operand.type, types.Pointer):
            value = bitcast_value(operand.value, operand.type, type_)
            if call.frame.comptime or value == value:
                return call.constant(type_, value)
            # a comptime float does not keep the payload of a NaN: let it be made later
    return code.Bitcast(type_, call.span, call.run_time(operand))


def _check_same_width(source: Type, target: Type, call: Invocation) -> None:
    source_bits, target_bits = width_bits(source), width_bits(target)
    if source_bits is None or target_bits is None:
        wrong = source if source_bits is None else target
        fail(f"'@bitcast' does not take type '{wrong}'", call.span)
    if source_bits != target_bits:
        fail(
            f"'@bitcast' from '{source}' ({source_bits} bits) to '{target}' "
            f"({target_bits} bits): the widths differ",
            call.span,
            help=f"@as({target}, ...) converts the value",
        )


def ptrcast(call: Invocation) -> code.Expression:
    type_ = call.type(0)
    operand = call.operand(1)
    if not isinstance(type_, types.Pointer) or not isinstance(
        operand.type, types.Pointer
    ):
        fail("'@ptrcast' takes a pointer type and a pointer", call.span)
    if isinstance(operand, code.Constant) and not isinstance(
        operand.value, FunctionRef
    ):
        return call.constant(type_, operand.value)
    return code.Bitcast(type_, call.span, operand)


def type_of(call: Invocation) -> code.Expression:
    """The operand is typed as if at run time, and its code is dropped."""
    inner = call.frame.nested(mode="R", out=[])
    return call.constant(types.TYPE, evaluate(inner, call.node.arguments[0]).type)


def is_same_type(call: Invocation) -> code.Expression:
    return call.bool(call.type(0) == call.type(1))


def is_comptime(call: Invocation) -> code.Expression:
    return call.bool(call.frame.comptime)


def is_arch(call: Invocation) -> code.Expression:
    name = call.string(0, "the architecture")
    if name not in ("wse2", "wse3"):
        fail(f"unknown architecture '{name}'", call.span, help='use "wse2" or "wse3"')
    return call.bool(name == call.program.options.arch)


def fp16(call: Invocation) -> code.Expression:
    return call.constant(types.TYPE, types.Float(call.program.options.fp16_format))


def get_int(call: Invocation) -> code.Expression:
    operand = call.operand(0)
    type_ = operand.type
    if isinstance(type_, types.Int) or type_ == types.COMPTIME_INT:
        return operand
    if types.is_enum(type_):
        return convert(operand, type_.backing, call.span)
    if isinstance(type_, types.Identifier):
        if isinstance(operand, code.Constant):
            return call.constant(types.U16, operand.value)
        return code.Bitcast(types.U16, call.span, operand)
    if str(type_) in types.REGISTER_KINDS:
        register = need_known(operand, "a register").value
        return call.constant(types.U16, register.number)
    fail(f"'@get_int' does not take type '{type_}'", call.span)


def field(call: Invocation) -> code.Expression:
    name = call.string(1, "the field name")
    return struct_field(call.operand(0), name, call.span)


def has_field(call: Invocation) -> code.Expression:
    inner = call.frame.nested(mode="R", out=[])
    struct = evaluate(inner, call.node.arguments[0]).type
    if not isinstance(struct, (types.Struct, types.Packed)):
        fail(f"'@has_field' takes a struct, got: '{struct}'", call.span)
    return call.bool(call.string(1, "the field name") in (struct.names or ()))


def concat_structs(call: Invocation) -> code.Expression:
    sides = [call.operand(0), call.operand(1)]
    names: list[str] = []
    values: list[code.Expression] = []
    named: list[bool] = []
    for side in sides:
        struct, parts = side.type, parts_of(side)
        if not isinstance(struct, types.Struct) or parts is None or struct.identity:
            fail("'@concat_structs' takes two anonymous structs", side.span)
        names += struct.names or ()
        values += parts
        if parts:
            named.append(struct.names is not None)
    if len(set(named)) > 1:
        fail("cannot join a struct with named fields and a tuple", call.span)
    for name in names:
        if names.count(name) > 1:
            fail(f"both structs have a field '{name}'", call.span)
    value_types = tuple(v.type for v in values)
    shown = tuple(names) if names or not values else None
    return make_struct(types.Struct(shown, value_types), tuple(values), call.span)


# --- checks and messages ----------------------------------------------------------


def comptime_assert(call: Invocation) -> code.Expression:
    condition = check_bool(call.operand(0), "the condition of '@comptime_assert'")
    known = need_known(condition, "the condition of '@comptime_assert'")
    if not known.value:
        text = f": {call.string(1, 'the message')}" if call.count > 1 else ""
        fail(f"comptime_assert failed{text}", call.span)
    return call.void()


def assert_(call: Invocation) -> code.Expression:
    condition = check_bool(call.operand(0), "the condition of '@assert'")
    if call.frame.comptime:
        if not need_known(condition, "the condition of '@assert'").value:
            fail("comptime_assert failed", call.span)
        return call.void()
    return call.emit(types.VOID, [condition])


def comptime_print(call: Invocation) -> code.Expression:
    shown = [
        shown_value(call.known(i, "what '@comptime_print' shows"))
        for i in range(call.count)
    ]
    print(" ".join(shown), file=sys.stderr)
    return call.void()


def shown_value(constant: code.Constant) -> str:
    """A comptime value as a person reads it."""
    value = constant.value
    if isinstance(value, StructValue):
        parts = [
            shown_value(code.Constant(t, constant.span, v))
            for t, v in zip(value.type.types, value.values, strict=True)
        ]
        if value.type.names is None:
            return f".{{ {', '.join(parts)} }}"
        pairs = zip(value.type.names, parts, strict=True)
        return f".{{ {', '.join(f'.{n} = {p}' for n, p in pairs)} }}"
    if isinstance(value, ArrayValue):
        return f"{constant.type} {{ {', '.join(map(str, value.elements))} }}"
    if isinstance(value, bool):
        return str(value).lower()
    if types.is_enum(constant.type):
        return next(n for n, v in constant.type.items if v == value)
    if isinstance(value, (FunctionRef, Module)):
        return str(constant.type)
    return str(value)


# --- strings ----------------------------------------------------------------------


def strcat(call: Invocation) -> code.Expression:
    parts = [call.string(i, "an argument of '@strcat'") for i in range(call.count)]
    total = sum(map(len, parts))
    if total > MAX_STRING_BYTES:
        fail(f"a string of {total:,} bytes is too long", call.span)
    return call.constant(types.COMPTIME_STRING, "".join(parts))


def strlen(call: Invocation) -> code.Expression:
    return call.constant(types.COMPTIME_INT, len(call.string(0, "the string")))


def get_array(call: Invocation) -> code.Expression:
    text = call.string(0, "the string")
    elements = array_elements(types.U8, [ord(c) for c in text])
    return call.constant(types.Array((len(text),), types.U8), ArrayValue(elements))


def get_string_from_byte(call: Invocation) -> code.Expression:
    byte = call.integer(0, "a byte", 0, 255)
    return call.constant(types.COMPTIME_STRING, chr(byte))


# --- modules ----------------------------------------------------------------------


def import_module(call: Invocation) -> code.Expression:
    frame = call.frame
    if not frame.naming:
        fail(
            "'@import_module' is only allowed as the value of a global const",
            call.span,
            help='write: const m = @import_module("file.csl"); at the top level',
        )
    name = call.string(0, "the module name")
    given = dict(call.fields(1, "the params of a module"))
    known = {key: need_known(value, f"param '{key}'") for key, value in given.items()}
    importer = frame.module.file.source
    prefix = f"{frame.module.prefix}{frame.naming}."
    module = load_module(frame.program, name, importer, prefix, known, call.span)
    return call.constant(types.IMPORTED_MODULE, module)


def import_comptime_value(call: Invocation) -> code.Expression:
    type_ = call.type(0)
    name = call.string(1, "the file name")
    source = call.program.reader.read(name, call.frame.module.file.source)
    try:
        data = json.loads(source.text)
    except ValueError as error:
        fail(f"'{name}' is not JSON: {error}", call.span)
    return _from_json(call, data, type_)


def _from_json(call: Invocation, data: Any, type_: Type) -> code.Constant:
    if type_ == types.COMPTIME_STRUCT and isinstance(data, dict):
        return _struct_from_json(call, cast(dict[str, Any], data))
    if isinstance(type_, types.Array) and isinstance(data, list):
        return _array_from_json(call, cast(list[Any], data), type_)
    source = _json_scalar_type(call, data)
    if isinstance(type_, types.Identifier) and source == types.COMPTIME_INT:
        check_id(type_.name, data, call.program.options.arch, call.span)
        return call.constant(type_, data)
    if source == types.COMPTIME_INT and isinstance(type_, types.Float):
        source, data = types.COMPTIME_FLOAT, float(data)
    value = coerce(call.constant(source, data), type_)
    assert isinstance(value, code.Constant)
    return value


def _array_from_json(
    call: Invocation, data: list[Any], type_: types.Array
) -> code.Constant:
    if len(data) != type_.count:
        fail(
            f"JSON has {len(data)} elements, but '{type_}' needs {type_.count}",
            call.span,
        )
    items = [_from_json(call, item, type_.element).value for item in data]
    return call.constant(type_, ArrayValue(array_elements(type_.element, items)))


def _json_scalar_type(call: Invocation, data: Any) -> Type:
    if isinstance(data, bool):
        return types.BOOL
    if isinstance(data, int):
        return types.COMPTIME_INT
    if isinstance(data, float) and math.isfinite(data):
        return types.COMPTIME_FLOAT
    if isinstance(data, str):
        return types.COMPTIME_STRING
    fail(f"JSON value {json.dumps(data)[:40]} has no CSL type here", call.span)


def _struct_from_json(call: Invocation, data: dict[str, Any]) -> code.Constant:
    """Objects have keys `name:type`."""
    names: list[str] = []
    values: list[code.Constant] = []
    for key, item in data.items():
        name, _, spelled = key.partition(":")
        node = tree.Name(call.span, spelled.strip())
        type_ = evaluate(call.frame, node)
        if type_.type != types.TYPE or not isinstance(type_, code.Constant):
            fail(f"JSON key '{key}' names no type", call.span)
        names.append(name.strip())
        values.append(_from_json(call, item, type_.value))
    struct = types.Struct(tuple(names), tuple(v.type for v in values))
    return call.constant(struct, StructValue(struct, tuple(v.value for v in values)))
