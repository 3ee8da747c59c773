"""Sine, cosine and tangent of any f32, from those that <math> has below 16384 pi.

Larger numbers are reduced exactly: their product with 2/pi is formed in fixed point,
from as many bits of 2/pi as matter (M. Payne and R. Hanek, 1983).
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

import itertools
import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from lowering.cases import Case
from lowering.element_call import element_call
from lowering.machine_op import machine_op
from lowering.normalise.bits import bits_of, high_product, left, right
from lowering.normalise.registry import rewrites_each

_LIMIT = np.float32(16384 * math.pi)  # where the functions of <math> become wrong
_EXPONENT_OF_WHOLE = 150  # of an f32 whose fraction bits count ones

# 32 zeros, then the bits of 1 / (2 pi) behind the point.
_WORDS = (
    0,
    0x28BE60DB,
    0x9391054A,
    0x7F09D5F4,
    0x7D4D3770,
    0x36D8A566,
    0x4F10E410,
    0x7F9458EA,
)


@rewrites_each("sin")
def _sin(x: Any) -> Any:
    return _near_or_far("sin", x)


@rewrites_each("cos")
def _cos(x: Any) -> Any:
    return _near_or_far("cos", x)


@rewrites_each("tan")
def _tan(x: Any) -> Any:
    return lax.sin(x) / lax.cos(x)


def _near_or_far(kind: str, x: Any) -> Any:
    quarter = np.uint32(kind == "cos")

    def far(x: Any) -> Any:
        return element_call("sine_of_large_f32", _sine_of_large, x, quarter)

    is_near = jnp.abs(x) < _LIMIT
    return lax.cond(is_near, lambda x: machine_op(kind, x), far, x)


def _sine_of_large(x: Any, quarters: Any) -> Any:
    """sin(x + quarters pi/2); NaN for what is not finite."""
    high, low = _turns(bits_of(x))
    half = np.uint32(1 << 31)
    is_negative = bits_of(x) >= half
    low = jnp.where(is_negative, -low, low)
    high = jnp.where(
        is_negative, ~high + (low == np.uint32(0)).astype(jnp.uint32), high
    )
    # To the nearest quarter turn, and what is left over, in 2^-64 of a quarter.
    quarters = quarters + right(high + np.uint32(1 << 29), 30)
    rest = lax.bitcast_convert_type(left(high, 2) | right(low, 30), jnp.int32)
    angle = _angle(rest, left(low, 2))
    is_odd = (quarters & np.uint32(1)) == np.uint32(1)
    size = lax.cond(
        is_odd, lambda a: machine_op("cos", a), lambda a: machine_op("sin", a), angle
    )
    size = jnp.where((quarters & np.uint32(2)) == np.uint32(2), -size, size)
    return jnp.where(jnp.abs(x) < jnp.inf, size, x - x)


def _angle(high: Any, low: Any) -> Any:
    """The number of quarter turns high.low, from -1/2 to 1/2, in radians as f32."""
    is_negative = high < np.int32(0)
    low = jnp.where(is_negative, -low, low)
    carry = (is_negative & (low != np.uint32(0))).astype(jnp.int32)
    size = jnp.where(is_negative, -high - carry, high)
    turns = size.astype(jnp.float32) * np.float32(2.0**-32)
    turns = turns + right(low, 8).astype(jnp.int32).astype(jnp.float32) * np.float32(
        2.0**-56
    )
    angle = turns * np.float32(math.pi / 2)
    return jnp.where(is_negative, -angle, angle)


def _turns(bits: Any) -> tuple[Any, Any]:
    """Of |x| >= 2^15, as bits: x / (2 pi) without whole turns, in 2^-64 of a turn."""
    exponent = right(bits, 23) & np.uint32(0xFF)
    fraction = (bits & np.uint32(0x7FFFFF)) | np.uint32(0x800000)
    start = exponent - np.uint32(_EXPONENT_OF_WHOLE - 32)  # in bits of _WORDS
    window = _window(right(start, 5), start & np.uint32(31))
    middle = fraction * window[1]
    low = middle + high_product(fraction, window[2])
    carry = (low < middle).astype(jnp.uint32)
    high = fraction * window[0] + high_product(fraction, window[1]) + carry
    return high, low


def _window(word: Any, bit: Any) -> list[Any]:
    """Three words of _WORDS from a bit of a word on."""
    words = [_chosen(word, offset) for offset in range(4)]
    rest = np.uint32(32) - bit
    return [
        jnp.where(
            bit == np.uint32(0),
            first,
            machine_op("shift_left", first, bit)
            | machine_op("shift_right", second, rest & np.uint32(31)),
        )
        for first, second in itertools.pairwise(words)
    ]


def _chosen(word: Any, offset: int) -> Any:
    """_WORDS[word + offset], for words from 0 to 4."""
    chosen: Any = np.uint32(_WORDS[offset])
    for number in range(1, 5):
        value = np.uint32(_WORDS[number + offset])
        chosen = jnp.where(word == np.uint32(number), value, chosen)
    return chosen


CASES = [
    Case("angles", lambda x: [lax.sin(x), lax.cos(x), lax.tan(x)], ("f32[n,m]",)),
    Case(
        "of large numbers", lambda x: [lax.sin(x * 1e7), lax.cos(x * 1e30)], ("f32[n]",)
    ),
]
