"""Loops and branches, staged without what has no elements; loops of no passes."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jax import lax

from lowering import jaxprs
from lowering.normalise.empty import is_empty, nothing, touches_empty

Atoms = Sequence[Any]


def without_empty_carries(
    eqn: jaxprs.JaxprEqn, args: list[Any], evaluate: jaxprs.EvaluateEquation
) -> list[Any] | None:
    """What the loop or branch gives; None if all that it takes and gives has elements.

    `evaluate` stages the equations inside.
    """
    stage = _STAGED.get(eqn.primitive.name)
    if stage is None or not touches_empty(eqn):
        return None
    return stage(eqn, args, evaluate)


def _kept(atoms: Atoms, values: Atoms) -> list[Any]:
    """The values of the atoms that have elements."""
    pairs = zip(atoms, values, strict=True)
    return [value for atom, value in pairs if not is_empty(atom)]


def _filled(atoms: Atoms, kept: Atoms) -> list[Any]:
    """One value per atom: the kept ones in order, nothing in between."""
    values = iter(kept)
    return [nothing(atom) if is_empty(atom) else next(values) for atom in atoms]


def _function(
    closed: jaxprs.ClosedJaxpr, evaluate: jaxprs.EvaluateEquation
) -> Callable[..., list[Any]]:
    """The jaxpr as a function of what has elements, that gives what has."""
    jaxpr = closed.jaxpr

    def function(*kept: Any) -> list[Any]:
        args = _filled(jaxpr.invars, kept)
        results = jaxprs.interpret(jaxpr, closed.consts, args, evaluate)
        return _kept(jaxpr.outvars, results)

    return function


def _scan(
    eqn: jaxprs.JaxprEqn, args: list[Any], evaluate: jaxprs.EvaluateEquation
) -> list[Any]:
    consts, carries = eqn.params["num_consts"], eqn.params["num_carry"]
    first = consts + carries
    if eqn.params["length"] == 0:
        return [*args[consts:first], *map(nothing, eqn.outvars[carries:])]
    body = _function(eqn.params["jaxpr"], evaluate)
    given = _kept(eqn.invars[:consts], args[:consts])
    start = _kept(eqn.invars[consts:first], args[consts:first])

    def step(carry: list[Any], x: list[Any]) -> tuple[list[Any], list[Any]]:
        results = body(*given, *carry, *x)
        return results[: len(carry)], results[len(carry) :]

    carry, stacked = lax.scan(
        step,
        start,
        _kept(eqn.invars[first:], args[first:]),
        length=eqn.params["length"],
        reverse=eqn.params["reverse"],
    )
    return _filled(eqn.outvars, [*carry, *stacked])


def _while(
    eqn: jaxprs.JaxprEqn, args: list[Any], evaluate: jaxprs.EvaluateEquation
) -> list[Any]:
    tested, used = eqn.params["cond_nconsts"], eqn.params["body_nconsts"]
    test = _function(eqn.params["cond_jaxpr"], evaluate)
    body = _function(eqn.params["body_jaxpr"], evaluate)
    test_given = _kept(eqn.invars[:tested], args[:tested])
    first = tested + used
    body_given = _kept(eqn.invars[tested:first], args[tested:first])
    results = lax.while_loop(
        lambda carry: test(*test_given, *carry)[0],
        lambda carry: body(*body_given, *carry),
        _kept(eqn.invars[first:], args[first:]),
    )
    return _filled(eqn.outvars, results)


def _cond(
    eqn: jaxprs.JaxprEqn, args: list[Any], evaluate: jaxprs.EvaluateEquation
) -> list[Any]:
    branches = [_function(branch, evaluate) for branch in eqn.params["branches"]]
    operands = _kept(eqn.invars[1:], args[1:])
    return _filled(eqn.outvars, lax.switch(args[0], branches, *operands))


_STAGED = {"scan": _scan, "while": _while, "cond": _cond}
