"""Arithmetic, comparison, logic and bits: operands broadcast and promote as in JAX.

Operands are Tensors, arrays or Python numbers. All raise ShapeError, if sizes do not
broadcast: from the last dimension backwards, they are equal or one is 1.
"""

from __future__ import annotations

from typing import Any

import jax
from jax.core import Tracer

from pyflame.arguments import choice_arg, number_arg
from pyflame.errors import ArgumentError, GraphError
from pyflame.ops import arithmetic, elementwise
from pyflame.recorded import apply, as_node, as_tensor


def add(a: Any, b: Any, *, alpha: Any = 1) -> Any:
    """a + alpha * b."""
    return apply(elementwise.add, a, b if _is_one(alpha) else mul(b, alpha))


def sub(a: Any, b: Any, *, alpha: Any = 1) -> Any:
    """a - alpha * b.

    Raises: DTypeError for two booleans.
    """
    return apply(elementwise.sub, a, b if _is_one(alpha) else mul(b, alpha))


def mul(a: Any, b: Any) -> Any:
    """a * b; of booleans, whether both hold."""
    return apply(elementwise.mul, a, b)


def div(a: Any, b: Any, *, rounding_mode: str | None = None) -> Any:
    """a / b; integers give float32.

    With `rounding_mode` "floor" or "trunc", the rounded quotient: integers stay so.

    Raises: ArgumentError for another mode.
    """
    if rounding_mode is None:
        return apply(elementwise.div, a, b)
    modes = (None, "floor", "trunc")
    if choice_arg("div", "rounding_mode", rounding_mode, modes) == "floor":
        return floor_divide(a, b)
    _check_divisor("div", a, b)
    return apply(arithmetic.trunc_divide, a, b)


def floor_divide(a: Any, b: Any) -> Any:
    """a // b: the quotient rounded down. Integers over a Tensor's 0 give no number.

    Raises: DTypeError for two booleans; ArgumentError for integers over the number 0.
    """
    _check_divisor("floor_divide", a, b)
    return apply(arithmetic.floor_divide, a, b)


def remainder(a: Any, b: Any) -> Any:
    """a % b, with the sign of b: a - b * (a // b).

    Raises: DTypeError for two booleans; ArgumentError for integers over the number 0.
    """
    _check_divisor("remainder", a, b)
    return apply(arithmetic.remainder, a, b)


def fmod(a: Any, b: Any) -> Any:
    """The rest of a / b rounded towards 0, with the sign of a.

    Raises: DTypeError for two booleans; ArgumentError for integers over the number 0.
    """
    _check_divisor("fmod", a, b)
    return apply(arithmetic.fmod, a, b)


def pow(x: Any, exponent: Any) -> Any:
    """x ** exponent.

    Raises: DTypeError for a negative power of integers.
    """
    if not isinstance(x, jax.Array):
        return as_tensor(x) ** exponent
    if elementwise.is_small_power(exponent):
        return apply(elementwise.integer_pow, x, exponent=exponent)
    return apply(elementwise.pow, x, exponent)


def maximum(a: Any, b: Any) -> Any:
    """The larger of each pair of elements; NaN if one is."""
    return apply(elementwise.maximum, a, b)


def minimum(a: Any, b: Any) -> Any:
    """The smaller of each pair of elements; NaN if one is."""
    return apply(elementwise.minimum, a, b)


def clamp(x: Any, min: Any = None, max: Any = None) -> Any:
    """`x` between `min` and `max`: numbers or Tensors, one of which may be None.

    Where the bounds cross, `max` holds. The gradient passes between the bounds and on
    them.

    Raises: ArgumentError without any bound.
    """
    bounds = {"min": min, "max": max}
    given = tuple(name for name, bound in bounds.items() if bound is not None)
    if not given:
        raise ArgumentError(
            "clamp: there is no bound", rule="min, max or both are given"
        )
    return apply(arithmetic.clamp, x, *[bounds[name] for name in given], given=given)


def atan2(a: Any, b: Any) -> Any:
    """The angle of the point (b, a) in radians, from -pi to pi."""
    return apply(arithmetic.atan2, a, b)


def hypot(a: Any, b: Any) -> Any:
    """sqrt(a * a + b * b), which does not overflow on the way."""
    return apply(arithmetic.hypot, a, b)


def logaddexp(a: Any, b: Any) -> Any:
    """log(exp(a) + exp(b)), which does not overflow on the way."""
    return apply(arithmetic.logaddexp, a, b)


def lerp(x: Any, end: Any, weight: Any) -> Any:
    """x + weight * (end - x)."""
    return apply(arithmetic.lerp, x, end, weight)


def addcmul(x: Any, a: Any, b: Any, *, value: Any = 1) -> Any:
    """x + value * a * b."""
    return apply(arithmetic.addcmul, x, a, b, value)


def addcdiv(x: Any, a: Any, b: Any, *, value: Any = 1) -> Any:
    """x + value * a / b."""
    return apply(arithmetic.addcdiv, x, a, b, value)


def eq(a: Any, b: Any) -> Any:
    """a == b, element by element."""
    return apply(elementwise.eq, a, b)


def ne(a: Any, b: Any) -> Any:
    """a != b, element by element."""
    return apply(elementwise.ne, a, b)


def lt(a: Any, b: Any) -> Any:
    """a < b, element by element."""
    return apply(elementwise.lt, a, b)


def le(a: Any, b: Any) -> Any:
    """a <= b, element by element."""
    return apply(elementwise.le, a, b)


def gt(a: Any, b: Any) -> Any:
    """a > b, element by element."""
    return apply(elementwise.gt, a, b)


def ge(a: Any, b: Any) -> Any:
    """a >= b, element by element."""
    return apply(elementwise.ge, a, b)


def logical_and(a: Any, b: Any) -> Any:
    """Whether both are not 0."""
    return apply(arithmetic.logical_and, a, b)


def logical_or(a: Any, b: Any) -> Any:
    """Whether one is not 0."""
    return apply(arithmetic.logical_or, a, b)


def logical_xor(a: Any, b: Any) -> Any:
    """Whether exactly one is not 0."""
    return apply(arithmetic.logical_xor, a, b)


def logical_not(x: Any) -> Any:
    """Whether it is 0."""
    return apply(arithmetic.logical_not, x)


def bitwise_and(a: Any, b: Any) -> Any:
    """a & b; of booleans, whether both hold.

    Raises: DTypeError for floats, as do the other functions of bits.
    """
    return apply(arithmetic.bitwise_and, a, b)


def bitwise_or(a: Any, b: Any) -> Any:
    """a | b; of booleans, whether one holds."""
    return apply(arithmetic.bitwise_or, a, b)


def bitwise_xor(a: Any, b: Any) -> Any:
    """a ^ b; of booleans, whether exactly one holds."""
    return apply(arithmetic.bitwise_xor, a, b)


def bitwise_not(x: Any) -> Any:
    """~x: each bit flipped; of booleans the opposite."""
    return apply(arithmetic.bitwise_not, x)


def bitwise_left_shift(a: Any, b: Any) -> Any:
    """a << b, for integers."""
    return apply(arithmetic.bitwise_left_shift, a, b)


def bitwise_right_shift(a: Any, b: Any) -> Any:
    """a >> b, for integers; the sign is kept."""
    return apply(arithmetic.bitwise_right_shift, a, b)


def isclose(
    a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Any:
    """|a - b| <= atol + rtol * |b|, or equal; NaN is close to NaN with `equal_nan`.

    Raises: ArgumentError, unless the tolerances are numbers.
    """
    relative = number_arg("isclose", "rtol", rtol)
    absolute = number_arg("isclose", "atol", atol)
    equal_nan = bool(equal_nan)
    return apply(arithmetic.isclose, a, b, relative, absolute, equal_nan=equal_nan)


def allclose(
    a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> bool:
    """Whether all elements are close, as a bool; see `isclose`. Computes both.

    Raises: GraphError, inside a JAX transformation.
    """
    close = isclose(a, b, rtol, atol, equal_nan).all()
    return _answer("allclose", close, "isclose(a, b).all()")


def equal(a: Any, b: Any) -> bool:
    """Whether shapes and all elements are equal, as a bool. Computes both.

    Raises: GraphError, inside a JAX transformation.
    """
    x, y = (as_tensor(v) for v in (a, b))
    if x.shape != y.shape:
        return False
    return _answer("equal", (x == y).all(), "(a == b).all()")


# other names of the same

subtract = sub
multiply = mul
divide = div
true_divide = div
arctan2 = atan2
clip = clamp
greater = gt
greater_equal = ge
less = lt
less_equal = le
not_equal = ne


def _answer(name: str, answer: Any, instead: str) -> bool:
    if isinstance(as_node(answer).value, Tracer):
        raise GraphError(
            f"{name} inside a JAX transformation",
            rule="its answer is a bool of Python, which no traced value is",
            help=f"compute with {instead}, which is an array",
        )
    return bool(answer)


def _is_one(alpha: Any) -> bool:
    return type(alpha) is int and alpha == 1


def _check_divisor(op: str, a: Any, b: Any) -> None:
    """Raises: ArgumentError, if integers would be divided by the number 0."""
    if type(b) is int and b == 0 and not _is_floating(a):
        raise ArgumentError(
            f"{op} of integers by 0: there is no such integer",
            rule="integers are divided by anything but 0",
            help="convert first: x.to(pf.float32)",
        )


def _is_floating(x: Any) -> bool:
    aval = as_node(x).aval
    return aval is not None and aval.floating
