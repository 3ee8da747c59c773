"""Parts of the table of control tasks (WSE-3)."""

from __future__ import annotations

from typing import Any

import pytest

from pyflame.wse.errors import MachineFault
from pyflame.wse.language.image import QueueInit
from pyflame.wse.machine.dsd import FabOut
from pyflame.wse.machine.operations import OPERATIONS, Operation

MOVE = OPERATIONS["@mov32"]


def looped(bench: Any, table: int | None, stride: int | None) -> tuple[Any, list[str]]:
    """A PE that sends itself the control wavelet for entry 2; tasks 2, 8 and 14."""
    b, got = bench("wse3", 1), []
    b.route(0, 0, 4, "RAMP", "RAMP")
    b.at(0).queue("out", 2, 4)
    b.at(0).source.queues.append(QueueInit("in", 3, 4, None, table))
    if stride is not None:
        b.at(0).source.control_task_table = {"instructions": 4, "stride": stride}

    def noting(id_: int) -> Any:
        def task(pe: Any) -> None:
            got.append(f"task {id_}")

        return task

    for id_ in (2, 8, 14):
        b.at(0).task("control", id_, noting(id_))

    def send(pe: Any) -> Any:
        yield Operation(MOVE, FabOut(4, 2, 1, control=True), (2 << 16,))

    b.at(0).task("local", 9, send)
    b.at(0).state("activate", "local_task_id", 9)
    b.at(0).state("unblock", "input_queue", 3)
    return b, got


@pytest.mark.parametrize(
    ("table", "stride", "task"),
    [(None, None, 2), (0, 6, 2), (1, 6, 8), (2, 6, 14), (3, 4, 14)],
)
def test_the_queue_chooses_the_part(
    bench: Any, table: int | None, stride: int | None, task: int
) -> None:
    b, got = looped(bench, table, stride)
    b.wafer().run_until_quiet()
    assert got == [f"task {task}"]


def test_a_part_needs_a_table_of_its_own(bench: Any) -> None:
    b, _ = looped(bench, 1, None)
    with pytest.raises(MachineFault) as caught:
        b.wafer()
    assert str(caught.value) == (
        "PE(0,0) at cycle 0: input queue 3 has .ctrl_table_id 1, but the program has "
        "one table for all tasks; @set_control_task_table makes one of control tasks "
        "that has parts"
    )
