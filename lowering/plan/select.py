"""From the PE jaxpr to steps: what each equation becomes, before buffers exist."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from lowering.dtypes import DTYPES
from lowering.errors import (
    LoweringError,
    Place,
    UnsupportedDtypeError,
    UnsupportedPrimitiveError,
    raise_all,
)
from lowering.jaxprs import (
    ClosedJaxpr,
    Jaxpr,
    JaxprEqn,
    Literal,
    Var,
    literal_value,
    sub_jaxprs,
)
from lowering.placement import type_text
from lowering.plan.names import Names
from lowering.plan.origins import Origin
from lowering.plan.steps import ElementOp, ElementStep, Step
from lowering.plan.steps_rows import Rows
from lowering.plan.values import Constant, Count, Operand, Ramp, Value, View, whole
from lowering.registering import registering

PlaceOf = Callable[[JaxprEqn], Place | None]
Rule = Callable[["Selection", JaxprEqn], None]
RULES: dict[str, Rule] = {}

# The number of an output, and that of the input which it is at the next launch.
Carry = Mapping[int, int]


def register(*primitives: str) -> Callable[[Rule], Rule]:
    """Makes the decorated function the rule of these primitives."""
    return registering(RULES, primitives)


class Selection:
    """The steps chosen so far, and what each variable stands for.

    Rules read operands with `read`, add steps with `add` and name the result with
    `bind`. `rows` are the stacks that exist only as their rows.
    """

    def __init__(
        self, names: Names, place_of: PlaceOf, wanted: dict[Var, str] | None = None
    ) -> None:
        self.steps: list[Step] = []
        self.names = names
        self._wanted = wanted or {}
        self._place_of = place_of
        self._environment: dict[Var, Operand] = {}
        self._texts: dict[Var, str] = {}
        self.uses: dict[Var, list[tuple[JaxprEqn | None, int]]] = {}
        self.rows: dict[Any, Rows] = {}

    def read(self, atom: Var | Literal) -> Operand:
        if isinstance(atom, Literal):
            return constant(np.asarray(literal_value(atom)))
        return self._environment[atom]

    def bind(self, var: Var, operand: Operand, text: str) -> None:
        self._environment[var] = operand
        self._texts[var] = text

    def bind_text(self, var: Var, text: str) -> None:
        """What comments call a variable that stands for no single operand."""
        self._texts[var] = text

    def bind_value(self, var: Var, value: Value) -> None:
        self.bind(var, whole(value), value.name)

    def text(self, atom: Var | Literal) -> str:
        """The atom as comments show it."""
        if isinstance(atom, Literal):
            return number_text(constant(np.asarray(literal_value(atom))).number)
        return self._texts[atom]

    def value(self, eqn: JaxprEqn, name: str | None = None, result: int = 0) -> Value:
        """A new value in memory of the type of the equation's result, or a later one.

        It has the name of the output that it is, if it is one.
        """
        var = eqn.outvars[result]
        aval: Any = var.aval
        wanted = self._wanted.pop(var, None)
        unique = wanted or self.names.unique(name or eqn.primitive.name)
        return Value(unique, aval.shape, aval.dtype, place=self.place(eqn))

    def place(self, eqn: JaxprEqn) -> Place | None:
        return self._place_of(eqn)

    def origin(self, eqn: JaxprEqn, out: str, call: str | None = None) -> Origin:
        """`name: f32[4,8] = primitive(a, b)`, with the user's line."""
        aval: Any = eqn.outvars[0].aval
        operands = ", ".join(self.text(atom) for atom in eqn.invars)
        call = call or f"{eqn.primitive.name}({operands})"
        equation = f"{out}: {type_text(aval.shape, aval.dtype)} = {call}"
        return Origin(equation, self.place(eqn))

    def add(self, step: Step) -> None:
        self.steps.append(step)

    def run(self, closed: ClosedJaxpr) -> list[Operand]:
        """Adds the steps of a jaxpr whose inputs are bound; gives its outputs."""
        for var, data in zip(closed.jaxpr.constvars, closed.consts, strict=True):
            _bind_constant(self, var, np.asarray(data))
        self._note_uses(closed.jaxpr)
        for eqn in closed.jaxpr.eqns:
            RULES[eqn.primitive.name](self, eqn)
        return [self.read(atom) for atom in closed.jaxpr.outvars]

    def _note_uses(self, jaxpr: Jaxpr) -> None:
        """Which equations read each variable, at which position; None is the caller."""
        for eqn in jaxpr.eqns:
            for position, atom in enumerate(eqn.invars):
                if not isinstance(atom, Literal):
                    self.uses.setdefault(atom, []).append((eqn, position))
        for position, atom in enumerate(jaxpr.outvars):
            if not isinstance(atom, Literal):
                self.uses.setdefault(atom, []).append((None, position))

    def element(
        self, kind: str, out: Value, operands: Sequence[Operand], origin: Origin
    ) -> None:
        """Adds an element-wise step of one operation."""
        self.add(ElementStep([ElementOp(kind, out, tuple(operands), origin)]))

    def materialise(self, operand: Operand, name: str, origin: Origin) -> Value:
        """The operand's elements as a value of its own, copied."""
        value = Value(
            self.names.unique(name), operand.shape, operand.dtype, place=origin.place
        )
        self.element("copy", value, [operand], origin)
        return value


def select(
    closed: ClosedJaxpr,
    in_names: Sequence[str],
    out_names: Sequence[str],
    names: Names,
    place_of: PlaceOf,
    carry: Carry | None = None,
) -> tuple[list[Step], dict[str, Value], dict[str, Value]]:
    """Steps, and the values of inputs and outputs by symbol name, of a PE jaxpr.

    What `carry` names is an output that becomes an input of the next launch: it has
    that input's symbol and memory.
    Raises: UnsupportedPrimitiveError, UnsupportedDtypeError (all of them at once).
    """
    check_supported(closed.jaxpr, place_of)
    carry = carry or {}
    in_names = [names.unique(name) for name in in_names]
    out_names = [
        in_names[carry[number]] if number in carry else names.unique(name)
        for number, name in enumerate(out_names)
    ]
    results = list(enumerate(closed.jaxpr.outvars))
    wanted = {
        atom: out_names[number]
        for number, atom in reversed(results)
        if isinstance(atom, Var) and number not in carry
    }  # of a value that is returned twice, the first name
    selection = Selection(names, place_of, wanted)
    inputs = [
        _input(selection, var, name)
        for var, name in zip(closed.jaxpr.invars, in_names, strict=True)
    ]
    selection.run(closed)
    outputs = _outputs(selection, closed.jaxpr, out_names, inputs, carry)
    return (
        selection.steps,
        dict(zip(in_names, inputs, strict=True)),
        dict(zip(out_names, outputs, strict=True)),
    )


def check_supported(jaxpr: Jaxpr, place_of: PlaceOf) -> None:
    """Raises what keeps the PE jaxpr from being planned, all of it at once."""
    errors: list[LoweringError] = _empty_errors(jaxpr, place_of)
    unknown: dict[str, JaxprEqn] = {}
    for eqn in _equations(jaxpr):
        if eqn.primitive.name not in RULES:
            unknown.setdefault(eqn.primitive.name, eqn)
    for name, eqn in unknown.items():
        errors.append(
            UnsupportedPrimitiveError(
                f"primitive {name} has no emission rule",
                place=place_of(eqn),
                rule=f"a PE program is made of {', '.join(sorted(RULES))}",
            )
        )
    errors += _dtype_errors(jaxpr, place_of)
    if errors:
        raise_all(errors)


def _equations(jaxpr: Jaxpr) -> Iterator[JaxprEqn]:
    """Every equation, with those of the jaxprs inside it after it."""
    for eqn in jaxpr.eqns:
        yield eqn
        for nested in sub_jaxprs(eqn):
            yield from _equations(nested.jaxpr)


def _values(jaxpr: Jaxpr) -> Sequence[tuple[Any, JaxprEqn | None]]:
    """Every variable, with the equation that makes it, if one does."""
    given = [(var, None) for var in (*jaxpr.invars, *jaxpr.constvars)]
    return given + [(var, eqn) for eqn in _equations(jaxpr) for var in eqn.outvars]


def _empty_errors(jaxpr: Jaxpr, place_of: PlaceOf) -> list[LoweringError]:
    """An error for the first value without elements."""
    for var, eqn in _values(jaxpr):
        if 0 in var.aval.shape:
            error = LoweringError(
                f"{'result of ' + eqn.primitive.name if eqn else 'input'} "
                f"{type_text(var.aval.shape, var.aval.dtype)} has no elements",
                place=place_of(eqn) if eqn else None,
                rule="memory vectors of a PE have at least one element",
                help="leave empty arrays out of the program",
            )
            return [error]
    return []


def _dtype_errors(jaxpr: Jaxpr, place_of: PlaceOf) -> list[LoweringError]:
    """One error per dtype that cannot be held, at its first use."""
    seen: dict[str, LoweringError] = {}
    for var, eqn in _values(jaxpr):
        dtype = str(var.aval.dtype)
        if dtype not in DTYPES and dtype not in seen:
            what = f"result of {eqn.primitive.name}" if eqn else "input"
            seen[dtype] = UnsupportedDtypeError(
                f"{what} has dtype {dtype}",
                notes=[("value", type_text(var.aval.shape, var.aval.dtype))],
                place=place_of(eqn) if eqn else None,
                rule=f"PE programs compute in {', '.join(DTYPES)}",
                help="convert it with astype(float32)",
            )
    return list(seen.values())


def in_memory(selection: Selection, atom: Var | Literal) -> View:
    """What the atom stands for; a copy in memory if that is a number or a ramp."""
    operand = selection.read(atom)
    if isinstance(operand, View):
        return operand
    text = selection.text(atom)
    return whole(selection.materialise(operand, "filled", Origin(text)))


def number_or_memory(selection: Selection, atom: Var | Literal) -> View | Constant:
    """The same, but numbers that do not count passes stay numbers."""
    operand = selection.read(atom)
    if isinstance(operand, Constant) and not isinstance(operand.number, Count):
        return operand
    return in_memory(selection, atom)


def constant(data: np.ndarray[Any, Any]) -> Constant:
    """The number of a one-element array, in its own shape."""
    return Constant(data.reshape(()).item(), data.shape, data.dtype)


def number_text(number: float | int | bool | Count) -> str:
    """A number in comments, as short as it can be."""
    if isinstance(number, bool):
        return "true" if number else "false"
    return f"{number:g}" if isinstance(number, float) else str(number)


def _input(selection: Selection, var: Var, name: str) -> Value:
    aval: Any = var.aval
    value = Value(name, aval.shape, aval.dtype, "input")
    selection.bind_value(var, value)
    return value


def _bind_constant(selection: Selection, var: Var, data: np.ndarray[Any, Any]) -> None:
    """A constant of one number needs no memory; any other is a value with data."""
    if data.size and np.all(data == data.flat[0]):
        single = Constant(data.flat[0].item(), data.shape, data.dtype)
        selection.bind(var, single, number_text(single.number))
        return
    name = selection.names.unique("table")
    value = Value(name, data.shape, data.dtype, "constant", data=data)
    selection.bind_value(var, value)


def _outputs(
    selection: Selection,
    jaxpr: Jaxpr,
    out_names: Sequence[str],
    inputs: Sequence[Value],
    carry: Carry,
) -> list[Value]:
    """Gives every output a value of its own, or that of the input it is carried to.

    The inputs change last, when nothing reads them any more.
    """
    kept = {
        number: _own_output(selection, atom, out_names[number])
        for number, atom in enumerate(jaxpr.outvars)
        if number not in carry
    }
    carried = {number: inputs[carry[number]] for number in carry}
    _carry_over(selection, [(jaxpr.outvars[n], v) for n, v in carried.items()])
    return [(kept | carried)[number] for number in range(len(jaxpr.outvars))]


def _own_output(selection: Selection, atom: Any, name: str) -> Value:
    operand = selection.read(atom)
    value = operand.value if isinstance(operand, View) and operand.is_whole else None
    if value is None or value.role != "temporary":
        value = Value(name, atom.aval.shape, atom.aval.dtype)
        selection.element(
            "copy", value, [operand], _result_origin(selection, value, atom)
        )
    value.name, value.role = name, "output"  # a view may bring another's name
    return value


def _carry_over(selection: Selection, carried: Sequence[tuple[Any, Value]]) -> None:
    """All inputs change at once: what another is made of is copied first."""
    changes: list[tuple[Value, Operand, Origin]] = []
    for atom, value in carried:
        operand = selection.read(atom)
        origin = _result_origin(selection, value, atom)
        if isinstance(operand, View) and operand.value.role == "input":
            if operand == whole(value):
                continue
            operand = whole(selection.materialise(operand, "next", origin))
        changes.append((value, operand, origin))
    for value, operand, origin in changes:
        selection.element("copy", value, [operand], origin)


def _result_origin(selection: Selection, value: Value, atom: Any) -> Origin:
    return Origin(f"{value.name}: {value.type_text} = {selection.text(atom)}")


def ramp(shape: tuple[int, ...], dimension: int, dtype: np.dtype[Any]) -> Ramp:
    strides = tuple(int(dim == dimension) for dim in range(len(shape)))
    return Ramp(shape, strides, dtype)
