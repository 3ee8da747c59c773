"""Operations on each element: functions, arithmetic, comparisons, bits, conversions."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from random_maker import Draft, Maker, Operation
from random_values import (
    EXACT_LIMITS,
    FLOATS,
    FUNCTION,
    INTEGERS,
    ROUNDING,
    SIGNED,
    Known,
    Value,
    combined,
    exact,
    rounded,
)

# Expression, bound of the result by that of x, and the steepest slope.
_FUNCTIONS: list[tuple[str, Callable[[float], float], float]] = [
    ("jnp.tanh({x})", lambda b: 1.0, 1.0),
    ("jnp.exp(-jnp.abs({x}))", lambda b: 1.0, 1.0),
    ("jnp.exp2(-jnp.abs({x}))", lambda b: 1.0, 0.7),
    ("jnp.expm1(-jnp.abs({x}))", lambda b: 1.0, 1.0),
    ("lax.logistic({x})", lambda b: 1.0, 0.25),
    ("jnp.sqrt(jnp.abs({x}) + 1)", lambda b: math.sqrt(b + 1), 0.5),
    ("lax.rsqrt(jnp.abs({x}) + 1)", lambda b: 1.0, 0.5),
    ("lax.cbrt(jnp.abs({x}) + 1)", lambda b: (b + 1) ** 0.4, 0.4),
    ("jnp.log(jnp.abs({x}) + 1)", lambda b: math.log(b + 1) + 1, 1.0),
    ("jnp.log1p(jnp.abs({x}))", lambda b: math.log(b + 1) + 1, 1.0),
    ("jnp.sin({x})", lambda b: 1.0, 1.0),
    ("jnp.cos({x})", lambda b: 1.0, 1.0),
    ("jnp.tan(jnp.tanh({x}))", lambda b: 1.6, 3.5),
    ("jnp.arctan({x})", lambda b: 1.6, 1.0),
    ("jnp.arcsin(0.5 * jnp.tanh({x}))", lambda b: 0.6, 0.6),
    ("jnp.arccos(0.5 * jnp.tanh({x}))", lambda b: 2.1, 0.6),
    ("jnp.arcsinh({x})", lambda b: b + 1, 1.0),
    ("jnp.arccosh(jnp.abs({x}) + 2)", lambda b: math.log(2 * b + 4), 0.6),
    ("jnp.arctanh(0.5 * jnp.tanh({x}))", lambda b: 0.6, 0.7),
    ("jnp.sinh(jnp.tanh({x}))", lambda b: 1.2, 1.6),
    ("jnp.cosh(jnp.tanh({x}))", lambda b: 1.6, 1.2),
    ("lax.erf({x})", lambda b: 1.0, 1.2),
    ("lax.erfc({x})", lambda b: 2.0, 1.2),
    ("lax.erf_inv(0.5 * jnp.tanh({x}))", lambda b: 0.5, 0.6),
    ("jax.nn.gelu({x})", lambda b: b + 1, 1.2),
    ("jax.nn.softplus({x})", lambda b: b + 1, 1.0),
    ("jax.nn.softmax({x}, axis=-1)", lambda b: 1.0, 1.0),
    ("jax.grad(lambda a: jnp.sum(jnp.tanh(a) * a))({x})", lambda b: b + 1, 2.5),
]


def _is_float(value: Value) -> bool:
    return value.is_float


def _is_number(value: Value) -> bool:
    return value.dtype != "bool"


def _is_integer(value: Value) -> bool:
    return value.dtype in INTEGERS


def is_exact(value: Value) -> bool:
    return value.exact


def is_bool(value: Value) -> bool:
    return value.dtype == "bool"


def function(maker: Maker) -> Draft | None:
    """A smooth function of floats."""
    x = maker.some(_is_float)
    if x is None:
        return None
    text, bound, slope = maker.pick(_FUNCTIONS)
    if "axis=-1" in text and not x.shape:
        return None
    known = rounded(bound(x.bound), slope * x.error, 2 * FUNCTION[x.dtype])
    return Draft(text.format(x=x.name), (x,), known)


def arithmetic(maker: Maker) -> Draft | None:
    """+, -, *, and the larger or smaller of two."""
    x = maker.some(_is_number)
    if x is None:
        return None
    y = _second(maker, x)
    text = maker.pick(
        (
            "{x} + {y}",
            "{x} - {y}",
            "{x} * {y}",
            "jnp.maximum({x}, {y})",
            "jnp.minimum({x}, {y})",
            "{y} - {x}",
            "lax.max({x}, {x})",
        )
    )
    is_product = "*" in text
    bound = x.bound * y.bound if is_product else x.bound + y.bound
    error = x.error + y.error
    if is_product:
        error = x.error * y.bound + y.error * x.bound
    draft = text.format(x=x.name, y=y.name)
    return Draft(draft, (x, y), combined([x, y], bound, error))


def with_number(maker: Maker) -> Draft | None:
    """A value and a Python number."""
    x = maker.some(_is_number)
    if x is None:
        return None
    number = maker.whole(0, 3)
    text = maker.pick(("{x} + {n}", "{n} - {x}", "{x} * {n}", "jnp.maximum({n}, {x})"))
    text = text.format(x=x.name, n=number)
    return Draft(text, (x,), combined([x], 3 * x.bound + 3, 3 * x.error))


def quotient(maker: Maker) -> Draft | None:
    """Floats divided by numbers of at least one."""
    x = maker.some(_is_float)
    if x is None:
        return None
    y = _second(maker, x)
    error = x.error + y.error * x.bound
    known = rounded(x.bound, error, ROUNDING[x.dtype])
    return Draft(f"{x.name} / (jnp.abs({y.name}) + 1)", (x, y), known)


def power(maker: Maker) -> Draft | None:
    x = maker.some(_is_float, lambda v: v.bound <= 20)
    if x is None:
        return None
    n = maker.whole(-2, 3)
    error = 3 * x.error * (x.bound + 1) ** 2
    bound = (x.bound + 1) ** max(n, 0)
    if n >= 0:
        return Draft(f"{x.name} ** {n}", (x,), combined([x], bound, error))
    known = rounded(1.0, 3 * x.error, 4 * ROUNDING[x.dtype])
    return Draft(f"(jnp.abs({x.name}) + 1) ** {n}", (x,), known)


def real_power(maker: Maker) -> Draft | None:
    x = maker.some(_is_float, lambda v: v.bound <= 20)
    if x is None:
        return None
    y = maker.like(x)
    known = rounded(x.bound + 1, 4 * (x.error + y.error) * x.bound, FUNCTION[x.dtype])
    text = f"(jnp.abs({x.name}) + 1) ** jnp.tanh({y.name})"
    return Draft(text, (x, y), known)


def sign_or_round(maker: Maker) -> Draft | None:
    """What jumps: of whole numbers and halves of them only."""
    x = maker.some(_is_number, is_exact)
    if x is None:
        return None
    if not x.is_float:
        text = maker.pick(("jnp.abs({x})", "jnp.sign({x})", "-{x}"))
        return Draft(text.format(x=x.name), (x,), exact(x.bound))
    text = maker.pick(
        (
            "jnp.abs({x})",
            "jnp.sign({x})",
            "-{x}",
            "jnp.floor({x} * 0.5)",
            "jnp.ceil({x} * 0.5)",
            "jnp.round({x} * 0.5)",
            "lax.round({x} * 0.5)",
            "jnp.trunc({x} * 0.5)",
            "lax.rem({x}, jnp.abs({x}) * 0 + 3)",
        )
    )
    return Draft(text.format(x=x.name), (x,), exact(x.bound + 1))


def comparison(maker: Maker) -> Draft | None:
    x = maker.some(is_exact)
    if x is None:
        return None
    y = _second(maker, x, is_exact)
    sign = maker.pick(("==", "!=", "<", "<=", ">", ">="))
    return Draft(f"{x.name} {sign} {y.name}", (x, y), exact(1))


def selection(maker: Maker) -> Draft | None:
    """jnp.where, of a mask or of a comparison."""
    x = maker.some()
    assert x is not None, "there are always inputs"
    y = maker.like(x)
    mask = maker.some(is_bool, lambda v: v.shape in ((), x.shape))
    if mask is not None and maker.flip():
        condition, extra = mask.name, (mask,)
    elif x.exact:
        condition, extra = f"{x.name} > {maker.whole(0, 2)}", ()
    else:
        return None
    known = Known(max(x.bound, y.bound), x.exact and y.exact, max(x.error, y.error))
    text = f"jnp.where({condition}, {x.name}, {y.name})"
    return Draft(text, (x, y, *extra), known)


def clip(maker: Maker) -> Draft | None:
    x = maker.some(_is_number)
    if x is None:
        return None
    low = 0 if x.dtype.startswith("u") else -maker.whole(0, 3)
    known = Known(3, x.exact, x.error)
    return Draft(f"jnp.clip({x.name}, {low}, {maker.whole(0, 3)})", (x,), known)


def logic(maker: Maker) -> Draft | None:
    x = maker.some(lambda v: is_bool(v) or _is_integer(v))
    if x is None:
        return None
    y = _second(maker, x)
    text = maker.pick(("{x} & {y}", "{x} | {y}", "{x} ^ {y}", "~{x}"))
    bound = 1.0 if is_bool(x) else math.inf
    return Draft(text.format(x=x.name, y=y.name), (x, y), exact(bound))


def bits(maker: Maker) -> Draft | None:
    x = maker.some(_is_integer)
    if x is None:
        return None
    y = maker.like(x)
    text = maker.pick(
        (
            "lax.shift_left({x}, {y})",
            "lax.shift_right_logical({x}, {y})",
            "lax.shift_right_arithmetic({x}, {y})",
            "lax.population_count({x})",
            "lax.clz({x})",
        )
    )
    return Draft(text.format(x=x.name, y=y.name), (x, y), exact(math.inf))


def integer_division(maker: Maker) -> Draft | None:
    """By any input: JAX says what a division by zero gives. By odd numbers otherwise,
    as XLA dies of a division by zero that it works out while it compiles."""
    x = maker.some(_is_integer)
    if x is None:
        return None
    y = _second(maker, x)
    divisor = y.name if y.name.startswith("x") else f"({y.name} | 1)"
    text = maker.pick(
        ("lax.div({x}, {y})", "lax.rem({x}, {y})", "{x} // {y}", "{x} % {y}")
    )
    return Draft(text.format(x=x.name, y=divisor), (x, y), exact(math.inf))


def conversion(maker: Maker) -> Draft | None:
    x = maker.some()
    assert x is not None, "there are always inputs"
    new = maker.pick((*maker.dtypes, "bool"))
    text = f"{x.name}.astype('{new}')"
    if new in FLOATS:
        if x.exact and x.bound <= EXACT_LIMITS[new]:
            return Draft(text, (x,), exact(x.bound))
        if not x.is_float:
            return None
        known = rounded(x.bound, x.error, ROUNDING[new])
        return Draft(text, (x,), known)
    if not x.exact:
        return None
    if x.is_float and not _fits(x, new):
        return None
    return Draft(text, (x,), exact(1 if new == "bool" else _bound_as(x, new)))


def _fits(x: Value, dtype: str) -> bool:
    """Whether float x converts to integers without leaving them."""
    return dtype == "bool" or (dtype in SIGNED and x.bound <= np.iinfo(dtype).max)


def _bound_as(x: Value, dtype: str) -> float:
    fits = x.bound <= np.iinfo(dtype).max
    wraps = dtype.startswith("u") and not x.dtype.startswith("u")
    return x.bound if fits and not wraps else math.inf


def _second(maker: Maker, x: Value, *wanted: Callable[[Value], bool]) -> Value:
    """An operand that broadcasts with x: the same shape, a scalar, a part of it."""

    def broadcasts(v: Value) -> bool:
        if v.dtype != x.dtype:
            return False
        try:
            return len(np.broadcast_shapes(v.shape, x.shape)) <= 4
        except ValueError:
            return False

    return maker.some(broadcasts, *wanted) or x


ELEMENTWISE: list[Operation] = [
    *(function, function, arithmetic, arithmetic, with_number, quotient, power),
    *(real_power, sign_or_round, comparison, selection, selection, clip, logic, bits),
    *(integer_division, conversion, conversion),
]
