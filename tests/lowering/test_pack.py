"""Buffers by size: no two values share one at once, and small ones fill gaps."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from lowering.plan.allocate import Allocation, allocate
from lowering.plan.check import check_allocation
from lowering.plan.origins import Origin
from lowering.plan.pack import pack
from lowering.plan.steps import ElementOp, ElementStep, Step
from lowering.plan.values import Value, View, whole

_ORIGIN = Origin("y = f(x)")


def _value(name: str, count: int, dtype: str = "float32") -> Value:
    return Value(name, (count,), np.dtype(dtype))


def _copy(out: Value, source: Value) -> Step:
    view = View(source, out.shape, (1,))
    return ElementStep([ElementOp("copy", out, (view,), _ORIGIN)])


def _buffers(allocation: Allocation) -> list[list[str]]:
    return [[value.name for value in b.values] for b in allocation.buffers]


def test_what_is_large_and_late_leaves_room_for_what_is_small_and_early() -> None:
    x, a, b = (_value(name, 8) for name in ("x", "a", "b"))
    x.role = "input"
    small, large, y = _value("small", 2), _value("large", 8), _value("y", 2)
    steps = [_copy(small, x), _copy(y, small), _copy(large, x), _copy(a, large)]
    steps += [_copy(b, a)]
    given = (steps, [x], [y, b])
    first, packed = allocate(*given), pack(*given)
    assert first.size_bytes == packed.size_bytes
    assert ["small", "large", "a", "b"] in _buffers(packed)


def test_copies_stand_where_their_operands_stood() -> None:
    x, a, b, other = (_value(name, 4) for name in ("x", "a", "b", "other"))
    x.role = "input"
    steps = [_copy(other, x), _copy(a, x), _copy(b, a), _copy(other, b)]
    allocation = pack(steps, [x], [other])
    assert ["a", "b"] in _buffers(allocation)


@pytest.mark.parametrize("seed", range(20))
def test_random_lives_never_overlap(seed: int) -> None:
    random = np.random.default_rng(seed)
    x = Value("x", (64,), np.dtype("float32"), "input")
    donated = Value("d", (16,), np.dtype("float32"), "input")
    made = [x, donated]
    steps: list[Step] = []
    for number in range(40):
        source = made[int(random.integers(len(made)))]
        count = int(random.integers(1, source.element_count + 1))
        dtype = source.dtype if random.random() < 0.7 else np.dtype("int32")
        out = Value(f"v{number}", (count,), dtype)
        made.append(out)
        steps.append(_copy(out, source))
    outputs = made[-3:]
    allocation = pack(steps, [x], outputs, [donated])
    check_allocation(allocation)
    assert set(allocation.buffer_of) == set(allocation.lives) | {x}
    for buffer in allocation.buffers:
        lives = [allocation.lives[v] for v in buffer.values if v is not x]
        assert all(a.last <= b.first for a, b in pairwise(lives))
        assert len({str(v.dtype) for v in buffer.values}) == 1


def test_lines_of_one_value_are_whole() -> None:
    x = Value("x", (3,), np.dtype("float32"), "input")
    y = _value("y", 3)
    allocation = pack(
        [ElementStep([ElementOp("neg", y, (whole(x),), _ORIGIN)])], [x], [y]
    )
    assert _buffers(allocation) == [["x"], ["y"]]
