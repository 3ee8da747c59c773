"""Literals, names, and the operators around them."""

from __future__ import annotations

from pyflame.wse.language import code, tree, types
from pyflame.wse.language.addresses import address_of
from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.dispatch import evaluate, evaluates
from pyflame.wse.language.modules import read_member
from pyflame.wse.language.operands import at, copied, need_known
from pyflame.wse.language.operators import binary, unary
from pyflame.wse.language.state import UNSET, Binding, Cell, Frame, Local
from pyflame.wse.language.types import Type
from pyflame.wse.language.values import ArrayValue


@evaluates(tree.IntLiteral)
def _integer(_frame: Frame, node: tree.IntLiteral, _: Type | None) -> code.Expression:
    return code.Constant(types.COMPTIME_INT, node.span, node.value)


@evaluates(tree.FloatLiteral)
def _float(_frame: Frame, node: tree.FloatLiteral, _: Type | None) -> code.Expression:
    return code.Constant(types.COMPTIME_FLOAT, node.span, node.value)


@evaluates(tree.StringLiteral)
def _string(_frame: Frame, node: tree.StringLiteral, _: Type | None) -> code.Expression:
    return code.Constant(types.COMPTIME_STRING, node.span, node.value)


@evaluates(tree.BoolLiteral)
def _bool(_frame: Frame, node: tree.BoolLiteral, _: Type | None) -> code.Expression:
    return code.Constant(types.BOOL, node.span, node.value)


@evaluates(tree.Name)
def _name(frame: Frame, node: tree.Name, _: Type | None) -> code.Expression:
    binding = frame.scope.find(node.name)
    if binding is None:
        return read_member(frame.module, node.name, node.span, frame)
    operand = read_binding(frame, node, binding)
    if isinstance(binding, Cell) and isinstance(operand, code.Constant):
        if isinstance(operand.value, ArrayValue):
            frame.program.spend_elements(len(operand.value.elements), node.span)
        return code.Constant(operand.type, node.span, copied(operand.value))
    return operand


def read_binding(frame: Frame, node: tree.Name, binding: Binding) -> code.Expression:
    """The value of a local name; arrays of comptime variables are not copied."""
    if isinstance(binding, Cell):
        if binding.value is UNSET:
            fail(f"'{node.name}' is read before a value was stored", node.span)
        return code.Constant(binding.type, node.span, binding.value)
    if isinstance(binding, Local):
        if frame.comptime:
            fail(
                f"'{node.name}' is a run-time variable: "
                "its value is not known at comptime",
                node.span,
                note="declared here",
                note_span=binding.span,
            )
        return code.Variable(binding.variable.type, node.span, binding.variable)
    return at(binding, node.span)


@evaluates(tree.Unary)
def _unary(frame: Frame, node: tree.Unary, expected: Type | None) -> code.Expression:
    if node.operator == "&":
        return address_of(frame, node.operand, node.span)
    return unary(node.operator, evaluate(frame, node.operand, expected), node.span)


@evaluates(tree.Binary)
def _binary(frame: Frame, node: tree.Binary, expected: Type | None) -> code.Expression:
    if node.operator in ("and", "or"):
        return _logical(frame, node)
    left = evaluate(frame, node.left)
    right = evaluate(frame, node.right)
    return binary(node.operator, left, right, node.span)


def _logical(frame: Frame, node: tree.Binary) -> code.Expression:
    """A known left side decides alone if it can; the right is then not analysed."""
    left = check_bool(evaluate(frame, node.left), f"operand of '{node.operator}'")
    if isinstance(left, code.Constant):
        if left.value == (node.operator == "or"):
            return at(left, node.span)
        return check_bool(evaluate(frame, node.right), f"operand of '{node.operator}'")
    inner = frame.nested(out=[], deeper=True)
    right = check_bool(evaluate(inner, node.right), f"operand of '{node.operator}'")
    if inner.out:
        right = code.Sequence(right.type, right.span, inner.out, right)
    return code.Logical(types.BOOL, node.span, node.operator, left, right)


def check_bool(operand: code.Expression, what: str) -> code.Expression:
    """Raises CslError unless the operand is a bool."""
    if operand.type != types.BOOL:
        integer = isinstance(operand.type, types.Int)
        fail(
            f"{what} must be 'bool', got: '{operand.type}'",
            operand.span,
            help="compare with zero: x != 0" if integer else "",
        )
    return operand


@evaluates(tree.ComptimeExpression)
def _comptime(
    frame: Frame, node: tree.ComptimeExpression, expected: Type | None
) -> code.Expression:
    operand = evaluate(frame.at_comptime(), node.operand, expected)
    return at(need_known(operand, "a comptime expression"), node.span)


@evaluates(tree.AsmExpression)
def _asm(_frame: Frame, node: tree.AsmExpression, _: Type | None) -> code.Expression:
    fail(
        "inline assembly is not supported",
        node.span,
        note="the simulator executes CSL, not machine instructions",
        help="write it with operators and builtins such as @addc16 or @map",
    )
