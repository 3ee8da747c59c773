"""Rotating tasks (2.x, WSE-3): every so often another task instead of a data task."""

from __future__ import annotations

from pyflame.wse.language import code, image
from pyflame.wse.language.builtins_ids import check_arch
from pyflame.wse.language.builtins_tasks import (
    bind_to,
    control_task,
    data_task,
    task_id,
)
from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.invocation import Invocation
from pyflame.wse.language.source import Span
from pyflame.wse.language.state import FunctionRef

MAX_ROTATIONS = 2
_COUNTS = (0, 0xFFFF)


def bind_rotating_tasks(call: Invocation) -> code.Expression:
    """`@bind_rotating_tasks(main, alt, data_task_id, .{ .limit = n [, .init = m] })`

    Source: the builtins for WSE-3 of 2.x. The other task has control task id 0 of the
    queue, which is known once all queues are initialised.
    """
    check_arch(call, "wse3")
    main, alternative = data_task(call), control_task(call, 1)
    data_id = task_id(call, 2, "data")
    limit, init = _counts(call)
    if call.program.layout is not None:
        return call.void()
    rotations = call.program.unit.rotations
    if len(rotations) == MAX_ROTATIONS:
        fail(
            f"a program has at most {MAX_ROTATIONS} pairs of rotating tasks", call.span
        )
    bind_to(call, "data", data_id, main)
    rotations.append(image.TaskRotation(data_id, 0, limit, init))
    place = len(rotations) - 1
    call.program.finishers.append(lambda: _bind_alternative(call, place, alternative))
    return call.void()


def _counts(call: Invocation) -> tuple[int, int]:
    given = call.fields(3, "the rotation")
    for name, operand in given.items():
        if name not in ("limit", "init"):
            fail(
                f"a rotation has no setting '{name}'",
                operand.span,
                help="settings: limit, init",
            )
    if "limit" not in given:
        fail("a rotation needs the setting 'limit'", call.span)
    limit = call.check_range(given["limit"], "'limit'", *_COUNTS)
    if "init" not in given:
        return limit, 0
    return limit, call.check_range(given["init"], "'init'", 0, limit)


def _bind_alternative(call: Invocation, place: int, alternative: FunctionRef) -> None:
    unit = call.program.unit
    rotation = unit.rotations[place]
    control_id = _first_control_id(unit, rotation.data_id, call.span)
    unit.rotations[place] = image.TaskRotation(
        rotation.data_id, control_id, rotation.limit, rotation.init
    )
    bind_to(call, "control", control_id, alternative)


def _first_control_id(unit: image.PeProgram, queue: int, span: Span) -> int:
    """Entry 0 of the queue's part of the table of control tasks."""
    part = next(
        (
            i.ctrl_table_id
            for i in unit.queues
            if (i.direction, i.queue) == ("in", queue)
        ),
        None,
    )
    if not part:
        return 0
    if unit.control_task_table is None:
        fail(
            f"input queue {queue} has .ctrl_table_id {part}, but the program has one "
            "table for all tasks",
            span,
            help="give control tasks a table of their own: @set_control_task_table()",
        )
    return part * unit.control_task_table["stride"]
