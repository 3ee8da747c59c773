"""@queue_flush and @set_empty_queue_handler: WSE-3 queues that run empty."""

from collections.abc import Callable
from typing import Any

import pytest

from pyflame.wse.errors import CslError

LoadGrid = Callable[..., Any]
LAYOUT = """
const memcpy = @import_module("<memcpy/get_params>", .{ .width = 2, .height = 1 });
const c = @get_color(4);
layout {
  @set_rectangle(2, 1);
  for (@range(i16, 2)) |x| {
    @set_tile_code(x, 0, "pe.csl", .{
      .memcpy_params = memcpy.get_params(x), .c = c, .sends = x == 0 });
  }
  @set_color_config(0, 0, c, .{ .routes = .{ .rx = .{ RAMP }, .tx = .{ EAST } } });
  @set_color_config(1, 0, c, .{ .routes = .{ .rx = .{ WEST }, .tx = .{ RAMP } } });
  @export_name("main", fn() void);
}
"""
PE = """
param memcpy_params; param c: color; param sends: bool;
const sys = @import_module("<memcpy/memcpy>", memcpy_params);
const tile_config = @import_module("<tile_config>");
const iq = @get_input_queue(2); const oq = @get_output_queue(3);
const source = [4]u32 { 10, 20, 30, 40 };
const from = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{4} -> source[i] });
const out = @get_dsd(fabout_dsd,
  .{ .extent = 4, .fabric_color = c, .output_queue = oq });
const take_id = @get_data_task_id(iq);
export var seen = @zeros([8]u32);
export var order = @zeros([8]u16);
var count: u16 = 0;
fn note(what: u16) void { order[count] = what; count += 1; }
fn in_empty() void {
  note(100);
  if (tile_config.queue_flush.is_flushed(tile_config.queue_flush.iq_status(), iq)) {
    tile_config.queue_flush.exit(iq);
  }
  note(200 + @as(u16, tile_config.queue_flush.iq_status()));
}
fn out_empty() void { note(300); tile_config.queue_flush.exit(oq); }
task take(x: u32) void {
  seen[count] = x;
  note(@as(u16, x));
  if (x == 20) { @queue_flush(iq); }
}
fn main() void {
  if (sends) {
    @mov32(out, from, .{ .async = true });
    @queue_flush(oq);
  }
  sys.unblock_cmd_stream();
}
comptime {
  if (sends) {
    @initialize_queue(oq, .{ .color = c });
    @set_empty_queue_handler(out_empty, oq);
  } else {
    @initialize_queue(iq, .{ .color = c });
    @bind_data_task(take, take_id);
    @set_empty_queue_handler(in_empty, iq);
  }
  @export_symbol(main);
}
"""


def test_the_handler_runs_when_the_queue_is_empty(load_grid: LoadGrid) -> None:
    grid = load_grid(LAYOUT, PE, "wse3")
    grid.launch()
    grid.wafer.run_until_quiet()
    assert grid.read(0, 0, "order", "u2", 1).tolist() == [300]
    order = grid.read(1, 0, "order", "u2", 6).tolist()
    data = [n for n in order if n < 100]
    assert data == [10, 20, 30, 40]
    assert order.index(100) > order.index(20)
    assert [n for n in order if n >= 100] == [100, 200]


def test_an_empty_queue_is_flushed_at_once(load_grid: LoadGrid) -> None:
    text = PE.replace("@mov32(out, from, .{ .async = true });", "")
    grid = load_grid(LAYOUT, text, "wse3")
    grid.launch()
    grid.wafer.run_until_quiet()
    assert grid.read(0, 0, "order", "u2", 2).tolist() == [300, 0]


def test_wse2_has_no_queue_flush(run_csl: Callable[..., Any]) -> None:
    with pytest.raises(CslError, match="'@queue_flush' exists on wse3 only"):
        run_csl("fn run() void { @queue_flush(@get_input_queue(2)); }", "wse2")
