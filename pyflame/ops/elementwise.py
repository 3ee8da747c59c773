"""Ops that act on each element, with NumPy's broadcasting and JAX's promotion."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from pyflame.errors import DTypeError, ShapeError
from pyflame.ops.shapes import text


def add(a: jax.Array, b: jax.Array) -> jax.Array:
    check_broadcast("add", a, b)
    return jnp.add(a, b)


def sub(a: jax.Array, b: jax.Array) -> jax.Array:
    check_broadcast("sub", a, b)
    _check_not_bool("sub", a, b)
    return jnp.subtract(a, b)


def mul(a: jax.Array, b: jax.Array) -> jax.Array:
    check_broadcast("mul", a, b)
    return jnp.multiply(a, b)


def div(a: jax.Array, b: jax.Array) -> jax.Array:
    check_broadcast("div", a, b)
    return jnp.true_divide(a, b)


def pow(a: jax.Array, b: jax.Array) -> jax.Array:
    check_broadcast("pow", a, b)
    if all(jnp.issubdtype(jnp.result_type(x), jnp.integer) for x in (a, b)):
        return _power_of_integers(a, b)
    if isinstance(b, (int, float)) and b != 0:
        return jnp.power(a, b)
    both_zero = (a == 0) & (b == 0)  # 0 ** 0, whose gradients are 0
    return jnp.where(both_zero, 1, jnp.power(a, jnp.where(both_zero, 1, b)))


def _power_of_integers(a: jax.Array, b: jax.Array) -> jax.Array:
    """Overflow wraps; a negative power is that of 1 or -1, or rounded to 0."""
    powers = jnp.power(a, jnp.maximum(b, 0))
    of_minus_one = jnp.where(b % 2 == 0, 1, -1)
    inverses = jnp.where(a == 1, 1, jnp.where(a == -1, of_minus_one, 0))
    return jnp.where(b < 0, inverses, powers).astype(powers.dtype)


def is_small_power(exponent: object) -> bool:
    """Whether `integer_pow` takes it: an integer from -16 to 16."""
    return type(exponent) is int and -16 <= exponent <= 16


def integer_pow(x: jax.Array, *, exponent: int) -> jax.Array:
    """x ** exponent for a small exponent that is known beforehand; int32 of bools."""
    if exponent < 0 and not jnp.issubdtype(x.dtype, jnp.floating):
        raise DTypeError(
            f"{text(x)} ** {exponent}: integers have no negative powers",
            help=f"write x.to(pf.float32) ** {exponent}",
        )
    whole = x.astype(jnp.int32) if x.dtype == jnp.bool_ else x
    return jax.lax.integer_pow(whole, exponent)


def maximum(a: jax.Array, b: jax.Array) -> jax.Array:
    check_broadcast("maximum", a, b)
    return jnp.maximum(a, b)


def minimum(a: jax.Array, b: jax.Array) -> jax.Array:
    check_broadcast("minimum", a, b)
    return jnp.minimum(a, b)


def eq(a: jax.Array, b: jax.Array) -> jax.Array:
    check_broadcast("eq", a, b)
    return jnp.equal(a, b)


def ne(a: jax.Array, b: jax.Array) -> jax.Array:
    check_broadcast("ne", a, b)
    return jnp.not_equal(a, b)


def lt(a: jax.Array, b: jax.Array) -> jax.Array:
    check_broadcast("lt", a, b)
    return jnp.less(a, b)


def le(a: jax.Array, b: jax.Array) -> jax.Array:
    check_broadcast("le", a, b)
    return jnp.less_equal(a, b)


def gt(a: jax.Array, b: jax.Array) -> jax.Array:
    check_broadcast("gt", a, b)
    return jnp.greater(a, b)


def ge(a: jax.Array, b: jax.Array) -> jax.Array:
    check_broadcast("ge", a, b)
    return jnp.greater_equal(a, b)


def where(condition: jax.Array, a: jax.Array, b: jax.Array) -> jax.Array:
    check_broadcast("where", condition, a)
    check_broadcast("where", condition, b)
    check_broadcast("where", a, b)
    return jnp.where(condition, a, b)


def neg(x: jax.Array) -> jax.Array:
    _check_not_bool("neg", x)
    return jnp.negative(x)


def abs(x: jax.Array) -> jax.Array:
    """|x|, with gradient 0 at 0."""
    return _abs(x) if jnp.issubdtype(x.dtype, jnp.floating) else jnp.abs(x)


@jax.custom_jvp
def _abs(x: jax.Array) -> jax.Array:
    return jnp.abs(x)


@_abs.defjvp
def _abs_jvp(
    primals: tuple[jax.Array], tangents: tuple[jax.Array]
) -> tuple[jax.Array, jax.Array]:
    (x,), (tangent,) = primals, tangents
    return jnp.abs(x), jnp.sign(x) * tangent


def sqrt(x: jax.Array) -> jax.Array:
    return jnp.sqrt(x)


def exp(x: jax.Array) -> jax.Array:
    return jnp.exp(x)


def log(x: jax.Array) -> jax.Array:
    return jnp.log(x)


def sin(x: jax.Array) -> jax.Array:
    return jnp.sin(x)


def cos(x: jax.Array) -> jax.Array:
    return jnp.cos(x)


def tanh(x: jax.Array) -> jax.Array:
    return jnp.tanh(x)


def clone(x: jax.Array) -> jax.Array:
    """The same values."""
    return jnp.asarray(x)


def detach(x: jax.Array) -> jax.Array:
    """The same values, as a constant for gradients."""
    return jax.lax.stop_gradient(x)


def cast(x: jax.Array, *, dtype: str) -> jax.Array:
    """The values as `dtype`; floats are truncated towards zero for integers."""
    return jax.lax.convert_element_type(x, jnp.dtype(dtype))


def check_broadcast(op: str, a: jax.Array, b: jax.Array) -> None:
    """Raises: ShapeError, unless the shapes broadcast against each other."""
    for m, n in zip(reversed(jnp.shape(a)), reversed(jnp.shape(b)), strict=False):
        if m != n and m != 1 and n != 1:
            raise ShapeError(
                f"{op} of {text(a)} and {text(b)}: sizes {m} and {n} do not broadcast",
                rule="from the last dimension backwards, sizes are equal or one is 1",
            )


def _check_not_bool(op: str, *arrays: jax.Array) -> None:
    if all(jnp.result_type(x) == jnp.bool_ for x in arrays):
        raise DTypeError(
            f"{op} of {' and '.join(map(text, arrays))}: booleans have no {op}",
            help="convert first: x.to(pf.int32)",
        )
