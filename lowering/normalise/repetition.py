"""Stretches of equations that repeat: layers that Python wrote out one after another.

Equations are alike if they have the same primitive, parameters, and types of operands
and results; windows may begin elsewhere. Which values they read is for `wiring` to
compare.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lowering import jaxprs

_SLICED = "wherever the window begins"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Equations `first` to `last` (not included): each is like that `period` later.

    The last `period` of them have none that is later.
    """

    first: int
    last: int
    period: int

    @property
    def saved(self) -> int:
        """How many equations fewer there are with a loop instead."""
        return ((self.last - self.first) // self.period - 1) * self.period


def stretches(eqns: Sequence[jaxprs.JaxprEqn]) -> list[Stretch]:
    """All maximal stretches of two groups or more, those that save most in front."""
    numbers: dict[Hashable, int] = {}
    alike = np.array([numbers.setdefault(_kind(e), len(numbers)) for e in eqns])
    found: list[Stretch] = []
    for period in range(1, len(eqns) // 2 + 1):
        same = np.concatenate([[False], alike[period:] == alike[:-period], [False]])
        edges = np.flatnonzero(same[1:] != same[:-1])
        for first, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            if end - first >= period:
                found.append(Stretch(first, end + period, period))
    return sorted(found, key=lambda s: (-s.saved, s.period, s.first))


def _kind(eqn: jaxprs.JaxprEqn) -> Hashable:
    """Equal for equations that are alike; one with effects is like no other."""
    if eqn.effects:
        return id(eqn)
    operands = tuple((jaxprs.is_literal(atom), _type(atom)) for atom in eqn.invars)
    results = tuple(_type(var) for var in eqn.outvars)
    params = (_SLICED,) if is_window(eqn) else _params(eqn.params)
    return eqn.primitive, params, operands, results


def is_window(eqn: jaxprs.JaxprEqn) -> bool:
    """Whether the equation cuts a window out of its operand, wherever that begins."""
    steps = eqn.params.get("strides") or ()
    return eqn.primitive.name == "slice" and all(step == 1 for step in steps)


def _type(atom: Any) -> Hashable:
    return jaxprs.shape_of(atom), str(jaxprs.dtype_of(atom))


def _params(params: dict[str, Any]) -> Hashable:
    return tuple((name, _param(params[name])) for name in sorted(params))


def _param(value: Any) -> Hashable:
    """Equal for equal parameters; what cannot be compared equals only itself."""
    if isinstance(value, jaxprs.Jaxpr | jaxprs.ClosedJaxpr):
        return _program(value)
    if isinstance(value, (tuple, list)):
        items: Sequence[Any] = value
        return type(items), tuple(map(_param, items))
    try:
        hash(value)
    except TypeError:
        return "object", id(value)
    return type(value), value


def _program(program: jaxprs.Jaxpr | jaxprs.ClosedJaxpr) -> Hashable:
    """A jaxpr, whatever its variables are called."""
    is_closed = isinstance(program, jaxprs.ClosedJaxpr)
    jaxpr = program.jaxpr if is_closed else program
    numbers: dict[Any, int] = {}

    def atom(each: Any) -> Hashable:
        if jaxprs.is_literal(each):
            return _type(each), np.asarray(jaxprs.literal_value(each)).tobytes()
        return _type(each), numbers.setdefault(each, len(numbers))

    def atoms(several: Sequence[Any]) -> Hashable:
        return tuple(map(atom, several))

    consts = tuple(map(id, program.consts)) if is_closed else ()
    heads = atoms(jaxpr.constvars), atoms(jaxpr.invars)
    body = tuple(
        (_kind(eqn), atoms(eqn.invars), atoms(eqn.outvars)) for eqn in jaxpr.eqns
    )
    return consts, heads, body, atoms(jaxpr.outvars)
