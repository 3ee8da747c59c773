"""Steps as CSL statements: where each class of steps registers how it is written."""

from __future__ import annotations

from functools import singledispatch

from lowering.emit.dsds import Dsds
from lowering.emit.text import comment
from lowering.plan.origins import Origin, Step
from lowering.target import Target


@singledispatch
def step_lines(step: Step, dsds: Dsds, target: Target) -> list[str]:
    """The step's statements, without comment; empty if there is nothing to do.

    Each class of steps registers its own: `@step_lines.register`.
    """
    raise AssertionError(f"nothing writes {type(step).__name__} as statements")


def step_comment(step: Step) -> list[str]:
    """The equations of the step, each with the user's line."""
    lines: list[str] = []
    for origin in step.origins:
        lines += comment(_origin_text(origin))
    return lines


def _origin_text(origin: Origin) -> str:
    if origin.place is None:
        return origin.equation
    file = origin.place.file.rsplit("/", 1)[-1]
    return f"{origin.equation}  at {file}:{origin.place.line}"
