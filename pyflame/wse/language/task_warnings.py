"""What a program may do with tasks, and hardly means: remarks, not errors."""

from __future__ import annotations

from pyflame.wse.language import code
from pyflame.wse.language.invocation import Invocation
from pyflame.wse.language.operands import need_known


def warn_of_no_task(call: Invocation, operand: code.Expression) -> None:
    """Of an activation: nothing happens if no task is bound to the id."""
    if not isinstance(operand, code.Constant) or call.span.source.library:
        return

    def warn() -> None:
        bindings = call.program.unit.bindings
        if ("local", operand.value) not in [(b.kind, b.id) for b in bindings]:
            call.program.warn(
                f"no task is bound to local task id {operand.value}", call.span
            )

    if call.frame.mode == "R":
        warn()  # all tasks have been bound
    else:
        call.program.finishers.append(warn)


def warn_of_no_queue(call: Invocation, task: str) -> None:
    """Of `@bind_data_task`: on WSE-3 its queue must be bound to a color."""
    if call.program.options.arch != "wse3" or call.span.source.library:
        return

    def warn() -> None:
        number = need_known(call.operand(1), "the task id").value
        queues = call.program.unit.queues
        if number not in [q.queue for q in queues if q.direction == "in"]:
            call.program.warn(
                f"data task '{task}' gets no wavelets: input queue {number} is not "
                "initialised; bind it to a color with @initialize_queue",
                call.span,
            )

    call.program.finishers.append(warn)
