"""Buffers and resources: shared where lives allow it, never otherwise."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest

from lowering.errors import ResourcesExhaustedError
from lowering.plan.allocate import allocate
from lowering.plan.origins import Origin
from lowering.plan.resources import assign
from lowering.plan.steps import ElementOp, ElementStep, MoveStep, Step
from lowering.plan.values import Value, whole
from lowering.target import WSE2, WSE3

_F32 = np.dtype("float32")
_ORIGIN = Origin("y = f(x)")


def _chain(*counts: int) -> tuple[list[Step], list[Value]]:
    """Values of these sizes, each summed up from the one before (never in place)."""
    values = [Value(f"v{n}", (count,), _F32) for n, count in enumerate(counts)]
    values[0].role = "input"
    steps: list[Step] = []
    for old, new in pairwise(values):
        steps.append(MoveStep("shift", "cols", 2, new, 1, _ORIGIN, source=old, step=1))
    return steps, values


def test_a_dead_buffer_is_used_again_and_grows_if_it_must() -> None:
    steps, values = _chain(8, 4, 5, 6)
    allocation = allocate(steps, [values[0]], [values[-1]])
    shared = allocation.buffer_of[values[1]]
    assert allocation.buffer_of[values[3]] is shared
    assert allocation.buffer_of[values[2]] is not shared
    assert shared.element_count == 6
    assert allocation.size_bytes == 4 * (8 + 6 + 5)


def test_inputs_keep_their_buffer() -> None:
    steps, values = _chain(8, 8, 8)
    allocation = allocate(steps, [values[0]], [values[-1]])
    assert allocation.buffer_of[values[0]].values == [values[0]]


def test_a_copy_of_a_dying_value_stays_where_it_is() -> None:
    steps, values = _chain(8, 4, 4)
    copied = Value("copied", (4,), _F32)
    copy = ElementOp("copy", copied, (whole(values[2]),), _ORIGIN)
    allocation = allocate([*steps, ElementStep([copy])], [values[0]], [copied])
    assert allocation.buffer_of[copied] is allocation.buffer_of[values[2]]


def _moves() -> list[Step]:
    value = Value("x", (4,), _F32)
    other = Value("y", (4,), _F32)
    steps: list[Step] = []
    for axis in ("rows", "cols"):
        steps.append(MoveStep("reduce_inward", axis, 4, value, 4, _ORIGIN))
        steps.append(MoveStep("flood", axis, 4, value, 4, _ORIGIN))
        for step in (1, -1):
            steps.append(
                MoveStep("shift", axis, 4, other, 4, _ORIGIN, source=value, step=step)
            )
    return steps


@pytest.mark.parametrize("target", [WSE2, WSE3], ids=["wse2", "wse3"])
def test_every_exchange_along_both_axes_fits_the_budget(target: object) -> None:
    resources = assign(_moves(), WSE2 if target is WSE2 else WSE3)
    assert len(resources.lines) == 2
    assert len(set(resources.colors)) == len(resources.colors) == 10
    assert resources.resume_task_id not in resources.colors
    for line in resources.lines:
        for name, channel in line.channels.items():
            if name != "flood":
                assert channel.input_queue != channel.output_queue
        assert line.channels["flood"].output_queue == (
            line.channels["inward"].output_queue
        )


def test_a_spent_budget_is_an_error() -> None:
    target = dataclasses.replace(WSE3, colors=(0, 1, 2))
    with pytest.raises(ResourcesExhaustedError) as caught:
        assign(_moves(), target)
    assert str(caught.value) == (
        "the program needs more than the 3 colors that generated code may use\n"
        "  rule      memcpy and the hardware take the others\n"
        "  help      use a mesh of one row or one column, which needs half of them"
    )


def test_a_local_program_needs_no_resources() -> None:
    resources = assign([], WSE3)
    assert resources.lines == ()
    assert resources.resume_task_id is None
