"""Folds of arithmetic: neutral numbers, scalars, selections by constants, signs."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from typing import Any

import numpy as np
from jax import lax

from lowering import jaxprs
from lowering.normalise.origins import Origins

NEUTRAL = {"mul": 1.0, "div": 1.0, "max": -np.inf, "min": np.inf}


def drop_neutral(eqn: jaxprs.JaxprEqn, args: list[Any], origins: Origins) -> Any:
    """x*1, x/1, max(x, -inf), min(x, inf): exact for every x, NaN included."""
    del origins
    return _neutral_dropped(eqn, args)


def _neutral_dropped(eqn: jaxprs.JaxprEqn, args: list[Any]) -> Any:
    neutral = NEUTRAL[eqn.primitive.name]
    for position in (1,) if eqn.primitive.name == "div" else (0, 1):
        other = args[1 - position]
        is_whole = np.shape(other) == jaxprs.shape_of(eqn.outvars[0])
        if is_whole and _is_number(args[position], neutral):
            return other
    return None


def _is_number(value: Any, number: float) -> bool:
    return isinstance(value, np.generic) and bool(value == number)


def use_scalars(eqn: jaxprs.JaxprEqn, args: list[Any], origins: Origins) -> Any:
    """An operand that is one number everywhere is passed as that number."""
    shape = jaxprs.shape_of(eqn.outvars[0])
    for position, value in enumerate(args):
        origin = origins.of(value, "broadcast_in_dim")
        if (
            origin
            and np.shape(origin[1][0]) == ()
            and np.shape(args[1 - position]) == shape
        ):
            return _with_scalar(eqn, args, position, origin[1][0])
    return None


def _with_scalar(
    eqn: jaxprs.JaxprEqn, args: list[Any], position: int, scalar: Any
) -> Any:
    operands = [*args[:position], scalar, *args[position + 1 :]]
    if eqn.primitive.name in NEUTRAL:
        remaining = _neutral_dropped(eqn, operands)
        if remaining is not None:
            return remaining
    return jaxprs.bind(eqn, operands)[0]


def choose_case(eqn: jaxprs.JaxprEqn, args: list[Any], origins: Origins) -> Any:
    """A selection by a constant is the case it selects."""
    del eqn, origins
    which, *cases = args
    return cases[int(which)] if isinstance(which, np.generic) else None


def drop_negations(eqn: jaxprs.JaxprEqn, args: list[Any], origins: Origins) -> Any:
    """-(-x) is x."""
    del eqn
    origin = origins.of(args[0], "neg")
    return origin and origin[1][0]


def join_negations(eqn: jaxprs.JaxprEqn, args: list[Any], origins: Origins) -> Any:
    """x + (-y) and (-y) + x are x - y; x - (-y) is x + y."""
    is_sum = eqn.primitive.name == "add"
    shape = jaxprs.shape_of(eqn.outvars[0])
    for position in (1, 0) if is_sum else (1,):
        origin = origins.of(args[position], "neg")
        other = args[1 - position]
        if origin and np.shape(other) == np.shape(origin[1][0]) == shape:
            return (lax.sub if is_sum else lax.add)(other, origin[1][0])
    return None
