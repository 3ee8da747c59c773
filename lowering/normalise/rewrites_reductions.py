"""Reductions in terms of those that have a rule of their own."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from lowering import jaxprs
from lowering.cases import Case
from lowering.normalise.conditional import rewrites_where
from lowering.normalise.registry import rewrites

_REDUCTION_OF = {
    "add": lax.reduce_sum,
    "mul": lax.reduce_prod,
    "max": lax.reduce_max,
    "min": lax.reduce_min,
    "and": lax.reduce_and,
    "or": lax.reduce_or,
    "xor": lax.reduce_xor,
}
_COMBINE: dict[str, Any] = {
    "add": lax.add,
    "mul": lax.mul,
    "max": lax.max,
    "min": lax.min,
    "and": lax.bitwise_and,
    "or": lax.bitwise_or,
    "xor": lax.bitwise_xor,
}


def _is_of_flags(eqn: jaxprs.JaxprEqn) -> bool:
    return str(jaxprs.dtype_of(eqn.invars[0])) == "bool"


@rewrites_where(_is_of_flags, "reduce_or", "reduce_max")
def _any(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    """PEs reduce float32 on the fabric: the largest of 0.0 and 1.0 says it."""
    largest = lax.reduce_max(args[0].astype(jnp.float32), eqn.params["axes"])
    return [lax.gt(largest, np.float32(0))]


@rewrites_where(_is_of_flags, "reduce_and", "reduce_min")
def _all(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    smallest = lax.reduce_min(args[0].astype(jnp.float32), eqn.params["axes"])
    return [lax.gt(smallest, np.float32(0))]


@rewrites("reduce")
def _reduce(
    *operands: Any, jaxpr: jaxprs.ClosedJaxpr, dimensions: tuple[int, ...], **_: Any
) -> list[Any]:
    """Computations that combine by one known operation each; others element by element.

    The order is the row-major one of the reduced elements, from the initial value on.
    """
    count = len(operands) // 2
    xs, starts = operands[:count], operands[count:]
    names = monoids(jaxpr)
    if names is None:
        return _one_by_one(xs, starts, jaxpr, dimensions)
    return [
        _COMBINE[name](start, _REDUCTION_OF[name](x, dimensions))
        for name, x, start in zip(names, xs, starts, strict=True)
    ]


def monoids(closed: jaxprs.ClosedJaxpr) -> list[str] | None:
    """What combines each pair of operands, or None if that is not one operation each.

    The jaxpr takes all accumulated values, then all new ones.
    """
    jaxpr = closed.jaxpr
    count = len(jaxpr.outvars)
    makers = {var: eqn for eqn in jaxpr.eqns for var in eqn.outvars}
    names: list[str] = []
    for number, out in enumerate(jaxpr.outvars):
        maker = None if jaxprs.is_literal(out) else makers.get(out)
        pair = {jaxpr.invars[number], jaxpr.invars[count + number]}
        if maker is None or maker.primitive.name not in _COMBINE:
            return None
        if any(map(jaxprs.is_literal, maker.invars)) or {*maker.invars} != pair:
            return None
        names.append(maker.primitive.name)
    return names


def combine(name: str, x: Any, y: Any) -> Any:
    """`x` and `y` under the monoid of this name."""
    return _COMBINE[name](x, y)


def _one_by_one(
    xs: Sequence[Any],
    starts: Sequence[Any],
    jaxpr: jaxprs.ClosedJaxpr,
    dimensions: tuple[int, ...],
) -> list[Any]:
    shape = xs[0].shape
    kept = [dim for dim in range(len(shape)) if dim not in dimensions]
    kept_shape = [shape[dim] for dim in kept]
    rows = math.prod(shape[dim] for dim in dimensions)
    sequences = [
        lax.transpose(x, (*sorted(dimensions), *kept)).reshape((rows, *kept_shape))
        for x in xs
    ]
    step = jaxprs.jaxpr_as_fun(jaxpr)
    for _ in kept:
        step = jax.vmap(step)

    def turn(carry: list[Any], row: list[Any]) -> tuple[list[Any], None]:
        return list(step(*carry, *row)), None

    start = [jnp.broadcast_to(value, kept_shape) for value in starts]
    return list(lax.scan(turn, start, sequences)[0])


CASES = [
    Case("flags", lambda x: ((x > 0).any(1), (x > 0).all(0)), ("f32[n,m]",)),
    Case(
        "by a computation",
        lambda x, y: lax.reduce(
            (x, y),
            (np.float32(0), np.float32(1)),
            lambda a, b: (a[0] + b[0], a[1] * b[1]),
            (1,),
        ),
        ("f32[n,m]", "f32[n,m]"),
    ),
]
