"""Functions of each element of one Tensor, array or number, in any shape.

Functions of real numbers give float32 for integers and booleans, and the dtype of `x`
for floats. What is not defined for an element is NaN.
"""

from __future__ import annotations

from typing import Any

from pyflame.arguments import frozen_dim, integer_arg, number_arg
from pyflame.dtypes import as_dtype
from pyflame.ops import activation, elementwise, pointwise
from pyflame.recorded import apply


def neg(x: Any) -> Any:
    """-x.

    Raises: DTypeError for booleans.
    """
    return apply(elementwise.neg, x)


def abs(x: Any) -> Any:
    """|x|, with gradient 0 at 0."""
    return apply(elementwise.abs, x)


def sqrt(x: Any) -> Any:
    """Square root; NaN below 0."""
    return apply(elementwise.sqrt, x)


def rsqrt(x: Any) -> Any:
    """1 / sqrt(x); infinite at 0, NaN below."""
    return apply(pointwise.rsqrt, x)


def square(x: Any) -> Any:
    """x * x; booleans become int32."""
    return apply(pointwise.square, x)


def reciprocal(x: Any) -> Any:
    """1 / x."""
    return apply(pointwise.reciprocal, x)


def exp(x: Any) -> Any:
    """e ** x."""
    return apply(elementwise.exp, x)


def exp2(x: Any) -> Any:
    """2 ** x."""
    return apply(pointwise.exp2, x)


def expm1(x: Any) -> Any:
    """exp(x) - 1, exact near 0."""
    return apply(pointwise.expm1, x)


def log(x: Any) -> Any:
    """Natural logarithm; NaN below 0."""
    return apply(elementwise.log, x)


def log2(x: Any) -> Any:
    """Logarithm to base 2; NaN below 0."""
    return apply(pointwise.log2, x)


def log10(x: Any) -> Any:
    """Logarithm to base 10; NaN below 0."""
    return apply(pointwise.log10, x)


def log1p(x: Any) -> Any:
    """log(1 + x), exact near 0; NaN below -1."""
    return apply(pointwise.log1p, x)


def sin(x: Any) -> Any:
    """Sine of radians."""
    return apply(elementwise.sin, x)


def cos(x: Any) -> Any:
    """Cosine of radians."""
    return apply(elementwise.cos, x)


def tan(x: Any) -> Any:
    """Tangent of radians."""
    return apply(pointwise.tan, x)


def asin(x: Any) -> Any:
    """The angle in radians with sine x; NaN beyond -1 and 1."""
    return apply(pointwise.asin, x)


def acos(x: Any) -> Any:
    """The angle in radians with cosine x; NaN beyond -1 and 1."""
    return apply(pointwise.acos, x)


def atan(x: Any) -> Any:
    """The angle in radians with tangent x."""
    return apply(pointwise.atan, x)


def sinh(x: Any) -> Any:
    """Hyperbolic sine."""
    return apply(pointwise.sinh, x)


def cosh(x: Any) -> Any:
    """Hyperbolic cosine."""
    return apply(pointwise.cosh, x)


def tanh(x: Any) -> Any:
    """Hyperbolic tangent."""
    return apply(elementwise.tanh, x)


def asinh(x: Any) -> Any:
    """The inverse of sinh."""
    return apply(pointwise.asinh, x)


def acosh(x: Any) -> Any:
    """The inverse of cosh; NaN below 1."""
    return apply(pointwise.acosh, x)


def atanh(x: Any) -> Any:
    """The inverse of tanh; NaN beyond -1 and 1."""
    return apply(pointwise.atanh, x)


def erf(x: Any) -> Any:
    """The error function."""
    return apply(pointwise.erf, x)


def erfc(x: Any) -> Any:
    """1 - erf(x), exact for large x."""
    return apply(pointwise.erfc, x)


def erfinv(x: Any) -> Any:
    """The inverse of erf; NaN beyond -1 and 1."""
    return apply(pointwise.erfinv, x)


def deg2rad(x: Any) -> Any:
    """Degrees as radians."""
    return apply(pointwise.deg2rad, x)


def rad2deg(x: Any) -> Any:
    """Radians as degrees."""
    return apply(pointwise.rad2deg, x)


def floor(x: Any) -> Any:
    """The largest integer not above x, in the dtype of x.

    Raises: DTypeError for booleans, as do `ceil`, `trunc` and `round`.
    """
    return apply(pointwise.floor, x)


def ceil(x: Any) -> Any:
    """The smallest integer not below x, in the dtype of x."""
    return apply(pointwise.ceil, x)


def trunc(x: Any) -> Any:
    """The integer part of x, in the dtype of x."""
    return apply(pointwise.trunc, x)


def frac(x: Any) -> Any:
    """x - trunc(x).

    Raises: DTypeError for integers and booleans.
    """
    return apply(pointwise.frac, x)


def sign(x: Any) -> Any:
    """-1, 0 or 1, in the dtype of x."""
    return apply(pointwise.sign, x)


def isnan(x: Any) -> Any:
    """Whether it is NaN."""
    return apply(pointwise.isnan, x)


def isinf(x: Any) -> Any:
    """Whether it is infinite."""
    return apply(pointwise.isinf, x)


def isfinite(x: Any) -> Any:
    """Whether it is neither NaN nor infinite."""
    return apply(pointwise.isfinite, x)


def logit(x: Any, eps: float | None = None) -> Any:
    """log(x / (1 - x)), the inverse of sigmoid; NaN beyond 0 and 1.

    With `eps`, `x` is taken between `eps` and 1 - `eps`.
    """
    if eps is None:
        return apply(pointwise.logit, x)
    return apply(pointwise.logit, x, float(number_arg("logit", "eps", eps)))


def relu(x: Any) -> Any:
    """max(x, 0), with gradient 0 at 0."""
    return apply(activation.relu, x)


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x))."""
    return apply(activation.sigmoid, x)


def gelu(x: Any) -> Any:
    """x times the normal distribution function of x (exact, not the tanh form)."""
    return apply(activation.gelu, x)


def silu(x: Any) -> Any:
    """x * sigmoid(x)."""
    return apply(activation.silu, x)


def softmax(x: Any, dim: int = -1, *, dtype: object = None) -> Any:
    """exp(x) over its sum along `dim`; of `x` as `dtype`, if that is given.

    Raises: ShapeError, if `dim` is out of range.
    """
    return apply(activation.softmax, _as_dtype(x, dtype), dim=frozen_dim(dim))


def log_softmax(x: Any, dim: int = -1, *, dtype: object = None) -> Any:
    """log(softmax(x)), numerically stable; of `x` as `dtype`, if that is given.

    Raises: ShapeError, if `dim` is out of range.
    """
    return apply(activation.log_softmax, _as_dtype(x, dtype), dim=frozen_dim(dim))


def _as_dtype(x: Any, dtype: object) -> Any:
    if dtype is None:
        return x
    return apply(elementwise.cast, x, dtype=as_dtype(dtype).value)


def round(x: Any, *, decimals: int = 0) -> Any:
    """To `decimals` places (tens, if negative); a half goes to the even neighbour."""
    return apply(
        pointwise.round, x, decimals=integer_arg("round", "decimals", decimals)
    )


def nan_to_num(
    x: Any, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Any:
    """NaN as `nan`; infinities as given, or as the largest finite numbers."""
    limits = {"posinf": posinf, "neginf": neginf}
    given = tuple(name for name, limit in limits.items() if limit is not None)
    values = [limits[name] for name in given]
    return apply(pointwise.nan_to_num, x, nan, *values, given=given)


# other names of the same

absolute = abs
negative = neg
arcsin = asin
arccos = acos
arctan = atan
