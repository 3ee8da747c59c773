"""Small derived primitives in terms of the core set."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

from collections.abc import Callable
from operator import mul
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.ad_checkpoint import checkpoint_name

from lowering import jaxprs
from lowering.cases import Case
from lowering.normalise.conditional import rewrites_where
from lowering.normalise.registry import rewrites


@rewrites("stop_gradient", "copy", "copy_p", "name", "reshard")
def _identity(x: Any, **_: Any) -> Any:
    return x


@rewrites("device_put", "optimization_barrier")
def _identities(*xs: Any, **_: Any) -> list[Any]:
    return list(xs)


@rewrites("add_any")
def _add_any(x: Any, y: Any) -> Any:
    """Sums of cotangents, which gradients stage."""
    return x + y


@rewrites("square")
def _square(x: Any) -> Any:
    return x * x


@rewrites("integer_pow")
def _integer_pow(x: Any, *, y: int) -> Any:
    """x**y by repeated squaring, as XLA computes it."""
    if y == 0:
        return jnp.ones_like(x)
    result = by_squaring(x, abs(y), mul)
    return jnp.divide(_scalar(1, x), result) if y < 0 else result


def by_squaring(x: Any, exponent: int, times: Callable[[Any, Any], Any]) -> Any:
    """x to a power of 1 or more, in XLA's order."""
    power, result = x, None
    for bit in reversed(bin(exponent)[2:]):
        if bit == "1":
            result = power if result is None else times(result, power)
        power = times(power, power)
    return result


@rewrites("logistic")
def _logistic(x: Any, **_: Any) -> Any:
    """1 / (1 + exp(-x)); exp may overflow to inf, which gives the right limit 0."""
    one = _scalar(1, x)
    return jnp.divide(one, jnp.add(one, jnp.exp(-x)))


def _is_by_number(eqn: jaxprs.JaxprEqn) -> bool:
    return len(eqn.invars) != 3 or str(jaxprs.dtype_of(eqn.invars[0])) != "bool"


@rewrites_where(_is_by_number, "select_n")
def _select_by_number(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    """The first case for numbers below 0, the last one for numbers beyond it."""
    del eqn
    which, *cases = args
    chosen = cases[-1]
    for number in reversed(range(len(cases) - 1)):
        is_later = which > _scalar(number, which)
        chosen = lax.select_n(is_later, cases[number], chosen)
    return [chosen]


@rewrites("clamp")
def _clamp(low: Any, x: Any, high: Any) -> Any:
    return jnp.minimum(jnp.maximum(x, low), high)


@rewrites("is_finite")
def _is_finite(x: Any) -> Any:
    """x - x is 0 for finite x and NaN for the others."""
    return jnp.equal(x - x, _scalar(0, x))


def _scalar(value: int, like: jax.Array) -> Any:
    """A NumPy scalar in the dtype of `like`: it becomes a literal of the jaxpr."""
    return np.asarray(value, like.dtype)[()]


CASES = [
    Case(
        "what passes on",
        lambda x: lax.optimization_barrier(
            lax.stop_gradient(jax.device_put(checkpoint_name(jnp.copy(x), "x")))
        ),
        ("f32[n,m]",),
    ),
    Case(
        "sums of cotangents",
        jax.grad(lambda x: jnp.sum(jnp.tanh(x) * jnp.exp(x))),
        ("f32[n,m]",),
    ),
    Case(
        "powers",
        lambda x: (lax.square(x), x**5, lax.integer_pow(abs(x) + 1, -3)),
        ("f32[n,m]",),
    ),
    Case("logistic", lambda x: lax.logistic(30 * x), ("f32[n,m]",)),
    Case(
        "case of a number",
        lambda i, x: lax.select_n(i % 3, x, -x, x * x),
        ("i32[n]", "f32[n]"),
    ),
    Case("between", lambda x, y: lax.clamp(-0.5, x, abs(y)), ("f32[n,m]", "f32[n,m]")),
    Case("finite", lambda x: lax.is_finite(x / jnp.maximum(x, 0)), ("f32[n,m]",)),
]
