"""Steps that walk along a dimension with what they have seen so far in a register."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from lowering.plan.cycles import (
    LOOP_BYTES,
    SCALAR_OP_BYTES,
    VECTOR_BYTES,
    step_code_bytes,
    step_cycles,
)
from lowering.plan.origins import OneOperand, Origin
from lowering.plan.values import Shape, Value, View, collapse, whole
from lowering.target import CycleCosts, Target

FoldOp = Literal["sum", "prod", "max", "min", "and", "or", "xor"]
VECTOR_OPS = ("sum", "prod", "max")  # of float32: one operation on two vectors each


@dataclass(slots=True)
class FoldStep(OneOperand):
    """`out[kept] = op over reduced of x[kept + reduced]`, one element after another."""

    out: Value
    op: FoldOp
    x: View
    kept_rank: int
    origin: Origin


@dataclass(slots=True)
class ExtremeIndexStep(OneOperand):
    """`out[kept] = i` of the first largest (or smallest) x[kept, i]; NaN wins."""

    out: Value
    x: View
    is_largest: bool
    origin: Origin


@dataclass(slots=True)
class CumulativeStep(OneOperand):
    """`out[..., i, ...] = op over j <= i of x[..., j, ...]` along `dim`, or j >= i."""

    out: Value
    op: FoldOp
    x: View
    dim: int
    is_reversed: bool
    origin: Origin


@dataclass(frozen=True, slots=True)
class CumulativeScheme:
    """`vectors`: slices across `dim` are combined; else lines along it, in a register.

    `lines` are the collapsed dimensions beside `dim`, with their strides in x and out.
    """

    vectors: bool
    lines: Shape
    x_strides: tuple[int, ...]
    out_strides: tuple[int, ...]
    cycles: int


def cumulative_scheme(step: CumulativeStep, target: Target) -> CumulativeScheme:
    """The cheaper of the schemes that can express the step."""
    length = step.x.shape[step.dim]
    out = whole(step.out)
    shape, (x_strides, out_strides) = collapse(
        _without(step.x.shape, step.dim),
        [_without(view.strides, step.dim) for view in (step.x, out)],
    )
    costs, count = target.costs, math.prod(shape)
    slow = count * (length + 1) * _element_cycles(costs)
    per_slice = costs.dsd_setup_cycles + costs.loop_edge_cycles
    fast = length * (per_slice + math.ceil(count / costs.alu_elements_per_cycle))
    can = (
        step.op in VECTOR_OPS
        and str(step.x.dtype) == "float32"
        and len(shape) <= target.max_dsd_rank
        and max(shape) <= target.max_extent_elements
    )
    if can and fast < slow:
        return CumulativeScheme(True, shape, x_strides, out_strides, fast)
    return CumulativeScheme(False, shape, x_strides, out_strides, slow)


def _without(sizes: tuple[int, ...], dim: int) -> tuple[int, ...]:
    return (*sizes[:dim], *sizes[dim + 1 :])


def _element_cycles(costs: CycleCosts) -> int:
    return 2 * costs.scalar_op_cycles + costs.loop_edge_cycles


@step_cycles.register
def _fold_cycles(step: FoldStep | ExtremeIndexStep, target: Target) -> int:
    return (math.prod(step.x.shape) + step.out.element_count) * _element_cycles(
        target.costs
    )


@step_cycles.register
def _cumulative_cycles(step: CumulativeStep, target: Target) -> int:
    return cumulative_scheme(step, target).cycles


@step_code_bytes.register
def _fold_bytes(step: FoldStep | ExtremeIndexStep | CumulativeStep) -> int:
    return 2 * LOOP_BYTES + VECTOR_BYTES + 2 * SCALAR_OP_BYTES
