"""Vector operations on bfloat16 and cb16, which NumPy does not have.

Programs compiled for one of these formats keep its raw words in memory, so their
operations take and give words. In between they compute in f64, whose 53 bits are
enough that rounding twice is rounding once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyflame.wse.machine.operations import OPERATIONS, OpSpec
from pyflame.wse.machine.scalar_support import SMALL_FLOATS, SmallFloat

VectorFunction = Callable[..., Any]


@lru_cache
def operations_for(fp16_format: str) -> dict[str, OpSpec]:
    """The operations of programs with a 16-bit float format, by builtin name."""
    if fp16_format not in SMALL_FLOATS:
        return OPERATIONS
    return {name: _on_words(spec) for name, spec in OPERATIONS.items()}


def _on_words(spec: OpSpec) -> OpSpec:
    sources = tuple("u16" if s == "f16" else s for s in spec.sources)
    dest = "u16" if spec.dest == "f16" else spec.dest
    return replace(spec, dest=dest, sources=sources)


def decode(format_: SmallFloat, words: Any) -> NDArray[np.float64]:
    """The values of raw words."""
    bits = np.asarray(words).astype(np.int64)
    fraction_bits = 15 - format_.exponent_bits
    top = (1 << format_.exponent_bits) - 1
    exponent = bits >> fraction_bits & top
    fraction = bits & (1 << fraction_bits) - 1
    normal = exponent > 0
    units = np.where(normal, fraction | 1 << fraction_bits, fraction)
    scale = np.where(normal, exponent, 1) - format_.bias - fraction_bits
    values = np.ldexp(units.astype(np.float64), scale)
    special = np.where(fraction == 0, np.inf, np.nan)
    values = np.where(exponent == top, special, values)
    return np.where(bits & 0x8000, -values, values)


def encode(format_: SmallFloat, values: Any) -> NDArray[np.uint16]:
    """The nearest words, ties to even; too large values become infinite."""
    wide = np.asarray(values, np.float64)
    fraction_bits = 15 - format_.exponent_bits
    top = (1 << format_.exponent_bits) - 1
    magnitude = np.where(np.isfinite(wide), np.abs(wide), 0.0)
    exponent = np.maximum(np.frexp(magnitude)[1] - 1, 1 - format_.bias)
    units = np.rint(np.ldexp(magnitude, fraction_bits - exponent)).astype(np.int64)
    biased = exponent.astype(np.int64) + format_.bias - 1
    words = np.minimum(units + (biased << fraction_bits), top << fraction_bits)
    words = np.where(magnitude == 0, 0, words)
    words = np.where(np.isinf(wide), top << fraction_bits, words)
    quiet = top << fraction_bits | 1 << (fraction_bits - 1)
    signed = words | np.where(np.signbit(wide), 0x8000, 0)
    return np.where(np.isnan(wide), quiet, signed).astype(np.uint16)


def on_words(
    spec: OpSpec, function: VectorFunction, fused: bool, format_: SmallFloat
) -> VectorFunction:
    """An operation on values, as one on the words of a format.

    `spec` is the one of `OPERATIONS`, which tells the operands that are 16-bit floats.
    """
    if "f16" not in (spec.dest, *spec.sources) or spec.name == "@fmovh":
        return function
    wide = np.float64 if spec.dest == "f16" else np.float32
    if spec.name == "@fmach" and not fused:
        function = _rounded_product(format_)

    def run(*operands: Any) -> Any:
        values = [
            decode(format_, operand).astype(wide) if kind == "f16" else operand
            for kind, operand in zip(spec.sources, operands, strict=True)
        ]
        result = function(*values)
        return encode(format_, result) if spec.dest == "f16" else result

    return run


def _rounded_product(format_: SmallFloat) -> VectorFunction:
    def multiply_add(a: Any, b: Any, s: Any) -> Any:
        return a + decode(format_, encode(format_, b * s))

    return multiply_add


class WordFold:
    """A reduction over words, rounded after each step: what a ufunc's `accumulate`
    is to other types."""

    def __init__(self, step: np.ufunc, format_: SmallFloat) -> None:
        self._step = step
        self._format = format_

    def accumulate(
        self, chain: NDArray[np.uint16], dtype: np.dtype[Any]
    ) -> NDArray[np.uint16]:
        values = decode(self._format, chain)
        total = values[0]
        words = chain.copy()
        for place, value in enumerate(values[1:], 1):
            words[place] = encode(self._format, self._step(total, value))
            total = decode(self._format, words[place])
        return words
