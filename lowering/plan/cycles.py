"""Predicted cycles and code bytes of each step."""

from __future__ import annotations

import math

from lowering.plan.control import (
    BranchCase,
    BranchEnd,
    BranchStart,
    LoopEnd,
    LoopStart,
    LoopTest,
)
from lowering.plan.element_ops import KINDS
from lowering.plan.fuse import is_vector_op
from lowering.plan.schemes import dot_scheme, inner_scheme, reduce_scheme
from lowering.plan.steps import (
    CutStep,
    DotStep,
    ElementOp,
    ElementStep,
    FillStep,
    IndexStep,
    MoveStep,
    PutStep,
    ReduceStep,
    Step,
    TakeStep,
    ZeroUnlessStep,
)
from lowering.target import CycleCosts, Target

# Estimates of instruction bytes, from the sizes of hand-written programs that FABRICA
# reports (a real kernel holds about 1.6 KB beside the runtime).
_PROGRAM_BYTES = 512
_VECTOR_BYTES = 48
_LOOP_BYTES = 64
_SCALAR_OP_BYTES = 16
_LIBRARY_CALL_BYTES = 160  # exp, log and their like, once per program each
_MATMUL_BYTES = 256
_MOVE_BYTES = 56
_LINE_BYTES = 512


def step_cycles(step: Step, target: Target) -> int:
    """Cycles from the step's start to its end on the PE that takes longest."""
    costs = target.costs
    match step:
        case ElementStep():
            return _element_cycles(step, costs)
        case DotStep() if step.products is not None:
            return inner_scheme(step, target).cycles
        case DotStep():
            return costs.call_cycles + dot_scheme(step, target).cycles
        case ReduceStep():
            return reduce_scheme(step, target).cycles
        case IndexStep():
            return costs.call_cycles + costs.scalar_op_cycles
        case ZeroUnlessStep():
            moved = step.value.element_count / costs.move_elements_per_cycle
            return costs.dsd_setup_cycles + math.ceil(moved)
        case FillStep():
            return _slices_cycles(step.value.shape, step.dim, costs)
        case CutStep():
            if step.is_even:
                moved = step.out.element_count / costs.move_elements_per_cycle
                return costs.dsd_setup_cycles + costs.call_cycles + math.ceil(moved)
            return _slices_cycles(step.out.shape, step.dim, costs)
        case TakeStep() | PutStep():
            moved = step.x_count / costs.move_elements_per_cycle
            index = len(step.starts) * costs.scalar_op_cycles
            return costs.dsd_setup_cycles + index + math.ceil(moved)
        case MoveStep():
            return _move_cycles(step, costs)
        case LoopEnd() | LoopTest() | BranchStart():
            return costs.task_start_cycles + costs.loop_edge_cycles
        case LoopStart() | BranchCase() | BranchEnd():
            return costs.task_start_cycles


def step_code_bytes(step: Step) -> int:
    """Estimated instruction bytes of one step."""
    match step:
        case ElementStep():
            if is_vector_op(step.ops[0]):
                return _VECTOR_BYTES
            return _LOOP_BYTES + _SCALAR_OP_BYTES * len(step.ops)
        case MoveStep() | IndexStep() | ZeroUnlessStep():
            return _MOVE_BYTES
        case DotStep() if step.products is not None:
            return 2 * _LOOP_BYTES + 2 * _VECTOR_BYTES
        case DotStep() | ReduceStep() | FillStep() | CutStep():
            return _LOOP_BYTES + _VECTOR_BYTES
        case TakeStep() | PutStep():
            return _VECTOR_BYTES + _SCALAR_OP_BYTES * len(step.starts)
        case LoopEnd() | LoopTest() | BranchStart():
            return _LOOP_BYTES
        case LoopStart() | BranchCase() | BranchEnd():
            return _SCALAR_OP_BYTES


def program_code_bytes(steps: list[Step], target: Target) -> int:
    """Estimated code of the whole program, memcpy's own included."""
    kinds = {op.kind for s in steps if isinstance(s, ElementStep) for op in s.ops}
    calls = sum(KINDS[kind].cost in ("transcendental", "logistic") for kind in kinds)
    lines = {step.axis for step in steps if isinstance(step, MoveStep)}
    matmul = any(isinstance(s, DotStep) and s.products is None for s in steps)
    return (
        target.runtime_bytes
        + _PROGRAM_BYTES
        + sum(map(step_code_bytes, steps))
        + calls * _LIBRARY_CALL_BYTES
        + matmul * _MATMUL_BYTES
        + len(lines) * _LINE_BYTES
    )


def _element_cycles(step: ElementStep, costs: CycleCosts) -> int:
    count = step.ops[0].out.element_count
    if is_vector_op(step.ops[0]):
        rate = _vector_rate(step.ops[0], costs)
        return costs.dsd_setup_cycles + math.ceil(count / rate)
    body = sum(_scalar_cycles(op, costs) for op in step.ops)
    per_pass = costs.loop_edge_cycles + costs.scalar_op_cycles if count > 1 else 0
    return count * (body + per_pass)


def _vector_rate(op: ElementOp, costs: CycleCosts) -> float:
    if op.kind in ("copy", "neg", "abs"):
        return costs.move_elements_per_cycle
    return costs.alu_elements_per_cycle


def _scalar_cycles(op: ElementOp, costs: CycleCosts) -> int:
    match KINDS[op.kind].cost:
        case "op":
            return costs.scalar_op_cycles
        case "divide":
            return costs.divide_cycles
        case "transcendental":
            return costs.transcendental_cycles + costs.call_cycles
        case "logistic":
            call = costs.transcendental_cycles + costs.call_cycles
            return call + costs.divide_cycles


def _slices_cycles(shape: tuple[int, ...], dim: int, costs: CycleCosts) -> int:
    """One move per index of `dim`, at most."""
    rest = math.prod(shape) // max(shape[dim], 1)
    moved = math.ceil(rest / costs.move_elements_per_cycle)
    offset = 2 * costs.scalar_op_cycles
    per_slice = costs.dsd_setup_cycles + costs.loop_edge_cycles + offset + moved
    inside = 2 * costs.call_cycles + 4 * costs.scalar_op_cycles
    return inside + shape[dim] * per_slice


def _move_cycles(step: MoveStep, costs: CycleCosts) -> int:
    """Chain and flood after RED, with the target's hop latency."""
    start = costs.task_start_cycles + costs.dsd_setup_cycles
    start += costs.exchange_overhead_cycles
    count, hops = step.extent_elements, step.size - 1
    stage = 2 * costs.ramp_cycles + 1 + costs.hop_cycles
    match step.kind:
        case "reduce_inward":
            return start + count + hops * stage
        case "relay_inward":
            farthest = step.root if isinstance(step.root, int) else hops
            return start + count + farthest * stage
        case "gather_inward":
            return start + hops * (count + costs.hop_cycles)
        case "pass_inward":
            return start + stage
        case "flood":
            return start + count + hops * costs.hop_cycles + 2 * costs.ramp_cycles
        case "shift":
            return start + costs.dsd_setup_cycles + count + stage
