"""Loops: run now at comptime, unrolled if inline, else generated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pyflame.wse.language import code, tree, types
from pyflame.wse.language.assignments import assign
from pyflame.wse.language.blocks import new_target, splice
from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.dispatch import evaluate, execute, executes
from pyflame.wse.language.evaluate_names import check_bool
from pyflame.wse.language.image import INLINED_ITERATIONS
from pyflame.wse.language.operands import element_value, need_known, parts_of
from pyflame.wse.language.run_time import run_time
from pyflame.wse.language.source import Span
from pyflame.wse.language.state import DEAD, Frame, Jump, Local, Target
from pyflame.wse.language.types import Type
from pyflame.wse.language.values import ArrayValue, RangeValue

INDEX_TYPE = types.U16
# what the SDK's compiler unrolls unless it is told otherwise
_SDK_ITERATIONS = 50


@executes(tree.ForStatement)
def _for(frame: Frame, node: tree.ForStatement) -> Jump | None:
    iterable = evaluate(frame, node.iterable)
    if frame.comptime:
        return _for_now(frame, node, need_known(iterable, "what a loop iterates"))
    if node.inline:
        return _for_unrolled(frame, node, iterable)
    return _for_generated(frame, node, iterable)


def _elements(iterable: code.Expression, span: Span) -> Iterator[code.Expression]:
    """The elements of a known range or array, or of a tuple, one by one."""
    type_ = iterable.type
    parts = parts_of(iterable) if isinstance(type_, types.Struct) else None
    if parts is not None and isinstance(type_, types.Struct) and type_.names is None:
        yield from parts
    elif isinstance(iterable, code.Constant) and isinstance(type_, types.Range):
        value: RangeValue = iterable.value
        for number in range(value.start, value.stop, value.step):
            yield code.Constant(type_.element, span, number)
    elif isinstance(iterable, code.Constant) and isinstance(type_, types.Array):
        array: ArrayValue = iterable.value
        for position in range(type_.count):
            yield code.Constant(type_.element, span, element_value(array, position))
    else:
        _refuse_iterable(iterable)


def _refuse_iterable(iterable: code.Expression) -> Any:
    if isinstance(iterable.type, (types.Range, types.Array)):
        need_known(iterable, "what an inline loop iterates")
    fail(
        f"type '{iterable.type}' cannot be iterated",
        iterable.span,
        help="iterate an array or @range(T, stop)",
    )


def _for_now(
    frame: Frame, node: tree.ForStatement, iterable: code.Constant
) -> Jump | None:
    target = new_target(frame, node, node.label, "loop")
    for number, element in enumerate(_elements(iterable, node.span)):
        frame.program.spend(node.span)
        inner = frame.nested(target=target)
        assert isinstance(element, code.Constant)
        inner.bind(node.element, element, node.span)
        _bind_known_index(inner, node, number)
        jump = execute(inner, node.body)
        if jump is not None and jump.target is not target:
            return jump
        if jump is not None and jump.kind == "break":
            return None
    return None


def _bind_known_index(frame: Frame, node: tree.ForStatement, number: int) -> None:
    if node.index is not None:
        index = code.Constant(types.COMPTIME_INT, node.span, number)
        frame.bind(node.index, index, node.span)


# --- unrolled ---------------------------------------------------------------------


def _for_unrolled(
    frame: Frame, node: tree.ForStatement, iterable: code.Expression
) -> Jump | None:
    target = new_target(frame, node, node.label, "loop")
    out: list[code.Statement] = []
    ended: Jump | None = None
    for number, element in enumerate(_elements(iterable, node.span)):
        _count_iteration(frame, number, node.span)
        outer = frame.nested(out=out, target=target)
        ended = _unrolled_iteration(outer, node, target, element, number)
        if ended is not None:
            break
    _finish_unrolled(frame, target, out, node.span)
    if ended is None or target.leaves or ended.target is target:
        return None
    return ended


def _count_iteration(frame: Frame, number: int, span: Span) -> None:
    limit = frame.program.options.max_inlined_iterations
    frame.program.expand(span)
    if number >= limit:
        fail(
            f"exceeded the maximum of {limit} inlined iterations",
            span,
            help="raise it with --max-inlined-iterations",
        )
    unlimited = limit == INLINED_ITERATIONS and not span.source.library
    if unlimited and number == _SDK_ITERATIONS:
        frame.program.warn(
            f"more than {_SDK_ITERATIONS} inlined iterations: the SDK's compiler wants "
            "--max-inlined-iterations for this",
            span,
        )


def _unrolled_iteration(
    outer: Frame,
    node: tree.ForStatement,
    target: Target,
    element: code.Expression,
    number: int,
) -> Jump | None:
    """One copy of the body; gives the jump that ends the loop, if one does."""

    def run(inner: Frame) -> Jump | None:
        _bind_element(inner, node, element)
        _bind_known_index(inner, node, number)
        return execute(inner, node.body)

    return _unrolled_body(outer, target, run)


def _unrolled_body(
    outer: Frame, target: Target, run: Callable[[Frame], Jump | None]
) -> Jump | None:
    target.next_name = outer.program.label("next")
    target.continued = False
    inner = outer.nested(out=[])
    jump = run(inner)
    if target.continued:
        outer.out.append(code.Labelled(target.span, target.next_name, inner.out))
        return None
    splice(outer, inner.out)
    return jump


def _bind_element(
    frame: Frame, node: tree.ForStatement, element: code.Expression
) -> None:
    if isinstance(element, (code.Constant, code.MakeStruct)):
        frame.bind(node.element, element, node.span)
        return
    variable = code.LocalVariable(node.element, element.type)
    value = run_time(frame.program, element, node.span)
    frame.out.append(code.Declare(node.span, variable, value))
    frame.bind(node.element, Local(variable, False, node.span), node.span)


def _finish_unrolled(
    frame: Frame, target: Target, out: list[code.Statement], span: Span
) -> None:
    if target.leaves:
        frame.out.append(code.Labelled(span, target.name, out))
    else:
        splice(frame, out)


# --- generated --------------------------------------------------------------------


def _for_generated(
    frame: Frame, node: tree.ForStatement, iterable: code.Expression
) -> Jump | None:
    type_ = iterable.type
    if not isinstance(type_, (types.Range, types.Array)):
        _refuse_iterable(iterable)
        raise AssertionError("a refused iterable cannot be iterated")
    element = type_.element
    target = new_target(frame, node, node.label, "loop")
    inner = frame.nested(out=[], deeper=True, target=target)
    variable = _loop_variable(inner, node.element, element, node.span)
    index = None
    if node.index is not None:
        index = _loop_variable(inner, node.index, INDEX_TYPE, node.span)
    execute(inner, node.body)
    iterated = run_time(frame.program, iterable, node.iterable.span)
    loop = code.ForRange if isinstance(type_, types.Range) else code.ForEach
    frame.out.append(loop(node.span, target.name, variable, iterated, index, inner.out))
    return None


def _loop_variable(
    frame: Frame, name: str, type_: Type, span: Span
) -> code.LocalVariable:
    if type_.comptime_only:
        fail(
            f"a run-time loop cannot give values of type '{type_}'",
            span,
            help="give the range a fixed type, or write 'inline for'",
        )
    variable = code.LocalVariable(name, type_)
    frame.bind(name, Local(variable, False, span), span)
    return variable


# --- while ------------------------------------------------------------------------


@executes(tree.WhileStatement)
def _while(frame: Frame, node: tree.WhileStatement) -> Jump | None:
    if frame.comptime:
        return _while_now(frame, node)
    if node.inline:
        return _while_unrolled(frame, node)
    target = new_target(frame, node, node.label, "loop")
    inner = frame.nested(out=[], deeper=True, target=target)
    condition = _loop_condition(inner, node)
    if isinstance(condition, code.Constant) and not condition.value:
        return None
    execute(inner, node.body)
    step = frame.nested(out=[], deeper=True)
    if node.step is not None:
        assign(step, node.step)
    frame.out.append(code.While(node.span, target.name, condition, inner.out, step.out))
    endless = isinstance(condition, code.Constant) and not target.leaves
    return DEAD if endless else None


def _while_unrolled(frame: Frame, node: tree.WhileStatement) -> Jump | None:
    """A copy of the body per iteration, while a comptime condition holds."""
    target = new_target(frame, node, node.label, "loop")
    out: list[code.Statement] = []
    ended: Jump | None = None
    number = 0
    while ended is None and _holds_now(frame, node):
        _count_iteration(frame, number, node.span)
        outer = frame.nested(out=out, target=target)
        ended = _unrolled_body(outer, target, lambda f: execute(f, node.body))
        number += 1
        if node.step is not None and ended is None:
            assign(frame.nested(out=out), node.step)
    _finish_unrolled(frame, target, out, node.span)
    if ended is None or target.leaves or ended.target is target:
        return None
    return ended


def _holds_now(frame: Frame, node: tree.WhileStatement) -> bool:
    condition = check_bool(evaluate(frame, node.condition), "a condition")
    return need_known(condition, "the condition of an inline loop").value


def _loop_condition(frame: Frame, node: tree.WhileStatement) -> code.Expression:
    inner = frame.nested(out=[])
    condition = check_bool(evaluate(inner, node.condition), "a condition")
    if inner.out:
        return code.Sequence(condition.type, condition.span, inner.out, condition)
    return condition


def _while_now(frame: Frame, node: tree.WhileStatement) -> Jump | None:
    target = new_target(frame, node, node.label, "loop")
    while True:
        frame.program.spend(node.span)
        condition = check_bool(evaluate(frame, node.condition), "a condition")
        if not need_known(condition, "the condition of a comptime loop").value:
            return None
        jump = execute(frame.nested(target=target), node.body)
        if jump is not None and jump.target is not target:
            return jump
        if jump is not None and jump.kind == "break":
            return None
        if node.step is not None:
            assign(frame, node.step)
