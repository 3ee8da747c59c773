"""Calls: run now at comptime, expanded if inline, else to an instance's code."""

from __future__ import annotations

from dataclasses import dataclass

from pyflame.wse.errors import CslError
from pyflame.wse.language import code, tree, types
from pyflame.wse.language.blocks import block_value, execute_all
from pyflame.wse.language.coercions import coerce
from pyflame.wse.language.diagnostics import fail, wrong_count
from pyflame.wse.language.dispatch import evaluate, evaluates
from pyflame.wse.language.keys import constant_key
from pyflame.wse.language.modules import function_type, is_generic
from pyflame.wse.language.operands import (
    ANYTYPE,
    NORETURN,
    declare_temporary,
    is_known,
    need_type,
)
from pyflame.wse.language.origins import name_call
from pyflame.wse.language.run_time import instantiate, plain_instance, run_time
from pyflame.wse.language.source import Span
from pyflame.wse.language.state import (
    MAX_CALL_DEPTH,
    Binding,
    Frame,
    FunctionRef,
    Local,
    Scope,
    Target,
)
from pyflame.wse.language.types import Type


@evaluates(tree.Call)
def _call(frame: Frame, node: tree.Call, _: Type | None) -> code.Expression:
    callee = evaluate(frame, node.function)
    if isinstance(callee, code.Constant) and isinstance(callee.value, FunctionRef):
        return call_function(frame, callee.value, node)
    type_ = callee.type
    if isinstance(type_, types.Pointer) and isinstance(type_.pointee, types.Function):
        return _call_pointer(frame, callee, type_.pointee, node)
    fail(f"type '{type_}' cannot be called", node.span)


def _call_pointer(
    frame: Frame, pointer: code.Expression, type_: types.Function, node: tree.Call
) -> code.Expression:
    _check_count(len(type_.params), node, "the function behind the pointer")
    if frame.comptime:
        fail("a run-time function pointer cannot be called at comptime", node.span)
    arguments = [
        run_time(frame.program, coerce(evaluate(frame, a, t), t), a.span)
        for a, t in zip(node.arguments, type_.params, strict=True)
    ]
    return code.CallPointer(type_.result, node.span, pointer, tuple(arguments))


def _check_count(
    wanted: int, node: tree.Call, what: str, declared: Span | None = None
) -> None:
    given = len(node.arguments)
    if given != wanted:
        fail(
            wrong_count(what, str(wanted), given),
            node.span,
            note="declared here" if declared else "",
            note_span=declared,
        )


def call_function(
    frame: Frame, reference: FunctionRef, node: tree.Call
) -> code.Expression:
    """A call of a named function.

    Raises:
        CslError: it is a task, or arguments do not fit.
    """
    declaration = reference.declaration
    if declaration.task:
        fail(
            f"task '{declaration.name}' cannot be called",
            node.span,
            note="the hardware starts tasks; since 1.4 a call is an error",
            help="@activate its id, or move the code into a function",
        )
    what, declared = f"function '{declaration.name}'", declaration.span
    _check_count(len(declaration.params), node, what, declared)
    program = frame.program
    program.call_depth += 1
    if program.call_depth > MAX_CALL_DEPTH:
        fail(f"more than {MAX_CALL_DEPTH} nested calls while compiling", node.span)
    try:
        return _dispatch(frame, reference, node)
    except CslError as error:
        name_call(error, declaration.span, node.span)
        raise
    finally:
        program.call_depth -= 1


def _dispatch(frame: Frame, reference: FunctionRef, node: tree.Call) -> code.Expression:
    declaration = reference.declaration
    if frame.comptime:
        return _call_now(frame, reference, node)
    if declaration.inlining == "inline":
        return _call_inline(frame, reference, node)
    if not is_generic(declaration):
        type_ = function_type(reference)
        if not any(t.comptime_only for t in (*type_.params, type_.result)):
            return _call_plain(frame, reference, type_, node)
    return _call_generic(frame, reference, node)


def _call_plain(
    frame: Frame, reference: FunctionRef, type_: types.Function, node: tree.Call
) -> code.Expression:
    arguments = tuple(
        run_time(frame.program, coerce(evaluate(frame, a, t), t), a.span)
        for a, t in zip(node.arguments, type_.params, strict=True)
    )
    function = plain_instance(frame.program, reference, node.span)
    return code.Call(type_.result, node.span, function, arguments)


@dataclass(slots=True)
class _Argument:
    parameter: tree.Parameter
    value: code.Expression
    comptime: bool


def _signature_frame(frame: Frame, reference: FunctionRef) -> Frame:
    return Frame(frame.program, reference.module, Scope({}), "K", [])


def _argument(
    frame: Frame, signature: Frame, parameter: tree.Parameter, node: tree.Expression
) -> _Argument:
    """One argument in the type of its parameter, which may use earlier ones."""
    if isinstance(parameter.type, tree.AnyType):
        value = evaluate(frame, node)
        type_ = value.type
    else:
        type_ = need_type(evaluate(signature, parameter.type))
        value = coerce(evaluate(frame, node, type_), type_)
    comptime = parameter.comptime or _only_comptime(type_)
    if comptime and not is_known(value):
        fail(
            f"argument for comptime parameter '{parameter.name}' "
            "must be comptime-known",
            node.span,
            note="the parameter",
            note_span=parameter.span,
        )
    return _Argument(parameter, value, comptime)


def _only_comptime(type_: Type) -> bool:
    return type_.comptime_only or isinstance(type_, types.Function)


def _bind(scope: Scope, parameter: tree.Parameter, binding: Binding) -> None:
    if parameter.name and parameter.name != "_":
        scope.names[parameter.name] = binding


# --- comptime ---------------------------------------------------------------------


def _call_now(frame: Frame, reference: FunctionRef, node: tree.Call) -> code.Expression:
    declaration = reference.declaration
    frame.program.spend(node.span)
    signature = _signature_frame(frame, reference)
    for parameter, argument in zip(declaration.params, node.arguments, strict=True):
        bound = _argument(frame, signature, parameter, argument)
        if not isinstance(bound.value, code.Constant):
            fail(f"argument '{parameter.name}' must be comptime-known", argument.span)
        _bind(signature.scope, parameter, bound.value)
    if declaration.body is None:
        fail(f"extern function '{declaration.name}' cannot run at comptime", node.span)
    result = need_type(evaluate(signature, declaration.result))
    target = _function_target(frame, reference, result, comptime=True)
    body = signature.nested(mode=frame.mode, target=target)
    jump = execute_all(body, declaration.body.statements)
    _check_returns(reference, result, jump is None)
    value = block_value(frame, target, [], jump, result, node.span)
    if isinstance(value, code.Constant):
        return code.Constant(value.type, node.span, value.value)
    return value


def _function_target(
    frame: Frame, reference: FunctionRef, result: Type, comptime: bool
) -> Target:
    name = frame.program.label(reference.declaration.name)
    span = reference.declaration.span
    return Target("function", None, name, frame.depth, comptime, span, result)


def _check_returns(reference: FunctionRef, result: Type, falls: bool) -> None:
    if falls and result not in (types.VOID, NORETURN, ANYTYPE):
        declaration = reference.declaration
        fail(
            f"function '{declaration.name}' may end without returning a '{result}'",
            declaration.span,
        )


# --- inline -----------------------------------------------------------------------


def _call_inline(
    frame: Frame, reference: FunctionRef, node: tree.Call
) -> code.Expression:
    """The body in place of the call: known arguments stay known."""
    declaration = reference.declaration
    assert declaration.body is not None
    frame.program.expand(node.span)
    out: list[code.Statement] = []
    outer = frame.nested(out=out, scope=frame.scope)
    signature = _signature_frame(frame, reference)
    for parameter, argument in zip(declaration.params, node.arguments, strict=True):
        bound = _argument(outer, signature, parameter, argument)
        _bind(signature.scope, parameter, _inline_binding(outer, bound))
    result = need_type(evaluate(signature, declaration.result))
    target = _function_target(frame, reference, result, comptime=False)
    body = signature.nested(mode="R", out=out, target=target)
    body.depth = frame.depth
    jump = execute_all(body, declaration.body.statements)
    _check_returns(reference, result, jump is None)
    value = block_value(frame, target, out, jump, result, node.span)
    if isinstance(value, code.Constant):
        return code.Constant(value.type, node.span, value.value)
    return value


def _inline_binding(frame: Frame, bound: _Argument) -> Binding:
    value = bound.value
    if isinstance(value, code.Constant):
        return value
    if isinstance(value, code.MakeStruct):
        parts = tuple(declare_temporary(frame, v) for v in value.values)
        return code.MakeStruct(value.type, value.span, parts)
    variable = code.LocalVariable(bound.parameter.name, value.type)
    frame.out.append(code.Declare(value.span, variable, value))
    return Local(variable, False, bound.parameter.span)


# --- generic ----------------------------------------------------------------------


def _call_generic(
    frame: Frame, reference: FunctionRef, node: tree.Call
) -> code.Expression:
    """An instance per comptime arguments and argument types."""
    declaration = reference.declaration
    signature = _signature_frame(frame, reference)
    params: list[code.LocalVariable] = []
    values: list[code.Expression] = []
    key: list[object] = []
    for parameter, argument in zip(declaration.params, node.arguments, strict=True):
        bound = _argument(frame, signature, parameter, argument)
        if bound.comptime and isinstance(bound.value, code.Constant):
            key.append(constant_key(bound.value))
            _bind(signature.scope, parameter, bound.value)
            continue
        value = run_time(frame.program, bound.value, argument.span)
        variable = code.LocalVariable(parameter.name, value.type)
        key.append(value.type)
        params.append(variable)
        values.append(value)
        _bind(signature.scope, parameter, Local(variable, False, parameter.span))
    result = need_type(evaluate(signature, declaration.result))
    if _only_comptime(result):
        return _comptime_result(frame, reference, node, result, values)
    function = instantiate(
        frame.program, reference, tuple(key), params, result, signature.scope, node.span
    )
    return code.Call(function.result, node.span, function, tuple(values))


def _comptime_result(
    frame: Frame,
    reference: FunctionRef,
    node: tree.Call,
    result: Type,
    values: list[code.Expression],
) -> code.Expression:
    """A call whose result exists only at comptime happens at comptime."""
    if all(isinstance(v, code.Constant) for v in values):
        return _call_now(frame.at_comptime(), reference, node)
    fail(
        f"function '{reference.declaration.name}' returns '{result}': "
        "it must be called at comptime",
        node.span,
    )


def elaborate_body(
    frame: Frame, reference: FunctionRef, function: code.Function
) -> None:
    """Fills in the statements of an instance. The frame's scope holds its params."""
    declaration = reference.declaration
    assert declaration.body is not None
    span = declaration.span
    target = Target("function", None, "", 0, False, span, function.result, True)
    body = frame.nested(out=function.body, target=target)
    jump = execute_all(body, declaration.body.statements)
    _check_returns(reference, function.result, jump is None)
