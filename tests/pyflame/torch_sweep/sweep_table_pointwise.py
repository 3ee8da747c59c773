"""Rows for ops that act on each element: arithmetic, comparisons, logic, functions."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from sweep_entry import Call, called, function, functions

import pyflame as pf


def _reflected(op: Callable[[Any, Any], Any]) -> Call:
    """An operator with its operands the other way round."""
    return lambda a, b: op(b, a)


_OPERATORS = {
    "__radd__": ("+", operator.add),
    "__rsub__": ("-", operator.sub),
    "__rmul__": ("*", operator.mul),
    "__rdiv__": ("/", operator.truediv),
    "__rpow__": ("**", operator.pow),
    "__rmod__": ("%", operator.mod),
    "__rand__": ("&", operator.and_),
    "__ror__": ("|", operator.or_),
    "__rxor__": ("^", operator.xor),
    "__rmatmul__": ("@", operator.matmul),
}
_SUMS = "sums of products, in another order"
_STEEP = "near 1 and -1 the slope is steep and magnifies one rounding"

POINTWISE = [
    *functions("add sub mul floor_divide remainder fmod pow true_divide"),
    *functions("div.no_rounding_mode div.trunc_rounding div.floor_rounding"),
    *[
        called(
            name,
            f"{sign}",
            _reflected(op),
            rounding=_SUMS if sign == "@" else "",
        )
        for name, (sign, op) in _OPERATORS.items()
    ],
    *functions("maximum minimum atan2 hypot logaddexp lerp addcmul addcdiv"),
    function("max.binary", "maximum"),
    function("min.binary", "minimum"),
    *functions("clamp isclose allclose equal"),
    *functions("eq ne lt le gt ge"),
    *functions("logical_and logical_or logical_xor logical_not"),
    *functions("bitwise_and bitwise_or bitwise_xor bitwise_not"),
    *functions("bitwise_left_shift bitwise_right_shift"),
    called("where", "pf.where", lambda x, c, y: pf.where(c, x, y)),
    *functions("neg abs sqrt rsqrt square reciprocal exp exp2 expm1"),
    *functions("log log2 log10 log1p sin cos tan acos atan"),
    *functions("asin atanh erfinv", rounding=_STEEP),
    *functions("sinh cosh tanh asinh acosh erf erfc deg2rad rad2deg"),
    *functions("floor ceil trunc frac sign isnan isinf isfinite logit nan_to_num"),
    *functions("round round.decimals_0 round.decimals_3 round.decimals_neg_3"),
    *functions("sigmoid"),
    *functions("softmax softmax.with_dtype log_softmax log_softmax.with_dtype"),
]
