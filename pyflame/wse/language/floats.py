"""Rounding to the machine's float formats, and their bit patterns.

f32 and f16 are IEEE; bf16 has 8 exponent bits; cb16 has 6 exponent bits and bias 42
(from the documented pattern of cb16 6.0, 0b0101100100000000).
"""

from __future__ import annotations

import math
import struct

import numpy as np

from pyflame.wse.language.types import Float

# exponent bits, fraction bits, bias
_LAYOUTS = {"bf16": (8, 7, 127), "cb16": (6, 9, 42)}


def round_float(type_: Float, value: float) -> float:
    """The nearest value of the format, ties to even; too large becomes infinite."""
    with np.errstate(over="ignore", invalid="ignore"):
        if type_.name == "f32":
            return float(np.float32(value))
        if type_.name == "f16":
            return float(np.float16(value))
    return _round_custom(value, *_LAYOUTS[type_.name])


def _round_custom(value: float, exponent_bits: int, fraction: int, bias: int) -> float:
    if value == 0 or math.isinf(value) or math.isnan(value):
        return value
    smallest = 1 - bias
    exponent = max(math.frexp(value)[1] - 1, smallest)
    step = math.ldexp(1.0, exponent - fraction)
    rounded = round(value / step) * step
    largest_exponent = (1 << exponent_bits) - 2 - bias
    if abs(rounded) >= math.ldexp(1.0, largest_exponent + 1):
        return math.copysign(math.inf, value)
    return rounded


def bits_of_float(type_: Float, value: float) -> int:
    """The bit pattern, as an unsigned integer of the format's width."""
    if type_.name == "f32":
        return struct.unpack("<I", struct.pack("<f", value))[0]
    if type_.name == "f16":
        return struct.unpack("<H", struct.pack("<e", value))[0]
    return _custom_bits(value, *_LAYOUTS[type_.name])


def _custom_bits(value: float, exponent_bits: int, fraction: int, bias: int) -> int:
    sign = (1 << 15) if math.copysign(1.0, value) < 0 else 0
    top = ((1 << exponent_bits) - 1) << fraction
    if math.isnan(value):
        return sign | top | (1 << (fraction - 1))
    if math.isinf(value):
        return sign | top
    if value == 0:
        return sign
    exponent = max(math.frexp(value)[1] - 1, 1 - bias)
    scaled = round(abs(value) / math.ldexp(1.0, exponent - fraction))
    if scaled < (1 << fraction):  # subnormal
        return sign | scaled
    return sign | ((exponent + bias) << fraction) | (scaled - (1 << fraction))


def float_of_bits(type_: Float, bits: int) -> float:
    """The value of a bit pattern."""
    if type_.name == "f32":
        return struct.unpack("<f", struct.pack("<I", bits))[0]
    if type_.name == "f16":
        return struct.unpack("<e", struct.pack("<H", bits))[0]
    exponent_bits, fraction, bias = _LAYOUTS[type_.name]
    sign = -1.0 if bits >> 15 else 1.0
    exponent = (bits >> fraction) & ((1 << exponent_bits) - 1)
    mantissa = bits & ((1 << fraction) - 1)
    if exponent == (1 << exponent_bits) - 1:
        return sign * (math.nan if mantissa else math.inf)
    if exponent == 0:
        return sign * math.ldexp(mantissa, 1 - bias - fraction)
    return sign * math.ldexp(mantissa + (1 << fraction), exponent - bias - fraction)
