"""The logarithm of the gamma function, its derivatives, and Hurwitz's zeta function.

C. Lanczos' approximation (1964) with g = 7 and nine terms, of single precision; the
derivatives of higher order by Euler and Maclaurin's sum formula.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from lowering.cases import Case
from lowering.normalise.elementary import F32
from lowering.normalise.registry import rewrites_each

_LANCZOS = [
    676.520368121885098567009190444019,
    -1259.13921672240287047156078755283,
    771.3234287776530788486528258894,
    -176.61502916214059906584551354,
    12.507343278686904814458936853,
    -0.13857109526572011689554707,
    9.984369578019570859563e-6,
    1.50563273514931155834e-7,
]
_PI = F32(math.pi)
# B(2j) / (2j)! from j = 1 on, of Bernoulli's numbers B.
_BERNOULLI = [1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160]
_TERMS = 9  # that are summed at least before Euler and Maclaurin's formula
_MOST_TERMS = 4096


@rewrites_each("lgamma")
def _lgamma(x: Any) -> Any:
    reflects = x < F32(0.5)
    z = jnp.where(reflects, -x, x - F32(1))
    total = F32(0.99999999999980993227684700473478)
    for number, coefficient in enumerate(_LANCZOS):
        total = total + F32(coefficient) / (z + F32(number + 1))
    t = F32(7.5) + z
    log_t = _log_of_shifted(z)
    log_gamma = (
        F32(0.5 * math.log(2 * math.pi))
        + (z + F32(0.5) - t / log_t) * log_t
        + jnp.log(total)
    )
    size = jnp.abs(x)
    fraction = size - jnp.floor(size)
    angle = jnp.where(fraction > F32(0.5), F32(1) - fraction, fraction)
    sine = jnp.log(lax.sin(_PI * angle))
    reflected = F32(math.log(math.pi)) - sine - log_gamma
    reflected = jnp.where(jnp.abs(sine) < jnp.inf, reflected, -sine)
    result = jnp.where(reflects, reflected, log_gamma)
    return jnp.where(size == jnp.inf, size, result)


def _log_of_shifted(z: Any) -> Any:
    """log(z + 7.5)"""
    return F32(math.log(7.5)) + lax.log1p(z / F32(7.5))


@rewrites_each("digamma")
def _digamma(x: Any) -> Any:
    """The derivative of Lanczos' approximation; NaN at the poles but 0."""
    reflects = x < F32(0.5)
    z = jnp.where(reflects, -x, x - F32(1))
    value: Any = F32(0.99999999999980993227684700473478)
    slope: Any = F32(0)
    for number, coefficient in enumerate(_LANCZOS):
        divisor = z + F32(number + 1)
        value = value + F32(coefficient) / divisor
        slope = slope - F32(coefficient) / (divisor * divisor)
    direct = _log_of_shifted(z) + slope / value - F32(7) / (F32(7.5) + z)
    angle = _PI * (x + jnp.abs(jnp.floor(x + F32(0.5))))
    reflected = direct - _PI * lax.cos(angle) / lax.sin(angle)
    is_pole = (x <= F32(0)) & (x == jnp.floor(x))
    return jnp.where(is_pole, F32(np.nan), jnp.where(reflects, reflected, direct))


@rewrites_each("zeta")
def _zeta(s: Any, q: Any) -> Any:
    """The sum of (q + k)^-s over k >= 0; NaN for s < 1 and where it has two limits."""

    def add(state: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
        total, a, count = state
        return total + lax.pow(a, -s), a + F32(1), count + np.int32(1)

    start = (jnp.zeros_like(q), q, jnp.int32(0))

    def goes_on(state: tuple[Any, Any, Any]) -> Any:
        _, a, count = state
        return (count < _TERMS) | ((a < F32(_TERMS)) & (count < _MOST_TERMS))

    total, a, _ = lax.while_loop(goes_on, add, start)
    power = lax.pow(a, -s)
    inverse_square = F32(1) / (a * a)
    tail: Any = F32(0)
    for j in reversed(range(1, len(_BERNOULLI) + 1)):
        tail = F32(_BERNOULLI[j - 1]) + tail * inverse_square * (
            (s + F32(2 * j - 1)) * (s + F32(2 * j))
        )
    result = total + power * (a / (s - F32(1)) + F32(0.5) + tail * s / a)
    is_undefined = (s < F32(1)) | ((q <= F32(0)) & (jnp.floor(s) != s))
    half = F32(0.5) * s
    is_even = (jnp.floor(half) == half) & (jnp.abs(s) < jnp.inf)
    at_pole = jnp.where(is_even, F32(np.inf), F32(np.nan))
    result = jnp.where(is_undefined, F32(np.nan), result)
    result = jnp.where((q <= F32(0)) & (jnp.floor(q) == q), at_pole, result)
    return jnp.where(s == F32(1), F32(np.inf), result)


@rewrites_each("polygamma")
def _polygamma(n: Any, x: Any) -> Any:
    """(-1)^(n+1) n! zeta(n + 1, x), and digamma for n = 0."""
    half = n * F32(0.5)
    sign = jnp.where(jnp.floor(half) == half, F32(-1), F32(1))
    factorial = jnp.exp(lax.lgamma(n + F32(1)))
    result = sign * factorial * lax.zeta(n + F32(1), x)
    is_derivative = (n >= F32(0)) & (jnp.floor(n) == n)
    result = jnp.where(n == F32(0), lax.digamma(x), result)
    return jnp.where(is_derivative, result, F32(np.nan))


CASES = [
    Case("of any number", lambda x: (lax.lgamma(x), lax.digamma(x)), ("f32[n,m]",)),
    Case(
        "of positive numbers",
        lambda x: (
            lax.zeta(1.5 + abs(x), abs(x)),
            lax.polygamma(x * 0 + 1, abs(x)),
        ),
        ("f32[n]",),
    ),
]
