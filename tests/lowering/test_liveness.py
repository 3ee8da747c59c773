"""When values live, and when a result may stand where an operand stood."""

from __future__ import annotations

import numpy as np

from lowering.plan.liveness import Interval, intervals, may_replace
from lowering.plan.origins import Origin
from lowering.plan.steps import ElementOp, ElementStep, FillStep
from lowering.plan.values import Operand, Value, View, whole

_F32 = np.dtype("float32")
_ORIGIN = Origin("y = f(x)")


def _value(name: str, *shape: int, role: str = "temporary") -> Value:
    return Value(name, shape, _F32, role)  # pyright: ignore[reportArgumentType]


def _step(*ops: tuple[str, Value, Operand]) -> ElementStep:
    return ElementStep([ElementOp(kind, out, (x,), _ORIGIN) for kind, out, x in ops])


def test_a_value_lives_from_its_first_write_to_its_last_read() -> None:
    x, a, b, y = (_value(name, 4) for name in "xaby")
    x.role = "input"
    steps = [
        _step(("neg", a, whole(x))),
        _step(("neg", b, whole(a))),
        _step(("neg", y, whole(a))),
    ]
    lives = intervals(steps, [y])
    assert lives == {a: Interval(0, 2), b: Interval(1, 1), y: Interval(2, 3)}


def test_a_fill_of_an_input_leaves_it_an_input() -> None:
    x = _value("x", 4, role="input")
    fill = FillStep(x, "cols", 0, 3, 0.0, _ORIGIN)
    assert intervals([fill], []) == {}


def test_a_result_may_replace_the_operand_it_is_made_of_element_by_element() -> None:
    a, y = _value("a", 4), _value("y", 4)
    assert may_replace(_step(("neg", y, whole(a))), a, y)


def test_a_result_may_not_replace_an_operand_read_in_another_order() -> None:
    a, y = _value("a", 4, 4), _value("y", 4, 4)
    turned = View(a, (4, 4), (1, 4))
    assert not may_replace(_step(("neg", y, turned)), a, y)


def test_a_result_may_not_replace_an_operand_that_a_later_operation_reads() -> None:
    a, y, z = (_value(name, 4) for name in "ayz")
    step = _step(("exp", y, whole(a)), ("log", z, whole(a)))
    assert not may_replace(step, a, y)
    assert may_replace(step, a, z)
