"""The step that sorts lines of several operands by the first ones of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lowering.plan.cycles import (
    LOOP_BYTES,
    SCALAR_OP_BYTES,
    VECTOR_BYTES,
    step_code_bytes,
    step_cycles,
)
from lowering.plan.origins import OneEquation, Origin
from lowering.plan.values import Value, View
from lowering.target import Target

# Scalar operations of one element in one pass of a merge: two indices, two keys, the
# comparison, the move, and what counts.
_MERGE_OPS = 10
_MERGE_BYTES = 320


@dataclass(slots=True)
class SortStep(OneEquation):
    """`outs[..., i] = xs[..., order[i]]`, lines along the last dimension.

    `order`, i16[n], is the stable order of the first `num_keys` operands; it is merged
    with the help of `spare`, i16[n].
    """

    outs: tuple[Value, ...]
    xs: tuple[View, ...]
    num_keys: int
    order: Value
    spare: Value
    origin: Origin

    def reads(self) -> list[Value]:
        return [x.value for x in self.xs]

    def writes(self) -> list[Value]:
        return [*self.outs, self.order, self.spare]


@step_cycles.register
def _sort_cycles(step: SortStep, target: Target) -> int:
    costs, length = target.costs, step.order.element_count
    passes = math.ceil(math.log2(length)) if length > 1 else 0
    merge = _MERGE_OPS + 3 * (step.num_keys - 1)
    per_element = passes * (merge * costs.scalar_op_cycles + costs.loop_edge_cycles)
    per_element += (2 + 2 * len(step.xs)) * costs.scalar_op_cycles
    per_element += 2 * costs.loop_edge_cycles
    return math.prod(step.xs[0].shape) * per_element


@step_code_bytes.register
def _sort_bytes(step: SortStep) -> int:
    moved = 2 * SCALAR_OP_BYTES * (len(step.xs) + step.num_keys)
    return _MERGE_BYTES + 3 * LOOP_BYTES + VECTOR_BYTES + moved
