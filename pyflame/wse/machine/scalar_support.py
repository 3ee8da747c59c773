"""Helpers that generated code calls: faults, division, conversions.

Documents leave open what happens to a float that no integer of the target type can
hold: here it saturates, and a NaN gives 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from pyflame.wse.errors import MachineFault
from pyflame.wse.language import types
from pyflame.wse.language.source import Span
from pyflame.wse.machine.sites import Site


def fault_at(pe: Any, message: str, span: Span) -> MachineFault:
    """A fault of a PE with its place in the source."""
    return MachineFault(f"PE({pe.x},{pe.y}): {message}", span)


def bad_index(pe: Any, site: Site, index: int) -> NoReturn:
    raise fault_at(
        pe,
        f"index {index} is outside '{site.name}', which has {site.size} elements",
        site.span,
    )


def bad_address(pe: Any, site: Site, address: int) -> NoReturn:
    raise fault_at(
        pe,
        f"{site.name} reaches address {address:#06x}, outside the "
        f"{pe.memory.size_bytes:,} bytes of memory",
        site.span,
    )


def load_register(pe: Any, site: Site, address: int) -> int:
    """A u16 behind a pointer into configuration space, whose words it counts twice."""
    if address & 1 or not pe.has_register(address >> 1):
        bad_address(pe, site, address)
    return pe.config_read(address >> 1)


def store_register(pe: Any, site: Site, address: int, value: int) -> None:
    if address & 1 or not pe.has_register(address >> 1):
        bad_address(pe, site, address)
    pe.config_write(address >> 1, value)


def bad_alignment(pe: Any, site: Site, address: int) -> NoReturn:
    raise fault_at(
        pe,
        f"{site.name} reaches address {address:#06x}, not a multiple of "
        f"{site.size} bytes",
        site.span,
    )


def over_budget(pe: Any, site: Site) -> NoReturn:
    raise fault_at(
        pe,
        f"the loop has not ended after {pe.clock:,} cycles; the budget is "
        f"{pe.max_cycles:,} cycles",
        site.span,
    )


def ahead_of_budget(pe: Any, site: Site, cycles: int) -> NoReturn:
    raise fault_at(
        pe,
        f"the loop would take {cycles:,} cycles after the {pe.clock:,} so far; the "
        f"budget is {pe.max_cycles:,} cycles",
        site.span,
    )


def too_deep(pe: Any, site: Site) -> NoReturn:
    raise fault_at(pe, f"calls of '{site.name}' nest too deeply", site.span)


def no_value(pe: Any, site: Site) -> NoReturn:
    raise fault_at(pe, f"'{site.name}' is used before it has a value", site.span)


def failed_assertion(pe: Any, site: Site) -> NoReturn:
    raise fault_at(pe, "assertion failed", site.span)


def no_such_function(pe: Any, site: Site, index: int) -> NoReturn:
    raise fault_at(pe, f"{index} is not a function pointer", site.span)


def divide(pe: Any, site: Site, left: int, right: int) -> int:
    """Integer quotient, truncated toward zero."""
    if right == 0:
        raise fault_at(pe, f"division of {left} by zero", site.span)
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def remainder(pe: Any, site: Site, left: int, right: int) -> int:
    """Remainder of the truncated quotient: it has the sign of `left`."""
    if right == 0:
        raise fault_at(pe, f"remainder of {left} by zero", site.span)
    rest = abs(left) % abs(right)
    return -rest if left < 0 else rest


def float_to_int(type_: types.Int) -> Callable[[Any], int]:
    """A converter that truncates toward zero and saturates; NaN gives 0."""
    low, high = type_.minimum, type_.maximum

    def convert(x: Any) -> int:
        value = float(x)
        if low <= value <= high:
            return int(value)
        if value != value:
            return 0
        return low if value < 0 else high

    return convert


# --- 16-bit formats that NumPy does not have --------------------------------------


@dataclass(frozen=True, slots=True)
class SmallFloat:
    """A 16-bit float: sign, `exponent_bits`, then the fraction."""

    exponent_bits: int
    bias: int

    def decode(self, word: int) -> float:
        fraction_bits = 15 - self.exponent_bits
        exponent = word >> fraction_bits & (1 << self.exponent_bits) - 1
        fraction = word & (1 << fraction_bits) - 1
        sign = -1.0 if word & 0x8000 else 1.0
        if exponent == (1 << self.exponent_bits) - 1:
            return sign * float("inf") if fraction == 0 else float("nan")
        if exponent == 0:
            return sign * fraction * 2.0 ** (1 - self.bias - fraction_bits)
        scaled = (1 << fraction_bits | fraction) * 2.0 ** (
            exponent - self.bias - fraction_bits
        )
        return sign * scaled

    def encode(self, value: float) -> int:
        """Round to nearest, ties to even; overflow gives an infinity."""
        fraction_bits = 15 - self.exponent_bits
        top = (1 << self.exponent_bits) - 1
        if value != value:
            return top << fraction_bits | 1 << (fraction_bits - 1)
        sign = 0x8000 if np.signbit(value) else 0
        magnitude = abs(float(value))
        if magnitude == float("inf"):
            return sign | top << fraction_bits
        if magnitude == 0.0:
            return sign
        exponent = max(int(np.frexp(magnitude)[1]) - 1, 1 - self.bias)
        units = round(magnitude * 2.0 ** (fraction_bits - exponent))
        word = units + (exponent + self.bias - 1 << fraction_bits)
        return sign | min(word, top << fraction_bits)

    def rounded(self, value: float) -> float:
        return self.decode(self.encode(value))


BF16 = SmallFloat(8, 127)
CB16 = SmallFloat(6, 42)
SMALL_FLOATS = {"bf16": BF16, "cb16": CB16}


# --- memory that is not aligned to its own size -----------------------------------


def load_unaligned(memory: Any, address: int, dtype: np.dtype) -> Any:
    data = memory.read(address, dtype.itemsize)
    value = np.frombuffer(data, dtype)[0]
    return value if dtype.kind == "f" else int(value)


def store_unaligned(memory: Any, address: int, dtype: np.dtype, value: Any) -> None:
    memory.write(address, np.array(value, dtype).tobytes())


def load_array(memory: Any, address: int, dtype: np.dtype, count: int) -> Any:
    """A copy of the elements."""
    return np.frombuffer(memory.read(address, count * dtype.itemsize), dtype).copy()


def store_array(memory: Any, address: int, dtype: np.dtype, value: Any) -> None:
    memory.write(address, np.ascontiguousarray(value, dtype).tobytes())


def filled_array(dtype: np.dtype, count: int, value: Any) -> Any:
    """`count` elements; a struct is several bytes each."""
    return np.tile(np.asarray(value, dtype), count)
