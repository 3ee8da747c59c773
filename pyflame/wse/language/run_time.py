"""From comptime to run time: function instances, and operands that enter code."""

from __future__ import annotations

from typing import Any

from pyflame.wse.language import code, types
from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.modules import (
    check_float_format,
    check_same_symbol_type,
    function_type,
    is_generic,
)
from pyflame.wse.language.operands import ANYTYPE
from pyflame.wse.language.source import Span
from pyflame.wse.language.state import (
    FunctionRef,
    Local,
    Pending,
    Program,
    Scope,
)
from pyflame.wse.language.types import Type
from pyflame.wse.language.values import ArrayValue, FunctionValue, StructValue


def run_time(program: Program, operand: code.Expression, span: Span) -> code.Expression:
    """The operand as generated code may hold it.

    Raises:
        CslError: its type exists only at comptime.
    """
    type_ = operand.type
    if isinstance(operand, code.Constant) and isinstance(operand.value, FunctionRef):
        function = plain_instance(program, operand.value, span)
        return code.FunctionPointer(type_, span, function)
    if type_.comptime_only or type_ == ANYTYPE:
        _refuse_comptime_only(type_, span)
    if isinstance(operand, code.Constant):
        if isinstance(type_, types.Float):
            check_float_format(program, type_, span)
        if isinstance(operand.value, (StructValue, ArrayValue)):
            value = stored_value(program, operand.value, span)
            return code.Constant(type_, operand.span, value)
    return operand


def _refuse_comptime_only(type_: Type, span: Span) -> None:
    number = type_ in (types.COMPTIME_INT, types.COMPTIME_FLOAT)
    fail(
        f"variable of type '{type_}' must be comptime-known",
        span,
        note=f"a value of type '{type_}' cannot be used at run time",
        help="give it a type with @as or a declared type" if number else "",
    )


def plain_instance(
    program: Program, reference: FunctionRef, span: Span
) -> code.Function:
    """The code of a function that is not generic.

    Raises:
        CslError: the function is generic, so there is not one code for it.
    """
    declaration = reference.declaration
    if declaration.body is None:
        reference = _definition(program, reference)
        declaration = reference.declaration
    if is_generic(declaration):
        fail(
            f"function '{declaration.name}' is generic: it has no address",
            span,
            help="wrap the call that you need in a function of its own",
        )
    type_ = function_type(reference)
    if type_.result.comptime_only or any(p.comptime_only for p in type_.params):
        fail(
            f"function '{declaration.name}' can only be called at comptime",
            span,
            note=f"its type is '{type_}'",
        )
    locals_ = [
        code.LocalVariable(p.name, t)
        for p, t in zip(declaration.params, type_.params, strict=True)
    ]
    scope = Scope({})
    for parameter, variable in zip(declaration.params, locals_, strict=True):
        scope.names[parameter.name] = Local(variable, False, parameter.span)
    return instantiate(program, reference, (), locals_, type_.result, scope)


def _definition(program: Program, reference: FunctionRef) -> FunctionRef:
    """The exported function of any module that an extern one stands for."""
    declaration = reference.declaration
    for module in program.modules:
        found = module.functions.get(declaration.name)
        if found is not None and found.declaration.storage == "export":
            declared, defined = function_type(reference), function_type(found)
            check_same_symbol_type(declaration.name, declared, defined, declaration)
            return found
    fail(
        f"extern function '{declaration.name}' is defined nowhere",
        declaration.span,
        help=f"declare 'export fn {declaration.name}(...)' in a module of the program",
    )


def instantiate(
    program: Program,
    reference: FunctionRef,
    key: Any,
    params: list[code.LocalVariable],
    result: Type,
    scope: Scope,
    call: Span | None = None,
) -> code.Function:
    """The instance for a key; its body is elaborated later, once.

    `call` is where a generic function got the arguments of this instance.
    """
    found = reference.instances.get(key)
    if found is not None:
        return found
    declaration = reference.declaration
    assert declaration.body is not None, "extern functions are not generic"
    program.expand(declaration.span)
    name = program.unique(reference.name)
    symbol = declaration.name if declaration.storage == "export" else name
    function = code.Function(
        name, symbol, params, result, declaration.task, declaration.span
    )
    reference.instances[key] = function
    program.unit.functions.append(function)
    if call is not None and call.source.library:
        call = program.instance_call
    program.pending.append(Pending(reference, function, scope, call))
    return function


def stored_value(program: Program, value: Any, span: Span) -> Any:
    """A comptime value as the initial contents of run-time storage."""
    if isinstance(value, FunctionRef):
        return FunctionValue(plain_instance(program, value, span))
    if isinstance(value, StructValue):
        parts = tuple(stored_value(program, v, span) for v in value.values)
        return StructValue(value.type, parts)
    if isinstance(value, ArrayValue) and isinstance(value.elements, list):
        elements = [stored_value(program, v, span) for v in value.elements]
        return ArrayValue(elements)
    return value


def native_argument(program: Program, operand: code.Expression) -> code.Expression:
    """Natives also take strings, types and comptime numbers as constants."""
    comptime = (types.COMPTIME_STRING, types.TYPE, types.COMPTIME_INT)
    if isinstance(operand, code.Constant) and operand.type in comptime:
        return operand
    return run_time(program, operand, operand.span)
