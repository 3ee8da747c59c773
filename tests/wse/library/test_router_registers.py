"""WSE-2: the registers of routes and switches, through builtins and pointers."""

import numpy as np
import pytest

from pyflame.wse.errors import CslError, MachineFault

REGISTERS = """
const tile_config = @import_module("<tile_config>");
const c = @get_color(4);
const iq = @get_input_queue(2);
const oq = @get_output_queue(2);
const ROUTES: u16 = 0x7f20 + 4;
const SWITCH: u16 = 0x7f40 + 4;
export var words = @zeros([6]u16);
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
  @mov32(target, in);
}
comptime {
  @set_local_color_config(c, %s);
  @initialize_queue(iq, .{ .color = c });
}
"""
STOPPED = """.{ .routes = .{ .rx = .{ WEST }, .tx = .{ EAST, NORTH } },
  .switches = .{ .pos1 = .{ .rx = RAMP }, .pos3 = .{ .tx = SOUTH },
    .ring_mode = true, .pop_mode = .{ .pop_on_advance = true },
    .current_switch_pos = 1 },
  .teardown = true }"""
# Bits as public programs name them: west input 5, east output 1, north output 3.
ROUTES_WORD = 1 << 5 | 1 << 1 | 1 << 3 | 2 << 12 | 1 << 14
SWITCH_WORD = 1 << 13 | 1 << 12 | 2 << 8 | 5 << 4 | 1 << 3 | 4
RAMP_TO_RAMP = 1 << 9 | 1 << 4


def test_the_words_of_a_configuration(run_csl) -> None:
    program = run_csl(
        REGISTERS % STOPPED
        + """
        fn run() void {
          words[0] = @get_config(ROUTES);
          words[1] = @get_config(SWITCH);
          words[2] = @bitcast(*u16, ROUTES * 2).*;
          words[3] = @bitcast(*u16, SWITCH * 2).*;
          words[4] = @get_config(SWITCH + 1);
        }
        """,
        "wse2",
    )
    expected = [ROUTES_WORD, SWITCH_WORD] * 2 + [5 << 8 | 5 << 4 | 5]
    assert program.words("words", np.uint16, 5).tolist() == expected


def test_addresses_from_the_library(run_csl) -> None:
    """They are those of the registers; the library's functions take them too."""
    program = run_csl(
        REGISTERS % STOPPED
        + """
        const switches = tile_config.switch_config;
        fn run() void {
          words[0] = tile_config.color_config.get_color_config_addr(c);
          words[1] = switches.get_switch_config_addr(c, switches.pop_mode);
          words[2] = switches.get_switch_config_addr(c, switches.switch_pos);
          tile_config.color_config.reset_routes(words[0], .{ .rx = RAMP, .tx = RAMP });
          switches.set_invalid_for_all_switch_positions(words[2]);
          switches.clear_current_position(words[2]);
          tile_config.teardown.exit(words[0]);
          transfer();
        }
        """,
        "wse2",
    )
    assert program.words("words", np.uint16, 3).tolist() == [0x7F24, 0x7F24, 0x7F44]
    assert program.words("received", np.uint32, 3).tolist() == [7, 8, 9]


@pytest.mark.parametrize("through", ["builtin", "pointer"])
def test_written_words_set_routes_and_end_teardown(run_csl, through: str) -> None:
    write = {
        "builtin": "@set_config(a, v);",
        "pointer": "@bitcast(*u16, a * 2).* = v;",
    }[through]
    program = run_csl(
        REGISTERS % STOPPED
        + f"""
        fn write(a: u16, v: u16) void {{ {write} }}
        fn run() void {{
          write(SWITCH, 0x0555);
          write(ROUTES, {RAMP_TO_RAMP});
          words[0] = @get_config(ROUTES); // what was written, before it takes effect
          transfer();
          words[1] = @get_config(ROUTES);
          words[2] = @get_config(SWITCH);
        }}
        """,
        "wse2",
    )
    assert program.words("received", np.uint32, 3).tolist() == [7, 8, 9]
    words = program.words("words", np.uint16, 3).tolist()
    assert words == [RAMP_TO_RAMP, RAMP_TO_RAMP, 0x0555]


def test_teardown_stays_until_its_bit_is_cleared(run_csl) -> None:
    program = run_csl(
        REGISTERS % STOPPED
        + f"""
        fn run() void {{
          @set_config(SWITCH, 0x0555);
          @set_config(ROUTES, {RAMP_TO_RAMP | 1 << 14});
          @mov32(out, source, .{{ .async = true }});
          words[0] = @get_config(ROUTES);
          tile_config.teardown.exit(c);
          @mov32(target, in);
          words[1] = @get_config(ROUTES);
        }}
        """,
        "wse2",
    )
    assert program.words("received", np.uint32, 3).tolist() == [7, 8, 9]
    words = program.words("words", np.uint16, 2).tolist()
    assert words == [RAMP_TO_RAMP | 1 << 14, RAMP_TO_RAMP]


def test_a_written_switch_position_is_used(run_csl) -> None:
    """Position 1 turns the output to the ramp; bits 13 and 14 make it current."""
    program = run_csl(
        REGISTERS % ".{ .routes = .{ .rx = .{ RAMP }, .tx = .{ EAST } } }"
        + """
        fn run() void {
          @set_config(SWITCH, (1 << 13) | 0x0554);
          transfer();
        }
        """,
        "wse2",
    )
    assert program.words("received", np.uint32, 3).tolist() == [7, 8, 9]


def test_the_side_of_a_position_outlives_its_direction(run_csl) -> None:
    """Programs clear the direction, and later set it, without the bit of the side."""
    program = run_csl(
        REGISTERS % STOPPED
        + """
        fn run() void {
          @set_config(SWITCH, (@get_config(SWITCH) & 0x9ff8) | 5);
          transfer_nothing();
          @set_config(SWITCH, (@get_config(SWITCH) & 0xfff8) | 4);
          transfer_nothing();
          words[0] = @get_config(SWITCH);
        }
        const spare = @get_color(5);
        const spare_out = @get_dsd(fabout_dsd, .{ .extent = 1,
          .fabric_color = spare, .output_queue = @get_output_queue(3) });
        const spare_in = @get_dsd(fabin_dsd, .{ .extent = 1,
          .fabric_color = spare, .input_queue = @get_input_queue(3) });
        fn transfer_nothing() void {
          @mov32(spare_out, @as(u32, 0), .{ .async = true });
          @mov32(target, spare_in);
        }
        comptime {
          @set_local_color_config(spare,
            .{ .routes = .{ .rx = .{ RAMP }, .tx = .{ RAMP } } });
          @initialize_queue(@get_input_queue(3), .{ .color = spare });
        }
        """,
        "wse2",
    )
    expected = SWITCH_WORD & ~(3 << 13)
    assert program.words("words", np.uint16).tolist() == [expected]


def test_a_position_that_no_word_can_hold(run_csl) -> None:
    config = """.{ .routes = .{ .rx = .{ RAMP }, .tx = .{ RAMP } },
      .switches = .{ .pos1 = .{ .tx = .{ EAST, WEST } } } }"""
    with pytest.raises(MachineFault, match="one of its positions has the directions"):
        run_csl(
            REGISTERS % config + "fn run() void { words[0] = @get_config(SWITCH); }",
            "wse2",
        )


@pytest.mark.parametrize(
    ("arch", "address"), [("wse3", "0x7f24 * 2"), ("wse2", "0x7e00 * 2")]
)
@pytest.mark.parametrize("access", ["out = {p}.*;", "{p}.* = out;"])
def test_other_pointers_outside_memory_are_faults(
    run_csl, arch: str, address: str, access: str
) -> None:
    pointer = f"@bitcast(*u16, @as(u16, {address}))"
    with pytest.raises(MachineFault, match="outside the 49,152 bytes of memory"):
        run_csl(
            f"export var out: u16 = 0; fn run() void {{ {access.format(p=pointer)} }}",
            arch,
        )


def test_comptime_writes_are_for_color_configurations(run_csl) -> None:
    body = "comptime { @set_config(0x7f24, 1); } fn run() void {}"
    with pytest.raises(
        CslError,
        match="register 0x7f24 holds the routes or the switch of a color, which cannot "
        "be written at comptime",
    ):
        run_csl(body, "wse2")
    run_csl(body, "wse3")


def test_registers_show_what_the_library_has_just_changed(run_csl) -> None:
    program = run_csl(
        REGISTERS % STOPPED
        + """
        const colors = tile_config.color_config;
        const switches = tile_config.switch_config;
        fn run() void {
          const routes = colors.get_color_config_addr(c);
          colors.reset_routes(routes, .{ .rx = RAMP, .tx = RAMP });
          words[0] = @get_config(ROUTES);
          switches.clear_current_position(
            switches.get_switch_config_addr(c, switches.switch_pos));
          words[1] = @get_config(SWITCH);
          tile_config.teardown.exit(routes);
          words[2] = @get_config(ROUTES);
        }
        """,
        "wse2",
    )
    rest = 2 << 12
    assert program.words("words", np.uint16, 3).tolist() == [
        RAMP_TO_RAMP | rest | 1 << 14,
        SWITCH_WORD & ~(1 << 13),
        RAMP_TO_RAMP | rest,
    ]
