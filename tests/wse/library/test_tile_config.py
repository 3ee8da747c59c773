"""<tile_config>: a PE changes its own router while it runs."""

import numpy as np
import pytest

from pyflame.wse.errors import MachineFault

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


LOOPBACK = """
const tile_config = @import_module("<tile_config>");
const c = @get_color(4);
const iq = @get_input_queue(2);
const oq = @get_output_queue(3);
const out = @get_dsd(fabout_dsd,
  .{ .extent = 30, .fabric_color = c, .output_queue = oq });
const in = @get_dsd(fabin_dsd,
  .{ .extent = 30, .fabric_color = c, .input_queue = iq });
export var words = @zeros([30]u32);
const memory = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{30} -> words[i] });
comptime {
  @set_local_color_config(c,
    .{ .routes = .{ .rx = .{ RAMP }, .tx = .{ RAMP } }%s });
  @initialize_queue(iq, .{ .color = c });
  if (@is_arch("wse3")) { @initialize_queue(oq, .{ .color = c }); }
}
"""


@pytest.mark.parametrize("arch", ["wse2", "wse3"])
def test_queue_status(run_csl, arch: str) -> None:
    """What cannot leave the output queue fills it; nothing comes in meanwhile."""
    program = run_csl(
        LOOPBACK % ", .teardown = true"
        + """
        const in_status = tile_config.input_queue_status;
        const out_status = tile_config.output_queue_status;
        const later_id = @get_local_task_id(9);
        export var before = @zeros([4]u16);
        export var during = @zeros([6]u16);
        task later() void {
          const i = in_status.get();
          const o = out_status.get();
          during[0] = out_status.get_raw();
          during[1] = @as(u16, out_status.is_full(o, oq));
          during[2] = @as(u16, out_status.is_empty(o, oq));
          during[3] = @as(u16, out_status.none_full(o));
          during[4] = in_status.get_raw();
          during[5] = @as(u16, in_status.is_empty(i, iq));
        }
        const tick_in = @get_dsd(fabin_dsd, .{ .extent = 40,
          .fabric_color = @get_color(5), .input_queue = @get_input_queue(4) });
        const tick_out = @get_dsd(fabout_dsd, .{ .extent = 40,
          .fabric_color = @get_color(5), .output_queue = @get_output_queue(4) });
        var ticks = @zeros([40]u32);
        const tick_memory =
          @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{40} -> ticks[i] });
        fn run() void {
          const i = in_status.get();
          const o = out_status.get();
          before[0] = @as(u16, in_status.all_empty(i));
          before[1] = @as(u16, out_status.all_empty(o));
          before[2] = @as(u16, in_status.none_empty(i));
          before[3] = @as(u16, out_status.all_full(o));
          @mov32(out, memory, .{ .async = true });
          @mov32(tick_out, tick_memory, .{ .async = true });
          @mov32(tick_memory, tick_in); // time passes
          @activate(later_id);
        }
        comptime {
          @bind_local_task(later, later_id);
          @set_local_color_config(@get_color(5),
            .{ .routes = .{ .rx = .{ RAMP }, .tx = .{ RAMP } } });
          @initialize_queue(@get_input_queue(4), .{ .color = @get_color(5) });
          if (@is_arch("wse3")) {
            @initialize_queue(@get_output_queue(4), .{ .color = @get_color(5) });
          }
        }
        """,
        arch,
        strict=False,  # receives into the array that it is still sending
    )
    program.wafer.run_until_quiet()
    assert program.words("before", np.uint16, 4).tolist() == [1, 1, 0, 0]
    outputs = 0x3F if arch == "wse2" else 0xFF
    status = (outputs & ~8) | 8 << 8
    assert program.words("during", np.uint16, 6).tolist() == [status, 1, 0, 0, 255, 1]


@pytest.mark.parametrize(
    ("level", "rank"), [("MEDIUM_LOW", 3), ("MEDIUM", 2), ("MEDIUM_HIGH", 1)]
)
def test_main_thread_priority(run_csl, level: str, rank: int) -> None:
    program = run_csl(
        f"""
        const priority = @import_module("<tile_config/main_thread_priority>");
        const level = priority.level.{level};
        fn run() void {{ priority.update_main_thread_priority(level); }}
        """
    )
    assert program.wafer.pe(0, 0).main_thread_rank == rank


def test_a_main_thread_of_high_priority_waits_less(run_csl) -> None:
    """Other streams share the execution slots: ours ends earlier with the priority."""

    def cycles(level: str) -> int:
        body = (
            LOOPBACK % ""
            + f"""
        const priority = tile_config.main_thread_priority;
        var other = @zeros([200]u32);
        const far = @get_dsd(mem1d_dsd,
          .{{ .tensor_access = |i|{{200}} -> other[i] }});
        const busy_out = @get_dsd(fabout_dsd, .{{ .extent = 200,
          .fabric_color = @get_color(5), .output_queue = @get_output_queue(4),
          .priority = .{{ .medium = true }} }});
        const time = @import_module("<time>");
        export var stamp = @zeros([3]u16);
        const busy_in = @get_dsd(fabin_dsd, .{{ .extent = 200,
          .fabric_color = @get_color(5), .input_queue = @get_input_queue(5),
          .priority = .{{ .medium = true }} }});
        const quick_out = @get_dsd(fabout_dsd, .{{ .extent = 30, .fabric_color = c,
          .output_queue = oq, .priority = .{{ .high = true }} }});
        fn run() void {{
          priority.update_main_thread_priority(priority.level.{level});
          time.enable_tsc();
          @mov32(busy_out, far, .{{ .async = true }});
          @mov32(far, busy_in, .{{ .async = true }});
          @mov32(quick_out, memory, .{{ .async = true }});
          @mov32(memory, in);
          time.get_timestamp(&stamp);
        }}
        comptime {{
          @set_local_color_config(@get_color(5),
            .{{ .routes = .{{ .rx = .{{ RAMP }}, .tx = .{{ RAMP }} }} }});
          @initialize_queue(@get_input_queue(5), .{{ .color = @get_color(5) }});
          @initialize_queue(@get_output_queue(4), .{{ .color = @get_color(5) }});
        }}
        """
        )
        # It receives into the array that it is still sending.
        return int(run_csl(body, strict=False).words("stamp", np.uint16)[0])

    assert cycles("HIGH") < cycles("MEDIUM") < cycles("MEDIUM_LOW")


def test_exceptions_cannot_be_let_through(run_csl) -> None:
    body = """
    const exceptions = @import_module("<tile_config/exceptions>");
    fn run() void {{ exceptions.set_exception_mask({}); }}
    """
    run_csl(body.format("0xffff"))
    mask = "exceptions.FP_OVERFLOW & exceptions.FP_DIV_BY_0"
    with pytest.raises(
        MachineFault,
        match="set_exception_mask lets FP_OVERFLOW, FP_DIV_BY_0 through; "
        "this simulator raises no exceptions",
    ):
        run_csl(body.format(mask))
