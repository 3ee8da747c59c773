"""Predicted cycles and code bytes of each step."""

from __future__ import annotations

import math
from functools import singledispatch

from lowering.dtypes import is_narrow
from lowering.plan.control import (
    BranchCase,
    BranchEnd,
    BranchStart,
    LoopEnd,
    LoopStart,
    LoopTest,
)
from lowering.plan.element_ops import KINDS, ElementKind, wrapping
from lowering.plan.fuse import is_vector_op
from lowering.plan.schemes import (
    dot_scheme,
    inner_scheme,
    is_scalar,
    reduce_scheme,
    scalar_dot_cycles,
)
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
VECTOR_BYTES = 48
LOOP_BYTES = 64
SCALAR_OP_BYTES = 16
_LIBRARY_CALL_BYTES = 160  # exp, log and their like, once per program each
_MATMUL_BYTES = 256
_MOVE_BYTES = 56
_LINE_BYTES = 512
# Scalar operations that bring a result back to a dtype that PEs compute wider.
_ROUNDING_OPS = {"bfloat16": 6, "int8": 3, "uint8": 1}
_QUEUED_WORDS = 15  # that wait in an output queue and behind it
_ASSUMED_PASSES = 8  # of a loop in a function of one element, whose end is in the data


@singledispatch
def step_cycles(step: Step, target: Target) -> int:
    """Cycles from the step's start to its end on the PE that takes longest.

    Each class of steps registers its own: `@step_cycles.register`.
    """
    raise AssertionError(f"no cycles are known of {type(step).__name__}")


@singledispatch
def step_code_bytes(step: Step) -> int:
    """Estimated instruction bytes of one step; registered like `step_cycles`."""
    raise AssertionError(f"no code bytes are known of {type(step).__name__}")


@step_cycles.register
def _element_cycles(step: ElementStep, target: Target) -> int:
    costs = target.costs
    count = step.ops[0].out.element_count
    if is_vector_op(step.ops[0]):
        rate = _vector_rate(step.ops[0], costs)
        once = costs.dsd_setup_cycles + math.ceil(count / rate)
        return once * _vector_count(step.ops[0])
    body = sum(_scalar_cycles(op, costs) for op in step.ops)
    per_pass = costs.loop_edge_cycles + costs.scalar_op_cycles if count > 1 else 0
    return count * (body + per_pass)


@step_code_bytes.register
def _element_bytes(step: ElementStep) -> int:
    if is_vector_op(step.ops[0]):
        return VECTOR_BYTES * _vector_count(step.ops[0])
    return LOOP_BYTES + SCALAR_OP_BYTES * len(step.ops)


@step_cycles.register
def _dot_cycles(step: DotStep, target: Target) -> int:
    if step.products is not None:
        return inner_scheme(step, target).cycles
    if is_scalar(step):
        return scalar_dot_cycles(step, target.costs)
    return target.costs.call_cycles + dot_scheme(step, target).cycles


@step_code_bytes.register
def _dot_bytes(step: DotStep) -> int:
    if step.products is not None:
        return 2 * LOOP_BYTES + 2 * VECTOR_BYTES
    return LOOP_BYTES + VECTOR_BYTES


@step_cycles.register
def _reduce_cycles(step: ReduceStep, target: Target) -> int:
    return reduce_scheme(step, target).cycles


@step_cycles.register
def _index_cycles(step: IndexStep, target: Target) -> int:
    return target.costs.call_cycles + target.costs.scalar_op_cycles


@step_cycles.register
def _zero_cycles(step: ZeroUnlessStep, target: Target) -> int:
    return copy_cycles(step.value.element_count, target.costs)


@step_cycles.register
def _fill_cycles(step: FillStep, target: Target) -> int:
    return _slices_cycles(step.value.shape, step.dim, target.costs)


@step_cycles.register
def _cut_cycles(step: CutStep, target: Target) -> int:
    if step.is_even:
        moved = copy_cycles(step.out.element_count, target.costs)
        return moved + target.costs.call_cycles
    return _slices_cycles(step.out.shape, step.dim, target.costs)


@step_code_bytes.register
def _slices_bytes(step: ReduceStep | FillStep | CutStep) -> int:
    return LOOP_BYTES + VECTOR_BYTES


@step_cycles.register
def _window_cycles(step: TakeStep | PutStep, target: Target) -> int:
    index = len(step.starts) * target.costs.scalar_op_cycles
    return index + copy_cycles(step.x_count, target.costs)


@step_code_bytes.register
def _window_bytes(step: TakeStep | PutStep) -> int:
    return VECTOR_BYTES + SCALAR_OP_BYTES * len(step.starts)


@step_code_bytes.register
def _move_bytes(step: MoveStep | IndexStep | ZeroUnlessStep) -> int:
    return _MOVE_BYTES


@step_cycles.register
def _edge_cycles(step: LoopEnd | LoopTest | BranchStart, target: Target) -> int:
    return target.costs.task_start_cycles + target.costs.loop_edge_cycles


@step_cycles.register
def _mark_cycles(step: LoopStart | BranchCase | BranchEnd, target: Target) -> int:
    return target.costs.task_start_cycles


@step_code_bytes.register
def _edge_bytes(step: LoopEnd | LoopTest | BranchStart) -> int:
    return LOOP_BYTES


@step_code_bytes.register
def _mark_bytes(step: LoopStart | BranchCase | BranchEnd) -> int:
    return SCALAR_OP_BYTES


def program_code_bytes(steps: list[Step], target: Target) -> int:
    """Estimated code of the whole program, memcpy's own included."""
    ops = [op for s in steps if isinstance(s, ElementStep) for op in s.ops]
    functions = {
        f.name: f for op in ops if op.function for f in op.function.functions()
    }
    inside = [op for function in functions.values() for op, _ in function.operations()]
    kinds = {op.kind for op in (*ops, *inside)}
    calls = sum(KINDS[kind].cost in ("transcendental", "logistic") for kind in kinds)
    lines = {step.axis for step in steps if isinstance(step, MoveStep)}
    matmul = any(
        isinstance(s, DotStep) and s.products is None and not is_scalar(s)
        for s in steps
    )
    return (
        target.runtime_bytes
        + _PROGRAM_BYTES
        + sum(map(step_code_bytes, steps))
        + calls * _LIBRARY_CALL_BYTES
        + len(functions) * LOOP_BYTES
        + len(inside) * SCALAR_OP_BYTES
        + matmul * _MATMUL_BYTES
        + len(lines) * _LINE_BYTES
    )


def _vector_count(op: ElementOp) -> int:
    """How many builtins on vectors compute the operation."""
    is_fill = all(operand.is_scalar for operand in op.operands)
    return 1 if is_fill else 1 + len(wrapping(op.kind, op.out.dtype))


def _vector_rate(op: ElementOp, costs: CycleCosts) -> float:
    """Elements per cycle: of 16 bits two instead of one (SDK: SIMD widths)."""
    if op.kind == "to_f32":  # at most a move to clear, and one to every other word
        return costs.move_elements_per_cycle / 2
    width = 2 if is_narrow(op.out.dtype) else 1
    if op.kind in ("copy", "neg", "abs"):
        return width * costs.move_elements_per_cycle
    return width * costs.alu_elements_per_cycle


def _scalar_cycles(op: ElementOp, costs: CycleCosts) -> int:
    if op.function is not None:
        return costs.call_cycles + sum(
            _scalar_cycles(inner, costs) * _ASSUMED_PASSES**depth
            for inner, depth in op.function.operations()
        )
    kind = KINDS[op.kind]
    rounding = 0 if kind.is_exact else _ROUNDING_OPS.get(str(op.out.dtype), 0)
    return _kind_cycles(kind, costs) + rounding * costs.scalar_op_cycles


def _kind_cycles(kind: ElementKind, costs: CycleCosts) -> int:
    match kind.cost:
        case "op":
            return costs.scalar_op_cycles
        case "call":
            return costs.call_cycles + 3 * costs.scalar_op_cycles
        case "divide":
            return costs.divide_cycles
        case "transcendental":
            return costs.transcendental_cycles + costs.call_cycles
        case "logistic":
            call = costs.transcendental_cycles + costs.call_cycles
            return call + costs.divide_cycles
        case "function":
            raise AssertionError("a call has the function that it calls")


def copy_cycles(count: int, costs: CycleCosts) -> int:
    """One vector operation that moves `count` elements."""
    return costs.dsd_setup_cycles + math.ceil(count / costs.move_elements_per_cycle)


def _slices_cycles(shape: tuple[int, ...], dim: int, costs: CycleCosts) -> int:
    """One move per index of `dim`, at most."""
    rest = math.prod(shape) // max(shape[dim], 1)
    moved = math.ceil(rest / costs.move_elements_per_cycle)
    offset = 2 * costs.scalar_op_cycles
    per_slice = costs.dsd_setup_cycles + costs.loop_edge_cycles + offset + moved
    inside = 2 * costs.call_cycles + 4 * costs.scalar_op_cycles
    return inside + shape[dim] * per_slice


@step_cycles.register
def _move_cycles(step: MoveStep, target: Target) -> int:
    """Chain, star and flood after RED, with the target's hop latency."""
    costs = target.costs
    start = costs.task_start_cycles + costs.dsd_setup_cycles
    start += costs.exchange_overhead_cycles
    count, hops = step.extent_words, step.size - 1
    ramps = 2 * costs.ramp_cycles
    stage = ramps + 1 + costs.hop_cycles
    match step.kind:
        case "reduce_inward":
            return start + count + hops * stage
        case "reduce_groups":
            return start + count + (step.group - 1) * stage
        case "reduce_across":
            links = hops // step.group
            return start + count + links * (ramps + 1 + step.group * costs.hop_cycles)
        case "reduce_star" | "gather_star":
            gap = costs.star_gap_cycles if count > _QUEUED_WORDS else 0
            messages = hops * (count + 1 + gap)
            arrival = max(messages, count + hops * costs.hop_cycles)
            return start + arrival + stage + costs.dsd_setup_cycles
        case "relay_inward":
            farthest = step.root if isinstance(step.root, int) else hops
            return start + count + farthest * stage
        case "gather_inward":
            # Longer tiles wait for the inner neighbour's phase that hands them on.
            gap = start // 2 if count > _QUEUED_WORDS and hops > 1 else 0
            return start + hops * (max(count, stage) + gap) + costs.hop_cycles
        case "pass_inward":
            return start + stage
        case "flood":
            return start + count + hops * costs.hop_cycles + ramps
        case "shift":
            return start + costs.dsd_setup_cycles + count + stage
