"""Steps of loops on rows that stand apart: each pass takes or writes another array."""

from __future__ import annotations

from dataclasses import dataclass

from lowering.plan.cycles import (
    SCALAR_OP_BYTES,
    VECTOR_BYTES,
    copy_cycles,
    step_code_bytes,
    step_cycles,
)
from lowering.plan.origins import OneEquation, Origin
from lowering.plan.values import Count, Value, View
from lowering.target import Target


@dataclass(frozen=True, slots=True)
class Rows:
    """Arrays of one size and dtype; the function called `name` gives one by number."""

    name: str
    values: tuple[Value, ...]


@dataclass(slots=True)
class TakeRowStep(OneEquation):
    """`out = rows[count]`, element by element in memory order."""

    out: Value
    rows: Rows
    count: Count
    origin: Origin

    def reads(self) -> list[Value]:
        return list(self.rows.values)

    def writes(self) -> list[Value]:
        return [self.out]


@dataclass(slots=True)
class PutRowStep(OneEquation):
    """`rows[count] = x`, element by element in memory order; `x` is contiguous."""

    rows: Rows
    count: Count
    x: View
    origin: Origin

    def reads(self) -> list[Value]:
        return [self.x.value]

    def writes(self) -> list[Value]:
        return list(self.rows.values)


@step_cycles.register
def _cycles(step: TakeRowStep | PutRowStep, target: Target) -> int:
    costs = target.costs
    chosen = costs.call_cycles + 2 * costs.scalar_op_cycles
    return chosen + copy_cycles(step.rows.values[0].element_count, costs)


@step_code_bytes.register
def _code_bytes(step: TakeRowStep | PutRowStep) -> int:
    return VECTOR_BYTES + SCALAR_OP_BYTES * len(step.rows.values)
