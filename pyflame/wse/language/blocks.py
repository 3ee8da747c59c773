"""Blocks that give values: labelled blocks and the bodies of inline functions.

A block's value is comptime-known if exactly one `break` gives it and that break is
certain; otherwise a temporary takes it.
"""

from __future__ import annotations

from pyflame.wse.language import code, tree, types
from pyflame.wse.language.coercions import agree, coerce
from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.dispatch import execute
from pyflame.wse.language.operands import NORETURN, void
from pyflame.wse.language.run_time import run_time
from pyflame.wse.language.source import Span
from pyflame.wse.language.state import DEAD, Frame, Jump, Leave, Target
from pyflame.wse.language.types import Type

MISSING_BREAK = (
    "block that is broken has type 'void' because control flow may reach the end "
    "without a break"
)


def splice(frame: Frame, out: list[code.Statement]) -> None:
    """Appends statements that were generated apart to the frame's own."""
    frame.out.extend(out)
    for target in frame.targets:
        for item in target.leaves:
            if item.out is out:
                item.out = frame.out


def execute_all(frame: Frame, statements: tuple[tree.Statement, ...]) -> Jump | None:
    """Statements in order; those after a certain jump are never reached."""
    for statement in statements:
        jump = execute(frame, statement)
        if jump is not None:
            return jump
    return None


def leave(frame: Frame, target: Target, value: code.Expression, span: Span) -> Jump:
    """Generates (or performs) the jump out of a target with a value."""
    kind = "return" if target.kind == "function" else "break"
    if frame.comptime:
        if not target.comptime:
            fail("comptime code cannot leave a run-time block", span)
        target.leaves.append(Leave(value, None, frame.out, frame.depth, span))
        return Jump(kind, target)
    assign = None
    if value.type not in (types.VOID, NORETURN):
        assign = code.Assign(span, value, value)  # the place is decided at the end
        frame.out.append(assign)
    frame.out.append(code.Break(span, target.name))
    target.leaves.append(Leave(value, assign, frame.out, frame.depth, span))
    return Jump(kind, target)


def block_value(
    frame: Frame,
    target: Target,
    out: list[code.Statement],
    jump: Jump | None,
    expected: Type | None,
    span: Span,
) -> code.Expression:
    """What a finished block is worth; its statements go to the frame.

    Raises:
        CslError: the breaks give different types, or some path gives no value.
    """
    if target.comptime:
        return _comptime_value(target, jump, span)
    leaves = target.leaves
    if not leaves:
        splice(frame, out)
        return void(span) if jump is None else code.Constant(NORETURN, span, None)
    if jump is None:
        _check_all_void(leaves)
    certain = jump is not None and jump.target is target
    if certain and len(leaves) == 1 and leaves[0].depth == target.depth:
        return _single_value(frame, leaves[0], out, span)
    return _joined_value(frame, target, out, expected, span)


def _comptime_value(target: Target, jump: Jump | None, span: Span) -> code.Expression:
    if jump is None:
        return void(span)
    if jump.target is target and target.leaves:
        return target.leaves[-1].value
    return code.Constant(NORETURN, span, None)


def _check_all_void(leaves: list[Leave]) -> None:
    for item in leaves:
        if item.value.type != types.VOID:
            fail(
                f"expected type 'void', got: '{item.value.type}'",
                item.span,
                note=MISSING_BREAK,
            )


def _single_value(
    frame: Frame, item: Leave, out: list[code.Statement], span: Span
) -> code.Expression:
    del item.out[-1 if item.assign is None else -2 :]
    if isinstance(item.value, code.Constant) or not out:
        splice(frame, out)
        return item.value
    return code.Sequence(item.value.type, span, out, item.value)


def _joined_value(
    frame: Frame,
    target: Target,
    out: list[code.Statement],
    expected: Type | None,
    span: Span,
) -> code.Expression:
    leaves = target.leaves
    type_ = agree([item.value for item in leaves], expected)
    body: list[code.Statement] = [code.Labelled(span, target.name, out)]
    if type_ in (types.VOID, NORETURN):
        frame.out.extend(body)
        return void(span)
    variable = code.LocalVariable(frame.program.label("value"), type_)
    for item in leaves:
        if item.assign is not None:
            item.assign.place = code.Variable(type_, item.span, variable)
            value = coerce(item.value, type_)
            item.assign.value = run_time(frame.program, value, item.span)
    body.insert(0, code.Declare(span, variable, None))
    return code.Sequence(type_, span, body, code.Variable(type_, span, variable))


def outcome(target: Target, jump: Jump | None) -> Jump | None:
    """Where control goes after a target whose body ended with a jump."""
    if jump is None or target.leaves or jump.target is target:
        return None
    return jump if jump.target is not None else DEAD


def find_target(frame: Frame, label: str | None, span: Span, word: str) -> Target:
    """The block or loop that `break` or `continue` means.

    Raises:
        CslError: there is none of that label, or no loop around.
    """
    for target in reversed(frame.targets):
        if target.kind == "function":
            break
        if label is None and target.kind == "loop":
            return target
        if label is not None and target.label == label:
            return target
    if label is None:
        fail(f"'{word}' outside of a loop", span)
    fail(f"no enclosing block or loop has the label '{label}'", span)


def new_target(frame: Frame, node: tree.Node, label: str | None, kind: str) -> Target:
    """A block or loop to leave.

    Raises:
        CslError: an enclosing one has the same label.
    """
    if label is not None:
        for outer in reversed(frame.targets):
            if outer.kind == "function":
                break
            if outer.label == label:
                fail(
                    f"redefinition of label '{label}'",
                    node.span,
                    note="first defined here",
                    note_span=outer.span,
                )
    name = frame.program.label(label or kind)
    assert kind in ("block", "loop")
    return Target(kind, label, name, frame.depth, frame.comptime, node.span)
