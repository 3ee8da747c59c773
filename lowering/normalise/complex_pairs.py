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

from lowering import jaxprs
from lowering.normalise.core_set import CONTROL_FLOW
from lowering.normalise.flow import staged_flow
from lowering.registering import registering

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
    return registering(COMPLEX_RULES, names)


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


def _as_pair(value: Any) -> Any:
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
            consts = [_as_pair(const) for const in closed.consts]
        literal = lambda atom: _as_pair(jaxprs.literal_value(atom))  # noqa: E731
        return jaxprs.interpret(closed.jaxpr, consts, args, _evaluate, literal)

    return function


def _evaluate(eqn: jaxprs.JaxprEqn, args: list[Any]) -> Sequence[Any]:
    called = jaxprs.called_jaxpr(eqn)
    if called is not None:
        return on_pairs(called)(*args)
    if not _has_complex(eqn):
        return jaxprs.bind(eqn, args)
    name = eqn.primitive.name
    if name in CONTROL_FLOW:
        return staged_flow(eqn, args, on_pairs)
    return COMPLEX_RULES[name](eqn, args)
