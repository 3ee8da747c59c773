"""Builtins on arrays and ranges: language reference 12.3."""

from __future__ import annotations

from pyflame.wse.language import code, types
from pyflame.wse.language.coercions import coerce
from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.invocation import Invocation, all_known
from pyflame.wse.language.operands import array_elements, filled_elements, is_number
from pyflame.wse.language.values import ArrayValue, RangeValue

# larger arrays of equal elements are filled at run time by code, not by data
_FILL_FROM_ELEMENTS = 64


def _array_type(call: Invocation, index: int = 0) -> types.Array:
    type_ = call.type(index)
    if not isinstance(type_, types.Array):
        fail(f"'{call.name}' takes an array type, got: '{type_}'", call.span)
    return type_


def zeros(call: Invocation) -> code.Expression:
    type_ = _array_type(call)
    if not is_number(type_.element):
        fail(
            f"'@zeros' takes arrays of numbers, got: '{type_}'",
            call.span,
            help="use @constants(T, value)",
        )
    zero = 0.0 if isinstance(type_.element, types.Float) else 0
    return _filled(call, type_, call.constant(type_.element, zero))


def constants(call: Invocation) -> code.Expression:
    type_ = _array_type(call)
    return _filled(call, type_, call.typed(1, type_.element))


def _filled(
    call: Invocation, type_: types.Array, value: code.Expression
) -> code.Expression:
    if not isinstance(value, code.Constant):
        return code.Fill(type_, call.span, call.run_time(value))
    if not call.frame.comptime and type_.count > _FILL_FROM_ELEMENTS:
        return code.Fill(type_, call.span, value)
    call.program.spend_elements(type_.count, call.span)
    elements = filled_elements(type_.element, type_.count, value.value)
    return call.constant(type_, ArrayValue(elements))


def dimensions(call: Invocation) -> code.Expression:
    dims = _array_type(call).dims
    elements = array_elements(types.U32, list(dims))
    return call.constant(types.Array((len(dims),), types.U32), ArrayValue(elements))


def element_count(call: Invocation) -> code.Expression:
    return call.constant(types.U32, _array_type(call).count)


def rank(call: Invocation) -> code.Expression:
    return call.constant(types.U16, len(_array_type(call).dims))


def element_type(call: Invocation) -> code.Expression:
    return call.constant(types.TYPE, _array_type(call).element)


def range_(call: Invocation) -> code.Expression:
    element = call.type(0)
    if not isinstance(element, types.Int) and element != types.COMPTIME_INT:
        fail(f"'@range' takes an integer type, got: '{element}'", call.span)
    if call.count == 3:
        fail(
            "'@range' takes (T, stop) or (T, start, stop, step)",
            call.span,
        )
    zero, one = call.constant(element, 0), call.constant(element, 1)
    given = [_bound(call, i, element) for i in range(1, call.count)]
    parts: list[code.Expression] = given if len(given) == 3 else [zero, given[0], one]
    step = parts[2]
    if isinstance(step, code.Constant) and step.value == 0:
        fail("the step of a range must not be zero", step.span)
    type_ = types.Range(element)
    if all_known(parts):
        start, stop, stride = (p.value for p in parts if isinstance(p, code.Constant))
        return call.constant(type_, RangeValue(start, stop, stride))
    return code.MakeRange(type_, call.span, *parts)


def _bound(call: Invocation, index: int, element: types.Type) -> code.Expression:
    """Bounds of a range are converted; a known one only has to fit."""
    operand = call.operand(index)
    if isinstance(operand, code.Constant) and isinstance(operand.value, int):
        untyped = code.Constant(types.COMPTIME_INT, operand.span, operand.value)
        return coerce(untyped, element)
    return coerce(operand, element)


def _range_part(call: Invocation, part: str) -> code.Expression:
    operand = call.operand(0)
    if not isinstance(operand.type, types.Range):
        fail(f"'{call.name}' takes a range, got: '{operand.type}'", call.span)
    if isinstance(operand, code.Constant):
        return call.constant(operand.type.element, getattr(operand.value, part))
    if isinstance(operand, code.MakeRange):
        return getattr(operand, part)
    return call.emit(operand.type.element, [operand])


def range_start(call: Invocation) -> code.Expression:
    return _range_part(call, "start")


def range_stop(call: Invocation) -> code.Expression:
    return _range_part(call, "stop")


def range_step(call: Invocation) -> code.Expression:
    return _range_part(call, "step")
