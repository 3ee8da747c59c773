"""Unary and binary operators: type rules, comptime arithmetic, run-time nodes."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from pyflame.wse.language import code, types
from pyflame.wse.language.coercions import check_fits, coerce
from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.floats import round_float
from pyflame.wse.language.mismatches import mismatch
from pyflame.wse.language.operands import (
    is_comptime_number,
    is_float,
    is_integer,
    is_number,
    need_known,
)
from pyflame.wse.language.source import Span
from pyflame.wse.language.types import Type

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
MAX_INTEGER_BITS = 4096
_FLOAT_ONLY_INTEGER = ("%", "&", "|", "^", "<<", ">>")
_EQUALITY_NAMES = (
    "bool",
    "direction",
    "comptime_string",
    "type",
    *types.REGISTER_KINDS,
)


def binary(
    symbol: str, left: code.Expression, right: code.Expression, span: Span
) -> code.Expression:
    """`left symbol right` for every operator but `and` and `or`.

    Raises:
        CslError: operand types that the operator does not take, or a comptime
            result that does not exist (division by zero, overflow).
    """
    if symbol in _COMPARISONS:
        return _compare(symbol, left, right, span)
    if symbol in ("<<", ">>"):
        return _shift(symbol, left, right, span)
    _refuse_pointers(symbol, left, right)
    left, right = unify(left, right)
    type_ = left.type
    allowed = is_integer if symbol in _FLOAT_ONLY_INTEGER else is_number
    if not allowed(type_):
        fail(f"operator '{symbol}' does not take type '{type_}'", span)
    if isinstance(left, code.Constant) and isinstance(right, code.Constant):
        value = arithmetic(symbol, type_, left.value, right.value, span)
        return code.Constant(type_, span, value)
    return code.Binary(type_, span, symbol, left, right)


def _refuse_pointers(symbol: str, *operands: code.Expression) -> None:
    for operand in operands:
        if isinstance(operand.type, types.Pointer):
            fail(
                f"operator '{symbol}' does not take type '{operand.type}'",
                operand.span,
                note="there is no arithmetic on pointers",
                help=f"read what it points to: p{'[i]' if operand.type.many else '.*'}",
            )


def unify(
    left: code.Expression, right: code.Expression
) -> tuple[code.Expression, code.Expression]:
    """Both operands in one type: a comptime number takes the type of the other."""
    if left.type == right.type:
        return left, right
    if is_comptime_number(left.type):
        return coerce(left, right.type), right
    if is_comptime_number(right.type):
        return left, coerce(right, left.type)
    mismatch(right, left.type)


def arithmetic(symbol: str, type_: Type, left: Any, right: Any, span: Span) -> Any:
    """A comptime result, rounded or wrapped as the type demands."""
    if is_float(type_):
        return _float_arithmetic(symbol, type_, left, right, span)
    return _in_range(_integer_arithmetic(symbol, left, right, span), type_, span)


def _integer_arithmetic(symbol: str, left: int, right: int, span: Span) -> int:
    if symbol in ("/", "%"):
        if right == 0:
            fail("division by zero", span)
        quotient = abs(left) // abs(right)
        quotient = quotient if (left < 0) == (right < 0) else -quotient
        return quotient if symbol == "/" else left - quotient * right
    return _INTEGER[symbol](left, right)


_INTEGER: dict[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "&": int.__and__,
    "|": int.__or__,
    "^": int.__xor__,
}
_FLOAT = {"+": operator.add, "-": operator.sub, "*": operator.mul}


def _in_range(value: int, type_: Type, span: Span) -> int:
    """Unsigned results wrap, as at run time; a signed overflow is an error.

    A comptime_int has no bounds but those of patience.
    """
    if not isinstance(type_, types.Int):
        if value.bit_length() > MAX_INTEGER_BITS:
            fail(f"a comptime_int of more than {MAX_INTEGER_BITS} bits", span)
        return value
    if type_.signed:
        check_fits(value, type_, span)
        return value
    return type_.wrap(value)


def _float_arithmetic(
    symbol: str, type_: Type, left: float, right: float, span: Span
) -> float:
    if symbol == "/":
        return _float_division(type_, left, right, span)
    try:
        value = _FLOAT[symbol](left, right)
    except OverflowError:
        value = math.inf
    return _rounded(type_, value, span)


def _float_division(type_: Type, left: float, right: float, span: Span) -> float:
    if right != 0:
        return _rounded(type_, left / right, span)
    if type_ == types.COMPTIME_FLOAT:
        fail("division by zero", span)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.float64(left) / np.float64(right))


def _rounded(type_: Type, value: float, span: Span) -> float:
    if isinstance(type_, types.Float):
        return round_float(type_, value)
    if math.isnan(value):
        fail("comptime_float operation has no result (NaN)", span)
    return value


def _compare(
    symbol: str, left: code.Expression, right: code.Expression, span: Span
) -> code.Expression:
    left, right = unify(left, right)
    if not _comparable(symbol, left.type):
        fail(f"invalid comparison operation for type: '{left.type}'", span)
    if str(left.type) in types.REGISTER_KINDS:
        left, right = (need_known(side, "a register") for side in (left, right))
    if isinstance(left, code.Constant) and isinstance(right, code.Constant):
        result = _COMPARISONS[symbol](left.value, right.value)
        return code.Constant(types.BOOL, span, bool(result))
    return code.Compare(types.BOOL, span, symbol, left, right)


def _comparable(symbol: str, type_: Type) -> bool:
    if is_number(type_):
        return True
    if symbol not in ("==", "!="):
        return False
    if types.is_enum(type_) or isinstance(type_, types.Identifier):
        return True
    return isinstance(type_, types.Simple) and type_.name in _EQUALITY_NAMES


def _shift(
    symbol: str, left: code.Expression, right: code.Expression, span: Span
) -> code.Expression:
    if not is_integer(left.type) or not is_integer(right.type):
        wrong = left.type if not is_integer(left.type) else right.type
        fail(f"operator '{symbol}' does not take type '{wrong}'", span)
    if isinstance(right.type, types.Int) and right.type.signed:
        fail(
            f"shift count must be unsigned, got: '{right.type}'",
            right.span,
            help="convert the count with @as(u16, ...)",
        )
    if isinstance(left, code.Constant) and isinstance(right, code.Constant):
        value = _shift_value(symbol, left, right.value, span)
        return code.Constant(left.type, span, value)
    if left.type == types.COMPTIME_INT:
        fail(
            "a comptime_int cannot be shifted by a run-time count",
            left.span,
            help="give it a type, for example @as(u16, 1)",
        )
    if isinstance(right, code.Constant) and right.type == types.COMPTIME_INT:
        right = coerce(right, types.U16)
    return code.Binary(left.type, span, symbol, left, right)


def _shift_value(symbol: str, left: code.Constant, count: int, span: Span) -> int:
    if count < 0:
        fail(f"shift count {count} is negative", span)
    if symbol == ">>":
        return left.value >> count
    if isinstance(left.type, types.Int):
        return left.type.wrap(left.value << min(count, left.type.bits))
    if count > MAX_INTEGER_BITS:
        fail(f"shift count {count} is out of reason", span)
    return _in_range(left.value << count, left.type, span)


def unary(symbol: str, operand: code.Expression, span: Span) -> code.Expression:
    """`-x`, `~x` and `!x`."""
    _check_unary(symbol, operand.type, span)
    if not isinstance(operand, code.Constant):
        return code.Unary(operand.type, span, symbol, operand)
    return code.Constant(operand.type, span, _unary_value(symbol, operand, span))


def _check_unary(symbol: str, type_: Type, span: Span) -> None:
    if symbol == "!" and type_ != types.BOOL:
        fail(
            f"operator '!' takes 'bool', got: '{type_}'",
            span,
            help="compare with zero" if is_number(type_) else "",
        )
    if symbol == "~" and not isinstance(type_, types.Int):
        fail(
            f"operator '~' takes a fixed-width integer, got: '{type_}'",
            span,
            help="use '!' to negate a bool" if type_ == types.BOOL else "",
        )
    if symbol == "-" and not is_number(type_):
        fail(f"operator '-' does not take type '{type_}'", span)


def _unary_value(symbol: str, operand: code.Constant, span: Span) -> Any:
    if symbol == "!":
        return not operand.value
    if symbol == "~":
        assert isinstance(operand.type, types.Int)
        return operand.type.wrap(~operand.value)
    if is_float(operand.type):
        return -operand.value
    return _in_range(-operand.value, operand.type, span)
