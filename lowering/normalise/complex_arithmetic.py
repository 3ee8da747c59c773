"""Products, quotients and sizes of pairs of real arrays."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from lowering.normalise.complex_pairs import Pair

_ONE, _ZERO = np.float32(1), np.float32(0)
_INF = np.float32(np.inf)


def of_real(x: Any) -> Pair:
    """Real numbers as complex ones."""
    return Pair(x, jnp.zeros_like(x))


def times(x: Pair, y: Pair) -> Pair:
    return Pair(x.re * y.re - x.im * y.im, x.re * y.im + x.im * y.re)


def square(z: Pair) -> Pair:
    """z * z, of which neither part overflows before it has to."""
    return Pair((z.re - z.im) * (z.re + z.im), z.re * z.im * np.float32(2))


def larger(x: Pair, y: Pair) -> Pair:
    """The one of the larger real part, then of the larger imaginary part; else y."""
    return _where(_is_beyond(x, y), x, y)


def smaller(x: Pair, y: Pair) -> Pair:
    return _where(_is_beyond(y, x), x, y)


def _is_beyond(x: Pair, y: Pair) -> Any:
    return jnp.where(x.re == y.re, x.im > y.im, x.re > y.re)


def scaled(z: Pair, factor: Any) -> Pair:
    """A pair times real numbers."""
    return Pair(z.re * factor, z.im * factor)


def plus(x: Pair, number: Any) -> Pair:
    """A pair and real numbers added."""
    return Pair(x.re + number, x.im)


def times_i(z: Pair) -> Pair:
    return Pair(-z.im, z.re)


def divide(x: Pair, y: Pair) -> Pair:
    """x / y by Smith's method, with the limits of C99 (annex G.5.1).

    The quotient of the divisor's parts scales it, so that its square is not needed.
    """
    wide = jnp.abs(y.re) >= jnp.abs(y.im)
    large, small = jnp.where(wide, y.re, y.im), jnp.where(wide, y.im, y.re)
    ratio = small / large
    size = large + small * ratio
    re = jnp.where(wide, x.re + x.im * ratio, x.re * ratio + x.im) / size
    im = jnp.where(wide, x.im - x.re * ratio, x.im * ratio - x.re) / size
    return _at_limits(x, y, Pair(re, im))


def _at_limits(x: Pair, y: Pair, quotient: Pair) -> Pair:
    """The quotient where it is NaN for an infinite operand or a divisor of 0."""
    unknown = jnp.isnan(quotient.re) & jnp.isnan(quotient.im)
    by_zero = (y.re == _ZERO) & (y.im == _ZERO)
    infinity = jnp.where(jnp.signbit(y.re), -_INF, _INF)
    result = _where(unknown & by_zero, scaled(x, infinity), quotient)
    finite_x, finite_y = _is_finite(x), _is_finite(y)
    ones = _corner(x)
    far = Pair(
        _INF * (ones.re * y.re + ones.im * y.im),
        _INF * (ones.im * y.re - ones.re * y.im),
    )
    is_far = unknown & _is_infinite(x) & finite_y & ~by_zero
    result = _where(is_far, far, result)
    ones = _corner(y)
    near = Pair(
        _ZERO * (x.re * ones.re + x.im * ones.im),
        _ZERO * (x.im * ones.re - x.re * ones.im),
    )
    return _where(unknown & _is_infinite(y) & finite_x, near, result)


def _where(test: Any, x: Pair, y: Pair) -> Pair:
    return Pair(jnp.where(test, x.re, y.re), jnp.where(test, x.im, y.im))


def _is_infinite(z: Pair) -> Any:
    return jnp.isinf(z.re) | jnp.isinf(z.im)


def _is_finite(z: Pair) -> Any:
    return jnp.isfinite(z.re) & jnp.isfinite(z.im)


def _corner(z: Pair) -> Pair:
    """For each part 1 if it is infinite and 0 if not, with its sign."""
    return Pair(*(jnp.copysign(jnp.where(jnp.isinf(x), _ONE, _ZERO), x) for x in z))


def hypot(a: Any, b: Any) -> Any:
    """sqrt(a^2 + b^2), of the quotient of the smaller by the larger; NaN for NaN."""
    large = jnp.maximum(jnp.abs(a), jnp.abs(b))
    small = jnp.minimum(jnp.abs(a), jnp.abs(b))
    ratio = small / jnp.where(large == _ZERO, _ONE, large)
    length = large * jnp.sqrt(_ONE + ratio * ratio)
    return jnp.where(jnp.isinf(large), _INF, length)
