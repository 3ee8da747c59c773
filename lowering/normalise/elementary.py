"""Elementary functions of one f32 in terms of exp, log, sqrt, sine and cosine.

Cephes is S. Moshier's library of that name, whose polynomials for single precision are
used here; Kahan is W. Kahan's "Branch cuts for complex elementary functions" (1987).
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
from lowering.machine_op import machine_op
from lowering.normalise.bits import bits_of, float_of
from lowering.normalise.registry import of_each, rewrites, rewrites_each

F32 = np.float32
_LN2 = F32(math.log(2))


def horner(x: Any, coefficients: list[float]) -> Any:
    """The polynomial with these coefficients, the highest power's first."""
    result: Any = F32(coefficients[0])
    for coefficient in coefficients[1:]:
        result = result * x + F32(coefficient)
    return result


def with_sign(size: Any, like: Any) -> Any:
    """The size with the sign of another number, -0.0 included."""
    sign = bits_of(like) & np.uint32(1 << 31)
    return float_of(bits_of(size) | sign)


# --- exponentials and logarithms ---------------------------------------------------


@rewrites("exp2")
def _exp2(x: Any, **_: Any) -> Any:
    """exp(x ln 2), as XLA has it."""
    return jnp.exp(x * np.asarray(math.log(2)).astype(x.dtype)[()])


@rewrites_each("log1p")
def _log1p(x: Any) -> Any:
    """Near 0 from log(1 + x) = 2 artanh(s), s = x / (2 + x), as FreeBSD's msun has it:
    x - (h - s (h + r)) with h = x^2 / 2 and r the rest of the series."""
    s = x / (F32(2) + x)
    square = s * s
    rest = square * horner(square, [2 / 9, 2 / 7, 2 / 5, 2 / 3])
    half = F32(0.5) * x * x
    near = x - (half - s * (half + rest))
    is_near = (x > F32(-0.2928)) & (x < F32(0.4142))
    return jnp.where(is_near, near, jnp.log(F32(1) + x))


@rewrites_each("expm1")
def _expm1(x: Any) -> Any:
    """Taylor's polynomial up to 1/2, exp(x) - 1 beyond."""
    series = horner(x, [1 / math.factorial(n) for n in range(8, 1, -1)])
    near = x + x * x * series
    result = jnp.where(jnp.abs(x) < F32(0.5), near, jnp.exp(x) - F32(1))
    return with_sign(result, x)


@rewrites_each("cbrt")
def _cbrt(x: Any) -> Any:
    """exp(log|x| / 3), corrected by one step of Newton's method."""
    size = jnp.abs(x)
    root = jnp.exp(jnp.log(size) * F32(1 / 3))
    better = root - (root - size / (root * root)) * F32(1 / 3)
    usual = (size > F32(0)) & (size < jnp.inf)
    return jnp.where(usual, with_sign(better, x), x)


# --- hyperbolic functions ----------------------------------------------------------


@rewrites_each("sinh")
def _sinh(x: Any) -> Any:
    size = jnp.abs(x)
    e = lax.expm1(size)
    near = F32(0.5) * (e + e / (e + F32(1)))
    half = jnp.exp(F32(0.5) * size)
    far = (F32(0.5) * half) * half
    return with_sign(jnp.where(size < F32(9), near, far), x)


@rewrites_each("cosh")
def _cosh(x: Any) -> Any:
    size = jnp.abs(x)
    half = jnp.exp(F32(0.5) * size)
    e = half * half
    return jnp.where(size < F32(9), F32(0.5) * (e + F32(1) / e), F32(0.5) * half * half)


@rewrites_each("asinh")
def _asinh(x: Any) -> Any:
    """log1p(a + a^2 / (1 + sqrt(a^2 + 1))), or log(a) + log 2 where a^2 is large."""
    size = jnp.abs(x)
    square = size * size
    near = lax.log1p(size + square / (F32(1) + jnp.sqrt(square + F32(1))))
    far = jnp.log(size) + _LN2
    return with_sign(jnp.where(size < F32(1e8), near, far), x)


@rewrites_each("acosh")
def _acosh(x: Any) -> Any:
    """log1p(t + sqrt(2t + t^2)) with t = x - 1, or log(x) + log 2 for large x."""
    t = x - F32(1)
    near = lax.log1p(t + jnp.sqrt(F32(2) * t + t * t))
    inside = jnp.where(x < F32(1e8), near, jnp.log(x) + _LN2)
    return jnp.where(x < F32(1), F32(np.nan), inside)


@rewrites_each("atanh")
def _atanh(x: Any) -> Any:
    size = jnp.abs(x)
    result = F32(0.5) * lax.log1p(F32(2) * size / (F32(1) - size))
    return with_sign(result, x)


# --- inverse trigonometric functions -----------------------------------------------


def _atan_of_small(z: Any) -> Any:
    """For |z| <= tan(pi/8) (Cephes, atanf)."""
    square = z * z
    series = horner(
        square,
        [8.05374449538e-2, -1.38776856032e-1, 1.99777106478e-1, -3.33329491539e-1],
    )
    return series * square * z + z


def _atan_of_size(size: Any) -> Any:
    """For size >= 0: by tan(a - b) around pi/4 and pi/2 (Cephes, atanf)."""
    large, middle = size > F32(2.414213562373095), size > F32(0.4142135623730950)
    reduced = jnp.where(middle, (size - F32(1)) / (size + F32(1)), size)
    reduced = jnp.where(large, F32(-1) / size, reduced)
    start = jnp.where(middle, F32(math.pi / 4), F32(0))
    start = jnp.where(large, F32(math.pi / 2), start)
    return start + _atan_of_small(reduced)


@rewrites_each("atan")
def _atan(x: Any) -> Any:
    return with_sign(_atan_of_size(jnp.abs(x)), x)


@rewrites_each("atan2")
def _atan2(y: Any, x: Any) -> Any:
    """The angle of the point (x, y), all quadrants and signs of zero told apart."""
    x_size, y_size = jnp.abs(x), jnp.abs(y)
    both = (x_size == y_size) & ((x_size == F32(0)) | (x_size == jnp.inf))
    slope = jnp.where(
        both, jnp.where(x_size == F32(0), F32(0), F32(1)), y_size / x_size
    )
    angle = _atan_of_size(slope)
    is_left = bits_of(x) >= np.uint32(1 << 31)
    angle = jnp.where(is_left, F32(math.pi) - angle, angle)
    return jnp.where((x != x) | (y != y), x + y, with_sign(angle, y))


def _asin_of_small(size: Any, square: Any) -> Any:
    """asin of size, at most 1/2, whose square is given (Cephes, asinf)."""
    series = horner(
        square,
        [
            4.2163199048e-2,
            2.4181311049e-2,
            4.5470025998e-2,
            7.4953002686e-2,
            1.6666752422e-1,
        ],
    )
    return series * square * size + size


@rewrites_each("asin")
def _asin(x: Any) -> Any:
    """pi/2 - 2 asin(sqrt((1 - |x|) / 2)) beyond 1/2 (Cephes, asinf)."""
    size = jnp.abs(x)
    is_large = size > F32(0.5)
    rest = F32(0.5) * (F32(1) - size)
    square = jnp.where(is_large, rest, size * size)
    angle = _asin_of_small(jnp.where(is_large, jnp.sqrt(rest), size), square)
    angle = jnp.where(is_large, F32(math.pi / 2) - F32(2) * angle, angle)
    return with_sign(angle, x)


@rewrites_each("acos")
def _acos(x: Any) -> Any:
    size = jnp.abs(x)
    is_large = size > F32(0.5)
    rest = F32(0.5) * (F32(1) - size)
    square = jnp.where(is_large, rest, x * x)
    angle = _asin_of_small(jnp.where(is_large, jnp.sqrt(rest), x), square)
    ends = jnp.where(x < F32(0), F32(math.pi) - F32(2) * angle, F32(2) * angle)
    return jnp.where(is_large, ends, F32(math.pi / 2) - angle)


# --- whole numbers, powers ----------------------------------------------------------


@rewrites("round")
def _round(x: Any, *, rounding_method: Any) -> Any:
    to_even = rounding_method == lax.RoundingMethod.TO_NEAREST_EVEN
    name = "round_to_even" if to_even else "round_away"
    return of_each(name, lambda x: _rounded(x, to_even), x)


def _rounded(x: Any, to_even: bool) -> Any:
    """The size's integer part, one more if the rest is more than a half, or is one
    half and the rule rounds up."""
    size = jnp.abs(x)
    whole = jnp.floor(size)
    rest = size - whole
    half = whole * F32(0.5)
    rounds_up = (jnp.floor(half) != half) if to_even else jnp.array(True)
    up = (rest > F32(0.5)) | ((rest == F32(0.5)) & rounds_up)
    rounded = with_sign(jnp.where(up, whole + F32(1), whole), x)
    return jnp.where(size < F32(2**23), rounded, x)


@rewrites("floor")
def _floor(x: Any) -> Any:
    return machine_op("floor", x.astype(jnp.float32)).astype(x.dtype)


@rewrites("ceil")
def _ceil(x: Any) -> Any:
    return machine_op("ceil", x.astype(jnp.float32)).astype(x.dtype)


@rewrites("pow")
def _pow(x: Any, y: Any) -> Any:
    """<math> has it as IEEE 754 does; an integer exponent is converted, as in XLA."""
    wide = [value.astype(jnp.float32) for value in (x, y)]
    return machine_op("pow", *wide).astype(x.dtype)


CASES = [
    Case("exp2, cbrt", lambda x: (lax.exp2(x), lax.cbrt(x)), ("f32[n,m]",)),
    Case(
        "near 0 and far",
        lambda x: [(lax.expm1(x * s), lax.log1p(abs(x * s))) for s in (1e-3, 2.0)],
        ("f32[n,m]",),
    ),
    Case(
        "hyperbolic",
        lambda x: [lax.sinh(x), lax.cosh(x), lax.asinh(x), lax.acosh(1 + abs(x))],
        ("f32[n,m]",),
    ),
    Case(
        "angles",
        lambda x: [f(lax.tanh(x)) for f in (lax.asin, lax.acos, lax.atan, lax.atanh)],
        ("f32[n,m]",),
    ),
    Case("angles of points", lax.atan2, ("f32[n,m]", "f32[n,m]")),
    Case(
        "rounding",
        lambda x: [lax.floor(x), lax.ceil(x), lax.round(x * 4), jnp.round(x * 4)],
        ("f32[n,m]",),
    ),
    Case("pow", lambda x, y: lax.pow(abs(x), y), ("f32[n,m]", "f32[n,m]")),
]
