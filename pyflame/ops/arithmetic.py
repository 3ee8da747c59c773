"""Division with a rest, bits, logic, and other functions of several arrays."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

from pyflame.errors import DTypeError
from pyflame.ops.elementwise import check_broadcast
from pyflame.ops.halves import in_single
from pyflame.ops.shapes import text

_Pair = tuple[jax.Array, jax.Array]
_Binary = Callable[[jax.Array, jax.Array], jax.Array]


def floor_divide(a: jax.Array, b: jax.Array) -> jax.Array:
    """The quotient rounded down. Integers over 0 give no meaningful value."""
    _check_numbers("floor_divide", a, b)
    return in_single(jnp.floor_divide, a, b)


def trunc_divide(a: jax.Array, b: jax.Array) -> jax.Array:
    """The quotient rounded towards 0."""
    _check_numbers("div", a, b)
    a, b = jnp.broadcast_arrays(*_promoted(a, b))
    if jnp.issubdtype(a.dtype, jnp.integer):
        return jax.lax.div(a, b)
    return in_single(lambda a, b: jnp.trunc(a / b), a, b)


def remainder(a: jax.Array, b: jax.Array) -> jax.Array:
    """The rest of `floor_divide`: it has the sign of `b`, as in Python."""
    _check_numbers("remainder", a, b)
    return _remainder(*_promoted(a, b)) if _any_floats(a, b) else jnp.remainder(a, b)


def fmod(a: jax.Array, b: jax.Array) -> jax.Array:
    """The rest of a division rounded towards 0: it has the sign of `a`, as in C."""
    _check_numbers("fmod", a, b)
    return _fmod(*_promoted(a, b)) if _any_floats(a, b) else jnp.fmod(a, b)


def _rest(of: _Binary, whole_quotient: _Binary) -> _Binary:
    """The rest of a division of floats, with the gradient of a - quotient * b.

    JAX's own gradients by `b` take the quotient of halves rounded, and so, near a whole
    number, one that is off by one.
    """
    rest = jax.custom_jvp(of)

    @rest.defjvp
    def _jvp(primals: _Pair, tangents: _Pair) -> _Pair:
        quotient = whole_quotient(*primals)
        return rest(*primals), tangents[0] - quotient * tangents[1]

    return rest


_remainder = _rest(jnp.remainder, floor_divide)
_fmod = _rest(jnp.fmod, trunc_divide)


def atan2(a: jax.Array, b: jax.Array) -> jax.Array:
    """The angle of the point (b, a), from -pi to pi, with gradient 0 in the origin."""
    check_broadcast("atan2", a, b)
    angle = jnp.arctan2(a, b)
    origin = (a == 0) & (b == 0)
    beside = jnp.arctan2(a, jnp.where(origin, 1, b))
    return jnp.where(origin, jax.lax.stop_gradient(angle), beside)


def hypot(a: jax.Array, b: jax.Array) -> jax.Array:
    """sqrt(a * a + b * b), which does not overflow on the way."""
    check_broadcast("hypot", a, b)
    return jnp.hypot(a, b)


def logaddexp(a: jax.Array, b: jax.Array) -> jax.Array:
    """log(exp(a) + exp(b)), which does not overflow on the way."""
    check_broadcast("logaddexp", a, b)
    return in_single(jnp.logaddexp, a, b)


def lerp(start: jax.Array, end: jax.Array, weight: jax.Array) -> jax.Array:
    """start + weight * (end - start)."""
    _check_numbers("lerp", start, end)
    check_broadcast("lerp", end - start, weight)
    return in_single(lambda s, e, w: s + w * (e - s), start, end, weight)


def addcmul(
    x: jax.Array, a: jax.Array, b: jax.Array, value: jax.Array | float
) -> jax.Array:
    """x + value * a * b."""
    check_broadcast("addcmul", a, b)
    check_broadcast("addcmul", x, a * b)
    value = jnp.asarray(value)
    return in_single(lambda x, a, b, v: x + v * a * b, x, a, b, value)


def addcdiv(
    x: jax.Array, a: jax.Array, b: jax.Array, value: jax.Array | float
) -> jax.Array:
    """x + value * a / b."""
    check_broadcast("addcdiv", a, b)
    check_broadcast("addcdiv", x, a / b)
    value = jnp.asarray(value)
    return in_single(lambda x, a, b, v: x + v * a / b, x, a, b, value)


def clamp(x: jax.Array, *bounds: jax.Array, given: tuple[str, ...]) -> jax.Array:
    """`x` between `bounds`, which are those `given`: "min", "max" or both.

    The gradient passes where x is within the bounds, or on one. Where they cross, the
    upper one holds. NaN stays NaN.
    """
    for bound in bounds:
        check_broadcast("clamp", x, bound)
        x, bound = _promoted(x, bound)
        inside = x >= bound if given[0] == "min" else x <= bound
        x, given = jnp.where(inside | jnp.isnan(x), x, bound), given[1:]
    return x


def bitwise_and(a: jax.Array, b: jax.Array) -> jax.Array:
    return _bitwise("bitwise_and", jnp.bitwise_and, a, b)


def bitwise_or(a: jax.Array, b: jax.Array) -> jax.Array:
    return _bitwise("bitwise_or", jnp.bitwise_or, a, b)


def bitwise_xor(a: jax.Array, b: jax.Array) -> jax.Array:
    return _bitwise("bitwise_xor", jnp.bitwise_xor, a, b)


def bitwise_left_shift(a: jax.Array, b: jax.Array) -> jax.Array:
    _check_numbers("bitwise_left_shift", a, b)
    return _bitwise("bitwise_left_shift", jnp.left_shift, a, b)


def bitwise_right_shift(a: jax.Array, b: jax.Array) -> jax.Array:
    """The sign is kept."""
    _check_numbers("bitwise_right_shift", a, b)
    return _bitwise("bitwise_right_shift", jnp.right_shift, a, b)


def bitwise_not(x: jax.Array) -> jax.Array:
    """Each bit flipped; of booleans the opposite."""
    _check_bits("bitwise_not", x)
    return jnp.invert(x)


def logical_and(a: jax.Array, b: jax.Array) -> jax.Array:
    check_broadcast("logical_and", a, b)
    return jnp.logical_and(a, b)


def logical_or(a: jax.Array, b: jax.Array) -> jax.Array:
    check_broadcast("logical_or", a, b)
    return jnp.logical_or(a, b)


def logical_xor(a: jax.Array, b: jax.Array) -> jax.Array:
    check_broadcast("logical_xor", a, b)
    return jnp.logical_xor(a, b)


def logical_not(x: jax.Array) -> jax.Array:
    """Whether it is 0."""
    return jnp.logical_not(x)


def isclose(
    a: jax.Array, b: jax.Array, rtol: jax.Array, atol: jax.Array, *, equal_nan: bool
) -> jax.Array:
    """|a - b| <= atol + rtol * |b|, or equal; NaN only with `equal_nan`."""
    check_broadcast("isclose", a, b)
    return jnp.isclose(a, b, rtol=rtol, atol=atol, equal_nan=equal_nan)


def _any_floats(*arrays: jax.Array) -> bool:
    return bool(jnp.issubdtype(jnp.result_type(*arrays), jnp.floating))


def _promoted(a: jax.Array, b: jax.Array) -> tuple[jax.Array, jax.Array]:
    dtype = jnp.result_type(a, b)
    return jnp.asarray(a).astype(dtype), jnp.asarray(b).astype(dtype)


def _bitwise(
    op: str,
    function: Callable[[jax.Array, jax.Array], jax.Array],
    a: jax.Array,
    b: jax.Array,
) -> jax.Array:
    check_broadcast(op, a, b)
    _check_bits(op, a, b)
    return function(a, b)


def _check_bits(op: str, *arrays: jax.Array) -> None:
    if _any_floats(*arrays):
        raise DTypeError(
            f"{op} of {' and '.join(map(text, arrays))}: floats have no {op}",
            rule="bits belong to integers and booleans",
            help="compare first, as in (x > 0) & (y > 0), or convert: x.to(pf.int32)",
        )


def _check_numbers(op: str, a: jax.Array, b: jax.Array) -> None:
    check_broadcast(op, a, b)
    if all(jnp.result_type(x) == jnp.bool_ for x in (a, b)):
        raise DTypeError(
            f"{op} of {text(a)} and {text(b)}: booleans have no {op}",
            help="convert first: x.to(pf.int32)",
        )
