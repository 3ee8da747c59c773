"""What is known of a value of a random program before it is computed.

A comparison, a floor or an index is wrong altogether if its operand is off by one
rounding. So only `exact` values feed them: integers, booleans, and floats that are
small whole numbers, which every order of computing gives exactly. For the others an
absolute error is bounded along the way; programs are compared within it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

FLOATS = ("float32", "float16", "bfloat16")
SIGNED = ("int32", "int16", "int8")
UNSIGNED = ("uint32", "uint16", "uint8")
INTEGERS = SIGNED + UNSIGNED

MAX_SIZE = 240  # elements of one value
MAX_RANK = 4
# Whole numbers up to here are exact in sums and products of two.
EXACT_LIMITS = {"float32": 2.0**23, "float16": 2.0**10, "bfloat16": 2.0**7}
# One rounding, and what functions such as exp may be off by, relative.
ROUNDING = {"float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}
FUNCTION = {"float32": 2e-5, "float16": 2e-3, "bfloat16": 1.6e-2}
_MAX_REAL = 1e3  # larger rounded numbers are left alone
_MAX_ERROR = 0.05


@dataclass(frozen=True)
class Value:
    """`bound` is the largest magnitude; integers wrap, theirs may be infinite."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    exact: bool
    bound: float
    error: float = 0.0

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def is_float(self) -> bool:
        return self.dtype in FLOATS


@dataclass(frozen=True)
class Known:
    """What a line knows of its result besides shape and dtype, which JAX tells."""

    bound: float
    exact: bool = True
    error: float = 0.0


def exact(bound: float) -> Known:
    """A result of exact operands that is whole numbers again."""
    return Known(bound)


def rounded(bound: float, error: float, relative: float) -> Known:
    """A result off by what its operands were off by, and one more rounding."""
    return Known(bound, False, error + relative * bound)


def is_useful(known: Known, dtype: str) -> bool:
    """Whether more can be computed from such a value without false alarms."""
    if dtype not in FLOATS:
        return known.exact
    if known.exact:
        return known.bound <= EXACT_LIMITS[dtype]
    return known.bound <= _MAX_REAL and known.error <= _MAX_ERROR * max(1, known.bound)


def combined(values: list[Value], bound: float, error: float) -> Known:
    """Sums and products of these: exact if they are, else with one rounding more."""
    if all(value.exact for value in values):
        return exact(bound)
    return rounded(bound, error, ROUNDING[values[0].dtype])
