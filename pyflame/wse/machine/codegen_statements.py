"""Declarations, assignments, branches and returns."""

from __future__ import annotations

from pyflame.wse.language import code, types
from pyflame.wse.machine import guarded_access, storage
from pyflame.wse.machine.codegen_core import (
    Block,
    FunctionWriter,
    Place,
    Value,
    statement_rule,
)
from pyflame.wse.machine.codegen_memory import MemoryPlace
from pyflame.wse.machine.codegen_places import PythonPlace, kept, local_place


@statement_rule(code.Declare)
def _declare(w: FunctionWriter, node: code.Declare) -> None:
    variable = node.variable
    value = w.value(node.value) if node.value is not None else None
    if value is not None and variable in w.constant_locals:
        if value.low is not None and value.high is not None:
            w.bounds[variable] = value.low, value.high
    place = local_place(w, variable, node)
    if value is not None:
        place.store(value)
        return
    zero = _zero(w, variable.type)
    if zero is not None:
        place.store(zero)
    if w.unit.strict:
        _leave_undefined(w, place, variable.type)


def _leave_undefined(
    w: FunctionWriter, place: MemoryPlace | PythonPlace, type_: types.Type
) -> None:
    """Strict code tells a local without a value from one that is zero."""
    if isinstance(place, PythonPlace):
        w.line(f"{place.text} = {_nothing(type_)}")
        return
    forget = w.constant(guarded_access.forget)
    w.line(f"{forget}(pe, {place.address().text}, {storage.size_bytes(type_)})")


def _nothing(type_: types.Type) -> str:
    if isinstance(type_, types.Struct):
        return f"[{', '.join(map(_nothing, type_.types))}]"
    return "None"


def _zero(w: FunctionWriter, type_: types.Type) -> Value | None:
    """What an uninitialised local holds: zeros; memory keeps what was there."""
    if isinstance(type_, types.Array):
        return None
    zero = zero_of(type_)
    if isinstance(zero, int):
        return Value(repr(zero))
    shared = isinstance(zero, list)
    return Value(w.constant(zero, ("zero", str(type_))), shared=shared)


def zero_of(type_: types.Type) -> object:
    """The run-time value whose memory is all zeros; None for machine objects."""
    match type_:
        case types.Simple(name="bool"):
            return False
        case types.Simple(name="direction"):
            return "NORTH"
        case types.Float():
            return storage.dtype_of(type_).type(0) if type_.name != "bf16" else 0.0
        case types.Int() | types.Enum() | types.Identifier() | types.Pointer():
            return 0
        case types.Struct(types=members):
            return [zero_of(member) for member in members]
        case _:
            return None


@statement_rule(code.Assign)
def _assign(w: FunctionWriter, node: code.Assign) -> None:
    value = w.value(node.value)
    place, block = w.inside(lambda: w.place(node.place))
    if block.lines:
        value = w.spilled(value)
    w.append(block)
    place.store(value)


@statement_rule(code.Evaluate)
def _evaluate(w: FunctionWriter, node: code.Evaluate) -> None:
    value = w.value(node.expression)
    if not value.fixed:
        w.line(value.text)


@statement_rule(code.Return)
def _return(w: FunctionWriter, node: code.Return) -> None:
    if node.value is None:
        w.leave()
        w.line("return")
        return
    value = w.value(node.value)
    w.leave()
    w.line(f"return {kept(w, value, node.value.type)}")


# --- branches ---------------------------------------------------------------------


@statement_rule(code.If)
def _if(w: FunctionWriter, node: code.If) -> None:
    costs = w.unit.costs
    condition = w.value(node.condition)
    arms = [
        (f"if {condition.text}:", node.then, costs.branch_not_taken_cycles),
        ("else:", node.otherwise, costs.branch_taken_cycles),
    ]
    write_arms(w, arms)


def write_arms(
    w: FunctionWriter, arms: list[tuple[str, list[code.Statement], int]]
) -> None:
    """Alternatives with the cycles it takes to reach each of them."""
    blocks: list[tuple[str, Block]] = []
    for header, body, cycles in arms:

        def write(body: list[code.Statement] = body, cycles: int = cycles) -> None:
            w.charge(cycles)
            w.statements(body)

        blocks.append((header, w.inside(write)[1]))
    shared = min(block.pending for _, block in blocks)
    if all(not block.dynamic for _, block in blocks):
        w.charge(shared)  # only the difference is charged inside
        for _, block in blocks:
            block.pending -= shared
    if any(block.dynamic for _, block in blocks):
        w.settle()
    mark = any(block.pending or block.dynamic for _, block in blocks)
    for header, block in blocks:
        block = w.settled(block)
        if block.lines or header != "else:":
            w.nest(header, block)
    w.block.dynamic |= mark


@statement_rule(code.Switch)
def _switch(w: FunctionWriter, node: code.Switch) -> None:
    costs = w.unit.costs
    value = w.spilled(w.value(node.value))
    test = costs.issue_cycles + costs.branch_not_taken_cycles
    arms: list[tuple[str, list[code.Statement], int]] = []
    for number, (choices, body) in enumerate(node.arms, 1):
        word = "if" if number == 1 else "elif"
        arms.append((f"{word} {_choice(value, choices)}:", body, test * number))
    if not arms:
        w.statements(node.otherwise or [])
        return
    if node.otherwise is None:  # the last of exhaustive arms needs no test
        _, body, cycles = arms.pop()
        arms.append(("else:" if arms else "if True:", body, cycles))
    else:
        arms.append(("else:", node.otherwise, test * len(arms)))
    write_arms(w, arms)


def _choice(value: Value, choices: tuple[int, ...]) -> str:
    if len(choices) == 1:
        return f"{value.text} == {int(choices[0])}"
    return f"{value.text} in ({', '.join(str(int(c)) for c in choices)})"


def store_local(
    w: FunctionWriter, variable: code.LocalVariable, node: object, value: Value
) -> Place:
    place = local_place(w, variable, node)
    if not (isinstance(place, PythonPlace) and place.text == value.text):
        place.store(value)
    return place
