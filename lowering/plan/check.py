"""Proves that a plan keeps to the memory and the limits of its target."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from lowering.errors import DoesNotFitError
from lowering.mesh import Mesh
from lowering.placement import Placement, type_text
from lowering.plan.allocate import Allocation, Buffer
from lowering.plan.build import Plan
from lowering.plan.flow import check_flow
from lowering.plan.liveness import may_replace
from lowering.plan.steps import MoveStep, Step
from lowering.plan.values import Value
from lowering.target import SWITCH_COLORS, Target

_OTHERS_SHOWN = 4


def check_plan(plan: Plan) -> None:
    """Raises AssertionError, if the compiler made a plan that breaks its own rules."""
    check_allocation(plan.allocation)
    for step in plan.steps:
        for value in (*step.reads(), *step.writes()):
            assert value in plan.allocation.buffer_of, f"{value.name} has no memory"
        if isinstance(step, MoveStep):
            _check_move(step, plan.allocation)
    _check_gathers(plan.steps)
    check_flow(plan.allocation.steps, plan.allocation.buffer_of)
    _check_resources(plan)


def check_allocation(allocation: Allocation) -> None:
    """Raises AssertionError, if a buffer holds two values at once."""
    for buffer in allocation.buffers:
        _check_buffer(buffer, allocation)


def _check_buffer(buffer: Buffer, allocation: Allocation) -> None:
    """No two values of a buffer are alive at once, but for an in-place result."""
    lives, steps = allocation.lives, allocation.steps
    temporaries = [value for value in buffer.values if value in lives]
    assert len(temporaries) == len(buffer.values) or len(buffer.values) == 1, (
        f"{buffer.name} is persistent and shared"
    )
    ordered = sorted(temporaries, key=lambda value: lives[value].first)
    for old, new in pairwise(ordered):
        end, start = lives[old].last, lives[new].first
        in_place = end == start and may_replace(steps[start], old, new)
        assert end < start or in_place, f"{old.name} and {new.name} overlap"
    assert all(v.element_count <= buffer.element_count for v in buffer.values), (
        f"{buffer.name} is too small"
    )


def _check_move(step: MoveStep, allocation: Allocation) -> None:
    if step.source is not None:
        buffers = allocation.buffer_of
        assert buffers[step.source] is not buffers[step.target], (
            f"{step.kind} overwrites what it sends"
        )


def _check_gathers(steps: Sequence[Step]) -> None:
    """What the outer PEs of a line send in a gather, those between hand on."""
    moves = [step for step in steps if isinstance(step, MoveStep)]
    sent = [m.target for m in moves if m.kind == "gather_inward" and m.size > 2]
    passed = [m.target for m in moves if m.kind == "pass_inward"]
    assert sent == passed, "a gather and what it hands on do not match"


def _check_resources(plan: Plan) -> None:
    target, used = plan.target, plan.resources
    assert len(set(used.colors)) == len(used.colors), "a color serves two channels"
    assert set(used.colors) <= set(target.colors), "a color is not ours to use"
    for line in used.lines:
        is_split = "across" in line.channels and line.group < line.size
        assert not is_split or line.group.bit_count() == 1, "a group is no power of 2"
    stars = [line.channels["star"] for line in used.lines if "star" in line.channels]
    switched = {color for star in stars for color in star.colors}
    assert switched <= set(SWITCH_COLORS), "a color has no switches"
    queues = [
        channel.input_queue
        for line in used.lines
        for name, channel in line.channels.items()
        if name != "flood" or "star" not in line.channels
    ]  # of flood and star each PE receives one
    assert len(set(queues)) == len(queues), "an input queue serves two colors"
    assert set(queues) <= set(target.input_queues), "an input queue is reserved"
    if used.resume_task_id is not None:
        assert used.resume_task_id in target.local_task_ids, "a task id is reserved"
        assert used.resume_task_id not in used.colors, "a task id is also a color"


def check_mesh(mesh: Mesh, target: Target) -> None:
    """Raises: DoesNotFitError, if the wafer has no such rectangle."""
    rows, cols = target.max_mesh
    if mesh.rows > rows or mesh.cols > cols:
        raise DoesNotFitError(
            f"a mesh of {mesh} PEs does not fit the {rows}x{cols} that a "
            f"{wafer_name(target)} gives a program",
            help=f"use at most {rows} rows and {cols} columns",
        )


def check_fits(
    plan: Plan, in_placements: Sequence[Placement], help: str, given: Sequence[str] = ()
) -> None:
    """Raises: DoesNotFitError, naming what takes the space.

    `given` are the inputs whose layout the user chose.
    """
    cost = plan.cost
    if cost.size_bytes <= cost.sram_bytes:
        return
    raise DoesNotFitError(
        f"{cost.size_bytes:,} bytes per PE do not fit the {cost.sram_bytes:,} of a "
        f"{wafer_name(plan.target)} PE (grid {plan.mesh})",
        notes=_takers(plan, dict(zip(plan.inputs, in_placements, strict=True)), given),
        help=help,
    )


def _takers(
    plan: Plan, placements: dict[str, Placement], given: Sequence[str]
) -> list[tuple[str, str]]:
    """The largest buffer in full, the next ones by name and size, and the code."""
    buffers = sorted(plan.allocation.buffers, key=lambda b: -b.size_bytes)
    largest, *others = buffers
    also = [f"{b.name} {b.size_bytes:,}" for b in others[:_OTHERS_SHOWN]]
    rest = sum(b.size_bytes for b in others[_OTHERS_SHOWN:])
    if rest:
        also.append(f"{len(others) - _OTHERS_SHOWN} more {rest:,}")
    also.append(f"code {plan.cost.code_bytes:,} (estimate)")
    return [
        ("largest", _describe(largest, placements, given)),
        ("also", ", ".join(also)),
    ]


def _describe(
    buffer: Buffer, placements: dict[str, Placement], given: Sequence[str]
) -> str:
    value = max(buffer.values, key=lambda v: v.size_bytes)
    tile = "x".join(map(str, value.shape)) or "1"
    text = f"{buffer.name} {_global_type(value, placements)}tile {tile}: "
    text += f"{buffer.size_bytes:,} bytes"
    if buffer.name in given:
        text += " (its layout was given)"
    return text if value.place is None else f"{text}        at  {value.place}"


def _global_type(value: Value, placements: dict[str, Placement]) -> str:
    placement = placements.get(value.name)
    if placement is None:
        return ""
    return f"{type_text(placement.shape, placement.dtype)} "


def wafer_name(target: Target) -> str:
    """`WSE-3` of `wse3`."""
    return f"WSE-{target.arch[-1]}"
