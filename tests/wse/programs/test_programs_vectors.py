"""Memory DSDs, DSRs and `@map` in whole programs."""

import numpy as np


def _run(programs, text, exports, **inputs):
    programs.one_pe(text, exports)
    for name, values in inputs.items():
        programs.write(name, values)
    programs.run()


A = np.arange(1, 13, dtype=np.float32).reshape(3, 4)
X = np.array([1, -2, 3, 0.5], np.float32)


def test_matrix_vector_product_by_columns(programs):
    _run(
        programs,
        """
        var A = @zeros([12]f32);
        var x = @zeros([4]f32);
        var y = @constants([3]f32, 10.0);
        const y_dsd = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{3} -> y[i] });
        const a_dsd = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{3} -> A[i*4] });
        fn run() void {
          var column = a_dsd;
          for (@range(u16, 4)) |j| {
            @fmacs(y_dsd, y_dsd, column, x[j]);
            column = @increment_dsd_offset(column, 1, f32);
          }
        }
        """,
        {"A": "f32", "x": "f32", "y": "f32"},
        A=A,
        x=X,
    )
    assert programs.read("y", "<f4", 3).tolist() == (A @ X + 10).tolist()


def test_descriptors_change_at_run_time(programs):
    _run(
        programs,
        """
        var a = [6]f32 { 1.0, 2.0, 3.0, 4.0, 5.0, 6.0 };
        var b = @zeros([6]f32);
        const one = @get_dsd(mem1d_dsd, .{ .base_address = &a, .extent = 6 });
        fn run() void {
          var n: u16 = 2;
          var source = @set_dsd_stride(@set_dsd_length(one, n), 3);
          var target = @set_dsd_base_addr(source, &b);
          target = @increment_dsd_offset(@set_dsd_stride(target, 1), 4, f32);
          @fmovs(target, source);
          @fmovs(@get_dsd(mem1d_dsd, .{ .base_address = &b, .extent = n }), a[5]);
        }
        """,
        {"b": "f32"},
    )
    assert programs.read("b", "<f4", 6).tolist() == [6, 6, 0, 0, 1, 4]


def test_four_dimensional_access_transposes(programs):
    _run(
        programs,
        """
        var a = @zeros([3, 4]f32);
        var t = @zeros([12]f32);
        const columns = @get_dsd(mem4d_dsd,
          .{ .tensor_access = |j, i|{4, 3} -> a[i, j] });
        const flat = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{12} -> t[i] });
        fn fill() void {
          for (@range(i16, 3)) |i| {
            for (@range(i16, 4)) |j| { a[i, j] = @as(f32, i * 4 + j + 1); }
          }
        }
        fn run() void { fill(); @fmovs(flat, columns); }
        """,
        {"t": "f32"},
    )
    assert programs.read("t", "<f4", 12).tolist() == A.T.ravel().tolist()


def test_reduction_to_a_scalar_and_16_bit_operations(programs):
    _run(
        programs,
        """
        var v = [4]f32 { 1.0, 2.0, 3.0, 4.0 };
        var w = [4]i16 { 1, 2, 3, -4 };
        var sum: f32 = 0.5;
        var out = @zeros([1]f32);
        const v_dsd = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{4} -> v[i] });
        const w_dsd = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{4} -> w[i] });
        fn run() void {
          @fadds(&sum, sum, v_dsd);
          out[0] = sum;
          @add16(w_dsd, w_dsd, @as(i16, 100));
        }
        """,
        {"out": "f32", "w": "i16"},
    )
    assert programs.read("out", "<f4", 1).tolist() == [10.5]
    assert programs.read("w", "<i2", 4).tolist() == [101, 102, 103, 96]


def test_map_with_functions_scalars_and_pointers(programs):
    _run(
        programs,
        """
        const math = @import_module("<math>");
        var a = [4]f32 { 1.0, 4.0, 9.0, 2.0 };
        var roots = @zeros([4]f32);
        var n = [4]i32 { 10, 20, 30, 40 };
        var total = @zeros([1]i32);
        const a_dsd = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{4} -> a[i] });
        const r_dsd = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{4} -> roots[i] });
        const n_dsd = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{4} -> n[i] });
        fn scale(x: f32, k: f32) f32 { return x * k; }
        fn add(x: i32, sum: *i32) i32 { return sum.* + x; }
        fn run() void {
          @map(math.sqrt_f32, a_dsd, r_dsd);
          @map(scale, a_dsd, 2.0, a_dsd);
          @map(add, n_dsd, &total[0], &total[0]);
        }
        """,
        {"a": "f32", "roots": "f32", "total": "i32"},
    )
    squares = np.array([1, 4, 9, 2], np.float32)
    assert programs.read("roots", "<f4", 4).tolist() == np.sqrt(squares).tolist()
    assert programs.read("a", "<f4", 4).tolist() == (squares * 2).tolist()
    assert programs.read("total", "<i4", 1).tolist() == [100]


def test_map_drives_an_operation_on_dsrs_with_save_address(programs):
    _run(
        programs,
        """
        var A = @zeros([12]f32);
        var x = @zeros([4]f32);
        var y = @zeros([3]f32);
        const a_dsd = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{3} -> A[i] });
        const x_dsd = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{4} -> x[i] });
        const y_dsd = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{3} -> y[i] });
        const y_dest = @get_dsr(dsr_dest, 2);
        const y_src = @get_dsr(dsr_src0, 2);
        const a_src = @get_dsr(dsr_src1, 2);
        fn step(value: f32) void { @fmacs(y_dest, y_src, a_src, value); }
        fn run() void {
          @load_to_dsr(y_dest, y_dsd, .{ .save_address = false });
          @load_to_dsr(y_src, y_dsd, .{ .save_address = false });
          @load_to_dsr(a_src, a_dsd, .{ .save_address = true });
          @map(step, x_dsd);
        }
        """,
        {"A": "f32", "x": "f32", "y": "f32"},
        A=np.ascontiguousarray(A.T),
        x=X,
    )
    assert programs.read("y", "<f4", 3).tolist() == (A @ X).tolist()


def test_timestamps_count_the_cycles_between(programs):
    _run(
        programs,
        """
        const time = @import_module("<time>");
        var stamps = @zeros([6]u16);
        var v = @zeros([64]f32);
        const v_dsd = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{64} -> v[i] });
        fn run() void {
          time.enable_tsc();
          time.get_timestamp(@ptrcast(*[3]u16, &stamps[0]));
          @fmacs(v_dsd, v_dsd, v_dsd, 2.0);
          time.get_timestamp(@ptrcast(*[3]u16, &stamps[3]));
        }
        """,
        {"stamps": "u16"},
    )
    words = programs.read("stamps", "<u2", 6).astype(int)
    start, end = (w[0] + (w[1] << 16) for w in (words[:3], words[3:]))
    assert 64 <= end - start <= 64 * 2 + 60


def test_a_half_precision_scalar_is_added_to_a_single_precision_vector(programs):
    _run(
        programs,
        """
        var a = [4]f32 { 1.5, 2.5, 1000000.0, -4.0 };
        var y = @zeros([8]f32);
        const from = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{4} -> a[i] });
        const first = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{4} -> y[i] });
        const last = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{4} -> y[i+4] });
        fn run() void {
          var h: f16 = 0.25;
          @faddhs(first, h, from);
          @faddhs(last, from, h);
        }
        """,
        {"y": "f32"},
    )
    sums = [1.75, 2.75, 1000000.25, -3.75]
    assert programs.read("y", "<f4", 8).tolist() == 2 * sums


def test_circular_buffers_go_around(programs):
    """Loaded at comptime or at run time; `.save_address` goes on where it was."""
    _run(
        programs,
        """
        var ring = [5]f32 { 1.0, 2.0, 3.0, 4.0, 5.0 };
        var all = @zeros([12]f32);
        var some = @zeros([3]f32);
        var more = @zeros([3]f32);
        var sums = @zeros([4]f32);
        var last = @zeros([3]u16);
        const around = @get_dsd(circbuf_dsd, .{ .base_address = &ring, .extent = 12 });
        const three = @get_dsd(circbuf_dsd, .{
          .base_address = &ring, .extent = 3, .wraparound = 4 });
        const seven = @get_dsd(circbuf_dsd, .{ .base_address = &last, .extent = 7 });
        const source = @get_dsr(dsr_src1, 2);
        const first = @get_dsr(dsr_src0, 3);
        const target = @get_dsr(dsr_dest, 4);
        const x2 = @get_xdsr(2);
        const x3 = @get_xdsr(3);
        const x4 = @get_xdsr(4);
        const all_dsd = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{12} -> all[i] });
        const some_dsd = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{3} -> some[i] });
        const more_dsd = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{3} -> more[i] });
        const sums_dsd = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{4} -> sums[i] });
        const numbers = [7]u16 { 1, 2, 3, 4, 5, 6, 7 };
        const numbers_dsd =
          @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{7} -> numbers[i] });
        comptime { @load_to_dsr_xdsr(source, x2, around); }
        fn run() void {
          @fmovs(all_dsd, source);
          @load_to_dsr_xdsr(source, x2, three, .{ .save_address = true });
          @fmovs(some_dsd, source);
          @fmovs(more_dsd, source);
          @load_to_dsr_xdsr(first, x3, three);
          @fadds(sums_dsd, first, 10.0);
          @load_to_dsr_xdsr(target, x4, seven);
          @mov16(target, numbers_dsd);
        }
        """,
        {"all": "f32", "some": "f32", "more": "f32", "sums": "f32", "last": "u16"},
    )
    ring = [1, 2, 3, 4, 5]
    assert programs.read("all", "<f4", 12).tolist() == [*ring, *ring, 1, 2]
    assert programs.read("some", "<f4", 3).tolist() == [1, 2, 3]
    assert programs.read("more", "<f4", 3).tolist() == [4, 1, 2]
    assert programs.read("sums", "<f4", 3).tolist() == [11, 12, 13]
    assert programs.read("last", "<u2", 3).tolist() == [7, 5, 6]


def test_a_sum_runs_around_a_circular_buffer(programs):
    """Element by element: what was stored in the last round is read in the next."""
    _run(
        programs,
        """
        var ring = [3]i16 { 1, 2, 3 };
        const around = @get_dsd(circbuf_dsd, .{ .base_address = &ring, .extent = 7 });
        const target = @get_dsr(dsr_dest, 2);
        const source = @get_dsr(dsr_src0, 2);
        const xt = @get_xdsr(2);
        const xs = @get_xdsr(3);
        fn run() void {
          @load_to_dsr_xdsr(target, xt, around);
          @load_to_dsr_xdsr(source, xs, around);
          @add16(target, source, @as(i16, 10));
        }
        """,
        {"ring": "i16"},
    )
    assert programs.read("ring", "<i2", 3).tolist() == [31, 22, 23]
