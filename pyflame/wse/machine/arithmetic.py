"""What each vector operation computes, on NumPy arrays and on raw element bits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyflame.wse.machine.limits import Semantics
from pyflame.wse.machine.operations import OPERATIONS, OpSpec
from pyflame.wse.machine.scalar_support import SMALL_FLOATS
from pyflame.wse.machine.small_floats import (
    WordFold,
    decode,
    on_words,
    operations_for,
)

VectorFunction = Callable[..., Any]
Fold = np.ufunc | WordFold
BitsFunction = Callable[..., int]


class Arithmetic:
    """The functions of all operations under one choice of `Semantics` and of the
    16-bit float format.

    Indexed by `OpSpec.number`: `vector[n]` maps source arrays (or NumPy scalars) to
    the result array; `bits[n]` maps the raw bits of one element of each source to
    the raw bits of the result; `into[n]` takes the array to store to, which may be one
    of the sources, before them. `folds[n]` is the ufunc of reductions, or what acts
    like one, or None. `widen` turns the vector of a fold into its type.
    """

    __slots__ = ("bits", "folds", "into", "vector", "widen")

    def __init__(self, semantics: Semantics, fp16_format: str = "f16") -> None:
        table = _vector_functions(semantics)
        folds = {name: _fold(spec, semantics) for name, spec in OPERATIONS.items()}
        self.widen: dict[int, Callable[[Any], Any]] = {}
        small = SMALL_FLOATS.get(fp16_format)
        if small is not None:
            fused = semantics.fused_multiply_add
            for name, spec in OPERATIONS.items():
                table[name] = on_words(spec, table[name], fused, small)
                step = folds[name]
                if spec.dest == "f16" and isinstance(step, np.ufunc):
                    folds[name] = WordFold(step, small)
            self.widen[OPERATIONS["@faddhs"].number] = partial(decode, small)
        specs = list(operations_for(fp16_format).values())
        self.vector: list[VectorFunction] = [table[spec.name] for spec in specs]
        self.into = [_into(table[spec.name]) for spec in specs]
        self.folds: list[Fold | None] = [folds[spec.name] for spec in specs]
        fast = _fast_bits_functions(semantics)
        self.bits: list[BitsFunction] = [
            fast.get(spec.name) or bits_function(spec, table[spec.name])
            for spec in specs
        ]


@lru_cache
def arithmetic_of(semantics: Semantics, fp16_format: str = "f16") -> Arithmetic:
    return Arithmetic(semantics, fp16_format)


def _fold(spec: OpSpec, semantics: Semantics) -> Fold | None:
    maximum = np.maximum if semantics.max_propagates_nan else np.fmax
    table = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "max": maximum}
    if not spec.reduces:
        return None
    return table[spec.name.strip("@f")[:3]]


# --- whole vectors ----------------------------------------------------------------


Unary = Callable[[Any], Any]
Binary = Callable[[Any, Any], Any]
Ternary = Callable[[Any, Any, Any], Any]


def _vector_functions(semantics: Semantics) -> dict[str, VectorFunction]:
    maximum = np.maximum if semantics.max_propagates_nan else np.fmax
    multiply_add = _fused if semantics.fused_multiply_add else _unfused
    unary: dict[str, Unary] = {
        "@clz": lambda a: _leading_zeros(a, semantics.zero_count_bits),
        "@ctz": lambda a: _trailing_zeros(a, semantics.zero_count_bits),
        "@popcnt": lambda a: np.bitwise_count(a).astype(np.uint16),
        "@fh2s": lambda a: a.astype(np.float32),
        "@fs2h": lambda a: a.astype(np.float16),
        "@xp162fh": lambda a: a.astype(np.float16),
        "@xp162fs": lambda a: a.astype(np.float32),
    }
    binary: dict[str, Binary] = {
        "@add16": np.add,
        "@addc16": np.add,  # the carry is the caller's: see `carry_chain`
        "@sub16": np.subtract,
        "@and16": np.bitwise_and,
        "@or16": np.bitwise_or,
        "@xor16": np.bitwise_xor,
        "@sll16": _shift_left,
        "@slr16": _shift_right,
        "@sar16": _shift_right_signed,
        "@faddhs": lambda a, b: a + b.astype(np.float32),
    }
    ternary: dict[str, Ternary] = {
        "@fmachs": lambda a, b, s: multiply_add(
            a, b.astype(np.float32), s.astype(np.float32)
        ),
    }
    for name in ("@mov16", "@mov32", "@fmovh", "@fmovs", "@dfilt"):
        unary[name] = _same
    for width in "hs":
        unary[f"@fneg{width}"] = np.negative
        unary[f"@fabs{width}"] = np.abs
        unary[f"@fnorm{width}"] = _normalised
        unary[f"@f{width}2xp16"] = _to_int16
        binary[f"@fadd{width}"] = np.add
        binary[f"@fsub{width}"] = np.subtract
        binary[f"@fmul{width}"] = np.multiply
        binary[f"@fmax{width}"] = maximum
        binary[f"@fscale{width}"] = _scaled
        ternary[f"@fmac{width}"] = multiply_add
    return {**unary, **binary, **ternary}


def _same(a: Any) -> Any:
    return a


def _into(function: VectorFunction) -> Callable[..., None]:
    """The function with an array for its result; without a copy where it is easy."""

    def store(target: NDArray[Any], *sources: Any) -> None:
        target[:] = function(*sources)

    def fill(target: NDArray[Any], *sources: Any) -> None:
        function(*sources, out=target)

    if function is _unfused:
        return _unfused_into
    return fill if isinstance(function, np.ufunc) else store


def _unfused_into(target: NDArray[Any], a: Any, b: Any, s: Any) -> None:
    np.add(a, b * s, out=target)


def _unfused(a: Any, b: Any, s: Any) -> Any:
    return a + b * s


def _fused(a: Any, b: Any, s: Any) -> Any:
    """One rounding: products of f32 are exact in f64, and the sum of f64 is rounded
    to odd before it is narrowed, so that two roundings act as one."""
    exact = np.multiply(b, s, dtype=np.float64)
    wide = np.asarray(a, dtype=np.float64)
    total = np.asarray(exact + wide)
    back = total - wide
    error = (exact - back) + (wide - (total - back))
    odd = total.view(np.int64) & 1 == 1
    toward = np.where(error > 0, np.inf, -np.inf)
    moved = (error != 0) & ~odd & np.isfinite(total)
    result = np.where(moved, np.nextafter(total, toward), total)
    return result.astype(np.asarray(a).dtype)


def _shift_left(a: Any, b: Any) -> Any:
    wide = np.asarray(a, np.uint64) << np.minimum(b, 16).astype(np.uint64)
    return wide.astype(np.uint16)


def _shift_right(a: Any, b: Any) -> Any:
    wide = np.asarray(a, np.uint64) >> np.minimum(b, 16).astype(np.uint64)
    return wide.astype(np.uint16)


def _shift_right_signed(a: Any, b: Any) -> Any:
    signed = np.asarray(a, np.uint16).view(np.int16).astype(np.int64)
    return (signed >> np.minimum(b, 15).astype(np.int64)).astype(np.uint16)


def _leading_zeros(a: Any, of_zero: int) -> Any:
    _, exponent = np.frexp(np.asarray(a, np.float64))
    return np.where(np.asarray(a) == 0, of_zero, 16 - exponent).astype(np.uint16)


def _trailing_zeros(a: Any, of_zero: int) -> Any:
    wide = np.asarray(a, np.int64)
    count = np.bitwise_count((wide & -wide) - 1).astype(np.uint16)
    return np.where(wide == 0, of_zero, count).astype(np.uint16)


def _to_int16(a: Any) -> Any:
    """Nearest, ties to even, saturating; NaN gives 0."""
    rounded = np.rint(np.asarray(a, np.float64))
    limited = np.clip(np.nan_to_num(rounded, nan=0.0), -32768, 32767)
    return limited.astype(np.int16)


def _normalised(a: Any) -> Any:
    """The significand in [1, 2) with the sign of the value."""
    fraction, _ = np.frexp(a)
    return (fraction * 2).astype(np.asarray(a).dtype)


def _scaled(a: Any, exponent: Any) -> Any:
    return np.ldexp(a, exponent).astype(np.asarray(a).dtype)


def carry_chain(
    a: Sequence[int], b: Sequence[int], carry: int
) -> tuple[NDArray[np.uint16], int]:
    """`@addc16`: each element adds the carry that the one before left.

    The documentation is silent; a multi-word addition is what the operation is for.
    """
    result: list[int] = []
    for left, right in zip(a, b, strict=True):
        total = left + right + carry
        result.append(total & 0xFFFF)
        carry = total >> 16
    return np.array(result, np.uint16), carry


# --- single elements as raw bits --------------------------------------------------


def to_bits(value: Any, dtype: np.dtype[Any]) -> int:
    """The raw bits of a scalar operand: ints wrap, floats are rounded to the type."""
    if dtype.kind in "ui":
        return int(value) & ((1 << 8 * dtype.itemsize) - 1)
    return int(np.asarray(value, dtype).view(f"u{dtype.itemsize}"))


def from_bits(bits: int, dtype: np.dtype[Any]) -> Any:
    """The NumPy scalar of raw bits; bits beyond the type are dropped."""
    width = dtype.itemsize
    return np.array(bits & ((1 << 8 * width) - 1), f"u{width}").view(dtype)[()]


def bits_function(spec: OpSpec, function: VectorFunction) -> BitsFunction:
    """The function on raw bits made from the one on arrays."""
    dtypes = spec.source_dtypes
    scratch = [np.zeros(1, dtype) for dtype in dtypes]
    raw = [array.view(f"u{array.itemsize}") for array in scratch]
    masks = [(1 << 8 * dtype.itemsize) - 1 for dtype in dtypes]
    result = np.zeros(1, spec.dest_dtype)
    result_raw = result.view(f"u{result.itemsize}")

    def compute(*bits: int) -> int:
        for place, value, mask in zip(raw, bits, masks, strict=True):
            place[0] = value & mask
        result[0] = function(*scratch)[0]
        return int(result_raw[0])

    return compute


def _fast_bits_functions(semantics: Semantics) -> dict[str, BitsFunction]:
    """Written out for what programs stream; sums, differences and products of two
    f32 are exact enough in f64 that rounding twice is rounding once."""
    cell = memoryview(bytearray(4))
    value, raw = cell.cast("f"), cell.cast("I")

    def decoded(bits: int) -> float:
        raw[0] = bits
        return value[0]

    def add(a: int, b: int) -> int:
        value[0] = decoded(a) + decoded(b)
        return raw[0]

    def subtract(a: int, b: int) -> int:
        value[0] = decoded(a) - decoded(b)
        return raw[0]

    def multiply(a: int, b: int) -> int:
        value[0] = decoded(a) * decoded(b)
        return raw[0]

    def multiply_add(a: int, b: int, s: int) -> int:
        return add(a, multiply(b, s))

    unary: dict[str, Callable[[int], int]] = {
        "@mov16": lambda a: a & 0xFFFF,
        "@fmovh": lambda a: a & 0xFFFF,
        "@mov32": _same,
        "@fmovs": _same,
        "@dfilt": _same,
        "@fnegs": lambda a: a ^ 0x80000000,
        "@fabss": lambda a: a & 0x7FFFFFFF,
    }
    binary: dict[str, Callable[[int, int], int]] = {
        "@add16": lambda a, b: a + b & 0xFFFF,
        "@sub16": lambda a, b: a - b & 0xFFFF,
        "@and16": lambda a, b: a & b & 0xFFFF,
        "@or16": lambda a, b: (a | b) & 0xFFFF,
        "@xor16": lambda a, b: (a ^ b) & 0xFFFF,
        "@fadds": add,
        "@fsubs": subtract,
        "@fmuls": multiply,
    }
    table: dict[str, BitsFunction] = {**unary, **binary}
    if not semantics.fused_multiply_add:
        table["@fmacs"] = multiply_add
    return table
