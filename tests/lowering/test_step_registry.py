"""Every class of steps says what it costs and how it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lowering.emit import STEP_FILES
from lowering.emit.registry import step_lines
from lowering.plan.build import RULE_FILES
from lowering.plan.control import ControlStep
from lowering.plan.cycles import step_code_bytes, step_cycles
from lowering.plan.origins import Step
from lowering.target import WSE3

assert STEP_FILES
assert RULE_FILES  # importing them registers all steps


def _step_classes(base: type = Step) -> Iterator[type]:
    for cls in base.__subclasses__():
        if {"__dataclass_fields__", "__slots__"} <= set(vars(cls)):
            yield cls
        yield from _step_classes(cls)


CLASSES = sorted(set(_step_classes()), key=lambda cls: cls.__name__)


@pytest.mark.parametrize("registry", [step_cycles, step_code_bytes, step_lines])
def test_every_class_of_steps_is_registered(registry: Any) -> None:
    unknown = registry.dispatch(object)
    missing = [cls for cls in CLASSES if registry.dispatch(cls) is unknown]
    if registry is step_lines:  # the state machine writes loops and branches
        missing = [cls for cls in missing if not issubclass(cls, ControlStep)]
    assert len(CLASSES) > 10
    assert missing == []


class _Strange(Step):
    pass


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda s: step_cycles(s, WSE3), "no cycles are known of _Strange"),
        (step_code_bytes, "no code bytes are known of _Strange"),
        (
            lambda s: step_lines(s, None, WSE3),
            "nothing writes _Strange as statements",
        ),
        (lambda s: s.origins, "_Strange does not say where it is from"),
    ],
)
def test_steps_that_nothing_knows(ask: Callable[[Step], Any], message: str) -> None:
    with pytest.raises(AssertionError, match=f"^{message}$"):
        ask(_Strange())
