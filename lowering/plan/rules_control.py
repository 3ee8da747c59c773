"""Selection rules of loops and branches, and of windows that move while they run."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from lowering.jaxprs import ClosedJaxpr, JaxprEqn, is_literal, literal_value
from lowering.plan.control import (
    Branch,
    BranchCase,
    BranchEnd,
    BranchStart,
    LoopEnd,
    LoopStart,
    LoopTest,
    Start,
)
from lowering.plan.origins import Origin
from lowering.plan.select import Selection, in_memory, number_or_memory, register
from lowering.plan.stacks import bind_taken_apart, put_row, take_row
from lowering.plan.steps import PutStep, TakeStep
from lowering.plan.values import Constant, Count, Loop, Operand, Value, View, whole


@register("scan")
def _scan(selection: Selection, eqn: JaxprEqn) -> None:
    """A loop of known length: the carry changes in place, slices come and go."""
    body: ClosedJaxpr = eqn.params["jaxpr"]
    length: int = eqn.params["length"]
    const_count, carry_count = eqn.params["num_consts"], eqn.params["num_carry"]
    loop = Loop(selection.names.unique("step"), length)
    count = Count(loop, eqn.params["reverse"])
    what = f"{loop.name} counts down to" if count.is_reversed else f"{loop.name} from"
    origin = _origin(selection, eqn, f"scan: {what} 0, {length} passes")
    counters = _counters(selection, eqn, body, loop)
    kept = [n for n in range(carry_count) if n not in counters]
    carries = _carries(selection, eqn, const_count, kept, origin)
    selection.add(LoopStart(loop, origin))
    _bind_operands(selection, body, eqn, range(const_count))
    invars = body.jaxpr.invars[const_count:]
    for number, counter in counters.items():
        selection.bind(invars[number], counter, str(counter.number))
    _bind_carries(selection, [invars[n] for n in kept], carries)
    for position in range(const_count + carry_count, len(eqn.invars)):
        _take_slice(selection, eqn, body, position, count)
    outputs = selection.run(body)
    for result in range(carry_count, len(eqn.outvars)):
        _put_slice(selection, eqn, result, outputs[result], count)
    atoms = [body.jaxpr.outvars[n] for n in kept]
    _update(selection, carries, [outputs[n] for n in kept], atoms, origin)
    selection.add(LoopEnd(loop, origin))
    for n, value in zip(kept, carries, strict=True):
        selection.bind_value(eqn.outvars[n], value)
    for n, counter in counters.items():
        _bind_last(selection, eqn.outvars[n], counter, length)


def _counters(
    selection: Selection, eqn: JaxprEqn, body: ClosedJaxpr, loop: Loop
) -> dict[int, Constant]:
    """The carries that start at a number and grow by 1: they count the passes."""
    const_count, carry_count = eqn.params["num_consts"], eqn.params["num_carry"]
    makers: dict[Any, JaxprEqn] = {
        var: each for each in body.jaxpr.eqns for var in each.outvars
    }
    found: dict[int, Constant] = {}
    for n in range(carry_count):
        counter = body.jaxpr.invars[const_count + n]
        atom: Any = body.jaxpr.outvars[n]
        maker = None if is_literal(atom) else makers.get(atom)
        start = selection.read(eqn.invars[const_count + n])
        first = start.number if isinstance(start, Constant) else None
        if maker is None or not isinstance(first, int) or isinstance(first, bool):
            continue
        if _adds_one(maker, counter) and str(start.dtype) == "int32":
            count = Count(loop, first=first)
            found[n] = Constant(count, start.shape, start.dtype)
    return found


def _adds_one(eqn: JaxprEqn, counter: Any) -> bool:
    if eqn.primitive.name != "add" or counter not in eqn.invars:
        return False
    others: list[Any] = [atom for atom in eqn.invars if atom is not counter]
    return len(others) == 1 and is_literal(others[0]) and literal_value(others[0]) == 1


def _bind_last(selection: Selection, var: Any, counter: Constant, length: int) -> None:
    """What a counter is after the loop."""
    assert isinstance(counter.number, Count), "a counter counts"
    last = counter.number.first + length
    selection.bind(var, replace(counter, number=last), str(last))


@register("while")
def _while(selection: Selection, eqn: JaxprEqn) -> None:
    """A loop whose test runs before each pass."""
    condition, body = eqn.params["cond_jaxpr"], eqn.params["body_jaxpr"]
    cond_count, body_count = eqn.params["cond_nconsts"], eqn.params["body_nconsts"]
    origin = _origin(selection, eqn, "while")
    first = cond_count + body_count
    carries = _carries(selection, eqn, first, range(len(eqn.outvars)), origin)
    loop = Loop(selection.names.unique("step"), None)
    selection.add(LoopStart(loop, origin))
    _bind_operands(selection, condition, eqn, range(cond_count))
    _bind_carries(selection, condition.jaxpr.invars[cond_count:], carries)
    (predicate,) = selection.run(condition)
    test = _scalar_in_memory(selection, predicate, "goes_on", origin)
    selection.add(LoopTest(loop, test, origin))
    _bind_operands(selection, body, eqn, range(cond_count, first))
    _bind_carries(selection, body.jaxpr.invars[body_count:], carries)
    _update(selection, carries, selection.run(body), body.jaxpr.outvars, origin)
    selection.add(LoopEnd(loop, origin))
    for var, value in zip(eqn.outvars, carries, strict=True):
        selection.bind_value(var, value)


@register("cond")
def _cond(selection: Selection, eqn: JaxprEqn) -> None:
    """Each case copies what it gives to the same values."""
    branches: Sequence[ClosedJaxpr] = eqn.params["branches"]
    origin = _origin(selection, eqn, f"cond({selection.text(eqn.invars[0])})")
    results = [
        selection.value(eqn, "chosen", result) for result in range(len(eqn.outvars))
    ]
    which = selection.read(eqn.invars[0])
    selector = _scalar_in_memory(selection, which, "case", origin)
    branch = Branch(len(branches))
    for number, case in enumerate(branches):
        if number == 0:
            selection.add(BranchStart(branch, selector, origin))
        else:
            selection.add(BranchCase(branch, number, origin))
        _bind_operands(selection, case, eqn, range(1, len(eqn.invars)))
        outputs = zip(selection.run(case), case.jaxpr.outvars, strict=True)
        for value, (operand, atom) in zip(results, outputs, strict=True):
            _copy(selection, value, operand, selection.text(atom), origin)
    selection.add(BranchEnd(branch, origin))
    for var, value in zip(eqn.outvars, results, strict=True):
        selection.bind_value(var, value)


@register("dynamic_slice")
def _dynamic_slice(selection: Selection, eqn: JaxprEqn) -> None:
    """The starts are inside the operand already: partition has clamped them."""
    x = in_memory(selection, eqn.invars[0])
    known, starts = _starts(selection, eqn.invars[1:], x.strides)
    out = selection.value(eqn, "window")
    origin = selection.origin(eqn, out.name)
    window = replace(x, shape=out.shape, offset=x.offset + known)
    selection.add(TakeStep(out, window, starts, origin))
    selection.bind_value(eqn.outvars[0], out)


@register("dynamic_update_slice")
def _dynamic_update_slice(selection: Selection, eqn: JaxprEqn) -> None:
    """A copy of the operand, with the window replaced."""
    out = selection.value(eqn, "updated")
    origin = selection.origin(eqn, out.name)
    selection.element("copy", out, [selection.read(eqn.invars[0])], origin)
    update = number_or_memory(selection, eqn.invars[1])
    target = whole(out)
    known, starts = _starts(selection, eqn.invars[2:], target.strides)
    window = replace(target, shape=update.shape, offset=known)
    selection.add(PutStep(window, update, starts, origin))
    selection.bind_value(eqn.outvars[0], out)


def _origin(selection: Selection, eqn: JaxprEqn, what: str) -> Origin:
    return Origin(what, selection.place(eqn))


def _carries(
    selection: Selection,
    eqn: JaxprEqn,
    first: int,
    results: Iterable[int],
    origin: Origin,
) -> list[Value]:
    """Values for what a loop carries, holding what it starts with."""
    carries: list[Value] = []
    for result in results:
        value = selection.value(eqn, "carry", result)
        start = eqn.invars[first + result]
        text = selection.text(start)
        _copy(selection, value, selection.read(start), text, origin)
        carries.append(value)
    return carries


def _bind_operands(
    selection: Selection,
    closed: ClosedJaxpr,
    eqn: JaxprEqn,
    positions: range,
) -> None:
    """Operands `positions` of the equation are the jaxpr's inputs from 0 on."""
    for var, position in zip(closed.jaxpr.invars, positions, strict=False):
        atom = eqn.invars[position]
        selection.bind(var, selection.read(atom), selection.text(atom))


def _bind_carries(
    selection: Selection, variables: Sequence[Any], carries: Sequence[Value]
) -> None:
    for var, value in zip(variables, carries, strict=False):
        selection.bind_value(var, value)


def _take_slice(
    selection: Selection, eqn: JaxprEqn, body: ClosedJaxpr, position: int, count: Count
) -> None:
    """The pass's slice of a sequence, as a value of its own."""
    atom, var = eqn.invars[position], body.jaxpr.invars[position]
    if not is_literal(atom) and atom in selection.rows:
        selection.bind_value(var, take_row(selection, eqn, position, var, count))
        return
    x = in_memory(selection, atom)
    text = selection.text(atom)
    name = selection.names.unique(f"{text}_slice")
    out = Value(name, x.shape[1:], x.dtype, place=selection.place(eqn))
    origin = _origin(selection, eqn, f"{name} = {text}[{count.loop.name}]")
    row = replace(x, shape=x.shape[1:], strides=x.strides[1:])
    selection.add(TakeStep(out, row, (Start(count, x.strides[0]),), origin))
    selection.bind_value(var, out)


def _put_slice(
    selection: Selection, eqn: JaxprEqn, result: int, operand: Operand, count: Count
) -> None:
    """The pass's slice of a stacked result."""
    rows = bind_taken_apart(selection, eqn, result)
    if rows is not None:
        text = f"{selection.text(eqn.outvars[result])}[{count.loop.name}]"
        put_row(selection, rows, operand, count, _origin(selection, eqn, text))
        return
    stacked = selection.value(eqn, "stacked", result)
    target = whole(stacked)
    origin = _origin(selection, eqn, f"{stacked.name}[{count.loop.name}]")
    if not isinstance(operand, View):
        operand = whole(selection.materialise(operand, "row", origin))
    row = replace(target, shape=target.shape[1:], strides=target.strides[1:])
    start = Start(count, target.strides[0])
    selection.add(PutStep(row, operand, (start,), origin))
    selection.bind_value(eqn.outvars[result], stacked)


def _update(
    selection: Selection,
    carries: Sequence[Value],
    operands: Sequence[Operand],
    atoms: Sequence[Any],
    origin: Origin,
) -> None:
    """All carries change at once: what another is made of is copied first."""
    known = set(carries)
    changes: list[tuple[Value, Operand, str]] = []
    for value, operand, atom in zip(carries, operands, atoms, strict=True):
        if isinstance(operand, View) and operand.value in known:
            if operand == whole(value):
                continue
            operand = whole(selection.materialise(operand, "next", origin))
        changes.append((value, operand, selection.text(atom)))
    for value, operand, text in changes:
        _copy(selection, value, operand, text, origin)


def _copy(
    selection: Selection, value: Value, operand: Operand, text: str, origin: Origin
) -> None:
    """`value = operand`, as comments show it."""
    equation = f"{value.name}: {value.type_text} = {text}"
    selection.element("copy", value, [operand], replace(origin, equation=equation))


def _scalar_in_memory(
    selection: Selection, operand: Operand, name: str, origin: Origin
) -> View:
    if isinstance(operand, View):
        return operand
    return whole(selection.materialise(operand, name, origin))


def _starts(
    selection: Selection, atoms: Sequence[Any], strides: tuple[int, ...]
) -> tuple[int, tuple[Start, ...]]:
    """Elements that are known to lie before the window, and where it begins from there.

    There is a start for every dimension whose number only the program knows.
    """
    known = 0
    found: list[Start] = []
    for atom, stride in zip(atoms, strides, strict=True):
        operand = selection.read(atom)
        if not isinstance(operand, Constant):
            view = _scalar_in_memory(selection, operand, "start", Origin("start"))
            found.append(Start(view, stride))
        elif isinstance(operand.number, Count):
            found.append(Start(operand.number, stride))
        else:
            known += int(operand.number) * stride
    return known, tuple(found)
