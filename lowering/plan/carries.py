"""Carries computed where they stand, instead of beside it and copied.

At the end of a loop's body stands `carry = next`, and so it does at the end of the
program for what the next launch goes on with. Where nobody reads the old carry any more
when `next` is first written, `next` may be the carry itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import fields, replace
from typing import Any, cast

from lowering.plan.control import Start, is_control, loop_spans
from lowering.plan.liveness import may_replace
from lowering.plan.steps import ElementOp, ElementStep, MoveStep, Step
from lowering.plan.values import Value, View


def carried_in_place(steps: Sequence[Step]) -> list[Step]:
    """The steps without the copies that a carry can do without."""
    kept = list(steps)
    for start, end in (*reversed(loop_spans(steps)), (-1, len(steps))):
        number = end - 1
        while number > start and _changes_carry(kept[number], start):
            _join(kept, start, number, end)
            number -= 1
    return [step for step in kept if step is not _GONE]


_GONE: Any = ElementStep([])


def _plain_copy(step: Step) -> tuple[Value, Value] | None:
    """(carry, next) of a step that copies all of one value to another."""
    if not isinstance(step, ElementStep) or len(step.ops) != 1:
        return None
    op, operand = step.ops[0], step.ops[0].operands[0]
    if op.kind != "copy" or not isinstance(operand, View):
        return None
    source = operand.value
    is_same = operand.is_whole and operand.shape == source.shape == op.out.shape
    return (op.out, source) if is_same and source.dtype == op.out.dtype else None


def _changes_carry(step: Step, start: int) -> bool:
    """Whether the step copies to a carry; those of the program are its inputs."""
    pair = _plain_copy(step)
    return pair is not None and (start >= 0 or pair[0].role == "input")


def _join(steps: list[Step], start: int, copy: int, end: int) -> None:
    """Writes the carry where `next` was written, if that is safe."""
    pair = _plain_copy(steps[copy])
    assert pair is not None, "the caller looked"
    carry, following = pair
    inside = [n for n in range(max(start, 0), copy) if following in _touched(steps[n])]
    everywhere = [n for n, step in enumerate(steps) if following in _touched(step)]
    if following.role != "temporary" or everywhere != [*inside, copy]:
        return
    if not _is_straight(steps, inside[0], copy):
        return
    after = [*steps[inside[0] + 1 : copy], *steps[copy + 1 : end]]
    if not _is_unread(steps[inside[0]], after, carry, following):
        return
    for number in inside:
        steps[number] = _swap(steps[number], following, carry)
    steps[copy] = _GONE


def _is_straight(steps: Sequence[Step], first: int, last: int) -> bool:
    """Whether no loop or branch begins or ends between two steps."""
    return not any(is_control(step) for step in steps[first:last])


def _is_unread(
    writer: Step, after: Sequence[Step], carry: Value, following: Value
) -> bool:
    """Whether the old carry is gone when `following` is first written."""
    if carry in _touched(writer) and not may_replace(writer, carry, following):
        return False
    return not any(carry in _touched(step) for step in after if step is not _GONE)


def _touched(step: Step) -> set[Value]:
    touched = {*step.reads(), *step.writes()}
    if isinstance(step, MoveStep):  # also one that only hands on what others sent
        touched.add(step.target)
    return touched


def _swap(item: Any, old: Value, new: Value) -> Any:
    """A step, or a part of one, with `new` wherever it holds `old`."""
    match item:
        case Value():
            return new if item is old else item
        case tuple() | list() | frozenset():
            parts = cast(Collection[Any], item)
            kind = cast(Callable[..., Any], type(parts))
            return kind(_swap(part, old, new) for part in parts)
        case _ if _holds_values(item):
            changed = {f.name: getattr(item, f.name) for f in fields(item)}
            return replace(item, **{k: _swap(v, old, new) for k, v in changed.items()})
        case _:
            return item


def _holds_values(item: Any) -> bool:
    return isinstance(item, View | ElementOp | Start | Step)
