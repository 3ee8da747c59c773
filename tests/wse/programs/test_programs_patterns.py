"""Communication patterns that published programs are built from."""

import numpy as np
import pytest

SEEDS = (None, 1, 7)

ROW_LAYOUT = """
const memcpy = @import_module("<memcpy/get_params>", .{ .width = 4, .height = 1 });
layout {
  @set_rectangle(4, 1);
  for (@range(u16, 4)) |x| {
    @set_tile_code(x, 0, "pe.csl",
      .{ .memcpy_params = memcpy.get_params(x), .x = x });
  }
  @export_name("go", fn() void);
}
"""
# Each PE in turn sends a train of six words east. PE x keeps words 2x-2 and 2x-1 of
# every train that passes, by a counter filter. Two control wavelets behind a train let
# the next PE move on to a position in which it sends itself.
TRAINS = """
param memcpy_params;
param x: u16;
const sys = @import_module("<memcpy/memcpy>", memcpy_params);
const c = @get_color(4);
const iq = @get_input_queue(2);
const oq = @get_output_queue(3);
const send_id = @get_local_task_id(9);
const command_id = @get_local_task_id(10);
const done_id = @get_local_task_id(11);
export var train = @zeros([6]u32);
export var kept = @zeros([6]u32);
// A NOP for the sender's own router, then SWITCH_ADV for the next.
var commands = @constants([2]u32, 0x0b009249);
const train_mem = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{6} -> train[i] });
const kept_mem = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{6} -> kept[i] });
const command_mem = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{2} -> commands[i] });
const out = @get_dsd(fabout_dsd,
  .{ .extent = 6, .fabric_color = c, .output_queue = oq });
const command_out = @get_dsd(fabout_dsd,
  .{ .extent = 2, .fabric_color = c, .output_queue = oq, .control = true });
const in = @get_dsd(fabin_dsd,
  .{ .extent = 2 * x, .fabric_color = c, .input_queue = iq });
task send() void {
  if (x == 3) {
    @activate(done_id);
  } else {
    @mov32(out, train_mem, .{ .async = true, .activate = command_id });
  }
}
task command() void {
  @mov32(command_out, command_mem, .{ .async = true, .activate = done_id });
}
task done() void { sys.unblock_cmd_stream(); }
fn go() void {
  if (x == 0) {
    @activate(send_id);
  } else {
    @mov32(kept_mem, in, .{ .async = true, .activate = send_id });
  }
}
const own_share = .{
  .kind = .{ .counter = true }, .count_data = true, .count_control = false,
  .limit1 = 5, .max_counter = 1, .init_counter = if (x < 2) 0 else (4 - x) * 2,
};
comptime {
  @bind_local_task(send, send_id);
  @bind_local_task(command, command_id);
  @bind_local_task(done, done_id);
  if (x == 0) {
    @set_local_color_config(c, .{ .routes = .{ .rx = RAMP, .tx = EAST },
      .switches = .{ .pop_mode = .{ .always_pop = true } } });
  } else if (x == 3) {
    @set_local_color_config(c, .{ .routes = .{ .rx = WEST, .tx = RAMP },
      .switches = .{ .pop_mode = .{ .always_pop = true } }, .filter = own_share });
  } else {
    @set_local_color_config(c, .{
      .routes = .{ .rx = .{ WEST }, .tx = .{ RAMP, EAST } },
      .switches = .{ .pos1 = .{ .tx = EAST }, .pos2 = .{ .rx = RAMP },
                     .pop_mode = .{ .always_pop = true } },
      .filter = own_share });
  }
  @initialize_queue(iq, .{ .color = c });
  if (@is_arch("wse3")) { @initialize_queue(oq, .{ .color = c }); }
  @export_symbol(go);
}
"""


@pytest.mark.parametrize("seed", SEEDS)
def test_trains_pass_filters_and_hand_over_by_switches(programs, seed) -> None:
    programs.load({"layout.csl": ROW_LAYOUT, "pe.csl": TRAINS}, seed=seed)
    for x in range(4):
        programs.write("train", 100 * x + np.arange(6, dtype=np.uint32), x)
    programs.run("go")
    for x in range(1, 4):
        expected = [100 * s + 2 * x - 2 + i for s in range(x) for i in range(2)]
        found = programs.read("kept", np.uint32, 2 * x, x).tolist()
        assert found == expected


# A matrix times a vector whose elements arrive with their index.
COLUMNS = """
const c = @get_color(4);
const iq = @get_input_queue(2);
const oq = @get_output_queue(3);
const rx_id =
  if (@is_arch("wse2")) @get_data_task_id(c) else @get_data_task_id(iq);
var A = @zeros([4, 3]f16);
var y = @zeros([4]f16);
var count = @zeros([1]u16);
var words = @zeros([3]u32);
const column = @get_dsd(mem1d_dsd,
  .{ .tensor_access = |i|{4} -> A[i, 0], .wavelet_index_offset = true });
const y_mem = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{4} -> y[i] });
const word_mem = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{3} -> words[i] });
const out = @get_dsd(fabout_dsd,
  .{ .extent = 3, .fabric_color = c, .output_queue = oq });
task multiply(element: f16, index: u16) void {
  @fmach(y_mem, y_mem, column, element, .{ .index = index });
  count[0] += 1;
}
fn run() void { @mov32(out, word_mem, .{ .async = true }); }
comptime {
  @bind_data_task(multiply, rx_id);
  @set_local_color_config(c, .{ .routes = .{ .rx = RAMP, .tx = RAMP } });
  if (@is_arch("wse3")) {
    @initialize_queue(iq, .{ .color = c });
    @initialize_queue(oq, .{ .color = c });
  }
}
"""


def test_columns_are_chosen_by_wavelet_index(programs) -> None:
    exports = {"A": "f16", "y": "f16", "count": "u16", "words": "u32"}
    programs.one_pe(COLUMNS, exports)
    matrix = np.arange(12, dtype=np.float16).reshape(4, 3)
    vector = np.array([2.0, -1.0, 0.5], np.float16)
    order = [1, 2, 0]
    words = [int(vector[i : i + 1].view(np.uint16)[0]) | i << 16 for i in order]
    programs.write("A", matrix)
    programs.write("words", np.array(words, np.uint32))
    programs.run()
    programs.wafer.run_until_quiet()
    assert programs.read("count", np.uint16, 1).tolist() == [3]
    assert programs.read("y", np.float16, 4).tolist() == (matrix @ vector).tolist()
