"""Operations on the bits of integers and floats, in terms of few.

Integers of 8 and 16 bits are shifted and counted as 32-bit ones.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from lowering import jaxprs
from lowering.cases import Case
from lowering.element_call import element_call
from lowering.machine_op import machine_op
from lowering.normalise.conditional import rewrites_where
from lowering.normalise.registry import rewrites

U32 = jnp.uint32
_WORDS = (
    frozenset({"float32", "int32", "uint32"}),
    frozenset({"float16", "int16", "uint16"}),
)
_FRACTION_BITS = {"float32": 23, "float16": 10, "bfloat16": 7}


@dataclass(frozen=True, slots=True)
class _Format:
    """Where a float has its sign, its exponent and its fraction."""

    width: int
    fraction: int

    @property
    def exponent(self) -> int:
        return self.width - 1 - self.fraction

    @property
    def sign(self) -> int:
        return 1 << (self.width - 1)

    @property
    def infinity(self) -> int:
        return self.sign - (1 << self.fraction)


def bits_of(x: Any) -> Any:
    """u32[...]: the bits of an f32 or a 32-bit integer."""
    return lax.bitcast_convert_type(x, U32)


def float_of(bits: Any) -> Any:
    """f32[...] of u32[...]"""
    return lax.bitcast_convert_type(bits, jnp.float32)


def left(x: Any, count: int) -> Any:
    """u32 shifted by a number below 32."""
    return machine_op("shift_left", x, np.uint32(count))


def right(x: Any, count: int) -> Any:
    return machine_op("shift_right", x, np.uint32(count))


def as_words(x: Any) -> Any:
    """An integer as u32, with zeros above its own bits."""
    unsigned = jnp.dtype(f"uint{8 * x.dtype.itemsize}")
    return x.astype(unsigned).astype(U32)


# --- logic and shifts --------------------------------------------------------------


def _is_of_integers(eqn: jaxprs.JaxprEqn) -> bool:
    return str(jaxprs.dtype_of(eqn.invars[0])) != "bool"


@rewrites_where(_is_of_integers, "not")
def _not(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    """All bits are turned."""
    del eqn
    (x,) = args
    return [lax.bitwise_xor(x, np.array(-1).astype(x.dtype)[()])]


def _is_of_narrow_integers(eqn: jaxprs.JaxprEqn) -> bool:
    dtype = jaxprs.dtype_of(eqn.invars[0])
    return dtype.kind in "iu" and dtype.itemsize < 4


@rewrites_where(_is_of_narrow_integers, "neg")
def _neg(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    """~x + 1: vectors of words have these, and none of 0 - x."""
    del eqn
    (x,) = args
    minus_one = np.array(-1).astype(x.dtype)[()]
    return [lax.bitwise_xor(x, minus_one) + np.ones_like(minus_one)]


@rewrites("shift_left")
def _shift_left(x: Any, count: Any) -> Any:
    """0 for counts of the width and more; negative counts are such."""
    return _shifted("shift_left", as_words(x), count, x.dtype)


@rewrites("shift_right_logical")
def _shift_right_logical(x: Any, count: Any) -> Any:
    return _shifted("shift_right", as_words(x), count, x.dtype)


def _shifted(kind: str, words: Any, count: Any, dtype: Any) -> Any:
    if _is_number_below(count, 8 * dtype.itemsize):
        return machine_op(kind, words, np.uint32(count)).astype(dtype)
    amount, is_inside = _amount(count, 8 * dtype.itemsize)
    shifted = machine_op(kind, words, amount)
    kept = lax.select_n(_spread(is_inside, shifted), jnp.zeros_like(shifted), shifted)
    return kept.astype(dtype)


@rewrites("shift_right_arithmetic")
def _shift_right_arithmetic(x: Any, count: Any) -> Any:
    """The sign everywhere, for counts of the width and more."""
    width = 8 * x.dtype.itemsize
    signed = x.astype(f"int{width}").astype(jnp.int32)
    if _is_number_below(count, width):
        return machine_op("shift_right_signed", signed, np.uint32(count)).astype(
            x.dtype
        )
    amount, is_inside = _amount(count, width)
    last = jnp.full_like(amount, width - 1)
    clipped = lax.select_n(is_inside, last, amount)
    return machine_op("shift_right_signed", signed, clipped).astype(x.dtype)


def _is_number_below(count: Any, width: int) -> bool:
    return isinstance(count, np.generic) and 0 <= int(count) < width


def _amount(count: Any, width: int) -> tuple[Any, Any]:
    """The count, reduced to less than the width, and whether it was."""
    words = as_words(count)
    return lax.bitwise_and(words, np.uint32(width - 1)), words < np.uint32(width)


def _spread(x: Any, like: Any) -> Any:
    return x if jnp.shape(x) == jnp.shape(like) else jnp.broadcast_to(x, like.shape)


# --- counts ------------------------------------------------------------------------


@rewrites("population_count")
def _population_count(x: Any) -> Any:
    return element_call("population_count_u32", _ones, as_words(x)).astype(x.dtype)


@rewrites("clz")
def _clz(x: Any) -> Any:
    """Leading zeros: the ones of the number with all bits below its first one set."""
    unused = 32 - 8 * x.dtype.itemsize
    count = element_call("leading_zeros_u32", _leading_zeros, as_words(x))
    return (count - np.uint32(unused)).astype(x.dtype)


def _ones(x: Any) -> Any:
    """Ones in pairs of bits, then in fours, and so on (Warren, Hacker's Delight)."""
    pairs = x - (right(x, 1) & np.uint32(0x55555555))
    mask = np.uint32(0x33333333)
    fours = (pairs & mask) + (right(pairs, 2) & mask)
    eights = (fours + right(fours, 4)) & np.uint32(0x0F0F0F0F)
    return right(eights * np.uint32(0x01010101), 24)


def _leading_zeros(x: Any) -> Any:
    for count in (1, 2, 4, 8, 16):
        x = x | right(x, count)
    return np.uint32(32) - _ones(x)


@rewrites("mulhi")
def _mulhi(x: Any, y: Any) -> Any:
    """The upper half of the product, as signed or unsigned as the operands."""
    width = 8 * x.dtype.itemsize
    if width < 32:
        wide = jnp.int32 if jnp.issubdtype(x.dtype, jnp.signedinteger) else U32
        product = x.astype(wide) * y.astype(wide)
        return lax.shift_right_logical(product, np.array(width, wide)[()]).astype(
            x.dtype
        )
    high = element_call("high_product_u32", high_product, bits_of(x), bits_of(y))
    if x.dtype == jnp.uint32:
        return high
    for factor, other in ((x, y), (y, x)):
        minus = jnp.where(factor < 0, bits_of(other), jnp.zeros_like(high))
        high = high - minus
    return lax.bitcast_convert_type(high, x.dtype)


def high_product(x: Any, y: Any) -> Any:
    """Bits 32 to 63 of the product of two u32, from products of their halves."""
    low_mask = np.uint32(0xFFFF)
    x_low, x_high, y_low, y_high = (
        x & low_mask,
        right(x, 16),
        y & low_mask,
        right(y, 16),
    )
    middle = x_high * y_low + right(x_low * y_low, 16)
    other = x_low * y_high + (middle & low_mask)
    return x_high * y_high + right(middle, 16) + right(other, 16)


# --- floats as bits ----------------------------------------------------------------


def _is_no_word(eqn: jaxprs.JaxprEqn) -> bool:
    """Whether it is more than one word read as another that the PE computes with."""
    dtypes = {str(jaxprs.dtype_of(atom)) for atom in (*eqn.invars, *eqn.outvars)}
    return len(dtypes) == 1 or not any(dtypes <= words for words in _WORDS)


@rewrites_where(_is_no_word, "bitcast_convert_type")
def _bitcast(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    return [_reinterpreted(args[0], jnp.dtype(eqn.params["new_dtype"]))]


def _reinterpreted(x: Any, new_dtype: Any) -> Any:
    """Through unsigned integers; a new dimension counts the parts of a word."""
    old, new = 8 * x.dtype.itemsize, 8 * new_dtype.itemsize
    if x.dtype == new_dtype:
        return x
    if old == new:
        return _from_unsigned(_to_unsigned(x), new_dtype)
    words = _to_unsigned(x).astype(U32)
    if old > new:
        shape = (*x.shape, old // new)
        spread = lax.broadcast_in_dim(words, shape, tuple(range(x.ndim)))
        count = lax.broadcasted_iota(U32, shape, x.ndim) * np.uint32(new)
        return _from_unsigned(machine_op("shift_right", spread, count), new_dtype)
    joined = words[..., 0]
    for part in range(1, new // old):
        joined = joined | left(words[..., part], part * old)
    return _from_unsigned(joined, new_dtype)


def _to_unsigned(x: Any) -> Any:
    unsigned = jnp.dtype(f"uint{8 * x.dtype.itemsize}")
    if x.dtype == jnp.bfloat16:  # the upper half of the same number as f32
        return right(bits_of(x.astype(jnp.float32)), 16).astype(unsigned)
    if jnp.issubdtype(x.dtype, jnp.floating):
        return lax.bitcast_convert_type(x, unsigned)
    return x.astype(unsigned)


def _from_unsigned(x: Any, dtype: Any) -> Any:
    dtype = jnp.dtype(dtype)
    if dtype == jnp.bfloat16:
        return float_of(left(x.astype(U32), 16)).astype(dtype)
    if jnp.issubdtype(dtype, jnp.floating):
        unsigned = jnp.dtype(f"uint{8 * dtype.itemsize}")
        return lax.bitcast_convert_type(x.astype(unsigned), dtype)
    return x.astype(dtype)


@rewrites("nextafter")
def _nextafter(x: Any, y: Any) -> Any:
    """The neighbour of x toward y, in the numbers of its own dtype."""
    own = _Format(8 * x.dtype.itemsize, _FRACTION_BITS[str(x.dtype)])
    x_bits, y_bits = (_to_unsigned(value).astype(U32) for value in (x, y))
    infinity = np.uint32(own.infinity)
    quiet_nan = np.uint32(own.infinity | 1 << (own.fraction - 1))

    def neighbour(x: Any, y: Any) -> Any:
        sign = np.uint32(own.sign)
        x_size, y_size = x & (sign - 1), y & (sign - 1)
        is_nan = (x_size > infinity) | (y_size > infinity)
        same_sign = ((x ^ y) & sign) == np.uint32(0)
        grows = same_sign & (x_size < y_size)
        moved = lax.select(grows, x + np.uint32(1), x - np.uint32(1))
        moved = lax.select(x_size == np.uint32(0), (y & sign) | np.uint32(1), moved)
        same = (x == y) | ((x_size | y_size) == np.uint32(0))
        moved = lax.select(same, y, moved)
        return lax.select(is_nan, quiet_nan, moved)

    bits = element_call(
        f"next_after_u{own.width}_{own.fraction}", neighbour, x_bits, y_bits
    )
    return _from_unsigned(bits, x.dtype)


@rewrites("reduce_precision")
def _reduce_precision(x: Any, *, exponent_bits: int, mantissa_bits: int) -> Any:
    """Rounds to a float format of fewer bits: to nearest, ties to even.

    What overflows it becomes infinite, its subnormals become 0, as in XLA.
    """
    own = _Format(8 * x.dtype.itemsize, _FRACTION_BITS[str(x.dtype)])
    fraction = min(mantissa_bits, own.fraction)
    exponent = min(exponent_bits, own.exponent)
    if (fraction, exponent) == (own.fraction, own.exponent):
        return x

    def reduced(bits: Any) -> Any:
        kept = _rounded(bits, own.fraction - fraction)
        if exponent < own.exponent:
            kept = _limited(kept, own, exponent)
        is_nan = (bits & np.uint32(own.sign - 1)) > np.uint32(own.infinity)
        return lax.select(is_nan, bits, kept)

    name = f"reduce_precision_{exponent}_{fraction}_u{own.width}_{own.fraction}"
    return _from_unsigned(
        element_call(name, reduced, _to_unsigned(x).astype(U32)), x.dtype
    )


def _rounded(bits: Any, dropped: int) -> Any:
    if not dropped:
        return bits
    last = right(bits, dropped) & np.uint32(1)
    half = np.uint32((1 << (dropped - 1)) - 1)
    return (bits + (last + half)) & np.uint32((1 << 32) - (1 << dropped))


def _limited(bits: Any, own: _Format, exponent: int) -> Any:
    """Exponents beyond the format's: infinity above, 0 below, signs kept."""
    own_bias, bias = (1 << (own.exponent - 1)) - 1, (1 << (exponent - 1)) - 1
    size = bits & np.uint32(own.infinity)
    sign = bits & np.uint32(own.sign)
    large = size > np.uint32((own_bias + bias) << own.fraction)
    small = size <= np.uint32((own_bias - bias) << own.fraction)
    bits = lax.select(large, sign | np.uint32(own.infinity), bits)
    return lax.select(small, sign, bits)


CASES = [
    Case(
        "shifts",
        lambda a, n: [
            shift(a, lax.abs(n))
            for shift in (
                lax.shift_left,
                lax.shift_right_arithmetic,
                lax.shift_right_logical,
            )
        ],
        ("i32[n,m]", "i32[n,m]"),
    ),
    Case(
        "counts of bits",
        lambda a, b: [lax.clz(a), lax.population_count(a), lax.mulhi(a, b), ~a],
        ("i32[n,m]", "i32[n,m]"),
    ),
    Case("halves of a product", lambda a, b: lax.mulhi(a, b), ("i16[n]", "i16[n]")),
    Case(
        "floats as bits",
        lambda x, y: [
            lax.bitcast_convert_type(x, jnp.int16),
            lax.nextafter(x, y),
            lax.reduce_precision(x, 5, 3),
        ],
        ("f32[n,m]", "f32[n,m]"),
    ),
]
