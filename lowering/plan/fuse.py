"""Joins element-wise operations into loops, so that results between need no memory."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from lowering.dtypes import is_float
from lowering.plan.control import is_control
from lowering.plan.element_ops import KINDS, first_builtin
from lowering.plan.steps import ElementOp, ElementStep, Step
from lowering.plan.values import Ramp, Value, View


def is_vector_op(op: ElementOp) -> bool:
    """Whether one builtin on vectors in memory computes the operation.

    Single elements are cheaper as scalar code; moves exist for every dtype.
    """
    if op.out.element_count == 1 or any(isinstance(o, Ramp) for o in op.operands):
        return False
    if op.kind == "copy":
        return True
    if all(operand.is_scalar for operand in op.operands):
        return not KINDS[op.kind].result_bool
    source = op.operands[-1].dtype
    builtin = first_builtin(op.kind, op.out.dtype, source)
    if builtin == "@sub16" and op.operands[0].is_scalar:
        return False  # it takes vectors on the left only
    return builtin is not None


def fuse(steps: Sequence[Step], outputs: Collection[Value]) -> list[Step]:
    """Moves each scalar operation up into the last loop over its shape, if it may.

    It may when nothing it reads is written after that loop, when what it writes is not
    touched from there on, and when what it reads of the loop's own results is the
    element of the same iteration. Where the program loops or branches, nothing moves.
    """
    fused: list[Step] = []
    scalar = _ScalarCode.of(steps)
    for step in steps:
        if isinstance(step, ElementStep) and scalar.takes(step.ops[0]):
            loop = _loop_for(step.ops[0], fused)
            if loop is not None:
                loop.ops += step.ops
                continue
        fused.append(step)
    _drop_memory(fused, frozenset(outputs))
    return fused


@dataclass(frozen=True, slots=True)
class _ScalarCode:
    """What loops over scalars make and read before they are joined."""

    made: frozenset[Value]
    read: frozenset[Value]

    @classmethod
    def of(cls, steps: Sequence[Step]) -> _ScalarCode:
        ops = [step.ops[0] for step in steps if isinstance(step, ElementStep)]
        loops = [op for op in ops if not is_vector_op(op)]
        views = [o for op in loops for o in op.operands if isinstance(o, View)]
        return cls(
            frozenset(op.out for op in loops), frozenset(view.value for view in views)
        )

    def takes(self, op: ElementOp) -> bool:
        """Whether the operation should join a loop: scalar operations, and those on
        words where a vector would part a loop in two or keep two of its results.

        A loop that ends and begins anew takes more cycles for each element, to store
        and to load it, than one more operation does (counted by the simulator).
        """
        if not is_vector_op(op):
            return True
        if op.kind == "copy" or is_float(op.out.dtype):
            return False
        views = {o.value for o in op.operands if isinstance(o, View)}
        is_read = op.out in self.read and bool(views & (self.made | self.read))
        return is_read or len(views & self.made) > 1


def _loop_for(op: ElementOp, steps: Sequence[Step]) -> ElementStep | None:
    reads = {o.value for o in op.operands if isinstance(o, View)}
    for step in reversed(steps):
        if is_control(step) or op.out in (*step.reads(), *step.writes()):
            return None
        if _can_join(op, step):
            assert isinstance(step, ElementStep), "only loops can be joined"
            return step
        if reads & set(step.writes()):
            return None
    return None


def _can_join(op: ElementOp, step: Step) -> bool:
    if not isinstance(step, ElementStep) or is_vector_op(step.ops[0]):
        return False
    if step.ops[0].out.shape != op.out.shape:
        return False
    made = {other.out for other in step.ops}
    return all(
        is_same_element(operand, op.out)
        for operand in op.operands
        if isinstance(operand, View) and operand.value in made
    )


def is_same_element(view: View, out: Value) -> bool:
    """Whether iteration i reads element i of the view's value."""
    return view.is_whole and view.value.shape == out.shape


def _drop_memory(steps: Sequence[Step], outputs: frozenset[Value]) -> None:
    """Makes results that only their own loop reads local to it."""
    readers: dict[Value, set[int]] = {}
    writers: dict[Value, set[int]] = {}
    for number, step in enumerate(steps):
        for value in _all_reads(step):
            readers.setdefault(value, set()).add(number)
        for value in step.writes():
            writers.setdefault(value, set()).add(number)
    for number, step in enumerate(steps):
        if isinstance(step, ElementStep) and len(step.ops) > 1:
            step.locals = frozenset(
                op.out
                for op in step.ops
                if op.out not in outputs
                and readers.get(op.out, set()) <= {number}
                and writers[op.out] == {number}
            )


def _all_reads(step: Step) -> list[Value]:
    if isinstance(step, ElementStep):
        return [o.value for o in step.operands() if isinstance(o, View)]
    return step.reads()
