"""Derived primitives in terms of the core set.

A rewrite is a function of the operands, like the primitive itself: it takes them by
position and the equation's parameters by keyword, and stages other primitives. The
registry is keyed by the primitive's name.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

Rewrite = Callable[..., Any]

REWRITES: dict[str, Rewrite] = {}


def rewrites(*names: str) -> Callable[[Rewrite], Rewrite]:
    """Registers the decorated rewrite for the primitives of these names."""

    def register(rewrite: Rewrite) -> Rewrite:
        REWRITES.update(dict.fromkeys(names, rewrite))
        return rewrite

    return register


@rewrites("stop_gradient", "copy", "copy_p", "name")
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
    power: Any = x
    result: Any = None
    for bit in reversed(bin(abs(y))[2:]):
        if bit == "1":
            result = power if result is None else result * power
        power = power * power
    return jnp.divide(_scalar(1, x), result) if y < 0 else result


@rewrites("logistic")
def _logistic(x: Any, **_: Any) -> Any:
    """1 / (1 + exp(-x)); exp may overflow to inf, which gives the right limit 0."""
    one = _scalar(1, x)
    return jnp.divide(one, jnp.add(one, jnp.exp(-x)))


@rewrites("rem")
def _rem(x: Any, y: Any) -> Any:
    """Of integers, whose division truncates; floats are refused before."""
    return x - lax.div(x, y) * y


@rewrites("clamp")
def _clamp(low: Any, x: Any, high: Any) -> Any:
    return jnp.minimum(jnp.maximum(x, low), high)


@rewrites("is_finite")
def _is_finite(x: Any) -> Any:
    """x - x is 0 for finite x and NaN for the others."""
    return jnp.equal(x - x, _scalar(0, x))


@rewrites("xor")
def _xor(x: Any, y: Any) -> Any:
    """Of bool operands: integers are refused before (see `check`)."""
    return jnp.not_equal(x, y)


def _scalar(value: int, like: jax.Array) -> Any:
    """A NumPy scalar in the dtype of `like`: it becomes a literal of the jaxpr."""
    return np.asarray(value, like.dtype)[()]
