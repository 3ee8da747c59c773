"""Statements: executed now at comptime, generated at run time."""

from __future__ import annotations

from pyflame.wse.language import code, tree, types
from pyflame.wse.language.assignments import assign
from pyflame.wse.language.blocks import (
    block_value,
    execute_all,
    find_target,
    leave,
    new_target,
    outcome,
)
from pyflame.wse.language.coercions import coerce
from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.dispatch import evaluate, execute, executes
from pyflame.wse.language.evaluate_control import (
    build_switch,
    chosen_arm,
    switch_cases,
)
from pyflame.wse.language.evaluate_names import check_bool
from pyflame.wse.language.evaluate_types import evaluate_type
from pyflame.wse.language.modules import check_float_format, check_run_time_type
from pyflame.wse.language.operands import (
    NORETURN,
    copied,
    filled_elements,
    is_number,
    need_known,
    parts_of,
    void,
)
from pyflame.wse.language.run_time import run_time
from pyflame.wse.language.state import (
    DEAD,
    UNSET,
    Cell,
    Frame,
    Jump,
    Local,
    Target,
)
from pyflame.wse.language.types import Type
from pyflame.wse.language.values import ArrayValue


@executes(tree.Block)
def _block(frame: Frame, node: tree.Block) -> Jump | None:
    return execute_all(frame.nested(), node.statements)


@executes(tree.ComptimeBlock)
def _comptime_block(frame: Frame, node: tree.ComptimeBlock) -> Jump | None:
    inner = frame.nested(mode="K" if frame.mode == "R" else frame.mode, out=[])
    return execute_all(inner, node.body.statements)


@executes(tree.LabelledBlock)
def _labelled_block(frame: Frame, node: tree.LabelledBlock) -> Jump | None:
    target = new_target(frame, node, node.label, "block")
    inner = frame.nested(out=[], target=target)
    jump = execute_all(inner, node.body.statements)
    value = block_value(frame, target, inner.out, jump, None, node.span)
    if not isinstance(value, code.Constant):
        frame.out.append(code.Evaluate(node.span, value))
    return outcome(target, jump)


_NEW_DSDS = (
    *("@set_dsd_base_addr", "@increment_dsd_offset"),
    *("@set_dsd_length", "@set_dsd_stride"),
)


@executes(tree.ExpressionStatement)
def _expression(frame: Frame, node: tree.ExpressionStatement) -> Jump | None:
    value = evaluate(frame, node.expression)
    if value.type == NORETURN:
        return DEAD
    _warn_of_lost_dsd(frame, node.expression)
    if not frame.comptime and not isinstance(value, code.Constant):
        frame.out.append(code.Evaluate(node.span, value))
    return None


def _warn_of_lost_dsd(frame: Frame, node: tree.Expression) -> None:
    if isinstance(node, tree.BuiltinCall) and node.name in _NEW_DSDS:
        frame.program.warn(
            f"the result of '{node.name}' is lost: it is a new DSD, and the DSD that "
            "it is given stays as it was",
            node.span,
        )


@executes(tree.Assignment)
def _assignment(frame: Frame, node: tree.Assignment) -> Jump | None:
    assign(frame, node)
    return None


# --- declarations -----------------------------------------------------------------


@executes(tree.LocalDeclaration)
def _declaration(frame: Frame, node: tree.LocalDeclaration) -> Jump | None:
    type_ = None if node.type is None else evaluate_type(frame, node.type)
    if node.value is None:
        return _declare_unset(frame, node, type_)
    inner = frame
    if node.comptime:
        inner = frame.at_comptime()
    value = evaluate(inner, node.value, type_)
    if type_ is not None:
        value = coerce(value, type_)
    if value.type == NORETURN:
        return DEAD
    if frame.comptime or node.comptime:
        _declare_comptime(frame, node, value)
    elif node.mutable:
        _declare_variable(frame, node, value)
    else:
        _declare_constant(frame, node, value)
    return None


def _declare_unset(
    frame: Frame, node: tree.LocalDeclaration, type_: Type | None
) -> None:
    if not node.mutable:
        fail(f"const '{node.name}' needs a value", node.span)
    if type_ is None:
        fail(f"var '{node.name}' needs a type or a value", node.span)
    if frame.comptime or node.comptime:
        cell = Cell(node.name, type_, UNSET, frame.depth, node.span)
        if isinstance(type_, types.Array):
            frame.program.spend_elements(type_.count, node.span)
            _fill_unset_array(cell, type_)
        frame.bind(node.name, cell, node.span)
        return
    _bind_local(frame, node, type_, None)


def _fill_unset_array(cell: Cell, type_: types.Array) -> None:
    """Elements may be stored one by one: the array exists at once, zeros or false."""
    if is_number(type_.element):
        cell.value = ArrayValue(filled_elements(type_.element, type_.count, 0))
    elif type_.element == types.BOOL:
        elements = filled_elements(type_.element, type_.count, False)
        cell.value = ArrayValue(elements)


def _declare_comptime(
    frame: Frame, node: tree.LocalDeclaration, value: code.Expression
) -> None:
    constant = need_known(value, f"the value of '{node.name}'")
    if node.mutable:
        stored = copied(constant.value)
        cell = Cell(node.name, constant.type, stored, frame.depth, node.span)
        frame.bind(node.name, cell, node.span)
    else:
        frame.bind(node.name, constant, node.span)


def _declare_variable(
    frame: Frame, node: tree.LocalDeclaration, value: code.Expression
) -> None:
    check_run_time_type(value.type, node.name, node.span)
    value = run_time(frame.program, value, node.span)
    _bind_local(frame, node, value.type, value)


def _declare_constant(
    frame: Frame, node: tree.LocalDeclaration, value: code.Expression
) -> None:
    """Known values stay known; structs keep their known fields apart."""
    if isinstance(value, code.Constant):
        frame.bind(node.name, value, node.span)
        return
    parts = parts_of(value)
    if parts is not None and isinstance(value.type, types.Struct):
        kept: list[code.Expression] = []
        for part in parts:
            kept.append(_kept_part(frame, node, part))
        made = code.MakeStruct(value.type, value.span, tuple(kept))
        frame.bind(node.name, made, node.span)
        return
    check_run_time_type(value.type, node.name, node.span)
    _bind_local(frame, node, value.type, run_time(frame.program, value, node.span))


def _kept_part(
    frame: Frame, node: tree.LocalDeclaration, part: code.Expression
) -> code.Expression:
    if isinstance(part, code.Constant):
        return part
    variable = code.LocalVariable(frame.program.label(node.name), part.type)
    frame.out.append(code.Declare(node.span, variable, part))
    return code.Variable(part.type, part.span, variable)


def _bind_local(
    frame: Frame,
    node: tree.LocalDeclaration,
    type_: Type,
    value: code.Expression | None,
) -> None:
    check_run_time_type(type_, node.name, node.span)
    check_float_format(frame.program, type_, node.span)
    in_memory = isinstance(type_, types.Array)
    variable = code.LocalVariable(node.name, type_, in_memory)
    frame.out.append(code.Declare(node.span, variable, value))
    frame.bind(node.name, Local(variable, node.mutable, node.span), node.span)


# --- jumps ------------------------------------------------------------------------


@executes(tree.ReturnStatement)
def _return(frame: Frame, node: tree.ReturnStatement) -> Jump | None:
    target = next((t for t in reversed(frame.targets) if t.kind == "function"), None)
    if target is None:
        fail("'return' outside of a function", node.span)
    value = _return_value(frame, node, target)
    if target.code_function and not frame.comptime:
        stored = None
        if value.type not in (types.VOID, NORETURN):
            stored = run_time(frame.program, value, node.span)
        frame.out.append(code.Return(node.span, stored))
        return Jump("return", target)
    return leave(frame, target, value, node.span)


def _return_value(
    frame: Frame, node: tree.ReturnStatement, target: Target
) -> code.Expression:
    result = target.result
    assert result is not None
    if node.value is None:
        if result != types.VOID:
            fail(f"expected type '{result}', got: 'void'", node.span)
        return void(node.span)
    return coerce(evaluate(frame, node.value, result), result)


@executes(tree.BreakStatement)
def _break(frame: Frame, node: tree.BreakStatement) -> Jump | None:
    target = find_target(frame, node.label, node.span, "break")
    value = void(node.span) if node.value is None else evaluate(frame, node.value)
    if target.kind == "loop" and value.type != types.VOID:
        fail("a loop has no value: 'break' takes none here", node.span)
    return leave(frame, target, value, node.span)


@executes(tree.ContinueStatement)
def _continue(frame: Frame, node: tree.ContinueStatement) -> Jump | None:
    target = find_target(frame, node.label, node.span, "continue")
    if target.kind != "loop":
        fail(f"label '{node.label}' names a block, not a loop", node.span)
    target.continued = True
    if frame.comptime:
        if not target.comptime:
            fail("comptime code cannot continue a run-time loop", node.span)
    elif target.next_name:
        frame.out.append(code.Break(node.span, target.next_name))
    else:
        frame.out.append(code.Continue(node.span, target.name))
    return Jump("continue", target)


# --- branches ---------------------------------------------------------------------


@executes(tree.IfStatement)
def _if(frame: Frame, node: tree.IfStatement) -> Jump | None:
    condition = check_bool(evaluate(frame, node.condition), "a condition")
    if isinstance(condition, code.Constant):
        taken = node.then if condition.value else node.otherwise
        return None if taken is None else execute(frame.nested(), taken)
    then_out: list[code.Statement] = []
    else_out: list[code.Statement] = []
    jumps = [execute(frame.nested(out=then_out, deeper=True), node.then), None]
    if node.otherwise is not None:
        jumps[1] = execute(frame.nested(out=else_out, deeper=True), node.otherwise)
    frame.out.append(code.If(node.span, condition, then_out, else_out))
    return None if None in jumps else DEAD


@executes(tree.SwitchStatement)
def _switch(frame: Frame, node: tree.SwitchStatement) -> Jump | None:
    switch = node.switch
    value = evaluate(frame, switch.value)
    if isinstance(value, code.Constant):
        return _arm(frame.nested(), chosen_arm(frame, switch, value).body)
    cases = switch_cases(frame, switch, value)
    bodies: list[list[code.Statement]] = []
    jumps: list[Jump | None] = []
    for arm in switch.arms:
        inner = frame.nested(out=[], deeper=True)
        jumps.append(_arm(inner, arm.body))
        bodies.append(inner.out)
    frame.out.append(build_switch(switch, value, cases, bodies))
    return None if None in jumps else DEAD


def _arm(frame: Frame, body: tree.Expression) -> Jump | None:
    if isinstance(body, tree.StatementArm):
        return execute(frame, body.statement)
    if isinstance(body, tree.BlockExpression) and body.label is None:
        return execute_all(frame, body.body.statements)
    return execute(frame, tree.ExpressionStatement(body.span, body))
