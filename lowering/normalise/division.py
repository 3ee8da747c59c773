"""Division of integers by anything, and remainders of floats; both are exact."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from lowering import jaxprs
from lowering.cases import Case
from lowering.dtypes import INTEGERS, is_float
from lowering.element_call import element_call
from lowering.machine_op import machine_op
from lowering.normalise.bits import bits_of, float_of, left, right
from lowering.normalise.conditional import rewrites_where
from lowering.normalise.elementary import with_sign
from lowering.normalise.registry import of_each, rewrites
from lowering.placement import short_name

U32 = np.uint32


def _may_fail(eqn: jaxprs.JaxprEqn) -> bool:
    """Whether it divides integers by what may be 0, or by -1, which may overflow."""
    divisor: Any = eqn.invars[1]
    if str(jaxprs.dtype_of(divisor)) not in INTEGERS:
        return False
    return not jaxprs.is_literal(divisor) or jaxprs.literal_value(divisor) in (0, -1)


@rewrites_where(_may_fail, "div")
def _div(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    name = f"quotient_{short_name(jaxprs.dtype_of(eqn.outvars[0]))}"
    return [element_call(name, _quotient, *args)]


def _quotient(x: Any, y: Any) -> Any:
    """All ones for a division by 0, and -x for one by -1, as in XLA."""
    zero, one = np.zeros((), x.dtype)[()], np.ones((), x.dtype)[()]
    ones = np.array(-1).astype(x.dtype)[()]
    negates = y == ones if jnp.issubdtype(x.dtype, jnp.signedinteger) else y == zero
    divisor = jnp.where((y == zero) | negates, one, y)
    quotient = machine_op("divide", x, divisor)
    quotient = jnp.where(negates, zero - x, quotient)
    return jnp.where(y == zero, ones, quotient)


@rewrites("rem")
def _rem(x: Any, y: Any) -> Any:
    """What a truncated division leaves, with the sign of x."""
    if is_float(x.dtype):
        return of_each("remainder", _float_remainder, x, y)
    return x - lax.div(x, y) * y


def _float_remainder(x: Any, y: Any) -> Any:
    """Long division of the significands, 8 bits at a time."""
    x_exponent, x_fraction = _parts(x)
    y_exponent, y_fraction = _parts(y)
    divisor = jnp.maximum(y_fraction, U32(1))

    def step(state: tuple[Any, Any]) -> tuple[Any, Any]:
        rest, missing = state
        bits = jnp.minimum(missing, U32(8))
        shifted = machine_op("shift_left", rest, bits)
        return machine_op("remainder", shifted, divisor), missing - bits

    missing = jnp.maximum(x_exponent, y_exponent) - y_exponent
    start = machine_op("remainder", x_fraction, divisor)
    rest, _ = lax.while_loop(lambda state: state[1] > U32(0), step, (start, missing))
    scale = float_of(left(y_exponent, 23))
    found = rest.astype(jnp.int32).astype(jnp.float32) * scale * np.float32(2.0**-23)
    found = jnp.where(jnp.abs(x) < jnp.abs(y), x, with_sign(found, x))
    is_defined = (jnp.abs(x) < jnp.inf) & (y == y) & (y != np.float32(0))
    return jnp.where(is_defined, found, np.float32(np.nan))


def _parts(x: Any) -> tuple[Any, Any]:
    """Biased exponent and 24-bit significand; of a subnormal, the exponent is 1."""
    bits = bits_of(x)
    exponent = right(bits, 23) & U32(0xFF)
    hidden = jnp.where(exponent == U32(0), U32(0), U32(1 << 23))
    return jnp.maximum(exponent, U32(1)), (bits & U32(0x7FFFFF)) | hidden


_TWO = ("i32[n,m]", "i32[n,m]")

CASES = [
    Case("whole parts and rests", lambda a, b: (a // b, lax.rem(a, b)), _TWO),
    Case("by zero", lambda a: (lax.div(a, a - a), lax.rem(a, a - a)), ("i32[n]",)),
    Case("rests of floats", lax.rem, ("f32[n,m]", "f32[n,m]")),
]
