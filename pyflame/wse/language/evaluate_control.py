"""if, switch and blocks where a value is expected."""

from __future__ import annotations

from dataclasses import dataclass

from pyflame.wse.language import code, tree, types
from pyflame.wse.language.blocks import block_value, execute_all, new_target
from pyflame.wse.language.coercions import agree, coerce
from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.dispatch import evaluate, evaluates, execute
from pyflame.wse.language.evaluate_names import check_bool
from pyflame.wse.language.operands import NORETURN, is_integer, need_known, void
from pyflame.wse.language.run_time import run_time
from pyflame.wse.language.source import Span
from pyflame.wse.language.state import Frame
from pyflame.wse.language.types import Type


@dataclass(slots=True)
class _Alternative:
    """One arm that was elaborated apart: its statements and its value."""

    out: list[code.Statement]
    value: code.Expression


def _alternative(
    frame: Frame, node: tree.Expression | None, expected: Type | None, span: Span
) -> _Alternative:
    inner = frame.nested(out=[], deeper=True)
    value = void(span) if node is None else evaluate(inner, node, expected)
    return _Alternative(inner.out, value)


def _join(
    frame: Frame, arms: list[_Alternative], expected: Type | None, span: Span
) -> tuple[Type, code.LocalVariable | None]:
    """The type of the arms, and the temporary that each of them stores to."""
    type_ = agree([arm.value for arm in arms], expected)
    variable = None
    if type_ not in (types.VOID, NORETURN):
        variable = code.LocalVariable(frame.program.label("value"), type_)
    for arm in arms:
        _finish_arm(frame, arm, type_, variable, span)
    return type_, variable


def _finish_arm(
    frame: Frame,
    arm: _Alternative,
    type_: Type,
    variable: code.LocalVariable | None,
    span: Span,
) -> None:
    value = arm.value
    if value.type == NORETURN:
        return
    if variable is not None:
        value = run_time(frame.program, coerce(value, type_), value.span)
        place = code.Variable(type_, span, variable)
        arm.out.append(code.Assign(span, place, value))
    elif not isinstance(value, code.Constant):
        arm.out.append(code.Evaluate(span, value))


def _result(
    frame: Frame,
    statement: code.Statement,
    type_: Type,
    variable: code.LocalVariable | None,
) -> code.Expression:
    span = statement.span
    if variable is None:
        frame.out.append(statement)
        return code.Constant(type_, span, None)
    body: list[code.Statement] = [code.Declare(span, variable, None), statement]
    return code.Sequence(type_, span, body, code.Variable(type_, span, variable))


@evaluates(tree.IfExpression)
def _if(
    frame: Frame, node: tree.IfExpression, expected: Type | None
) -> code.Expression:
    condition = check_bool(evaluate(frame, node.condition), "a condition")
    if isinstance(condition, code.Constant):
        taken = node.then if condition.value else node.otherwise
        return void(node.span) if taken is None else evaluate(frame, taken, expected)
    then = _alternative(frame, node.then, expected, node.span)
    otherwise = _alternative(frame, node.otherwise, expected, node.span)
    type_, variable = _join(frame, [then, otherwise], expected, node.span)
    statement = code.If(node.span, condition, then.out, otherwise.out)
    return _result(frame, statement, type_, variable)


@evaluates(tree.BlockExpression)
def _block(
    frame: Frame, node: tree.BlockExpression, expected: Type | None
) -> code.Expression:
    if node.label is not None:
        target = new_target(frame, node, node.label, "block")
        inner = frame.nested(out=[], target=target)
        jump = execute_all(inner, node.body.statements)
        return block_value(frame, target, inner.out, jump, expected, node.span)
    jump = execute_all(frame.nested(), node.body.statements)
    return void(node.span) if jump is None else code.Constant(NORETURN, node.span, None)


@evaluates(tree.StatementArm)
def _statement_arm(
    frame: Frame, node: tree.StatementArm, _: Type | None
) -> code.Expression:
    jump = execute(frame, node.statement)
    return void(node.span) if jump is None else code.Constant(NORETURN, node.span, None)


# --- switch -----------------------------------------------------------------------


@evaluates(tree.SwitchExpression)
def _switch(
    frame: Frame, node: tree.SwitchExpression, expected: Type | None
) -> code.Expression:
    value = evaluate(frame, node.value)
    if isinstance(value, code.Constant):
        arm = chosen_arm(frame, node, value)
        return evaluate(frame, arm.body, expected)
    cases = switch_cases(frame, node, value)
    arms = [_alternative(frame, arm.body, expected, arm.span) for arm in node.arms]
    type_, variable = _join(frame, arms, expected, node.span)
    statement = build_switch(node, value, cases, [arm.out for arm in arms])
    return _result(frame, statement, type_, variable)


def build_switch(
    node: tree.SwitchExpression,
    value: code.Expression,
    cases: list[tuple[int, ...] | None],
    bodies: list[list[code.Statement]],
) -> code.Switch:
    """The run-time switch; a case of None is `else`."""
    otherwise = None
    arms: list[tuple[tuple[int, ...], list[code.Statement]]] = []
    for case, body in zip(cases, bodies, strict=True):
        if case is None:
            otherwise = body
        else:
            arms.append((case, body))
    return code.Switch(node.span, value, arms, otherwise)


def chosen_arm(
    frame: Frame, node: tree.SwitchExpression, value: code.Constant
) -> tree.SwitchArm:
    """The arm that a known value selects; the others are not analysed."""
    cases = switch_cases(frame, node, value)
    default = None
    for arm, case in zip(node.arms, cases, strict=True):
        if case is None:
            default = arm
        elif value.value in case:
            return arm
    assert default is not None, "an exhaustive switch covers every value"
    return default


def switch_cases(
    frame: Frame, node: tree.SwitchExpression, value: code.Expression
) -> list[tuple[int, ...] | None]:
    """The case values of each arm, None for `else`.

    Raises:
        CslError: a type that cannot be switched on, duplicate or missing cases.
    """
    type_ = value.type
    if not (is_integer(type_) or types.is_enum(type_) or type_ == types.BOOL):
        fail(f"cannot switch on type '{type_}'", node.value.span)
    if type_ == types.COMPTIME_INT and not frame.comptime:
        fail(
            "a comptime_int can be switched on at comptime only",
            node.value.span,
            help="give it a type, for example @as(u16, x), or write 'comptime switch'",
        )
    seen: dict[int, Span] = {}
    cases: list[tuple[int, ...] | None] = []
    for arm in node.arms:
        if arm.values is None:
            cases.append(None)
            continue
        values = [_case(frame, v, type_) for v in arm.values]
        for case, value_node in zip(values, arm.values, strict=True):
            _check_new_case(seen, case, value_node.span)
        cases.append(tuple(values))
    _check_exhaustive(node, type_, seen, cases)
    return cases


def _case(frame: Frame, node: tree.Expression, type_: Type) -> int:
    operand = coerce(evaluate(frame.at_comptime(), node), type_)
    return int(need_known(operand, "a switch case").value)


def _check_new_case(seen: dict[int, Span], case: int, span: Span) -> None:
    if case in seen:
        fail(
            f"duplicate switch case {case}",
            span,
            note="first used here",
            note_span=seen[case],
        )
    seen[case] = span


def _check_exhaustive(
    node: tree.SwitchExpression,
    type_: Type,
    seen: dict[int, Span],
    cases: list[tuple[int, ...] | None],
) -> None:
    defaults = cases.count(None)
    if defaults > 1:
        fail("a switch has at most one 'else'", node.span)
    if defaults == 1:
        return
    missing = _missing_cases(type_, seen)
    if missing:
        fail(
            f"switch on '{type_}' is not exhaustive",
            node.span,
            note=f"not handled: {missing}",
            help="add an 'else' arm",
        )


def _missing_cases(type_: Type, seen: dict[int, Span]) -> str:
    if types.is_enum(type_):
        return ", ".join(name for name, value in type_.items if value not in seen)
    if type_ == types.BOOL:
        return ", ".join(n for n, v in (("false", 0), ("true", 1)) if v not in seen)
    if isinstance(type_, types.Int) and len(seen) == 1 << type_.bits:
        return ""
    return "all other integers"
