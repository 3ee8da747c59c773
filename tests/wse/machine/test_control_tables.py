"""Parts of the table of control tasks (WSE-3)."""

from __future__ import annotations

from typing import Any

import pytest

from pyflame.wse.errors import MachineFault
from pyflame.wse.language.compile import compile_program
from pyflame.wse.language.image import Options, QueueInit
from pyflame.wse.language.reader import FileReader
from pyflame.wse.machine.dsd import FabOut
from pyflame.wse.machine.engine import MachineConfig, Wafer
from pyflame.wse.machine.operations import OPERATIONS, Operation
from pyflame.wse.machine.wavelet import CONTROL

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


def test_a_table_of_its_own_may_be_set_after_the_bindings(tmp_path: Any) -> None:
    """Local and control tasks share ids then, and entry points name no data task."""
    pe = """
    task local() void {}
    task control() void {}
    task data(word: u32) void {}
    comptime {
      @bind_local_task(local, @get_local_task_id(9));
      @bind_control_task(control, @get_control_task_id(9));
      @bind_data_task(data, @get_data_task_id(@get_input_queue(3)));
      @initialize_queue(@get_input_queue(3), .{ .color = @get_color(4) });
      @set_control_task_table(.{ .stride = 2 });
    }
    """
    top = 'layout { @set_rectangle(1, 1); @set_tile_code(0, 0, "pe.csl"); }'
    (tmp_path / "pe.csl").write_text(pe)
    (tmp_path / "layout.csl").write_text(top)
    options = Options(arch="wse3")
    image = compile_program(tmp_path / "layout.csl", options, FileReader())
    wafer = Wafer(image, MachineConfig())
    wafer.load()
    queue = wafer.pe(0, 0).inputs[4]
    tasks = wafer.pe(0, 0).tasks
    queue.push(CONTROL | 9 << 16, 0)
    found = tasks.triggered_by(queue)
    assert found is not None
    assert found.kind == "control"
    queue.pop(0)
    queue.push(CONTROL | 3 << 16, 0)
    assert tasks.triggered_by(queue) is None
