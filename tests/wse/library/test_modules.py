"""The smaller modules, each in a program of its own."""

import numpy as np
import pytest


def test_control_payloads(run_csl) -> None:
    """Words that public programs write out: cholesky and benchmark-libs/allreduce."""
    program = run_csl(
        """
        const control = @import_module("<control>");
        const switches = @import_module("<memcpy/memcpy_switches>");
        const op = control.opcode;
        const id = @get_control_task_id(5);
        export var at_comptime = [6]u32 {
          control.encode_single_payload(op.SWITCH_ADV, true, {}, 6),
          control.encode_payload(2, [2]op { op.SWITCH_ADV, op.NOP },
            [2]bool { true, true }, false, @get_control_task_id(0)),
          control.encode_control_task_payload(id),
          switches.ctrl(switches.teardown_cmd_1()),
          switches.ctrl(switches.switch_cmd_11()),
          control.encode_payload(1, [1]op { op.TEARDOWN }, [1]bool { true }, true, {}),
        };
        export var at_run_time: u32 = 0;
        var ignore = true;
        fn run() void {
          at_run_time = control.encode_single_payload(op.TEARDOWN, ignore, id, 9);
          at_comptime[0] += 0;
        }
        """
    )
    assert program.words("at_comptime", np.uint32, 6).tolist() == [
        5 << 22 | 4 << 25 | 31 << 16 | 6,
        5 << 22 | 4 << 25,
        5 << 16,
        0x09DF9249,
        0x0B5F9249,
        0x09DF9249,
    ]
    expected = 7 << 22 | 4 << 25 | 5 << 16 | 9
    assert program.words("at_run_time", np.uint32).tolist() == [expected]


@pytest.mark.parametrize("given_to", ["get_params", "concat_structs"])
def test_the_launch_color_of_old_programs(run_csl, given_to: str) -> None:
    """Old releases got it from get_params, or added it to the struct themselves."""
    param, struct = ", .LAUNCH = @get_color(8)", "all"
    if given_to == "concat_structs":
        param, struct = "", "@concat_structs(all, .{ .LAUNCH = @get_color(8) })"
    program = run_csl(
        f"""
        const params = @import_module("<memcpy/get_params>",
          .{{ .width = 1, .height = 1{param} }});
        const all = params.get_params(0);
        const sys = @import_module("<memcpy/memcpy>", {struct});
        export var out = [2]u16 {{
          @get_int(sys.LAUNCH), @as(u16, @is_same_type(@type_of(sys.MEMCPYH2D_1), void))
        }};
        fn run() void {{ out[0] += 0; }}
        """,
        "wse2",
    )
    assert program.words("out", np.uint16, 2).tolist() == [8, 1]


def test_directions(run_csl) -> None:
    program = run_csl(
        """
        const directions = @import_module("<directions>");
        fn number(comptime d: direction) u16 {
          if (d == NORTH) { return 0; }
          if (d == EAST) { return 1; }
          if (d == SOUTH) { return 2; }
          if (d == WEST) { return 3; }
          return 4;
        }
        fn clockwise(comptime d: direction) u16 {
          return number(directions.rotate_clockwise(d));
        }
        export var out = [10]u16 {
          clockwise(NORTH), clockwise(EAST), clockwise(SOUTH), clockwise(WEST),
          clockwise(RAMP), number(directions.rotate_counterclockwise(NORTH)),
          number(directions.flip_vertical(NORTH)),
          number(directions.flip_vertical(EAST)),
          number(directions.flip_horizontal(EAST)), number(directions.flip(WEST)),
        };
        fn run() void { out[0] += 0; }
        """
    )
    assert program.words("out", np.uint16, 10).tolist() == [
        1, 2, 3, 0, 4, 3, 2, 1, 3, 1,
    ]  # fmt: skip


def test_timestamps_grow(run_csl) -> None:
    program = run_csl(
        """
        const time = @import_module("<time>");
        export var before = @zeros([time.tsc_size_words]u16);
        export var start = @zeros([time.tsc_size_words]u16);
        export var end = @zeros([time.tsc_size_words]u16);
        var x: f32 = 1.0;
        fn run() void {
          time.get_timestamp(&before);
          time.enable_tsc();
          time.get_timestamp(&start);
          for (@range(i16, 100)) |i| { x += 1.0; }
          time.get_timestamp(&end);
        }
        """
    )
    start = int(program.words("start", np.uint16, 3)[0])
    end = int(program.words("end", np.uint16, 3)[0])
    assert program.words("before", np.uint16, 3).tolist() == [0, 0, 0]
    assert start < 100
    assert 200 < end - start < 5000


def test_timers(run_csl) -> None:
    program = run_csl(
        """
        const timer = @import_module("<timer>", .{ .timerCount = 2 });
        export var short = @zeros(timer.timerType);
        export var long = @zeros(timer.timerType);
        var x: f32 = 1.0;
        fn run() void {
          timer.start(0);
          timer.start(1);
          for (@range(i16, 10)) |i| { x += 1.0; }
          timer.stop(1);
          for (@range(i16, 100)) |i| { x += 1.0; }
          timer.stop(0);
          timer.elapsed(0, &long);
          timer.elapsed(1, &short);
        }
        """
    )
    long = program.words("long", np.uint16, 3)
    short = program.words("short", np.uint16, 3)
    assert 0 < short[0] < long[0]
    assert (short[1:] == 0).all()


def test_a_timer_leaves_a_running_counter_alone(run_csl) -> None:
    program = run_csl(
        """
        const time = @import_module("<time>");
        const timer = @import_module("<timer>", .{ .timerCount = 1 });
        export var before = @zeros([3]u16);
        export var after = @zeros([3]u16);
        fn run() void {
          time.enable_tsc();
          for (@range(i16, 100)) |i| { before[0] += 1; }
          time.get_timestamp(&before);
          timer.start(0);
          time.get_timestamp(&after);
        }
        """
    )
    before, after = program.words("before", "<u2", 3), program.words("after", "<u2", 3)
    assert before[0] < after[0]


def test_coordinates(run_csl) -> None:
    program = run_csl(
        """
        const layout_module = @import_module("<layout>");
        export var out = [2]u16 { 7, 7 };
        fn run() void {
          out[0] = layout_module.get_x_coord();
          out[1] = layout_module.get_y_coord();
        }
        """
    )
    assert program.words("out", np.uint16, 2).tolist() == [0, 0]


def test_malloc_hands_out_and_takes_back(run_csl) -> None:
    program = run_csl(
        """
        const heap = @import_module("<malloc>", .{ .buffer_num_words = 8 });
        export var out = @zeros([6]u16);
        export var sum: f32 = 0.0;
        fn run() void {
          const small = heap.malloc_u16(1);
          const large = heap.malloc(f32, 2);
          small[0] = 3;
          large[0] = 1.5;
          large[1] = 2.5;
          sum = large[0] + large[1] + @as(f32, small[0]);
          out[0] = @as(u16, heap.has_enough_words(2));
          out[1] = @as(u16, heap.has_enough_words(3));
          out[2] = @as(u16, heap.has_enough_space(u32, 1));
          out[3] = @as(u16, heap.has_enough_double_words(2));
          heap.free();
          out[4] = @as(u16, heap.has_enough_double_words(4));
          out[5] = small[0];
        }
        """
    )
    assert program.words("sum", np.float32).tolist() == [7.0]
    assert program.words("out", np.uint16, 6).tolist() == [1, 0, 1, 0, 1, 3]


def test_complex_numbers(run_csl) -> None:
    program = run_csl(
        """
        const cplx = @import_module("<complex>");
        export var re: f32 = 1.0;
        export var out = @zeros([4]f32);
        fn run() void {
          const a = cplx.get_complex(re, 2.0);
          const b = cplx.get_complex_64(3.0, re);
          const product = cplx.multiply_complex(a, b);
          const difference = cplx.subtract_complex_64(a, b);
          out[0] = product.real;
          out[1] = product.imag;
          out[2] = difference.real;
          out[3] = cplx.add_complex(a, b).imag;
        }
        """
    )
    assert program.words("out", np.float32, 4).tolist() == [1.0, 7.0, -2.0, 3.0]


def test_dsd_operations_by_type(run_csl) -> None:
    program = run_csl(
        """
        const ops = @import_module("<dsd_ops>");
        export var a = [3]f32 { 1.0, 2.0, 3.0 };
        export var b = [3]f32 { 4.0, 5.0, -6.0 };
        export var n = [3]i16 { 1, 2, 3 };
        const A = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{3} -> a[i] });
        const B = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{3} -> b[i] });
        const N = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{3} -> n[i] });
        fn run() void {
          _ = ops.fmac(f32, f32, A, A, B, 2.0, .{});
          _ = ops.abs(f32, B, B, .{});
          _ = ops.add(i16, i16, N, N, N, .{});
        }
        """.replace("_ = ", "")
    )
    assert program.words("a", np.float32, 3).tolist() == [9.0, 12.0, -9.0]
    assert program.words("b", np.float32, 3).tolist() == [4.0, 5.0, 6.0]
    assert program.words("n", np.int16, 3).tolist() == [2, 4, 6]


@pytest.mark.parametrize("arch", ["wse2", "wse3"])
def test_random_numbers(run_csl, arch: str) -> None:
    """The estimate of pi that the official topic-02 demands to within 0.1."""
    program = run_csl(
        """
        const random = @import_module("<random>");
        export var hits: u16 = 0;
        export var out = @zeros([4]f32);
        export var bits = @zeros([2]u32);
        fn run() void {
          for (@range(u16, 200)) |i| {
            const x = random.random_f32(-1.0, 1.0);
            const y = random.random_f32(-1.0, 1.0);
            if (x * x + y * y <= 1.0) { hits += 1; }
          }
          random.set_global_prng_seed(0xdeadbeef);
          out[0] = random.random_f32(0.0, 1.0);
          random.set_global_prng_seed(0xdeadbeef);
          out[1] = random.random_f32(0.0, 1.0);
          out[2] = random.random_normal_f32();
          bits[0] = random.random_pow_u32(5);
          bits[1] = random.random_pow_u32(0);
        }
        """,
        arch,
    )
    assert program.words("hits", np.uint16).tolist() == [157]
    first, again, normal, _ = program.words("out", np.float32, 4)
    assert first == again
    assert 0 <= first < 1
    assert abs(normal) < 6
    assert (program.words("bits", np.uint32, 2) < [32, 1]).all()
