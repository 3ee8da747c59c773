"""Facts of the wafers that generated code depends on."""

from __future__ import annotations

import pytest

from lowering.errors import OptionError
from lowering.lower import parse_target
from lowering.target import TARGETS, WSE2, WSE3, Target

# memcpy's own, on both wafers (the vendor's memcpy page).
_RESERVED_COLORS = {21, 22, 23}
_RESERVED_TASKS = {21, 22, 23, 24, 27, 28, 29, 30, 31}


@pytest.mark.parametrize("target", TARGETS.values(), ids=str)
def test_budgets_keep_off_what_memcpy_uses(target: Target) -> None:
    assert not _RESERVED_COLORS & set(target.colors)
    assert not _RESERVED_TASKS & set(target.local_task_ids)
    assert min(target.local_task_ids) >= 8
    assert min(target.input_queues) >= 2
    assert min(target.output_queues) >= 2


def test_budgets_are_the_same_on_both_wafers() -> None:
    """The same text serves both, so what it uses must be legal on both."""
    for name in ("colors", "local_task_ids", "input_queues", "output_queues"):
        assert getattr(WSE2, name) == getattr(WSE3, name)


def test_largest_rectangles_leave_room_for_memcpy() -> None:
    assert WSE2.max_mesh == (994, 750)
    assert WSE3.max_mesh == (1170, 755)
    assert WSE3.fabric_dims(rows=1, cols=1) == (8, 3)


def test_an_unknown_target_is_refused() -> None:
    with pytest.raises(OptionError) as caught:
        parse_target("wse4")
    assert str(caught.value) == (
        "unknown target 'wse4'\n  rule      a target is one of wse2, wse3"
    )
