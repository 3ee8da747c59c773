"""Windows that start where the program says: what one vector can run through."""

from __future__ import annotations

from collections.abc import Sequence

from lowering.errors import LoweringError
from lowering.plan.steps import PutStep, Step, TakeStep
from lowering.plan.values import View, collapse, whole
from lowering.target import Target


def check_windows(steps: Sequence[Step], target: Target) -> None:
    """Raises: LoweringError, for a window with more strides than a vector has."""
    for step in steps:
        if isinstance(step, TakeStep):
            _check(step, (step.x, whole(step.out)), target)
        elif isinstance(step, PutStep):
            _check(step, (step.x, step.window), target)


def _check(step: TakeStep | PutStep, views: tuple[View, View], target: Target) -> None:
    for view in views:
        shape, _ = collapse(view.shape, [view.strides])
        if len(shape) > target.max_dsd_rank:
            raise LoweringError(
                f"{step.origin.equation}: a window {list(view.shape)} of "
                f"{view.value.name} {list(view.value.shape)} has {len(shape)} strides",
                place=step.origin.place,
                rule=f"a memory vector runs through at most {target.max_dsd_rank}",
                help="take the window whole in some dimensions, or reshape the array "
                "to fewer",
            )
