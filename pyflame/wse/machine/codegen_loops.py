"""Loops, labelled blocks and jumps.

A loop whose iterations all cost the same is charged once, after it; others charge
at every back edge and check the cycle budget there. Python has no labelled jumps:
one that crosses several Python loops sets a flag and breaks; the loops on its way
test the flag when they end.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

from pyflame.wse.language import code, types
from pyflame.wse.language.values import RangeValue
from pyflame.wse.machine import scalar_support as support
from pyflame.wse.machine import storage
from pyflame.wse.machine.codegen_arithmetic import bounds_of, integer_type
from pyflame.wse.machine.codegen_core import (
    Block,
    Frame,
    FunctionWriter,
    Value,
    statement_rule,
    typed,
)
from pyflame.wse.machine.codegen_memory import MemoryPlace
from pyflame.wse.machine.codegen_places import container_place
from pyflame.wse.machine.codegen_statements import store_local
from pyflame.wse.machine.walk import walk

# Cycles that may pass between two looks at the budget.
_BUDGET_STEP = 100_000
_COUNTED_TRIPS = 4096


# --- while ------------------------------------------------------------------------


@statement_rule(code.While)
def _while(w: FunctionWriter, node: code.While) -> None:
    condition, test = w.inside(lambda: w.value(node.condition))
    w.charge(w.unit.costs.branch_taken_cycles)  # the test that ends it
    w.settle()

    def write() -> None:
        w.append(test)
        if test.lines:
            w.line(f"if not {condition.text}: break")
        w.statements(node.body)
        step()

    def step() -> None:
        w.statements(node.step)
        _back_edge(w, node, w.unit.costs.while_edge_cycles)

    header = "while True:" if test.lines else f"while {condition.text}:"
    with _refined(w, node):
        _loop(w, header, Frame(node.label, True, step), write)


@contextmanager
def _refined(w: FunctionWriter, node: code.While) -> Generator[None]:
    """Inside `while (v < e)` the value of v is known better than by its type,
    provided that only the step changes it."""
    found = _condition_bounds(w, node.condition)
    if found is None or _assigns(node.body, found[0]):
        yield
        return
    variable, bounds = found
    before = w.bounds.get(variable)
    w.bounds[variable] = bounds
    yield
    del w.bounds[variable]
    if before is not None:
        w.bounds[variable] = before


def _condition_bounds(
    w: FunctionWriter, condition: code.Expression
) -> tuple[code.LocalVariable, tuple[int, int]] | None:
    match condition:
        case code.Compare(
            operator="<" | "<=" | ">" | ">=" as operator,
            left=code.Variable(
                variable=code.LocalVariable(in_memory=False) as variable
            ),
            right=right,
        ) if isinstance(variable.type, types.Int):
            value, _ = w.inside(lambda: w.value(right))
        case _:
            return None
    low, high = variable.type.minimum, variable.type.maximum
    least, most = bounds_of(value, variable.type)
    if operator.startswith("<"):
        high = min(high, most - (operator == "<"))
    else:
        low = max(low, least + (operator == ">"))
    return (variable, (low, high)) if low <= high else None


def _assigns(body: list[code.Statement], variable: code.LocalVariable) -> bool:
    return any(
        isinstance(node, code.Assign)
        and isinstance(node.place, code.Variable)
        and node.place.variable is variable
        for node in walk(body)
    )


def _back_edge(w: FunctionWriter, node: code.Statement, cycles: int) -> None:
    """Charges an iteration and stops a loop that has outlived its budget."""
    w.charge(cycles)
    w.settle()
    site = w.constant(support.Site(node.span))
    fail = w.constant(support.over_budget)
    limit = w.limit()
    w.uses_counter = True
    w.line(f"if c > {_BUDGET_STEP} or pe.clock > {limit}:")
    w.line(" pe.clock += c; c = 0")
    w.line(f" if pe.clock > {limit}: {fail}(pe, {site})")


# --- for --------------------------------------------------------------------------


@statement_rule(code.ForRange)
def _for_range(w: FunctionWriter, node: code.ForRange) -> None:
    bounds = _constant_range(node.range)
    range_value, loop_range, trips = _range_text(w, node.range, bounds)
    type_ = node.variable.type
    low, high = bounds_of(typed("", type_), integer_type(type_))
    if bounds is not None and len(bounds):
        low, high = min(bounds[0], bounds[-1]), max(bounds[0], bounds[-1])
    item = Value("", low, high, fixed=True)
    _for(w, node, range_value, loop_range, trips, item)


def _constant_range(node: code.Expression) -> range | None:
    match node:
        case code.Constant(value=RangeValue(start=start, stop=stop, step=step)):
            return range(start, stop, step)
        case code.MakeRange(
            start=code.Constant(value=int() as start),
            stop=code.Constant(value=int() as stop),
            step=code.Constant(value=int() as step),
        ):
            return range(start, stop, step)
        case _:
            return None


def _range_text(
    w: FunctionWriter, node: code.Expression, bounds: range | None
) -> tuple[str, str, int | None]:
    """What to iterate: (statement to prepare it, its text, trip count if known)."""
    if bounds is not None:
        text = f"range({bounds.start}, {bounds.stop}, {bounds.step})"
        return "", text, len(bounds)
    if isinstance(node, code.MakeRange):
        parts = w.operands((node.start, node.stop, node.step))
        text = f"range({', '.join(part.text for part in parts)})"
    else:
        text = f"range(*{w.value(node).text})"
    name = w.temp()
    return f"{name} = {text}", name, None


def _for(
    w: FunctionWriter,
    node: code.ForRange | code.ForEach,
    prepare: str,
    iterable: str,
    trips: int | None,
    item: Value,
    load: Callable[[str], Value] | None = None,
) -> None:
    """A Python `for`; `load` turns the iteration number into the element."""
    if prepare:
        w.line(prepare)
    counter = w.temp() if load is not None or node.index is not None else ""
    index = counter if load is not None else ""
    target = _target(w, node, load)
    header = f"for {target} in {iterable}:"
    if node.index is not None and load is None:
        header = f"for {counter}, {target} in enumerate({iterable}):"
        index = counter
    elif load is not None:
        header = f"for {counter} in {iterable}:"

    def body() -> None:
        value = item if load is None else load(counter)
        value = value if load is not None else Value(target, item.low, item.high)
        _bind(w, node, value, index, trips)
        w.statements(node.body)

    _finish_for(w, node, header, body, iterable, trips)


def _target(w: FunctionWriter, node: code.ForRange | code.ForEach, load: object) -> str:
    if load is not None or node.variable.in_memory:
        return w.temp()
    return w.local(node.variable)


def _bind(
    w: FunctionWriter,
    node: code.ForRange | code.ForEach,
    value: Value,
    counter: str,
    trips: int | None,
) -> None:
    """Gives the loop's variables their values for this iteration."""
    if value.low is not None and value.high is not None:
        w.bounds[node.variable] = value.low, value.high
    store_local(w, node.variable, node, value)
    if node.index is None:
        return
    type_ = integer_type(node.index.type)
    if trips is not None and 0 < trips <= type_.maximum + 1:
        w.bounds[node.index] = 0, trips - 1
        store_local(w, node.index, node, Value(counter))
    else:
        mask = (1 << type_.bits) - 1
        store_local(w, node.index, node, Value(f"{counter} & {mask}"))


def _finish_for(
    w: FunctionWriter,
    node: code.ForRange | code.ForEach,
    header: str,
    write: Callable[[], None],
    iterable: str,
    trips: int | None,
) -> None:
    """Compiles the body once, then decides how the loop is charged."""
    counted = trips is not None and trips <= _COUNTED_TRIPS

    def edge() -> None:
        if counted:
            w.charge(w.unit.costs.loop_edge_cycles)
            w.settle()
        else:
            _back_edge(w, node, w.unit.costs.loop_edge_cycles)

    frame = Frame(node.label, True, edge)
    w.frames.append(frame)
    _, block = w.inside(write)
    if not block.dynamic and not block.flushed:
        w.frames.pop()
        _static_for(w, node, header, block, iterable, trips)
        return
    _, tail = w.inside(edge)
    block.lines += _continued(block, tail)
    w.frames.pop()
    w.charge(w.unit.costs.branch_taken_cycles)
    w.settle()
    w.nest(header, block)
    _after_loop(w, frame)


def _continued(block: Block, tail: Block) -> list[str]:
    """The lines of the back edge, with what the body has still to charge."""
    lines = [f"c += {block.pending}"] if block.pending else []
    return lines + tail.lines


def _static_for(
    w: FunctionWriter,
    node: code.ForRange | code.ForEach,
    header: str,
    body: Block,
    iterable: str,
    trips: int | None,
) -> None:
    costs = w.unit.costs
    each = body.pending + costs.loop_edge_cycles
    w.charge(costs.branch_taken_cycles)
    if trips is not None:
        w.charge(each * trips)
        if each * trips > _BUDGET_STEP:
            _check_ahead(w, node, str(each * trips))
    else:
        _check_ahead(w, node, f"{each} * len({iterable})")
    w.nest(header, body)
    if trips is None:
        w.uses_counter = w.block.dynamic = True
        w.line(f"c += {each} * len({iterable})")


def _check_ahead(w: FunctionWriter, node: code.Statement, cycles: str) -> None:
    """A loop of known cost is refused before it runs if it exceeds the budget."""
    site = w.constant(support.Site(node.span))
    fail = w.constant(support.ahead_of_budget)
    w.line(f"if pe.clock + {cycles} > {w.limit()}: {fail}(pe, {site}, {cycles})")


@statement_rule(code.ForEach)
def _for_each(w: FunctionWriter, node: code.ForEach) -> None:
    array = node.array.type
    assert isinstance(array, types.Array), f"cannot iterate '{array}'"
    place = container_place(w, node.array)
    stride = 0
    if isinstance(place, MemoryPlace):
        indices = [(w.spilled(value), step) for value, step in place.indices]
        place.indices = indices
        stride = storage.stride_bytes(array.element)
    count = array.count

    def load(counter: str) -> Value:
        index = Value(counter, 0, max(count - 1, 0), fixed=True)
        if isinstance(place, MemoryPlace):
            item = place.moved(array.element, 0)
            item.indices = [*place.indices, (index, stride)]
            return item.load()
        text = f"{place.load().text}[{counter}]"
        whole = storage.lives_in_memory(array.element)
        if whole and not isinstance(array.element, types.Float):
            text = f"int({text})"
        return typed(text, array.element)

    _for(w, node, "", f"range({count})", count, Value(""), load)


# --- labelled blocks and jumps ----------------------------------------------------


@statement_rule(code.Labelled)
def _labelled(w: FunctionWriter, node: code.Labelled) -> None:
    def write() -> None:
        w.statements(node.body)
        w.settle()
        w.line("break")

    w.settle()
    _loop(w, "while True:", Frame(node.label, False), write)


def _loop(
    w: FunctionWriter, header: str, frame: Frame, write: Callable[[], None]
) -> None:
    """Writes a Python loop, then the jumps that pass through it."""
    w.frames.append(frame)
    try:
        _, block = w.inside(write)
    finally:
        w.frames.pop()
    w.nest(header, w.settled(block))
    _after_loop(w, frame)


def _after_loop(w: FunctionWriter, frame: Frame) -> None:
    """The jumps that leave through a loop go on from here."""
    w.block.dynamic = True
    for flag, target, action in frame.escapes:
        _land(w, flag, target, action)


def _land(w: FunctionWriter, flag: str, target: Frame, action: str) -> None:
    """After a loop that a flagged jump has left: arrive, or go on outward."""

    def write() -> None:
        if w.frames[-1] is target:
            w.line(f"{flag} = False")
            _jump_here(w, target, action)
        else:
            _pass_through(w, flag, target, action)

    _, block = w.inside(write)
    w.nest(f"if {flag}:", block)


def _jump_here(w: FunctionWriter, target: Frame, action: str) -> None:
    if action == "continue" and target.step is not None:
        target.step()
    w.settle()
    w.line(action)
    w.block.dynamic = True


def _pass_through(w: FunctionWriter, flag: str, target: Frame, action: str) -> None:
    escape = (flag, target, action)
    innermost = w.frames[-1]
    if escape not in innermost.escapes:
        innermost.escapes.append(escape)
    w.settle()
    w.line("break")
    w.block.dynamic = True


def _jump(w: FunctionWriter, label: str, action: str) -> None:
    target = next(f for f in reversed(w.frames) if f.label == label)
    if w.frames[-1] is target:
        _jump_here(w, target, action)
        return
    flag = target.flags.get(action)
    if flag is None:
        flag = target.flags[action] = f"j{len(w.flags)}"
        w.flags.append(flag)
    w.line(f"{flag} = True")
    _pass_through(w, flag, target, action)


@statement_rule(code.Break)
def _break(w: FunctionWriter, node: code.Break) -> None:
    _jump(w, node.label, "break")


@statement_rule(code.Continue)
def _continue(w: FunctionWriter, node: code.Continue) -> None:
    _jump(w, node.label, "continue")
