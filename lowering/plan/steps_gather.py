"""Steps that move windows to or from places that an array of indices names."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from lowering.plan.cycles import (
    LOOP_BYTES,
    SCALAR_OP_BYTES,
    VECTOR_BYTES,
    copy_cycles,
    step_code_bytes,
    step_cycles,
)
from lowering.plan.element_ops import vector_builtin
from lowering.plan.origins import OneEquation, Origin
from lowering.plan.values import Constant, Shape, Value, View
from lowering.target import Target

Combination = Literal["set", "add", "sub", "mul", "min", "max"]


@dataclass(frozen=True, slots=True)
class Component:
    """One number of an index vector: `offset` in the array of indices.

    It counts steps of `stride` elements along a dimension of the table and lies inside
    if it is between 0 and `last`.
    """

    offset: int
    stride: int
    last: int


@dataclass(frozen=True, slots=True)
class Places:
    """Where windows lie in a table, one for each of the points that indices name.

    Strides are in elements. Along dimensions of `points`: of the indices, of the table
    (where a dimension of both is batched), and of the array of windows. Along those of
    `window`: of the table and of the array of windows.
    """

    points: Shape
    index_strides: Shape
    table_steps: Shape
    array_steps: Shape
    components: tuple[Component, ...]
    window: Shape
    table_strides: Shape
    array_strides: Shape

    @property
    def point_count(self) -> int:
        return math.prod(self.points)

    @property
    def window_count(self) -> int:
        """The number of elements of one window."""
        return math.prod(self.window)


@dataclass(slots=True)
class GatherStep(OneEquation):
    """`out` at every point is the window of `table` that `indices` name.

    A window that does not lie inside is moved inside; with a `filling`, it is not read,
    and `out` is that number.
    """

    out: Value
    table: View
    indices: View
    places: Places
    filling: float | int | bool | None
    origin: Origin

    def reads(self) -> list[Value]:
        return [self.table.value, self.indices.value]

    def writes(self) -> list[Value]:
        return [self.out]


@dataclass(slots=True)
class ScatterStep(OneEquation):
    """The windows of `out` that `indices` name are combined with `updates`, in order.

    Windows that do not lie inside stay as they are.
    """

    out: Value
    updates: View | Constant
    indices: View
    places: Places
    combination: Combination
    origin: Origin

    def reads(self) -> list[Value]:
        read = [self.out, self.indices.value]
        if isinstance(self.updates, View):
            read.append(self.updates.value)
        return read

    def writes(self) -> list[Value]:
        return [self.out]


@step_cycles.register
def _cycles(step: GatherStep | ScatterStep, target: Target) -> int:
    costs, places = target.costs, step.places
    element = 3 * costs.scalar_op_cycles + costs.loop_edge_cycles
    window = min(places.window_count * element, copy_cycles(places.window_count, costs))
    per_component = costs.call_cycles + 2 * costs.scalar_op_cycles
    place = len(places.components) * per_component + costs.loop_edge_cycles
    if isinstance(step, ScatterStep) and not _has_vectors(step):
        window = places.window_count * element
    return places.point_count * (place + window)


def _has_vectors(step: ScatterStep) -> bool:
    kind = step.combination
    return kind == "set" or vector_builtin(kind, step.out.dtype) is not None


@step_code_bytes.register
def _code_bytes(step: GatherStep | ScatterStep) -> int:
    components = 4 * SCALAR_OP_BYTES * len(step.places.components)
    return 2 * LOOP_BYTES + VECTOR_BYTES + components
