"""More ops that act on each element of one array.

Functions of the real numbers give float32 for integers and booleans; rounding leaves
integers as they are.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
from jax.scipy import special

from pyflame.errors import DTypeError
from pyflame.ops.halves import in_single
from pyflame.ops.shapes import text


def tan(x: jax.Array) -> jax.Array:
    return jnp.tan(x)


def asin(x: jax.Array) -> jax.Array:
    return jnp.arcsin(x)


def acos(x: jax.Array) -> jax.Array:
    return jnp.arccos(x)


def atan(x: jax.Array) -> jax.Array:
    return jnp.arctan(x)


def sinh(x: jax.Array) -> jax.Array:
    return jnp.sinh(x)


def cosh(x: jax.Array) -> jax.Array:
    return jnp.cosh(x)


def asinh(x: jax.Array) -> jax.Array:
    return jnp.arcsinh(x)


def acosh(x: jax.Array) -> jax.Array:
    return jnp.arccosh(x)


def atanh(x: jax.Array) -> jax.Array:
    return jnp.arctanh(x)


def exp2(x: jax.Array) -> jax.Array:
    return in_single(jnp.exp2, x)


def expm1(x: jax.Array) -> jax.Array:
    return jnp.expm1(x)


def log2(x: jax.Array) -> jax.Array:
    return jnp.log2(x)


def log10(x: jax.Array) -> jax.Array:
    return jnp.log10(x)


def log1p(x: jax.Array) -> jax.Array:
    return jnp.log1p(x)


def rsqrt(x: jax.Array) -> jax.Array:
    return jax.lax.rsqrt(floating(x))


def reciprocal(x: jax.Array) -> jax.Array:
    return jnp.reciprocal(floating(x))


def square(x: jax.Array) -> jax.Array:
    return jnp.square(x)


def erf(x: jax.Array) -> jax.Array:
    return special.erf(floating(x))


def erfc(x: jax.Array) -> jax.Array:
    return special.erfc(floating(x))


def erfinv(x: jax.Array) -> jax.Array:
    """The inverse of erf; infinite at -1 and 1, NaN beyond."""
    x = floating(x)
    wide = x.astype(jnp.promote_types(x.dtype, jnp.float32))
    return _erfinv(wide).astype(x.dtype)


@jax.custom_jvp
def _erfinv(x: jax.Array) -> jax.Array:
    """One step of Newton's method makes up for the short polynomial of erf_inv.

    Near 1 the step works on 1 - x, which is exact there, as erf(y) is not.
    """
    size = jnp.abs(x)
    first = jax.lax.erf_inv(size)
    miss = jnp.where(
        size > 0.5, (1 - size) - jax.lax.erfc(first), jax.lax.erf(first) - size
    )
    step = miss * (0.5 * math.sqrt(math.pi)) * jnp.exp(jnp.square(first))
    found = jnp.where(size < 1, first - step, first)
    return jnp.where(x < 0, -found, found)


@_erfinv.defjvp
def _erfinv_jvp(
    primals: tuple[jax.Array], tangents: tuple[jax.Array]
) -> tuple[jax.Array, jax.Array]:
    y = _erfinv(*primals)
    slope = (0.5 * math.sqrt(math.pi)) * jnp.exp(jnp.square(y))
    return y, slope * tangents[0]


def floor(x: jax.Array) -> jax.Array:
    check_number("floor", x)
    return jnp.floor(x)


def ceil(x: jax.Array) -> jax.Array:
    check_number("ceil", x)
    return jnp.ceil(x)


def trunc(x: jax.Array) -> jax.Array:
    check_number("trunc", x)
    return jnp.trunc(x)


def round(x: jax.Array, *, decimals: int) -> jax.Array:
    """To `decimals` places; a half goes to the even neighbour. The gradient is 0."""
    check_number("round", x)
    if decimals == 0:
        return jnp.round(x)
    scale = 10.0 ** abs(decimals)
    if decimals > 0:
        return (jnp.round(x * scale) / scale).astype(x.dtype)
    return (jnp.round(x / scale) * scale).astype(x.dtype)


def frac(x: jax.Array) -> jax.Array:
    """x - trunc(x)."""
    if not jnp.issubdtype(x.dtype, jnp.floating):
        raise DTypeError(
            f"frac of {text(x)}: only floats have a fractional part",
            help="convert first: x.to(pf.float32)",
        )
    return x - jnp.trunc(x)


def sign(x: jax.Array) -> jax.Array:
    """-1, 0 or 1, in the dtype of `x`; of NaN 0, as in PyTorch."""
    if x.dtype == jnp.bool_:
        return x
    signs = jnp.sign(x)
    is_float = jnp.issubdtype(x.dtype, jnp.floating)
    return jnp.where(jnp.isnan(x), 0, signs) if is_float else signs


def deg2rad(x: jax.Array) -> jax.Array:
    return floating(x) * (math.pi / 180)


def rad2deg(x: jax.Array) -> jax.Array:
    return floating(x) * (180 / math.pi)


def isnan(x: jax.Array) -> jax.Array:
    return jnp.isnan(x)


def isinf(x: jax.Array) -> jax.Array:
    return jnp.isinf(x)


def isfinite(x: jax.Array) -> jax.Array:
    return jnp.isfinite(x)


def nan_to_num(
    x: jax.Array, nan: jax.Array, *limits: jax.Array, given: tuple[str, ...]
) -> jax.Array:
    """NaN as `nan`; infinities as `limits`, or as the largest finite numbers."""
    named = dict(zip(given, limits, strict=True))
    return jnp.nan_to_num(x, copy=True, nan=nan, **named)


def logit(x: jax.Array, *eps: jax.Array) -> jax.Array:
    """log(x / (1 - x)), the inverse of sigmoid; `x` clamped by `eps`, if given.

    The gradient is 0 where `x` is clamped.
    """
    x = floating(x)
    if not eps:
        return jnp.log(x / (1 - x))
    low, high = jnp.asarray(eps[0], x.dtype), jnp.asarray(1 - eps[0], x.dtype)
    inside = (x >= low) & (x <= high)
    bounded = jnp.where(inside | jnp.isnan(x), x, jnp.clip(x, low, high))
    return jnp.log(bounded / (1 - bounded))


def floating(x: jax.Array) -> jax.Array:
    """Integers and booleans as float32, as PyTorch takes them."""
    x = jnp.asarray(x)
    return x if jnp.issubdtype(x.dtype, jnp.floating) else x.astype(jnp.float32)


def check_number(op: str, x: jax.Array) -> None:
    """Raises: DTypeError, if `x` is boolean."""
    if x.dtype == jnp.bool_:
        raise DTypeError(
            f"{op} of {text(x)}: booleans have no {op}",
            help="convert first: x.to(pf.int32)",
        )
