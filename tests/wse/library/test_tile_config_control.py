"""<tile_config>.control_transform and addresses."""

import numpy as np
import pytest

LOOP = """
const tile_config = @import_module("<tile_config>");
const control = @import_module("<control>");
const a = @get_color(4);
const b = @get_color(5);
export var kept = @zeros([2]u32);
export var seen = @zeros([2]u32);
export var entry: u16 = 0;
const memory = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{2} -> kept[i] });
const seen_dsd = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{1} -> seen[i] });
const data_out = @get_dsd(fabout_dsd,
  .{ .extent = 1, .fabric_color = a, .output_queue = @get_output_queue(2) });
const control_out = @get_dsd(fabout_dsd, .{ .extent = 1, .fabric_color = a,
  .output_queue = @get_output_queue(2), .control = true });
const in = @get_dsd(fabin_dsd, .{ .extent = 2, .fabric_color = a,
  .input_queue = @get_input_queue(2), .control_transform = true });
const again = @get_dsd(fabout_dsd, .{ .extent = 2, .fabric_color = b,
  .output_queue = @get_output_queue(3), .control_transform = true });
const last = @get_dsd(fabin_dsd, .{ .extent = 1, .fabric_color = b,
  .input_queue = @get_input_queue(3) });
task controlled(data: u16) void { entry = data; }
fn run() void {
  tile_config.control_transform.set_mask(3);
  @mov32(data_out, 0x1234);
  @mov32(control_out, control.encode_single_payload(
    control.opcode.NOP, false, @get_control_task_id(41), 77));
  @mov32(memory, in);
  @mov32(again, memory, .{ .async = true });
  @mov32(seen_dsd, last);
}
comptime {
  @bind_control_task(controlled, @get_control_task_id(42));
  const loop = .{ .routes = .{ .rx = .{ RAMP }, .tx = .{ RAMP } } };
  @set_local_color_config(a, loop);
  @set_local_color_config(b, loop);
  @initialize_queue(@get_input_queue(2), .{ .color = a });
  @initialize_queue(@get_input_queue(3), .{ .color = b });
  if (@is_arch("wse3")) {
    @initialize_queue(@get_output_queue(2), .{ .color = a });
    @initialize_queue(@get_output_queue(3), .{ .color = b });
    @unblock(@get_input_queue(3));
  } else {
    @unblock(b);
  }
}
"""


@pytest.mark.parametrize("arch", ["wse2", "wse3"])
def test_control_wavelets_pass_through_memory(run_csl, arch: str) -> None:
    """The entry point 41 becomes 41 ^ 3 = 42, whose task gets the data."""
    program = run_csl(LOOP, arch)
    program.wafer.run_until_quiet()
    data, control = program.words("kept", np.uint32, 2).tolist()
    assert data == 0x1234
    assert control >> 30 == 3
    assert control >> 16 & 0x3F == 42
    assert program.words("seen", np.uint32).tolist() == [0x1234]
    assert program.words("entry", np.uint16).tolist() == [77]


def test_addresses_of_the_registers_that_are_public(run_csl) -> None:
    program = run_csl(
        """
        const tile_config = @import_module("<tile_config>");
        export var found = @zeros([2]u16);
        fn run() void {
          found[0] = @get_int(tile_config.addresses.SWITCH_CONFIG) + 5;
          found[1] = tile_config.switch_config.get_switch_config_addr(
            @get_color(5), tile_config.switch_config.switch_pos);
        }
        """,
        "wse2",
    )
    assert program.words("found", np.uint16, 2).tolist() == [0x7F45, 0x7F45]
