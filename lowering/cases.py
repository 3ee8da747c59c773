"""Test cases that stand beside the rules they are about."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Case:
    """A function that a rule must get right on every mesh, layout and size.

    `operands` are types such as "f32[n,m]"; n, m and k stand for sizes that the tests
    choose, numbers for themselves.
    """

    name: str
    function: Callable[..., Any]
    operands: tuple[str, ...]

    def arrays(
        self, sizes: Mapping[str, int], random: np.random.Generator
    ) -> list[np.ndarray[Any, Any]]:
        """Random operands for these sizes; no zero among the integers."""
        return [_array(operand, sizes, random) for operand in self.operands]


_DTYPES = {
    "f32": np.float32,
    "f16": np.float16,
    "i32": np.int32,
    "i16": np.int16,
    "i8": np.int8,
    "bool": np.bool_,
}


def _array(
    operand: str, sizes: Mapping[str, int], random: np.random.Generator
) -> np.ndarray[Any, Any]:
    name, dims = operand.rstrip("]").split("[")
    shape = tuple(
        sizes[dim] if dim in sizes else int(dim) for dim in dims.split(",") if dim
    )
    values = np.asarray(random.standard_normal(shape))
    if name in ("i32", "i16", "i8"):
        values = np.where(values < 0, values * 9 - 1, values * 9 + 1)
    if name == "bool":
        values = values > 0
    return values.astype(_DTYPES[name])
