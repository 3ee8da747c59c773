"""Incomplete gamma functions, with their derivatives, and the incomplete beta function.

Where x is small against a, a power series; elsewhere a continued fraction (Cephes igam
and igamc; DLMF 8.11.4, 8.9.2 and 8.17.22). Derivatives are those of each term.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

import math
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import lax

from lowering.cases import Case
from lowering.element_call import element_call
from lowering.normalise.elementary import F32
from lowering.normalise.registry import rewrites_each

_EPSILON = F32(np.finfo(np.float32).eps)
_LARGEST_LOG = F32(math.log(np.finfo(np.float32).max))
_ZERO, _ONE = F32(0), F32(1)
_NAN, _INF = F32(np.nan), F32(np.inf)


class _Series(NamedTuple):
    divisor: Any
    term: Any
    total: Any
    term_slope: Any
    slope: Any
    goes_on: Any


def _series(a: Any, x: Any, by_slope: bool) -> tuple[Any, Any]:
    """The sum of x^n / ((a + 1) ... (a + n)), and its derivative by a.

    It ends when a term, or with `by_slope` a term's derivative, adds nothing more.
    """

    def add(state: _Series) -> _Series:
        divisor = state.divisor + _ONE
        ratio = x / divisor
        slope_of_ratio = state.term * x / (divisor * divisor)
        term_slope = state.term_slope * ratio - slope_of_ratio
        term = state.term * ratio
        slope, total = state.slope + term_slope, state.total + term
        change = jnp.abs(term_slope / slope) if by_slope else term / total
        return _Series(divisor, term, total, term_slope, slope, change > _EPSILON)

    zero, one = jnp.zeros_like(x), jnp.ones_like(x)
    start = _Series(a, one, one, zero, zero, jnp.array(True))
    end = lax.while_loop(lambda state: state.goes_on, add, start)
    return end.total, end.slope


class _Fraction(NamedTuple):
    """Numerators p and denominators q of two convergents, with derivatives by a."""

    value: Any
    slope: Any
    p: Any
    q: Any
    p_slope: Any
    q_slope: Any
    last_p: Any
    last_q: Any
    last_p_slope: Any
    last_q_slope: Any
    count: Any
    goes_on: Any


def _fraction(a: Any, x: Any, by_slope: bool) -> tuple[Any, Any]:
    """Gamma(a, x) exp(x) / x^a, and its derivative by a."""

    def advance(state: _Fraction) -> _Fraction:
        count = state.count + _ONE
        y = _ONE - a + count
        z = x + y + _ONE + count
        factor = y * count
        p = state.p * z - state.last_p * factor
        q = state.q * z - state.last_q * factor
        p_slope = (
            state.p_slope * z
            - state.p
            - state.last_p_slope * factor
            + state.last_p * count
        )
        q_slope = (
            state.q_slope * z
            - state.q
            - state.last_q_slope * factor
            + state.last_q * count
        )
        exists = q != _ZERO
        value = jnp.where(exists, p / q, state.value)
        # As in XLA, the slope is that of the convergent before.
        slope = jnp.where(exists, (p_slope - value * q_slope) / q, state.slope)
        change = (
            jnp.abs(slope - state.slope)
            if by_slope
            else jnp.abs((state.value - value) / value)
        )
        goes_on = (~exists | (change > _EPSILON)) & (count < F32(2000))
        scale = jnp.where(jnp.abs(p) > _ONE / _EPSILON, _EPSILON, _ONE)
        scaled = (
            p,
            q,
            p_slope,
            q_slope,
            state.p,
            state.q,
            state.p_slope,
            state.q_slope,
        )
        parts: Any = tuple(part * scale for part in scaled)
        return _Fraction(value, slope, *parts, count=count, goes_on=goes_on)

    zero, one = jnp.zeros_like(x), jnp.ones_like(x)
    p, q = x + _ONE, (x + (_ONE - a) + _ONE) * x
    value = p / q
    start = _Fraction(
        value, value * x / q, p, q, zero, -x, one, x, zero, zero, zero, jnp.array(True)
    )
    end = lax.while_loop(lambda state: state.goes_on, advance, start)
    return end.value, end.slope


def _log_density(a: Any, x: Any) -> Any:
    """log(x^a exp(-x) / Gamma(a))"""
    return a * jnp.log(x) - x - lax.lgamma(a)


@rewrites_each("igamma")
def _igamma(a: Any, x: Any) -> Any:
    def by_series(a: Any, x: Any) -> Any:
        return _series(a, x, by_slope=False)[0] * jnp.exp(_log_density(a, x)) / a

    def by_fraction(a: Any, x: Any) -> Any:
        return _ONE - _fraction(a, x, by_slope=False)[0] * jnp.exp(_log_density(a, x))

    return _regularised(a, x, by_series, by_fraction, lower=True)


@rewrites_each("igammac")
def _igammac(a: Any, x: Any) -> Any:
    def by_series(a: Any, x: Any) -> Any:
        series = _series(a, x, by_slope=False)[0]
        return _ONE - series * jnp.exp(_log_density(a, x)) / a

    def by_fraction(a: Any, x: Any) -> Any:
        return _fraction(a, x, by_slope=False)[0] * jnp.exp(_log_density(a, x))

    return _regularised(a, x, by_series, by_fraction, lower=False)


def _regularised(
    a: Any, x: Any, by_series: Any, by_fraction: Any, *, lower: bool
) -> Any:
    """One of P(a, x) and Q(a, x), at 0, infinity and outside of their domain too."""
    is_error = (x < _ZERO) | (a < _ZERO) | ((a == _ZERO) & (x == _ZERO))
    is_error = is_error | (a != a) | (x != x)
    if lower:  # as XLA has it, though the limit is 1
        is_error = is_error | ((a == _ZERO) & (x < _ONE))
    below, above = (_ZERO, _ONE) if lower else (_ONE, _ZERO)
    use_fraction = (x >= _ONE) & (x > a if lower else x >= a)
    vanishes = _log_density(a, x) < -_LARGEST_LOG
    is_usual = ~(is_error | vanishes | (x == _ZERO) | (x == _INF) | (a == _ZERO))
    far = jnp.where(use_fraction, above, below)
    found = lax.cond(
        is_usual,
        lambda a, x: lax.cond(use_fraction, by_fraction, by_series, a, x),
        lambda a, x: far,
        a,
        x,
    )
    found = jnp.where(x == _ZERO, below, found)
    found = jnp.where((x == _INF) | (a == _ZERO), above, found)
    return jnp.where(is_error, _NAN, found)


@rewrites_each("igamma_grad_a")
def _igamma_grad_a(a: Any, x: Any) -> Any:
    def by_series(a: Any, x: Any) -> Any:
        total, slope = _series(a, x, by_slope=True)
        log_slope = jnp.log(x) - lax.digamma(a + _ONE)
        return jnp.exp(_log_density(a, x)) * (total * log_slope + slope) / a

    def by_fraction(a: Any, x: Any) -> Any:
        total, slope = _fraction(a, x, by_slope=True)
        log_slope = jnp.log(x) - lax.digamma(a)
        return -jnp.exp(_log_density(a, x)) * (total * log_slope + slope)

    is_error = (x < _ZERO) | (a <= _ZERO) | (a != a) | (x != x)
    is_error = is_error | ((a == _INF) & (x != _ZERO))
    vanishes = _log_density(a, x) < -_LARGEST_LOG
    use_fraction = (x > _ONE) & (x > a)
    found = lax.cond(
        ~(is_error | vanishes | (x == _ZERO)),
        lambda a, x: lax.cond(use_fraction, by_fraction, by_series, a, x),
        lambda a, x: jnp.zeros_like(x),
        a,
        x,
    )
    return jnp.where(is_error, _NAN, found)


class _Beta(NamedTuple):
    value: Any
    c: Any
    d: Any
    count: Any
    goes_on: Any


def _beta_fraction(a: Any, b: Any, x: Any) -> Any:
    """The continued fraction of DLMF 8.17.22 by Lentz's method, as modified by Thompson
    and Barnett: numerators and denominators that vanish become small numbers."""
    small = _EPSILON * F32(0.5)

    def kept(part: Any) -> Any:
        return jnp.where(jnp.abs(part) < small, small, part)

    def advance(state: _Beta) -> _Beta:
        m = jnp.floor(state.count * F32(0.5))
        twice = a + F32(2) * m
        even = -(a + m) * (a + b + m) * x / (twice * (twice + _ONE))
        first = -(a + b) * x / (a + _ONE)
        odd = m * (b - m) * x / ((twice - _ONE) * twice)
        is_odd = m * F32(2) != state.count
        numerator = jnp.where(is_odd, jnp.where(m == _ZERO, first, even), odd)
        c = kept(_ONE + numerator / state.c)
        d = _ONE / kept(_ONE + numerator * state.d)
        change = c * d
        goes_on = (jnp.abs(change - _ONE) >= small) & (state.count < F32(198))
        return _Beta(state.value * change, c, d, state.count + _ONE, goes_on)

    one = jnp.ones_like(x)
    start = _Beta(one, one, jnp.zeros_like(x), one, jnp.array(True))
    return lax.while_loop(lambda state: state.goes_on, advance, start).value


@rewrites_each("regularized_incomplete_beta")
def _regularized_incomplete_beta(a: Any, b: Any, x: Any) -> Any:
    """By the continued fraction, of 1 - x with a and b exchanged where that converges
    faster (DLMF 8.17.4)."""
    is_direct = x < (a + _ONE) / (a + b + F32(2))
    first, second = jnp.where(is_direct, a, b), jnp.where(is_direct, b, a)
    at = jnp.where(is_direct, x, _ONE - x)
    log_ratio = lax.lgamma(second) - lax.lgamma(first + second)
    is_tiny = first < F32(2 * np.finfo(np.float32).tiny)
    log_power = lax.log1p(-at) * second
    factor = jnp.exp(jnp.log(at) * first + log_power - (lax.lgamma(first) + log_ratio))
    factor = jnp.where(is_tiny, jnp.exp(log_power - log_ratio), factor / first)
    fraction = element_call("beta_fraction_f32", _beta_fraction, first, second, at)
    found = factor / fraction
    found = jnp.where(is_direct, found, _ONE - found)
    a_ends, b_ends = (a == _ZERO) | (b == _INF), (b == _ZERO) | (a == _INF)
    is_zero = (b_ends & (x != _ONE)) | (a_ends & (x == _ZERO))
    is_one = (a_ends & (x != _ZERO)) | (b_ends & (x == _ONE))
    is_nan = (a < _ZERO) | (b < _ZERO) | (x < _ZERO) | (x > _ONE) | (a_ends & b_ends)
    is_nan = is_nan | (a != a) | (b != b) | (x != x)
    found = jnp.where(is_zero, _ZERO, jnp.where(is_one, _ONE, found))
    return jnp.where(is_nan, _NAN, found)


CASES = [
    Case(
        "gamma",
        lambda a, x: [
            function(0.5 + abs(a), abs(x))
            for function in (lax.igamma, lax.igammac, lax.igamma_grad_a)
        ],
        ("f32[n]", "f32[n]"),
    ),
    Case(
        "beta",
        lambda a, x: lax.betainc(0.5 + abs(a), 0.5 + abs(x), lax.logistic(x)),
        ("f32[n]", "f32[n]"),
    ),
]
