"""Library functions one by one, each in a small program with a known answer.

What has a test of its own elsewhere is left out.
"""

import math
from typing import Any

import numpy as np
import pytest

from pyflame.wse.errors import MachineFault

X = 0.75
MATH = {
    "abs({-x})": X,
    "max({x}, {y})": 2.5,
    "min({x}, {y})": X,
    "sign({-x})": -1.0,
    "ceil({x})": 1.0,
    "floor({-x})": -1.0,
    "fscale({x}, 3)": 6.0,
    "sig({y})": 1.25,
    "tanh({x})": math.tanh(X),
    "cos({x})": math.cos(X),
    "sin({x})": math.sin(X),
    "exp({x})": math.exp(X),
    "log({x})": math.log(X),
    "inv({x})": 1 / X,
    "invsqrt({x})": 1 / math.sqrt(X),
    "sqrt({x})": math.sqrt(X),
    "pow({x}, {y})": X**2.5,
}
PREDICATES = {
    "isNaN": (False, False, True),
    "isInf": (False, True, False),
    "isFinite": (True, False, False),
    "isSignaling": (False, False, False),
    "signbit": (False, False, False),
}


@pytest.mark.parametrize("type_", ["f16", "f32"])
@pytest.mark.parametrize("suffix", [True, False])
def test_math_functions(run_csl: Any, type_: str, suffix: bool) -> None:
    words = {"-x": "-x", "x": "x", "y": "y"}
    lines: list[str] = []
    for number, call in enumerate(MATH):
        name, arguments = call.split("(", 1)
        spelled = f"math.{name}_{type_}" if suffix else f"math.{name}"
        text = arguments.format(**words)
        lines.append(f"found[{number}] = {spelled}({text};")
    program = run_csl(
        f"""
        const math = @import_module("<math>");
        export var found = @zeros([{len(MATH)}]{type_});
        var x: {type_} = 0.75; var y: {type_} = 2.5;
        fn run() void {{ {" ".join(lines)} }}
        """
    )
    dtype = np.float16 if type_ == "f16" else np.float32
    found = program.words("found", dtype, len(MATH))
    expected = np.array(list(MATH.values()), dtype)
    np.testing.assert_allclose(
        found.astype(float), expected.astype(float), rtol=2 * np.finfo(dtype).eps
    )


@pytest.mark.parametrize("type_", ["f16", "f32"])
@pytest.mark.parametrize("name", list(PREDICATES))
def test_math_predicates(run_csl: Any, type_: str, name: str) -> None:
    program = run_csl(
        f"""
        const math = @import_module("<math>");
        export var found = @zeros([8]u16);
        var one: {type_} = 1.0; var less: {type_} = -1.0;
        var inf = math.POSITIVE_INF_{type_};
        var nan = math.NaN_{type_};
        fn run() void {{
          found[0] = @as(u16, math.{name}_{type_}(one));
          found[1] = @as(u16, math.{name}_{type_}(inf));
          found[2] = @as(u16, math.{name}_{type_}(nan));
          found[3] = @as(u16, math.{name}(one));
          found[4] = @as(u16, math.{name}(inf));
          found[5] = @as(u16, math.{name}(nan));
          found[6] = @as(u16, math.signbit_{type_}(less));
          found[7] = @as(u16, math.isSignaling_{type_}(@bitcast({type_},
            @as({"u16" if type_ == "f16" else "u32"},
                {"0x7d00" if type_ == "f16" else "0x7fa00000"}))));
        }}
        """
    )
    expected = [int(value) for value in PREDICATES[name]]
    assert program.words("found", np.uint16, 8).tolist() == expected * 2 + [1, 1]


def test_math_constants_and_integers(run_csl: Any) -> None:
    program = run_csl(
        """
        const math = @import_module("<math>");
        export var floats = @zeros([6]f32);
        export var ints = @zeros([5]i32);
        var n: i16 = -7; var m: i16 = 3; var u: u32 = 4000000000; var b: i8 = -128;
        fn run() void {
          floats[0] = math.PI; floats[1] = math.E;
          floats[2] = math.POSITIVE_INF(f32); floats[3] = math.NEGATIVE_INF(f32);
          floats[4] = math.NEGATIVE_INF_f32;
          floats[5] = @as(f32, math.NEGATIVE_INF_f16);
          ints[0] = @as(i32, math.abs(n)); ints[1] = @as(i32, math.max(n, m));
          ints[2] = @as(i32, math.min(n, m)); ints[3] = @as(i32, math.sign(n));
          ints[4] = @as(i32, math.sign(u));
        }
        """
    )
    inf = math.inf
    expected = np.array([math.pi, math.e, inf, -inf, -inf, -inf], np.float32)
    assert program.words("floats", np.float32, 6).tolist() == expected.tolist()
    assert program.words("ints", np.int32, 5).tolist() == [7, 3, -7, -1, 1]


@pytest.mark.parametrize(("name", "dtype"), [("32", np.float16), ("64", np.float32)])
def test_complex_numbers(run_csl: Any, name: str, dtype: Any) -> None:
    type_ = "f16" if name == "32" else "f32"
    program = run_csl(
        f"""
        const lib = @import_module("<complex>");
        export var found = @zeros([12]{type_});
        fn keep(at: u16, c: lib.complex_{name}) void {{
          found[at] = c.real; found[at + 1] = c.imag;
        }}
        var one: {type_} = 1.0;
        fn run() void {{
          const a = lib.get_complex_{name}(one, 2.0);
          const b = lib.get_complex(3.0 * one, -one);
          keep(0, lib.add_complex_{name}(a, b));
          keep(2, lib.subtract_complex_{name}(a, b));
          keep(4, lib.multiply_complex_{name}(a, b));
          keep(6, lib.add_complex(a, b));
          keep(8, lib.subtract_complex(a, b));
          keep(10, lib.multiply_complex(a, b));
        }}
        """
    )
    assert program.words("found", dtype, 12).tolist() == [4, 1, -2, 3, 5, 5] * 2


def test_dsd_ops_on_two_types(run_csl: Any) -> None:
    program = run_csl(
        """
        const ops = @import_module("<dsd_ops>");
        export var a = [3]f32 { 1.0, 2.0, 3.0 };
        export var b = [3]f32 { 4.0, 6.0, 8.0 };
        export var n = [3]i16 { 5, 6, 7 };
        export var m = [3]i16 { 1, 1, 2 };
        const A = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{3} -> a[i] });
        const B = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{3} -> b[i] });
        const N = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{3} -> n[i] });
        const M = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{3} -> m[i] });
        fn run() void {
          _ = ops.sub(f32, B, B, A, .{});
          _ = ops.neg(f32, A, A, .{});
          _ = ops.sub(i16, N, N, M, .{});
        }
        """
    )
    assert program.words("a", np.float32, 3).tolist() == [-1, -2, -3]
    assert program.words("b", np.float32, 3).tolist() == [3, 4, 5]
    assert program.words("n", np.int16, 3).tolist() == [4, 5, 5]


def test_malloc_of_every_type(run_csl: Any) -> None:
    program = run_csl(
        """
        const arena = @import_module("<malloc>", .{ .buffer_num_words = 20 });
        export var found = @zeros([6]f32);
        export var room = @zeros([4]u16);
        fn run() void {
          const a = arena.malloc_i16(1); a[0] = -1;
          const b = arena.malloc_u16(1); b[0] = 2;
          const c = arena.malloc_f16(1); c[0] = 0.5;
          const d = arena.malloc_i32(1); d[0] = -4;
          const e = arena.malloc_u32(1); e[0] = 5;
          const f = arena.malloc_f32(1); f[0] = 6.5;
          found[0] = @as(f32, a[0]); found[1] = @as(f32, b[0]);
          found[2] = @as(f32, c[0]); found[3] = @as(f32, d[0]);
          found[4] = @as(f32, e[0]); found[5] = f[0];
          room[0] = @as(u16, arena.has_enough_words(30));
          room[1] = @as(u16, arena.has_enough_double_words(2));
          arena.free();
          room[2] = @as(u16, arena.has_enough_space(u16, 20));
          room[3] = @as(u16, arena.has_enough_space(f32, 11));
        }
        """
    )
    assert program.words("found", np.float32, 6).tolist() == [-1, 2, 0.5, -4, 5, 6.5]
    assert program.words("room", np.uint16, 4).tolist() == [0, 1, 1, 0]


def test_random_halves_are_in_range(run_csl: Any) -> None:
    program = run_csl(
        """
        const random = @import_module("<random>");
        export var found = @zeros([50]f16);
        fn run() void {
          random.set_global_prng_seed(7);
          for (@range(u16, 50)) |i| { found[i] = random.random_f16(-2.0, 3.0); }
        }
        """
    )
    found = program.words("found", np.float16, 50)
    assert (found >= -2).all()
    assert (found < 3).all()
    assert len(set(found.tolist())) > 40


def test_simprint_functions(run_csl: Any) -> None:
    program = run_csl(
        """
        const sim = @import_module("<simprint>");
        var n: u16 = 202; var w: u32 = 3735928559; var h: f16 = 0.5; var f: f32 = -1.25;
        fn run() void {
          sim.print_u16_binary(n); sim.print_string(" ");
          sim.print_u16_decimal(n); sim.print_string(" ");
          sim.print_u16_hex(n); sim.print_string("\\n");
          sim.print_u32_binary(w); sim.print_string(" ");
          sim.print_u32_decimal(w); sim.print_string(" ");
          sim.print_u32_hex(w); sim.print_string("\\n");
          sim.print_f16(h); sim.print_string(" ");
          sim.print_f32(f); sim.print_string("\\n");
          sim.fmt_no_nl("{d} and ", .{ n });
          sim.fmt("{X} {{", .{ w });
        }
        """
    )
    lines = [line.split(" ", 1)[1] for line in program.lines]
    assert lines == [
        "0000000011001010 202 00CA",
        "11011110101011011011111011101111 3735928559 DEADBEEF",
        "0.5 -1.25",
        "202 and DEADBEEF {",
    ]


def test_traces_of_every_type(run_csl: Any) -> None:
    program = run_csl(
        """
        const trace = @import_module("<debug>", .{ .key = "k", .buffer_size = 40 });
        var wide: u64 = 0x123456789abcdef0;
        fn run() void {
          trace.trace_bool(true); trace.trace_u8(200); trace.trace_i8(-2);
          trace.trace_u16(60000); trace.trace_i16(-3); trace.trace_f16(0.5);
          trace.trace_u32(70000); trace.trace_i32(-70000); trace.trace_f32(1.5);
          trace.trace_i64(-70000); trace.trace(wide);
        }
        """
    )
    words = program.words("$$csl_debug.k.buffer", np.uint8, 60).tobytes()
    assert words[:6] == b"?\x01B\xc8b\xfe"
    assert words[6:10] == b"H\x00" + np.uint16(60000).tobytes()
    assert words[10:14] == b"h\x00" + np.int16(-3).tobytes()
    assert words[14:18] == b"e\x00" + np.float16(0.5).tobytes()
    assert words[19:24] == b"\x00" + np.uint32(70000).tobytes()
    assert words[25:30] == b"\x00" + np.int32(-70000).tobytes()
    assert words[30:36] == b"f\x00" + np.float32(1.5).tobytes()
    assert words[36:46] == b"q\x00" + np.int64(-70000).tobytes()
    assert words[46:56] == b"Q\x00" + np.uint64(0x123456789ABCDEF0).tobytes()


def test_the_counter_can_be_stopped_and_reset(run_csl: Any) -> None:
    program = run_csl(
        """
        const time = @import_module("<time>");
        export var stamps = @zeros([12]u16);
        fn stamp(at: u16) void {
          var now: [3]u16;
          time.get_timestamp(&now);
          for (now) |word, i| { stamps[at + i] = word; }
        }
        fn run() void {
          time.enable_tsc(); stamp(0);
          for (@range(u16, 500)) |_| {}
          time.disable_tsc(); stamp(3); stamp(6);
          time.reset_tsc_counter(); stamp(9);
        }
        """
    )
    words = program.words("stamps", np.uint16, 12).tolist()
    first, second, third, last = (words[n] for n in (0, 3, 6, 9))
    assert first < second == third
    assert last == 0


SWITCHED = """
const tile_config = @import_module("<tile_config>");
const switches = tile_config.switch_config;
const c = @get_color(6);
export var found = @zeros([2]u16);
fn run() void {
  %s
  @activate(@get_local_task_id(9));
}
task look() void {
  const address = switches.get_switch_config_addr(c, switches.switch_pos);
  found[0] = @get_config(address);
  found[1] = @get_config(switches.get_color_config_addr(c));
}
comptime {
  @bind_local_task(look, @get_local_task_id(9));
  @set_local_color_config(c, .{ .routes = .{ .rx = .{ RAMP }, .tx = .{ EAST } } });
}
"""
NONE = 0x555  # no direction at any of the three positions


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ("", NONE),
        ("switches.set_rx_switch_pos1(c, EAST);", 0x550 | 9),
        ("switches.set_rx_switch_pos2(c, SOUTH);", 0x505 | 0xA0),
        ("switches.set_rx_switch_pos3(c, NORTH);", 0x055 | 0xB00),
        ("switches.set_tx_switch_pos1(c, WEST);", 0x550),
        ("switches.set_tx_switch_pos2(c, NORTH);", 0x505 | 0x30),
        ("switches.set_tx_switch_pos3(c, RAMP);", 0x055 | 0x400),
        (
            "switches.set_switch_pos(switches.switch_pos.POS1, c, RAMP,"
            " switches.switch_select.INPUT);",
            0x550 | 0xC,
        ),
        ("switches.set_ring_mode(c, true);", NONE | 1 << 12),
    ],
)
def test_switch_settings(run_csl: Any, change: str, word: int) -> None:
    program = run_csl(SWITCHED % change, "wse2")
    program.wafer.run_until_quiet()
    assert program.words("found", np.uint16).tolist() == [word]


@pytest.mark.parametrize(
    ("mode", "bits"), [("NO_POP", 0), ("ALWAYS_POP", 1), ("POP_ON_ADVANCE", 2)]
)
def test_pop_modes(run_csl: Any, mode: str, bits: int) -> None:
    change = f"switches.set_pop_mode(c, switches.pop_mode.{mode});"
    program = run_csl(SWITCHED % change, "wse2")
    program.wafer.run_until_quiet()
    assert program.words("found", np.uint16, 2)[1] >> 12 == bits


def test_two_sided_positions_of_wse3(run_csl: Any) -> None:
    program = run_csl(
        SWITCHED.split("fn run")[0]
        + """
        fn run() void {
          switches.set_rxtx_switch_pos1(c, EAST, WEST);
          switches.set_rxtx_switch_pos2(c, NORTH, SOUTH);
          switches.set_rxtx_switch_pos3(c, WEST, RAMP);
        }
        comptime {
          @set_local_color_config(c,
            .{ .routes = .{ .rx = .{ RAMP }, .tx = .{ EAST } } });
        }
        """,
        "wse3",
    )
    program.wafer.run_until_quiet()
    positions = program.wafer.fabric.channel(0, 0, 6).switches.positions
    assert [(p.rx, p.tx) for p in positions] == [
        (("EAST",), ("WEST",)),
        (("NORTH",), ("SOUTH",)),
        (("WEST",), ("RAMP",)),
    ]


def test_a_color_of_wse3_without_a_switch(run_csl: Any) -> None:
    text = SWITCHED.split("fn run")[0].replace("@get_color(6)", "@get_color(10)")
    with pytest.raises(MachineFault) as caught:
        run_csl(
            text + "fn run() void { switches.set_rx_switch_pos1(c, EAST); }", "wse3"
        )
    assert caught.value.message.endswith(
        "has switch positions on color 10; on wse3 only colors 0, 1, 2, 3, 4, 5, 6, 7, "
        "8, 9, 12, 13, 16, 17, 20, 21 have switches"
    )


def test_task_priorities(run_csl: Any) -> None:
    program = run_csl(
        """
        const priority = @import_module("<tile_config/task_priority>");
        const a = @get_local_task_id(9); const b = @get_local_task_id(10);
        const c = @get_local_task_id(11);
        fn run() void {
          priority.set_task_priority(a); priority.set_task_priority(b);
          priority.clear_task_priority(b);
          priority.update_task_priority(c, priority.level.HIGH);
        }
        """
    )
    high = program.wafer.pe(0, 0).tasks.high_priority
    assert [high[9], high[10], high[11]] == [True, False, True]


def test_teardown_tells_which_colors(run_csl: Any) -> None:
    program = run_csl(
        """
        const teardown = @import_module("<tile_config/teardown>");
        const switches = @import_module("<memcpy/memcpy_switches>");
        const c = @get_color(6);
        export var found = @zeros([4]u16);
        const out = @get_dsd(fabout_dsd, .{ .extent = 1, .fabric_color = c,
          .control = true, .output_queue = @get_output_queue(2) });
        task torn() void {
          const pending = teardown.get_pending();
          found[0] = @as(u16, teardown.is_pending(pending, c));
          found[1] = @as(u16, teardown.is_pending(pending, @get_color(7)));
          teardown.exit(c);
          found[2] = @as(u16, teardown.get_pending() == 0);
          found[3] = @get_int(teardown.get_task_id());
        }
        fn run() void {
          @mov32(out, comptime switches.ctrl(switches.teardown_cmd_1()));
        }
        comptime {
          @bind_local_task(torn, teardown.get_task_id());
          @set_local_color_config(c,
            .{ .routes = .{ .rx = .{ RAMP }, .tx = .{ EAST } } });
        }
        """,
        "wse2",
    )
    program.wafer.run_until_quiet()
    assert program.words("found", np.uint16, 4).tolist() == [1, 0, 1, 29]


@pytest.mark.parametrize(
    ("list_", "word"),
    [
        ("switch_cmd_11", 0x0B5F9249),
        ("switch_cmd_1", 0x095F9249),
        ("teardown_cmd_1", 0x09DF9249),
        ("reset_cmd_1", 0x099F9249),
    ],
)
def test_command_lists(run_csl: Any, list_: str, word: int) -> None:
    program = run_csl(
        f"""
        const switches = @import_module("<memcpy/memcpy_switches>");
        export var found: u32 = switches.ctrl(switches.{list_}());
        fn run() void {{ found += 0; }}
        """
    )
    assert program.words("found", np.uint32)[0] == word


def test_constants_of_tile_config_and_control(run_csl: Any) -> None:
    program = run_csl(
        """
        const tile_config = @import_module("<tile_config>");
        const control = @import_module("<control>");
        export var found = @zeros([5]u16);
        fn run() void {
          const small: tile_config.reg_type = 1;
          const large: tile_config.double_reg_type = 0x10000;
          found[0] = small; found[1] = @as(u16, large >> 16);
          found[2] = tile_config.FIFO_MIN_ALIGNMENT;
          found[3] = control.MAX_CMDS;
          found[4] = tile_config.filters.num_filters;
        }
        """
    )
    assert program.words("found", np.uint16, 5).tolist() == [1, 1, 4, 8, 6]
