"""Implicit coercions (1.4 rules), `@as`, and the type that several peers share."""

from __future__ import annotations

import math
from typing import Any

from pyflame.wse.language import code, types
from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.floats import round_float
from pyflame.wse.language.mismatches import mismatch
from pyflame.wse.language.operands import (
    NORETURN,
    is_comptime_number,
    is_float,
    is_integer,
)
from pyflame.wse.language.source import Span
from pyflame.wse.language.state import FunctionRef
from pyflame.wse.language.types import Type


def coerce(operand: code.Expression, target: Type) -> code.Expression:
    """The operand as a value of the target type, without any cast in the source.

    A comptime-known integer of any type becomes any integer type that holds it.

    Raises:
        CslError: there is no implicit coercion, or a comptime number does not fit.
    """
    source = operand.type
    if source == target or source == NORETURN:
        return operand
    if isinstance(operand, code.Constant):
        coerced = _coerce_known(operand, source, target)
        if coerced is not None:
            return coerced
    elif target == types.COMPTIME_STRUCT and isinstance(source, types.Struct):
        return operand
    elif _pointers_agree(source, target):
        place = code.Pointee(source.pointee, operand.span, operand)  # pyright: ignore
        return code.AddressOf(target, operand.span, place)
    mismatch(operand, target)


def _coerce_known(
    operand: code.Constant, source: Type, target: Type
) -> code.Constant | None:
    if isinstance(target, types.Int) and is_integer(source):
        # published layouts pass known u16 values as i16 and the other way round
        check_fits(operand.value, target, operand.span)
        return code.Constant(target, operand.span, operand.value)
    if source == types.COMPTIME_FLOAT and isinstance(target, types.Float):
        return code.Constant(target, operand.span, _narrowed(operand, target))
    if target == types.COMPTIME_STRUCT and isinstance(source, types.Struct):
        return operand
    if isinstance(operand.value, FunctionRef):
        return _function_pointer(operand, target)
    if _pointers_agree(source, target):
        return code.Constant(target, operand.span, operand.value)
    return None


def _function_pointer(operand: code.Constant, target: Type) -> code.Constant | None:
    """`f` or `&f` as `*const fn(...)`, and `f` for a declared `fn(...)` type."""
    wanted = target.pointee if isinstance(target, types.Pointer) else target
    found = operand.type
    found = found.pointee if isinstance(found, types.Pointer) else found
    anytype = types.Simple("anytype")
    if isinstance(found, types.Function) and found.result == anytype:
        name = operand.value.declaration.name
        fail(
            f"function '{name}' is generic: it has no address",
            operand.span,
            help="wrap the call that you need in a function of its own",
        )
    if wanted == found:
        return code.Constant(target, operand.span, operand.value)
    return None


def _pointers_agree(source: Type, target: Type) -> bool:
    if not isinstance(source, types.Pointer) or not isinstance(target, types.Pointer):
        return False
    if source.const and not target.const:
        return False
    if source.many == target.many:
        return source.pointee == target.pointee
    pointee = source.pointee
    return (
        target.many
        and isinstance(pointee, types.Array)
        and pointee.element == target.pointee
    )


def check_fits(value: int, target: types.Int, span: Span) -> None:
    """Raises CslError unless the integer is in the range of the type."""
    if not target.minimum <= value <= target.maximum:
        fail(
            f"value {value} does not fit type '{target}' "
            f"({target.minimum} to {target.maximum})",
            span,
        )


def _narrowed(operand: code.Constant, target: types.Float) -> float:
    rounded = round_float(target, operand.value)
    if math.isinf(rounded) and not math.isinf(operand.value):
        fail(f"value {operand.value!r} does not fit type '{target}'", operand.span)
    return rounded


def peer_type(operands: list[code.Expression], expected: Type | None) -> Type | None:
    """The one type of several alternatives; None if they cannot agree.

    Comptime numbers take the fixed type of a peer; if there is none, the expected
    type, else their own.
    """
    found = [o.type for o in operands if o.type != NORETURN]
    fixed = [t for t in found if not is_comptime_number(t)]
    if fixed:
        return fixed[0] if all(t == fixed[0] for t in fixed) else None
    if not found:
        return NORETURN
    if expected is not None and isinstance(expected, (types.Int, types.Float)):
        return expected
    return found[0] if all(t == found[0] for t in found) else None


def agree(operands: list[code.Expression], expected: Type | None) -> Type:
    """Like `peer_type`, and raises CslError where the peers differ."""
    shared = peer_type(operands, expected)
    if shared is not None:
        return shared
    first = next(o.type for o in operands if not is_comptime_number(o.type))
    other = next(o for o in operands if o.type not in (first, NORETURN))
    fail(
        f"expected type '{first}', got: '{other.type}'",
        other.span,
        note="all alternatives must have the same type",
    )


# --- @as --------------------------------------------------------------------------


def convert(operand: code.Expression, target: Type, span: Span) -> code.Expression:
    """`@as(target, operand)`.

    Raises:
        CslError: no such conversion, or a comptime value does not fit.
    """
    source = operand.type
    if source == target:
        return operand
    if not _convertible(source) or not _convertible(target):
        if isinstance(operand, code.Constant):
            coerced = _coerce_known(operand, source, target)
            if coerced is not None:
                return coerced
        fail(
            f"cannot convert '{source}' to '{target}' with @as",
            span,
            note="@as converts between numbers, bool and enums",
        )
    if types.is_enum(source) and types.is_enum(target):
        fail(
            f"cannot convert '{source}' to '{target}' with @as",
            span,
            help="go through an integer: @as(B, @as(u16, a))",
        )
    if isinstance(operand, code.Constant):
        value = convert_value(operand.value, source, target, span)
        return code.Constant(target, span, value)
    if is_comptime_number(target):
        fail(f"expected a comptime-known value for '{target}'", operand.span)
    return code.Convert(target, span, operand)


def _convertible(type_: Type) -> bool:
    return (
        isinstance(type_, (types.Int, types.Float))
        or types.is_enum(type_)
        or is_comptime_number(type_)
        or type_ == types.BOOL
    )


def convert_value(value: Any, source: Type, target: Type, span: Span) -> Any:
    """`@as` on a comptime value."""
    if target == types.BOOL:
        return value != 0
    if isinstance(target, types.Float):
        return round_float(target, _as_float(value, span))
    if target == types.COMPTIME_FLOAT:
        return _as_float(value, span)
    whole = _as_integer(value, source, span)
    if isinstance(target, types.Int):
        check_fits(whole, target, span)
    elif types.is_enum(target) and whole not in dict(target.items).values():
        fail(f"value {whole} names no item of enum '{target}'", span)
    return whole


def _as_float(value: Any, span: Span) -> float:
    try:
        return float(value)
    except OverflowError:
        fail(f"value {value} does not fit a float", span)


def _as_integer(value: Any, source: Type, span: Span) -> int:
    if is_float(source) and not math.isfinite(value):
        fail(f"float value {value!r} has no integer value", span)
    return int(value)
