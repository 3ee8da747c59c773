"""<tile_config>: a PE changes its own router while it runs."""

import numpy as np
import pytest

# A color that leads nowhere and is stopped, and a transfer to the PE itself.
STOPPED_COLOR = """
const tile_config = @import_module("<tile_config>");
const c = @get_color(4);
const iq = @get_input_queue(2);
const oq = @get_output_queue(2);
export var sent = [3]u32 { 7, 8, 9 };
export var received = @zeros([3]u32);
const source = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{3} -> sent[i] });
const target = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{3} -> received[i] });
const out = @get_dsd(fabout_dsd,
  .{ .extent = 3, .fabric_color = c, .output_queue = oq });
const in = @get_dsd(fabin_dsd,
  .{ .extent = 3, .fabric_color = c, .input_queue = iq });
fn transfer() void {
  @mov32(out, source, .{ .async = true });
  configure();
  tile_config.teardown.exit(c);
  @mov32(target, in);
}
comptime {
  @set_local_color_config(c,
    .{ .routes = .{ .rx = .{ WEST }, .tx = .{ EAST } }, .teardown = true });
  @initialize_queue(iq, .{ .color = c });
  if (@is_arch("wse3")) { @initialize_queue(oq, .{ .color = c }); }
}
fn run() void { transfer(); }
"""


@pytest.mark.parametrize("arch", ["wse2", "wse3"])
@pytest.mark.parametrize(
    "configure",
    [
        "color_config.reset_routes(c, .{ .rx = RAMP, .tx = RAMP });",
        "color_config.reset_routes(color_config.get_color_config_addr(c), "
        ".{ .rx = RAMP, .tx = [1]direction { RAMP } });",
        "color_config.set_io_direction(c, color_config.fabric_io.RX_RAMP);"
        "color_config.clear_io_direction(c, color_config.fabric_io.TX_EAST);"
        "color_config.toggle_io_direction(c, color_config.fabric_io.TX_RAMP);",
        "color_config.reset_routes(c, .{ .rx = RAMP, .tx = EAST });"
        "switch_config.set_invalid_for_all_switch_positions(c);"
        "switch_config.set_tx_switch_pos1(c, RAMP);"
        "switch_config.set_current_switch_position(c, 1);",
    ],
    ids=["routes", "address", "single directions", "switch"],
)
def test_a_new_route_carries_wavelets(run_csl, arch: str, configure: str) -> None:
    body = f"""
    const color_config = tile_config.color_config;
    const switch_config = tile_config.switch_config;
    fn configure() void {{ {configure} }}
    """
    program = run_csl(STOPPED_COLOR + body, arch)
    assert program.words("received", np.uint32, 3).tolist() == [7, 8, 9]


def test_constants_and_place_on_the_fabric(run_csl) -> None:
    program = run_csl(
        """
        const tile_config = @import_module("<tile_config>");
        export var out = @zeros([4]u16);
        fn run() void {
          out[0] = tile_config.get_fabric_coord(tile_config.fabric_coord.X);
          out[1] = tile_config.get_fabric_coord(tile_config.fabric_coord.Y);
          out[2] = tile_config.word_size;
          out[3] = @as(u16, @strlen(tile_config.target_name));
        }
        """
    )
    assert program.words("out", np.uint16, 4).tolist() == [4, 1, 2, 4]


def test_task_priorities(run_csl) -> None:
    program = run_csl(
        """
        const tile_config = @import_module("<tile_config>");
        const priority = tile_config.task_priority;
        const id = @get_local_task_id(9);
        task idle() void {}
        comptime { @bind_local_task(idle, id); }
        fn run() void { priority.set_task_priority(id); }
        """
    )
    assert program.wafer.pe(0, 0).tasks.high_priority[9]
