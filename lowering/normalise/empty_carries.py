"""Loops and branches, staged without what has no elements; loops of no passes."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lowering import jaxprs
from lowering.normalise.core_set import CONTROL_FLOW
from lowering.normalise.empty import is_empty, nothing, touches_empty
from lowering.normalise.flow import Function, staged_flow

Atoms = Sequence[Any]


def without_empty_carries(
    eqn: jaxprs.JaxprEqn, args: list[Any], evaluate: jaxprs.EvaluateEquation
) -> list[Any] | None:
    """What the loop or branch gives; None if all that it takes and gives has elements.

    `evaluate` stages the equations inside.
    """
    if eqn.primitive.name not in CONTROL_FLOW or not touches_empty(eqn):
        return None
    if eqn.params.get("length") == 0:
        return _of_no_passes(eqn, args)

    def function_of(closed: jaxprs.ClosedJaxpr) -> Function:
        jaxpr = closed.jaxpr

        def function(*kept: Any) -> list[Any]:
            inputs = _filled(jaxpr.invars, kept)
            results = jaxprs.interpret(jaxpr, closed.consts, inputs, evaluate)
            return _kept(jaxpr.outvars, results)

        return function

    results = staged_flow(eqn, _kept(eqn.invars, args), function_of)
    return _filled(eqn.outvars, results)


def _of_no_passes(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    """A scan leaves its carry as it is, and stacks nothing."""
    first, carries = eqn.params["num_consts"], eqn.params["num_carry"]
    return [*args[first : first + carries], *map(nothing, eqn.outvars[carries:])]


def _kept(atoms: Atoms, values: Atoms) -> list[Any]:
    """The values, with None in the place of those without elements."""
    pairs = zip(atoms, values, strict=True)
    return [None if is_empty(atom) else value for atom, value in pairs]


def _filled(atoms: Atoms, kept: Atoms) -> list[Any]:
    """The values again, nothing in the place of None."""
    pairs = zip(atoms, kept, strict=True)
    return [nothing(atom) if is_empty(atom) else value for atom, value in pairs]
