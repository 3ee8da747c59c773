"""Buffers: which values share which array of the PE's memory."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from lowering.placement import storage_size_bytes
from lowering.plan.liveness import Interval, intervals, may_replace
from lowering.plan.steps import ElementStep, MoveStep, Step
from lowering.plan.values import Value, View


@dataclass(eq=False, slots=True)
class Buffer:
    """An array in SRAM; `values` live in it one after the other.

    One that `holds_words` is read and written in words of 32 bits, too.
    """

    name: str
    dtype: str
    element_count: int
    values: list[Value] = field(default_factory=list[Value])
    holds_words: bool = False

    @property
    def size_bytes(self) -> int:
        return self.element_count * storage_size_bytes(self.values[0].dtype)


@dataclass(frozen=True, slots=True)
class Allocation:
    """Every value's buffer, in the order of declaration, and every value's life.

    `steps` are those that the lives count.
    """

    steps: tuple[Step, ...]
    buffers: list[Buffer]
    buffer_of: dict[Value, Buffer]
    lives: dict[Value, Interval]

    @property
    def size_bytes(self) -> int:
        return sum(buffer.size_bytes for buffer in self.buffers)


def allocate(
    steps: Sequence[Step],
    persistent: Sequence[Value],
    outputs: Collection[Value],
    donated: Sequence[Value] = (),
) -> Allocation:
    """Gives every value a buffer; `persistent` ones keep theirs for good.

    `donated` ones stand in theirs from the start, until they are read last.

    Values are placed in the order in which they are first written: into the free
    buffer of their dtype that wastes least, or else the one that grows least, or else
    a new one. A result may replace an operand that is read for the last time.
    """
    lives = intervals(steps, outputs, donated)
    allocation = Allocation(tuple(steps), [], {}, lives)
    for value in (*persistent, *donated):
        open_buffer(allocation, value)
    kept = set(persistent)
    made = [value for value in lives if value not in donated]
    for value in sorted(made, key=lambda v: lives[v].first):
        _place(allocation, value, steps, kept)
    finish(allocation)
    return allocation


def finish(allocation: Allocation) -> None:
    """Names the buffers, whose 16-bit elements that travel in pairs fill words."""
    for buffer in allocation.buffers:
        buffer.name = _known_value(buffer).name
    for step in allocation.steps:
        for value in step.packed if isinstance(step, MoveStep) else ():
            buffer = allocation.buffer_of[value]
            buffer.element_count += buffer.element_count % 2
            buffer.holds_words = True


def _known_value(buffer: Buffer) -> Value:
    """The value that the host knows, or else the first."""
    known = [value for value in buffer.values if value.role in ("input", "output")]
    return (known or buffer.values)[0]


def _place(
    allocation: Allocation, value: Value, steps: Sequence[Step], kept: set[Value]
) -> None:
    free = [
        buffer
        for buffer in allocation.buffers
        if buffer.dtype == str(value.dtype)
        and buffer.values[-1] not in kept
        and _is_free(allocation, buffer, value, steps)
    ]
    if not free:
        open_buffer(allocation, value)
        return
    need = value.element_count
    source = _copied(steps[allocation.lives[value].first], value)
    best = min(
        free,
        key=lambda buffer: (
            source not in buffer.values,
            buffer.element_count < need,
            abs(buffer.element_count - need),
        ),
    )
    best.element_count = max(best.element_count, need)
    best.values.append(value)
    allocation.buffer_of[value] = best


def _copied(step: Step, value: Value) -> Value | None:
    """What `value` is a plain copy of: in the same memory the copy costs nothing."""
    if not isinstance(step, ElementStep):
        return None
    op = next(op for op in step.ops if op.out is value)
    source = op.operands[0]
    return source.value if op.kind == "copy" and isinstance(source, View) else None


def _is_free(
    allocation: Allocation, buffer: Buffer, value: Value, steps: Sequence[Step]
) -> bool:
    """Whether the buffer's last value is dead when `value` is first written.

    Values are placed in the order of their first writes, so those before it are.
    """
    first = allocation.lives[value].first
    old = buffer.values[-1]
    life = allocation.lives[old]
    if life.last < first:
        return True
    dies_here = life.last == first > life.first
    return dies_here and may_replace(steps[first], old, value)


def open_buffer(allocation: Allocation, value: Value) -> Buffer:
    """A new buffer, with this value in it."""
    buffer = Buffer(value.name, str(value.dtype), value.element_count, [value])
    allocation.buffers.append(buffer)
    allocation.buffer_of[value] = buffer
    return buffer
