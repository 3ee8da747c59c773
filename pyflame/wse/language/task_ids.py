"""Whose task ids are: one task each, and some belong to memcpy."""

from __future__ import annotations

from typing import Any

from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.invocation import Invocation

TEARDOWN_ID = 29
# DOC: what the runtime of a program with a host connection takes for itself.
MEMCPY_COLORS = (21, 22, 23)
_MEMCPY_IDS = {"local": (27, 28, 30), "control": (33, 34, 35, 36, 37)}


def once(call: Invocation, key: Any, message: str) -> None:
    """Raises CslError if this was already done in the program."""
    earlier = call.program.marks.get(key)
    if earlier is not None:
        fail(message, call.span, note="first time here", note_span=earlier)
    call.program.marks[key] = call.span


def claim_task_id(call: Invocation, kind: str, number: int) -> None:
    """Gives an id to a data, local or control task.

    All tasks share one table; @set_control_task_table, which may come later, gives
    those of control a table of their own.

    Raises:
        CslError: the id belongs to another task, or to memcpy.
    """
    _check_not_memcpys(call, kind, number)
    space = "control" if kind == "control" else "task"
    once(call, (space, number), _bound_twice(number))
    call.program.finishers.append(lambda: _check_table(call, kind, number))


def _bound_twice(number: int) -> str:
    return f"task ID '{number}' bound to more than one task"


def _check_table(call: Invocation, kind: str, number: int) -> None:
    """In the table of all tasks, no id of a control task is another's, and the
    compiler's own task has id 29 if there are handlers."""
    unit, marks = call.program.unit, call.program.marks
    one_table = unit.control_task_table is None
    handled = bool(unit.teardown_handlers or unit.empty_queue_handlers)
    if number == TEARDOWN_ID and handled and (one_table or kind != "control"):
        fail(f"task ID '{number}' belongs to the handlers of the program", call.span)
    keys = [key for key in marks if key in (("task", number), ("control", number))]
    if one_table and len(keys) == 2:
        first, second = (marks[key] for key in keys)
        fail(_bound_twice(number), second, note="first time here", note_span=first)


def _check_not_memcpys(call: Invocation, kind: str, number: int) -> None:
    taken = _MEMCPY_IDS.get(kind, ())
    if call.program.options.memcpy and number in taken:
        fail(
            f"{kind} task ID '{number}' belongs to memcpy",
            call.span,
            note=f"--memcpy takes the {kind} task IDs {_listed(taken)} of every PE",
        )


def check_color_is_free(call: Invocation, color: int) -> None:
    """Raises CslError if memcpy routes the color."""
    if call.program.options.memcpy and color in MEMCPY_COLORS:
        fail(
            f"color {color} belongs to memcpy",
            call.span,
            note=f"--memcpy takes the colors {_listed(MEMCPY_COLORS)} of every PE",
        )


def _listed(numbers: tuple[int, ...]) -> str:
    *rest, last = map(str, numbers)
    return f"{', '.join(rest)} and {last}"
