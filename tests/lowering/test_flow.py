"""Loops and branches in a plan: lives around back edges, and the proof of them."""

from __future__ import annotations

import numpy as np
import pytest

from lowering.plan.accumulate import accumulate
from lowering.plan.allocate import Buffer, allocate
from lowering.plan.carries import carried_in_place
from lowering.plan.control import (
    Branch,
    BranchCase,
    BranchEnd,
    BranchStart,
    LoopEnd,
    LoopStart,
)
from lowering.plan.flow import check_flow
from lowering.plan.liveness import Interval, intervals
from lowering.plan.origins import Origin
from lowering.plan.steps import DotStep, ElementOp, ElementStep, Step
from lowering.plan.values import Loop, Operand, Value, View, whole

_F32 = np.dtype("float32")
_ORIGIN = Origin("y = f(x)")
_LOOP = Loop("step", 3)


def _value(name: str, *shape: int) -> Value:
    return Value(name, shape or (4,), _F32)


def _input(name: str, *shape: int) -> Value:
    return Value(name, shape or (4,), _F32, "input")


def _step(kind: str, out: Value, *operands: Operand) -> ElementStep:
    return ElementStep([ElementOp(kind, out, operands, _ORIGIN)])


def _start() -> Step:
    return LoopStart(_LOOP, _ORIGIN)


def _end() -> Step:
    return LoopEnd(_LOOP, _ORIGIN)


def test_what_a_loop_finds_lives_to_its_end() -> None:
    x, a, b, c = _input("x"), _value("a"), _value("b"), _value("c")
    steps = [
        _step("neg", a, whole(x)),
        _start(),
        _step("neg", b, whole(a)),  # a is read again in the next pass
        _step("neg", c, whole(b)),
        _end(),
    ]
    assert intervals(steps, [c]) == {a: Interval(0, 4), b: Interval(2, 3)} | {
        c: Interval(1, 5)
    }


def test_the_proof_finds_what_a_back_edge_overwrites() -> None:
    x, a, b = _input("x"), _value("a"), _value("b")
    steps = [
        _step("neg", a, whole(x)),
        _start(),
        _step("neg", b, whole(a)),
        _end(),
    ]
    shared = Buffer("a", "float32", 4, [a, b])
    own = Buffer("x", "float32", 4, [x])
    with pytest.raises(AssertionError, match="a may be overwritten by b"):
        check_flow(steps, {x: own, a: shared, b: shared})
    allocation = allocate(steps, [x], [b])
    check_flow(steps, allocation.buffer_of)


def test_the_proof_finds_what_one_case_does_not_write() -> None:
    x, a = _input("x"), _value("a")
    branch = Branch(2)
    steps: list[Step] = [
        BranchStart(branch, View(x, (), ()), _ORIGIN),
        _step("neg", a, whole(x)),
        BranchCase(branch, 1, _ORIGIN),
        BranchEnd(branch, _ORIGIN),
        _step("neg", a, whole(a)),
    ]
    buffers = {v: Buffer(v.name, "float32", 4, [v]) for v in (x, a)}
    with pytest.raises(AssertionError, match="a may be overwritten by nothing"):
        check_flow(steps, buffers)


def _carried(*body: Step, carry: Value, following: Value) -> list[Step]:
    x = _input("x", *carry.shape)
    return [
        _step("copy", carry, whole(x)),
        _start(),
        *body,
        _step("copy", carry, whole(following)),
        _end(),
    ]


def test_a_carry_is_computed_in_place() -> None:
    carry, following = _value("carry"), _value("following")
    body = _step("exp", following, whole(carry))
    steps = carried_in_place(_carried(body, carry=carry, following=following))
    assert len(steps) == 4
    assert steps[2].reads() == steps[2].writes() == [carry]


def test_a_carry_that_is_read_later_is_copied() -> None:
    carry, following, other = _value("carry"), _value("following"), _value("other")
    body = [
        _step("exp", following, whole(carry)),
        _step("neg", other, whole(carry)),
    ]
    steps = _carried(*body, carry=carry, following=following)
    assert carried_in_place(steps) == steps


def test_a_carry_read_in_another_order_is_copied() -> None:
    carry, following = _value("carry", 2, 2), _value("following", 2, 2)
    body = _step("exp", following, View(carry, (2, 2), (1, 2)))
    steps = _carried(body, carry=carry, following=following)
    assert carried_in_place(steps) == steps


def test_a_product_is_added_where_the_sum_stands() -> None:
    a, b = _input("a", 2, 2), _input("b", 2, 2)
    dot, total = _value("dot", 2, 2), _value("total", 2, 2)
    steps: list[Step] = [
        DotStep(dot, whole(a), whole(b), _ORIGIN),
        _step("add", total, whole(total), whole(dot)),
    ]
    (joined,) = accumulate(steps)
    assert isinstance(joined, DotStep)
    assert joined.adds
    assert joined.out is total
    assert total in joined.reads()


def test_a_product_that_is_read_again_is_kept() -> None:
    a, b = _input("a", 2, 2), _input("b", 2, 2)
    dot, total, other = (_value(name, 2, 2) for name in ("dot", "total", "other"))
    steps: list[Step] = [
        DotStep(dot, whole(a), whole(b), _ORIGIN),
        _step("add", total, whole(total), whole(dot)),
        _step("neg", other, whole(dot)),
    ]
    assert accumulate(steps) == steps
