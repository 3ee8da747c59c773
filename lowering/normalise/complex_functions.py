"""Elementary functions of complex numbers, on pairs.

Roots, logarithms and inverse functions have the branch cuts of W. Kahan, "Branch cuts
for complex elementary functions" (1987), and as in XLA zeros of both signs lie on the
upper side of them.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from lowering import jaxprs
from lowering.normalise.complex_arithmetic import (
    divide,
    hypot,
    of_real,
    plus,
    times,
    times_i,
)
from lowering.normalise.complex_pairs import Pair, complex_rule
from lowering.normalise.rewrites import by_squaring

Function = Callable[..., Pair]

_ONE, _TWO, _HALF = np.float32(1), np.float32(2), np.float32(0.5)
_QUARTER, _ZERO, _INF = np.float32(0.25), np.float32(0), np.float32(np.inf)
_LOG_2, _HALF_PI = np.float32(np.log(2)), np.float32(np.pi / 2)
_FAR = np.float32(20)  # where tanh is 1 and sinh is cosh, in float32
_OVERFLOW = np.float32(88)  # beyond it, exp overflows
_HUGE = np.float32(1e8)  # 1 + x is x


def _function(name: str) -> Callable[[Function], Function]:
    """Registers a function of pairs for a primitive whose parameters do not matter."""

    def register(function: Function) -> Function:
        def rule(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
            del eqn
            return [function(*args)]

        complex_rule(name)(rule)
        return function

    return register


def _signed_as(x: Any, like: Any) -> Any:
    """x, which is not negative, below 0 where `like` is."""
    return jnp.where(like < _ZERO, -x, x)


@_function("sign")
def sign(z: Pair) -> Pair:
    """z / |z|, and 0 of 0."""
    size = hypot(*z)
    is_zero = size == _ZERO
    size = jnp.where(is_zero, _ONE, size)
    return Pair(*(jnp.where(is_zero, _ZERO, part / size) for part in z))


@_function("exp")
def exp(z: Pair) -> Pair:
    return _at_angle(jnp.exp(z.re), z.im)


def _at_angle(size: Any, angle: Any) -> Pair:
    """size exp(i angle): real for an angle of 0, however large."""
    re, im = size * jnp.cos(angle), size * jnp.sin(angle)
    is_real = angle == _ZERO
    return Pair(jnp.where(is_real, size, re), jnp.where(is_real, angle, im))


@_function("exp2")
def exp2(z: Pair) -> Pair:
    return exp(times(z, Pair(_LOG_2, _ZERO)))


@_function("expm1")
def expm1(z: Pair) -> Pair:
    """exp(z) - 1 without its cancellation: cos(b) - 1 is -2 sin(b/2)^2."""
    half = jnp.sin(z.im * _HALF)
    size = jnp.exp(z.re)
    near = jnp.expm1(z.re) - _TWO * half * half * size
    far = _at_angle(size, z.im)
    return Pair(jnp.where(z.re > _OVERFLOW, far.re, near), far.im)


@_function("log")
def log(z: Pair) -> Pair:
    return Pair(_log_size(z), jnp.arctan2(z.im, z.re))


def _log_size(z: Pair) -> Any:
    """log|z|; beside 1 from what |z|^2 is beyond it, which keeps the digits."""
    size = hypot(*z)
    large = jnp.maximum(jnp.abs(z.re), jnp.abs(z.im))
    small = jnp.minimum(jnp.abs(z.re), jnp.abs(z.im))
    beyond = (large - _ONE) * (large + _ONE) + small * small
    is_near = (size > _HALF) & (size < _TWO)
    near = _HALF * jnp.log1p(jnp.where(is_near, beyond, _ZERO))
    return jnp.where(is_near, near, jnp.log(size))


@_function("log1p")
def log1p(z: Pair) -> Pair:
    """log(1 + z), from |1 + z|^2 - 1 = a (2 + a) + b^2 where z is small."""
    beyond = z.re * (_TWO + z.re) + z.im * z.im
    is_small = jnp.maximum(jnp.abs(z.re), jnp.abs(z.im)) < _HALF
    near = _HALF * jnp.log1p(jnp.where(is_small, beyond, _ZERO))
    whole = plus(z, _ONE)
    re = jnp.where(is_small, near, _log_size(whole))
    return Pair(re, jnp.arctan2(z.im, whole.re))


@_function("sqrt")
def sqrt(z: Pair) -> Pair:
    """The root with a real part of at least 0."""
    re, im = _root(z)
    return Pair(re, _signed_as(im, z.im))


@_function("rsqrt")
def rsqrt(z: Pair) -> Pair:
    """Of the two roots of what lies on the cut, that of the side its zero tells."""
    re, im = _root(z)
    return _inverse(Pair(re, jnp.copysign(im, z.im)))


def _root(z: Pair) -> tuple[Any, Any]:
    """The sizes of both parts of the root."""
    size, other = jnp.abs(z.re), jnp.abs(z.im)
    larger = jnp.sqrt(size * _HALF + hypot(*z) * _HALF)
    smaller = other / (_TWO * jnp.where(larger == _ZERO, _ONE, larger))
    is_right = ~jnp.signbit(z.re)
    re = jnp.where(is_right, larger, smaller)
    im = jnp.where(is_right, smaller, larger)
    ends = jnp.isinf(size) & jnp.isfinite(other)
    re = jnp.where(ends, jnp.where(is_right, _INF, _ZERO), re)
    im = jnp.where(ends, jnp.where(is_right, _ZERO, _INF), im)
    re = jnp.where(jnp.isinf(other), _INF, re)
    im = jnp.where(jnp.isinf(other), _INF, im)
    return re, im


def _inverse(z: Pair) -> Pair:
    return divide(_one_like(z), z)


def _one_like(z: Pair) -> Pair:
    return of_real(jnp.ones_like(z.re))


def _turned(function: Function, z: Pair) -> Pair:
    """-i f(i z)"""
    turned = function(times_i(z))
    return Pair(turned.im, -turned.re)


@_function("sin")
def sin(z: Pair) -> Pair:
    return Pair(_cosh_times(z.im, jnp.sin(z.re)), _sinh_times(z.im, jnp.cos(z.re)))


@_function("cos")
def cos(z: Pair) -> Pair:
    return Pair(_cosh_times(z.im, jnp.cos(z.re)), -_sinh_times(z.im, jnp.sin(z.re)))


def _cosh_times(x: Any, factor: Any) -> Any:
    """cosh(x) times a factor, which may be small where cosh overflows."""
    far = _half_exp_times(x, factor)
    product = jnp.where(jnp.abs(x) > _OVERFLOW, far, jnp.cosh(x) * factor)
    return jnp.where(factor == _ZERO, factor, product)


def _sinh_times(x: Any, factor: Any) -> Any:
    """As `_cosh_times`, with sinh."""
    far = _half_exp_times(x, jnp.copysign(_ONE, x) * factor)
    product = jnp.where(jnp.abs(x) > _OVERFLOW, far, jnp.sinh(x) * factor)
    is_zero = (x == _ZERO) | (factor == _ZERO)
    zero = jnp.copysign(_ZERO, x) * jnp.copysign(_ONE, factor)
    return jnp.where(is_zero, zero, product)


def _half_exp_times(x: Any, factor: Any) -> Any:
    """exp(|x|) / 2 times a factor, which takes part before exp overflows."""
    half = jnp.exp(jnp.abs(x) * _HALF)
    return half * (factor * _HALF) * half


@_function("sinh")
def sinh(z: Pair) -> Pair:
    return _turned(sin, z)


@_function("cosh")
def cosh(z: Pair) -> Pair:
    return cos(times_i(z))


@_function("tanh")
def tanh(z: Pair) -> Pair:
    """(u s c + i t) / (1 + u s^2) of t = tan b, s = sinh a, c = cosh a, u = 1 + t^2.

    Far out, where s^2 would overflow, 1 + 4i sin b cos b exp(-2|a|) with a's sign.
    """
    near = jnp.clip(z.re, -_FAR, _FAR)
    tangent, s, c = jnp.tan(z.im), jnp.sinh(near), jnp.cosh(near)
    u = _ONE + tangent * tangent
    below = _ONE + u * s * s
    is_far = jnp.abs(z.re) > _FAR
    ebb = np.float32(4) * jnp.sin(z.im) * jnp.cos(z.im)
    ebb = ebb * jnp.exp(-_TWO * jnp.abs(z.re))
    re = jnp.where(is_far, jnp.copysign(jnp.ones_like(s), z.re), u * s * c / below)
    im = jnp.where(is_far, ebb, tangent / below)
    return Pair(re, jnp.where(z.im == _ZERO, z.im, im))


@_function("tan")
def tan(z: Pair) -> Pair:
    return _turned(tanh, z)


@_function("asin")
def asin(z: Pair) -> Pair:
    left, right = _around_one(z)
    near = jnp.arctan2(z.re, left.re * right.re - left.im * right.im)
    re = jnp.where(_is_huge(z), jnp.arctan2(z.re, jnp.abs(z.im)), near)
    return Pair(re, _signed_as(_acosh_size(z, left, right), z.im))


@_function("acos")
def acos(z: Pair) -> Pair:
    re, size = _acos(z)
    return Pair(re, -_signed_as(size, z.im))


@_function("acosh")
def acosh(z: Pair) -> Pair:
    im, re = _acos(z)
    return Pair(re, _signed_as(im, z.im))


def _acos(z: Pair) -> tuple[Any, Any]:
    """The real part of acos(z) and the size of its imaginary part."""
    left, right = _around_one(z)
    near = _TWO * jnp.arctan2(left.re, right.re)
    re = jnp.where(_is_huge(z), jnp.arctan2(jnp.abs(z.im), z.re), near)
    return re, _acosh_size(z, left, right)


def _around_one(z: Pair) -> tuple[Pair, Pair]:
    """The roots of 1 - z and of 1 + z."""
    return sqrt(Pair(_ONE - z.re, -z.im)), sqrt(plus(z, _ONE))


def _acosh_size(z: Pair, left: Pair, right: Pair) -> Any:
    """The size of the imaginary parts of acos and asin; log 2|z| if z is huge."""
    near = jnp.arcsinh(jnp.abs(left.re * right.im - left.im * right.re))
    return jnp.where(_is_huge(z), jnp.log(hypot(*z)) + _LOG_2, near)


def _is_huge(z: Pair) -> Any:
    return jnp.maximum(jnp.abs(z.re), jnp.abs(z.im)) > _HUGE


@_function("asinh")
def asinh(z: Pair) -> Pair:
    """i asin(-i z)"""
    turned = asin(Pair(z.im, -z.re))
    return Pair(_signed_as(jnp.abs(turned.im), z.re), turned.re)


@_function("atanh")
def atanh(z: Pair) -> Pair:
    """Far from 0 near 1/z and a right angle."""
    a, b = jnp.abs(z.re), z.im
    beside = (_ONE - a) * (_ONE - a) + b * b
    size = hypot(*z)
    far = jnp.where(jnp.isinf(size), _ZERO, a / size / size)
    re = _QUARTER * jnp.log1p(np.float32(4) * a / beside)
    re = jnp.copysign(jnp.where(_is_huge(z), far, re), z.re)
    im = _HALF * jnp.arctan2(_TWO * b, (_ONE - a) * (_ONE + a) - b * b)
    return Pair(re, jnp.where(_is_huge(z), _signed_as(_HALF_PI, b), im))


@_function("atan")
def atan(z: Pair) -> Pair:
    return _turned(atanh, z)


@_function("logistic")
def logistic(z: Pair) -> Pair:
    return _inverse(plus(exp(Pair(-z.re, -z.im)), _ONE))


@_function("pow")
def power(x: Pair, y: Any) -> Pair:
    """exp(y log x); 1 to the power of 0, and 0 for 0 to a power."""
    if not isinstance(y, Pair):
        y = of_real(lax.convert_element_type(y, np.float32))
    is_zero = (x.re == _ZERO) & (x.im == _ZERO)
    some = Pair(jnp.where(is_zero, _ONE, x.re), x.im)
    result = exp(times(y, log(some)))
    of_zero = jnp.where((y.re == _ZERO) & (y.im == _ZERO), _ONE, _ZERO)
    re = jnp.where(is_zero, of_zero, result.re)
    return Pair(re, jnp.where(is_zero, _ZERO, result.im))


@complex_rule("integer_pow")
def _integer_pow(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    z, y = args[0], eqn.params["y"]
    if y == 0:
        return [_one_like(z)]
    result = by_squaring(z, abs(y), times)
    return [_inverse(result) if y < 0 else result]
