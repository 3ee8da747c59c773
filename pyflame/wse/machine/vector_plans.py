"""Operations on memory worked out once: views, function and cycles by their operands.

Loops run the same few vector operations again and again, on every PE of a program at
the same addresses. What an operation touches and costs hangs on its descriptors alone,
so it is found once and shared by all PEs of a wafer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyflame.wse.machine.dsd import Mem1d
from pyflame.wse.machine.memory import Memory, Window
from pyflame.wse.machine.operations import PLAIN, Operation

MAX_PLANS = 1 << 16

Key = tuple[Any, ...]

_SCALAR_KINDS: dict[type, int] = {np.float16: 2, np.float32: 4}


@dataclass(frozen=True, slots=True)
class VectorPlan:
    """`function` stores to the elements of `dest`, given them and the sources'. Of
    `sources`, the vectors are windows of memory as `dest` is; a scalar has None.

    The vectors overlap nowhere but in equal places, so NumPy's order is as good as
    the machine's.
    """

    function: Callable[..., None]
    dest: Window
    sources: tuple[Window | None, ...]
    cycles: int

    def run(self, memory: Memory, scalars: tuple[Any, ...]) -> None:
        """`scalars` are the operation's sources; those of vectors are not read."""
        views = memory.views
        values = [
            scalar if window is None else views[window[0]][window[1]]
            for window, scalar in zip(self.sources, scalars)  # noqa: B905
        ]
        number, elements = self.dest
        self.function(views[number][elements], *values)


class VectorPlans:
    """The plans of a wafer; None stands for operations that cannot be planned."""

    __slots__ = ("_plans",)

    def __init__(self) -> None:
        self._plans: dict[Key, VectorPlan | None] = {}

    def find(
        self, operation: Operation, make: Callable[[Operation], VectorPlan | None]
    ) -> VectorPlan | None:
        """The plan of an operation, made at first sight."""
        key = _key(operation)
        if key is None:
            return None
        try:
            return self._plans[key]
        except KeyError:
            if len(self._plans) >= MAX_PLANS:
                self._plans.clear()
            plan = self._plans[key] = make(operation)
            return plan


def _key(operation: Operation) -> Key | None:
    """What a plan hangs on, None for operands that are no plain vectors or floats."""
    dest = operation.dest
    if type(dest) is not Mem1d or operation.config is not PLAIN:
        return None
    key: list[Any] = [operation.spec.number, dest]
    sources: tuple[object, ...] = operation.sources
    for source in sources:
        kind = type(source)
        part = source if kind is Mem1d else _SCALAR_KINDS.get(kind)
        if part is None:
            return None
        key.append(part)
    return tuple(key)
