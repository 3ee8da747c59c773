"""Complex numbers as pairs of real ones: the wafer has no others.

Every value of complex64 becomes two of float32, its real and its imaginary part, also
where loops carry it and branches give it. `complex_rules` says what equations become.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import lax

from lowering import jaxprs

COMPLEX = "complex64"


class Pair(NamedTuple):
    """The real and the imaginary part of a complex array, float32 both."""

    re: Any
    im: Any

    @property
    def shape(self) -> tuple[int, ...]:
        return np.shape(self.re)


# The results of an equation; complex operands and results are pairs.
ComplexRule = Callable[[jaxprs.JaxprEqn, list[Any]], Sequence[Any]]

COMPLEX_RULES: dict[str, ComplexRule] = {}


def complex_rule(*names: str) -> Callable[[ComplexRule], ComplexRule]:
    """Registers the decorated function for complex operands of these primitives."""

    def register(rule: ComplexRule) -> ComplexRule:
        for name in names:
            assert name not in COMPLEX_RULES, f"{name} has two rules for pairs"
            COMPLEX_RULES[name] = rule
        return rule

    return register


def is_complex(atom: Any) -> bool:
    """Whether a variable or literal is of complex numbers that may become pairs."""
    return str(jaxprs.dtype_of(atom)) == COMPLEX


def takes_complex(eqn: jaxprs.JaxprEqn) -> bool:
    """Whether an operand or a result of the equation is complex."""
    return any(map(is_complex, [*eqn.invars, *eqn.outvars]))


def without_complex(closed: jaxprs.ClosedJaxpr) -> jaxprs.ClosedJaxpr:
    """The same program on pairs. What it takes and gives is real already, and all of
    its equations on complex numbers have a rule."""
    if not any(map(_has_complex, closed.jaxpr.eqns)):
        return closed
    return jaxprs.trace(on_pairs(closed), closed.jaxpr.in_avals)


def as_pair(value: Any) -> Any:
    """A constant as a pair, if it is complex."""
    if str(value.dtype) != COMPLEX:
        return value
    return Pair(*(np.array(part(value), np.float32)[()] for part in (np.real, np.imag)))


def _has_complex(eqn: jaxprs.JaxprEqn) -> bool:
    nested = [inner for sub in jaxprs.sub_jaxprs(eqn) for inner in sub.jaxpr.eqns]
    return takes_complex(eqn) or any(map(_has_complex, nested))


def on_pairs(closed: jaxprs.ClosedJaxpr) -> Callable[..., list[Any]]:
    """The jaxpr as a function of real arrays and pairs."""

    def function(*args: Any) -> list[Any]:
        with jax.ensure_compile_time_eval():
            consts = [as_pair(const) for const in closed.consts]
        literal = lambda atom: as_pair(jaxprs.literal_value(atom))  # noqa: E731
        return jaxprs.interpret(closed.jaxpr, consts, args, _evaluate, literal)

    return function


def _evaluate(eqn: jaxprs.JaxprEqn, args: list[Any]) -> Sequence[Any]:
    called = jaxprs.called_jaxpr(eqn)
    if called is not None:
        return on_pairs(called)(*args)
    if not _has_complex(eqn):
        return jaxprs.bind(eqn, args)
    name = eqn.primitive.name
    return _FLOW[name](eqn, args) if name in _FLOW else COMPLEX_RULES[name](eqn, args)


def _scan(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    consts, carries = eqn.params["num_consts"], eqn.params["num_carry"]
    body = on_pairs(eqn.params["jaxpr"])

    def step(carry: list[Any], x: list[Any]) -> tuple[list[Any], list[Any]]:
        results = body(*args[:consts], *carry, *x)
        return results[:carries], results[carries:]

    carry, stacked = lax.scan(
        step,
        args[consts : consts + carries],
        args[consts + carries :],
        length=eqn.params["length"],
        reverse=eqn.params["reverse"],
    )
    return [*carry, *stacked]


def _while(eqn: jaxprs.JaxprEqn, args: list[Any]) -> Sequence[Any]:
    tested, used = eqn.params["cond_nconsts"], eqn.params["body_nconsts"]
    test = on_pairs(eqn.params["cond_jaxpr"])
    body = on_pairs(eqn.params["body_jaxpr"])
    test_given, body_given = args[:tested], args[tested : tested + used]
    return lax.while_loop(
        lambda carry: test(*test_given, *carry)[0],
        lambda carry: body(*body_given, *carry),
        args[tested + used :],
    )


def _cond(eqn: jaxprs.JaxprEqn, args: list[Any]) -> Sequence[Any]:
    branches = [on_pairs(branch) for branch in eqn.params["branches"]]
    return lax.switch(args[0], branches, *args[1:])


_FLOW: dict[str, ComplexRule] = {"scan": _scan, "while": _while, "cond": _cond}
