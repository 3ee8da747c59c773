"""The functions of <math> on Python floats, as total functions.

They compute in double precision; `to_f32` and `to_f16` round the result. For `sqrt`,
`inv`, `ceil`, `floor`, `sig` and `fscale` that gives the exact result rounded once;
the others are exact to well under one unit in the last place.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

# Values from here on round to infinity: the largest float plus half a step.
_F32_OVERFLOW = 3.4028235677973366e38
_F16_OVERFLOW = 65520.0


def to_f32(value: float) -> np.float32:
    """The nearest f32; too large values become infinite."""
    if -_F32_OVERFLOW < value < _F32_OVERFLOW or value != value:
        return np.float32(value)
    return np.float32(math.copysign(math.inf, value))


def to_f16(value: float) -> np.float16:
    """The nearest f16; too large values become infinite."""
    if -_F16_OVERFLOW < value < _F16_OVERFLOW or value != value:
        return np.float16(value)
    return np.float16(math.copysign(math.inf, value))


def ceil(x: float) -> float:
    return math.copysign(math.ceil(x), x) if math.isfinite(x) else x


def floor(x: float) -> float:
    return math.copysign(math.floor(x), x) if math.isfinite(x) else x


def sig(x: float) -> float:
    """The significand in [1, 2) with the sign of x; 0, inf and NaN unchanged."""
    if x == 0 or not math.isfinite(x):
        return x
    return 2 * math.frexp(x)[0]


def fscale(x: float, exponent: int) -> float:
    """x * 2**exponent"""
    try:
        return math.ldexp(x, exponent)
    except OverflowError:
        return math.copysign(math.inf, x)


def inv(x: float) -> float:
    return 1 / x if x != 0 else math.copysign(math.inf, x)


def sqrt(x: float) -> float:
    return math.sqrt(x) if x >= 0 else _negative_root(x)


def invsqrt(x: float) -> float:
    return inv(sqrt(x))


def exp(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def log(x: float) -> float:
    if x > 0:
        return math.log(x)
    return -math.inf if x == 0 else math.nan


def sin(x: float) -> float:
    return math.sin(x) if math.isfinite(x) else math.nan


def cos(x: float) -> float:
    return math.cos(x) if math.isfinite(x) else math.nan


def pow(x: float, y: float) -> float:
    """x**y as IEEE 754 defines `pow`: 0 to a negative power is infinite, a negative
    number to a fractional power NaN."""
    try:
        return math.pow(x, y)
    except OverflowError:
        return -math.inf if x < 0 and y % 2 == 1 else math.inf
    except ValueError:
        if x != 0:
            return math.nan
        return math.copysign(math.inf, x) if y % 2 == 1 else math.inf


def _negative_root(x: float) -> float:
    return x if x == 0 else math.nan


# Functions of one number, by the name in <math>.
FUNCTIONS: dict[str, Callable[[float], float]] = {
    "ceil": ceil,
    "cos": cos,
    "exp": exp,
    "floor": floor,
    "inv": inv,
    "invsqrt": invsqrt,
    "log": log,
    "sig": sig,
    "sin": sin,
    "sqrt": sqrt,
    "tanh": math.tanh,
}
# Those that a program may also use at compile time.
COMPTIME_FUNCTIONS = ("ceil", "floor", "sig", "tanh")
