"""<message_passing>: words from one PE to another, in order."""

from collections.abc import Callable
from typing import Any

import pytest

from pyflame.wse.errors import CslError, MachineFault

LoadGrid = Callable[..., Any]
LAYOUT = """
const memcpy = @import_module("<memcpy/get_params>", .{ .width = 3, .height = 2 });
layout {
  @set_rectangle(3, 2);
  for (@range(u16, 3)) |x| {
    for (@range(u16, 2)) |y| {
      @set_tile_code(x, y, "pe.csl", .{ .memcpy_params = memcpy.get_params(x) });
    }
  }
  @export_name("main", fn() void);
}
"""
PE = """
param memcpy_params;
const sys = @import_module("<memcpy/memcpy>", memcpy_params);
const place = @import_module("<layout>");
const mp = @import_module("<message_passing>",
  .{ .input_queue_id = 4, .output_queue_id = 5, .enable_asserts = true });
const sent_id = @get_local_task_id(9);
const got_id = @get_local_task_id(10);
export var out = @zeros([40]u32);
export var got = @zeros([8]u32);
export var messages: u16 = 0;
export var sent: u16 = 0;
task when_sent() void { sent += 1; }
task when_got() void {
  messages += 1;
  %(when_got)s
}
fn main() void {
  mp.init();
  const x = place.get_x_coord();
  const y = place.get_y_coord();
  for (@range(u16, 40)) |i| { out[i] = @as(u32, 1000 * x + 100 * y + i); }
  %(body)s
  sys.unblock_cmd_stream();
}
comptime {
  @bind_local_task(when_sent, sent_id);
  @bind_local_task(when_got, got_id);
  @export_symbol(main);
}
"""


def loaded(load_grid: LoadGrid, body: str, when_got: str = "") -> Any:
    pe = PE % {"body": body, "when_got": when_got}
    return load_grid(LAYOUT, pe, "wse3")


def test_messages_reach_the_pe_that_they_name(load_grid: LoadGrid) -> None:
    """Every PE sends its first words to the PE opposite."""
    grid = loaded(
        load_grid,
        "mp.recv_message(&got, .{ .activate = got_id });"
        "mp.send_message(2 - x, 1 - y, &out, 4, .{ .activate = sent_id });",
    )
    grid.launch()
    grid.wafer.run_until_quiet()
    for x in range(3):
        for y in range(2):
            first = 1000 * (2 - x) + 100 * (1 - y)
            expected = [first + n for n in range(4)] + [0] * 4
            assert grid.read(x, y, "got", "u4", 8).tolist() == expected
            assert grid.read(x, y, "sent", "u2", 1).tolist() == [1]
            assert grid.read(x, y, "messages", "u2", 1).tolist() == [1]


def test_messages_of_one_sender_stay_in_order(load_grid: LoadGrid) -> None:
    grid = loaded(
        load_grid,
        """
        if (x == 0 and y == 0) {
          mp.send_message(2, 1, &out, 3, {});
          mp.send_message(2, 1, @ptrcast([*]u32, &out[10]), 2, {});
        } else if (x == 2 and y == 1) {
          mp.recv_message(&got, .{ .activate = got_id });
        }
        """,
        """
        if (messages == 1) {
          mp.recv_message(@ptrcast([*]u32, &got[4]), .{ .activate = got_id });
        }
        """,
    )
    grid.launch()
    grid.wafer.run_until_quiet()
    assert grid.read(2, 1, "got", "u4", 8).tolist() == [0, 1, 2, 0, 10, 11, 0, 0]


def test_a_blocked_task_is_unblocked(load_grid: LoadGrid) -> None:
    grid = loaded(
        load_grid,
        """
        if (x == 1 and y == 0) {
          @block(got_id);
          @activate(got_id);
          mp.recv_message(&got, .{ .unblock = got_id });
        } else if (x == 2 and y == 0) {
          mp.send_message(1, 0, &out, 1, {});
        }
        """,
    )
    grid.launch()
    grid.wafer.run_until_quiet()
    assert grid.read(1, 0, "messages", "u2", 1).tolist() == [1]
    assert grid.read(1, 0, "got", "u4", 1).tolist() == [2000]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("mp.send_message(0, 0, &out, 33, {});", "assertion"),
        ("mp.send_message(7, 0, &out, 1, {});", r"PE\(7,0\) has not called init"),
        (
            "mp.recv_message(&got, {}); mp.recv_message(&got, {});",
            "an earlier one still waits",
        ),
    ],
)
def test_faults(load_grid: LoadGrid, body: str, message: str) -> None:
    grid = loaded(load_grid, body)

    def run() -> None:
        grid.launch()
        grid.wafer.run_until_quiet()

    with pytest.raises(MachineFault, match=message):
        run()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "mp.send_message(0, 0, &out, 1, .{ .terminate = 1 });",
            "message_passing: on_term is .{ .activate = id }",
        ),
        (
            "mp.recv_message(&got, .{ .activate = @get_control_task_id(40) });",
            "message_passing: on_term names a local_task_id",
        ),
    ],
)
def test_misuse(load_grid: LoadGrid, body: str, message: str) -> None:
    with pytest.raises(CslError) as caught:
        loaded(load_grid, body)
    assert message in caught.value.message
