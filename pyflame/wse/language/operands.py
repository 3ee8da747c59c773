"""Operands: what an expression evaluates to.

A `code.Constant` is comptime-known; every other `code.Expression` has a type now
and a value at run time.
"""

from __future__ import annotations

from typing import Any, TypeGuard

import numpy as np

from pyflame.wse.language import code, types
from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.source import Span
from pyflame.wse.language.state import Frame
from pyflame.wse.language.types import Type
from pyflame.wse.language.values import ArrayValue, StructValue

NORETURN = types.Simple("noreturn")
ANYTYPE = types.Simple("anytype")

_DTYPES: dict[str, Any] = {
    **{f"{s}{n}": np.dtype(f"{s}{n // 8}") for s in "iu" for n in (8, 16, 32, 64)},
    "f16": np.dtype("f2"),
    "f32": np.dtype("f4"),
    "bf16": np.dtype("f4"),
    "cb16": np.dtype("f4"),
}


def is_known(operand: code.Expression) -> TypeGuard[code.Constant]:
    return isinstance(operand, code.Constant)


def void(span: Span) -> code.Constant:
    return code.Constant(types.VOID, span, None)


def at(operand: code.Expression, span: Span) -> code.Expression:
    """A comptime-known operand seen from another place in the text."""
    if isinstance(operand, code.Constant):
        return code.Constant(operand.type, span, operand.value)
    return operand


def need_known(operand: code.Expression, what: str) -> code.Constant:
    """Raises CslError unless the operand is comptime-known."""
    if isinstance(operand, code.Constant):
        return operand
    fail(
        f"{what} must be comptime-known",
        operand.span,
        note="this value exists only at run time",
    )


def need_type(operand: code.Expression) -> Type:
    if isinstance(operand, code.Constant) and operand.type == types.TYPE:
        return operand.value
    fail(f"expected type 'type', got: '{operand.type}'", operand.span)


def need_integer(operand: code.Expression, what: str) -> int:
    constant = need_known(operand, what)
    if isinstance(constant.type, types.Int) or constant.type == types.COMPTIME_INT:
        return constant.value
    fail(f"{what} must be an integer, got: '{constant.type}'", operand.span)


def need_string(operand: code.Expression, what: str) -> str:
    constant = need_known(operand, what)
    if constant.type == types.COMPTIME_STRING:
        return constant.value
    fail(f"{what} must be a comptime_string, got: '{constant.type}'", operand.span)


def is_number(type_: Type) -> bool:
    return is_integer(type_) or is_float(type_)


def is_integer(type_: Type) -> bool:
    return isinstance(type_, types.Int) or type_ == types.COMPTIME_INT


def is_float(type_: Type) -> bool:
    return isinstance(type_, types.Float) or type_ == types.COMPTIME_FLOAT


def is_comptime_number(type_: Type) -> bool:
    return type_ == types.COMPTIME_INT or type_ == types.COMPTIME_FLOAT


def fields_of(operand: code.Expression, what: str) -> dict[str, code.Expression]:
    """The named fields of an anonymous or named struct operand."""
    struct = operand.type
    if not isinstance(struct, types.Struct) or (struct.names is None and struct.types):
        fail(f"{what} must be a struct with named fields", operand.span)
    parts = parts_of(operand)
    if parts is None:
        fail(f"{what} must be written out or comptime-known", operand.span)
    return dict(zip(struct.names or (), parts, strict=True))


def parts_of(operand: code.Expression) -> tuple[code.Expression, ...] | None:
    """The operands a struct or tuple is made of, None for an opaque run-time one."""
    if isinstance(operand, code.MakeStruct):
        return operand.values
    if isinstance(operand, code.Constant) and isinstance(operand.value, StructValue):
        struct = operand.value
        spans = struct.spans or (operand.span,) * len(struct.values)
        triples = zip(struct.type.types, spans, struct.values, strict=True)
        return tuple(code.Constant(t, span, v) for t, span, v in triples)
    return None


def make_struct(
    type_: types.Struct, values: tuple[code.Expression, ...], span: Span
) -> code.Expression:
    """A struct operand: comptime-known if all of its fields are."""
    known = [v.value for v in values if isinstance(v, code.Constant)]
    if len(known) == len(values):
        spans = tuple(v.span for v in values)
        return code.Constant(type_, span, StructValue(type_, tuple(known), spans))
    return code.MakeStruct(type_, span, values)


def array_elements(element: Type, values: list[Any]) -> np.ndarray | list[Any]:
    """Storage for the elements of a comptime array."""
    dtype = _DTYPES.get(str(element))
    if dtype is None:
        return values
    with np.errstate(over="ignore"):
        return np.array(values, dtype=dtype)


def filled_elements(element: Type, count: int, value: Any) -> np.ndarray | list[Any]:
    dtype = _DTYPES.get(str(element))
    if dtype is None:
        return [value] * count
    with np.errstate(over="ignore"):
        return np.full(count, value, dtype=dtype)


def element_value(array: ArrayValue, position: int) -> Any:
    value: Any = array.elements[position]
    return value.item() if isinstance(value, np.generic) else value  # pyright: ignore


def copied(value: Any) -> Any:
    """The value, apart from whoever may store into its elements."""
    if isinstance(value, ArrayValue):
        return ArrayValue(value.elements.copy())
    return value


def declare_temporary(frame: Frame, value: code.Expression) -> code.Expression:
    """Evaluates a run-time operand once, in order; constants stay as they are."""
    if isinstance(value, code.Constant) or value.type == types.VOID:
        return value
    variable = code.LocalVariable(frame.program.label("temporary"), value.type)
    frame.out.append(code.Declare(value.span, variable, value))
    return code.Variable(value.type, value.span, variable)
