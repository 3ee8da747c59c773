"""From the jaxpr of an `element_call` to a function of scalars, and a call of it."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lowering.jaxprs import ClosedJaxpr, JaxprEqn
from lowering.plan import views
from lowering.plan.element_functions import (
    Choice,
    ElementFunction,
    ElementOp,
    Statement,
    WhileLoop,
)
from lowering.plan.names import Names
from lowering.plan.select import RULES, Selection, register
from lowering.plan.steps import ElementStep, Step
from lowering.plan.values import Operand, Value, whole


@register("element_call")
def _element_call(selection: Selection, eqn: JaxprEqn) -> None:
    name: str = eqn.params["name"]
    out = selection.value(eqn, name.rsplit("_", 1)[0])
    operands = [views.fitted(selection.read(atom), out.shape) for atom in eqn.invars]
    texts = ", ".join(map(selection.text, eqn.invars))
    origin = selection.origin(eqn, out.name, f"{name}({texts})")
    function = _function(selection, **eqn.params)
    op = ElementOp("call", out, tuple(operands), origin, function)
    selection.add(ElementStep([op]))
    selection.bind_value(eqn.outvars[0], out)


def _function(
    outer: Selection, *, name: str, parameters: Sequence[str], jaxpr: ClosedJaxpr
) -> ElementFunction:
    body = _Body(outer)
    values: list[Value] = []
    for wanted, var in zip(parameters, jaxpr.jaxpr.invars, strict=True):
        values.append(body.scalar(wanted, var.aval))
        body.bind_value(var, values[-1])
    (result,) = body.run(jaxpr)
    return ElementFunction(name, str(jaxpr), values, body.statements, result)


class _Body(Selection):
    """A selection whose steps are the statements of a function."""

    def __init__(self, outer: Selection) -> None:
        super().__init__(Names(), outer.place)
        self.statements: list[Statement] = []

    def add(self, step: Step) -> None:
        assert isinstance(step, ElementStep), "functions are made of scalar operations"
        self.statements += step.ops

    def run(self, closed: ClosedJaxpr) -> list[Operand]:
        assert not closed.consts, "functions are made of scalars"
        for eqn in closed.jaxpr.eqns:
            rule = _CONTROL.get(eqn.primitive.name) or RULES[eqn.primitive.name]
            rule(self, eqn)
        return [self.read(atom) for atom in closed.jaxpr.outvars]

    def block(
        self, closed: ClosedJaxpr, operands: Sequence[Operand]
    ) -> tuple[list[Statement], list[Operand]]:
        """The statements of a nested jaxpr, apart, and its results."""
        around, self.statements = self.statements, []
        for var, operand in zip(closed.jaxpr.invars, operands, strict=True):
            self.bind(var, operand, "")
        results = self.run(closed)
        inside, self.statements = self.statements, around
        return inside, results

    def scalar(self, name: str, aval: Any) -> Value:
        return Value(self.names.unique(name), (), aval.dtype)


def _while(body: _Body, eqn: JaxprEqn) -> None:
    test: ClosedJaxpr = eqn.params["cond_jaxpr"]
    step: ClosedJaxpr = eqn.params["body_jaxpr"]
    test_count, step_count = eqn.params["cond_nconsts"], eqn.params["body_nconsts"]
    operands = [body.read(atom) for atom in eqn.invars]
    starts = operands[test_count + step_count :]
    carries = [body.scalar("carry", var.aval) for var in eqn.outvars]
    views = [whole(carry) for carry in carries]
    tested = body.block(test, [*operands[:test_count], *views])
    consts = operands[test_count : test_count + step_count]
    stepped = body.block(step, [*consts, *views])
    loop = WhileLoop(carries, starts, tested[0], tested[1][0], *stepped)
    body.statements.append(loop)
    for var, carry in zip(eqn.outvars, carries, strict=True):
        body.bind_value(var, carry)


def _cond(body: _Body, eqn: JaxprEqn) -> None:
    index, *operands = [body.read(atom) for atom in eqn.invars]
    results = [body.scalar("chosen", var.aval) for var in eqn.outvars]
    cases = [body.block(branch, operands) for branch in eqn.params["branches"]]
    body.statements.append(Choice(index, results, cases))
    for var, result in zip(eqn.outvars, results, strict=True):
        body.bind_value(var, result)


_CONTROL = {"while": _while, "cond": _cond}
