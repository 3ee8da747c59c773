"""Scalar code: one program per feature, with answers worked out by hand."""

import numpy as np
import pytest

from pyflame.wse.errors import CslError, MachineFault


def _results(programs, body, count, dtype="i16", top=""):
    programs.one_pe(
        f"{top}\nvar out = @zeros([{count}]{dtype});\nfn run() void {{ {body} }}",
        {"out": dtype},
    )
    programs.run()
    kind = {"i": "i", "u": "u", "f": "f"}[dtype[0]]
    return programs.read("out", f"<{kind}{int(dtype[1:]) // 8}", count)


def test_matrix_vector_product_with_loops(programs):
    programs.one_pe(
        """
        const M: i16 = 4;
        const N: i16 = 6;
        var A: [M*N]f32;
        var x = @constants([N]f32, 1.0);
        var b = @constants([M]f32, 2.0);
        var y = @zeros([M]f32);
        fn run() void {
          for (@range(i16, M*N)) |i| { A[i] = @as(f32, i); }
          for (@range(i16, M)) |i| {
            var sum: f32 = 0.0;
            var j: i16 = 0;
            while (j < N) : (j += 1) { sum += A[i*N + j] * x[j]; }
            y[i] = sum + b[i];
          }
        }
        """,
        {"y": "f32"},
    )
    programs.run()
    expected = np.arange(24, dtype=np.float32).reshape(4, 6).sum(1) + 2
    assert programs.read("y", "<f4", 4).tolist() == expected.tolist()


def test_precedence_and_wrap_around(programs):
    got = _results(
        programs,
        """
        var x: i16 = 32767;
        var u: u16 = 65535;
        var three: i16 = 3;
        var n: u16 = 17;
        out[0] = x + 1;
        out[1] = 2 + three * 4 - 1;
        out[2] = if (three & 1 == 1) @as(i16, 7) else @as(i16, 8);
        out[3] = 1 | three << @as(u16, 2);
        out[4] = @as(i16, u + 1);
        out[5] = -7 / three;
        out[6] = -7 % three;
        out[7] = three << n;
        out[8] = -three >> n;
        out[9] = ~three;
        """,
        10,
    )
    assert got.tolist() == [-32768, 13, 7, 13, 0, -2, -1, 0, -1, -4]


def test_carry_by_comparison(programs):
    got = _results(
        programs,
        """
        var left: u16 = 0xFFF0;
        var right: u16 = 0x0020;
        const sum = left + right;
        out[0] = sum;
        out[1] = @as(u16, sum < left);
        var wide: u32 = 0xFFFF;
        wide = wide * wide + 0xFFFF;
        out[2] = @as(u16, wide >> 16);
        out[3] = @as(u16, wide);
        """,
        4,
        "u16",
    )
    assert got.tolist() == [0x0010, 1, 0xFFFF, 0x0000]


def test_labelled_breaks_and_block_values(programs):
    got = _results(
        programs,
        """
        var count: i16 = 0;
        outer: for (@range(i16, 5)) |i| {
          for (@range(i16, 5)) |j| {
            if (j == i + 1) { break :outer; }
            if (i * j == 100) { return; }
            count += 10;
          }
        }
        out[0] = count;
        var k: i16 = 0;
        while (true) : (k += 1) {
          if (k == 3) { continue; }
          if (k > 6) { break; }
          out[1] += k;
        }
        out[2] = blk: {
          if (k == 7) { break :blk 70; }
          break :blk out[0];
        };
        """,
        3,
    )
    assert got.tolist() == [10, 0 + 1 + 2 + 4 + 5 + 6, 70]


def test_switch_on_enums_and_integers(programs):
    got = _results(
        programs,
        """
        out[0] = pick(Kind.red);
        out[1] = pick(Kind.blue);
        var n: u16 = 2;
        switch (n) { 0, 1 => { out[2] = 1; }, 2 => { out[2] = 22; }, else => {} }
        kind = @as(Kind, n - 1);
        out[3] = pick(kind);
        """,
        4,
        top="""
        const Kind = enum(u16) { red, green, blue };
        var kind: Kind = Kind.red;
        fn pick(k: Kind) i16 {
          return switch (k) { Kind.red => 1, Kind.green => 2, Kind.blue => 3 };
        }
        """,
    )
    assert got.tolist() == [1, 3, 22, 2]


def test_structs_and_pointers(programs):
    got = _results(
        programs,
        """
        var p = Pair { .a = 3, .b = 4 };
        const q = p;
        p.a = 10;
        out[0] = p.a + q.a;
        bump(&out[1]);
        bump(&out[1]);
        fill(&grid);
        out[2] = grid[1, 2];
        const tail: [*]i16 = &table;
        out[3] = tail[2];
        const f: *const fn(i16) i16 = &twice;
        out[4] = f(21);
        """,
        5,
        top="""
        const Pair = struct { a: i16, b: i16 };
        var grid = @zeros([2, 3]i16);
        var table = [3]i16 { 7, 8, 9 };
        fn bump(p: *i16) void { p.* += 5; }
        fn twice(x: i16) i16 { return x * 2; }
        fn fill(g: *[2, 3]i16) void {
          for (@range(i16, 2)) |i| {
            for (@range(i16, 3)) |j| { (g.*)[i, j] = i * 10 + j; }
          }
        }
        """,
    )
    assert got.tolist() == [13, 10, 12, 9, 42]


def test_half_precision_rounds_every_operation(programs):
    got = _results(
        programs,
        """
        var a: f16 = 0.1;
        var b: f16 = 3.0;
        out[0] = a * b + a;
        out[1] = @as(f16, @as(f32, a) * 3.0);
        out[2] = a / b;
        """,
        3,
        "f16",
    )
    a, b = np.float16(0.1), np.float16(3)
    assert got.tolist() == [a * b + a, np.float16(np.float32(a) * 3), a / b]


def test_overflow_and_division_by_zero_follow_ieee(programs):
    got = _results(
        programs,
        """
        var big: f32 = 3.0e38;
        var zero: f32 = 0.0;
        out[0] = big * 10.0;
        out[1] = -1.0 / zero;
        out[2] = @as(f32, @as(i16, out[0]));
        out[3] = if (zero / zero == zero / zero) @as(f32, 1.0) else @as(f32, 2.0);
        """,
        4,
        "f32",
    )
    assert got.tolist() == [np.inf, -np.inf, 32767, 2]


def test_generic_functions_are_made_for_each_type(programs):
    got = _results(
        programs,
        "out[0] = @as(f32, twice(i16, 4)) + twice(f32, 0.25);",
        1,
        "f32",
        top="fn twice(comptime T: type, x: T) T { return x + x; }",
    )
    assert got.tolist() == [8.5]


def test_launch_arguments_are_narrowed(programs):
    layout = """
    const memcpy = @import_module("<memcpy/get_params>", .{ .width = 1, .height = 1 });
    layout {
      @set_rectangle(1, 1);
      @set_tile_code(0, 0, "pe.csl", .{ .memcpy_params = memcpy.get_params(0) });
      @export_name("out", [*]f32, true);
      @export_name("go", fn(i16, f32) void);
    }
    """
    pe = """
    param memcpy_params;
    const sys = @import_module("<memcpy/memcpy>", memcpy_params);
    var out = @zeros([1]f32);
    var out_ptr: [*]f32 = &out;
    fn go(n: i16, x: f32) void {
      out[0] = @as(f32, n) * x;
      sys.unblock_cmd_stream();
    }
    comptime { @export_symbol(out_ptr, "out"); @export_symbol(go); }
    """
    programs.load({"layout.csl": layout, "pe.csl": pe})
    programs.run("go", -3 & 0xFFFF_FFFF, int(np.float32(1.5).view(np.uint32)))
    assert programs.read("out", "<f4", 1).tolist() == [-4.5]


def test_an_index_outside_names_the_variable_and_the_line(programs):
    programs.one_pe(
        "var n: i16 = 9;\nvar out = @zeros([4]i16);\nfn run() void { out[n] = 1; }",
        {"out": "i16"},
    )
    with pytest.raises(MachineFault) as fault:
        programs.run()
    lines = str(fault.value).splitlines()
    assert lines[0].endswith(
        "pe.csl:7:17: fault: PE(0,0): index 9 is outside 'out', which has 4 elements"
    )
    assert lines[1] == "    7 | fn run() void { out[n] = 1; }"


def test_endless_loops_spend_the_budget(programs):
    programs.one_pe(
        "var out = @zeros([1]i16);\nfn run() void { while (true) { out[0] += 1; } }",
        {"out": "i16"},
        max_cycles=10_000,
    )
    with pytest.raises(MachineFault, match=r"the budget is 10,000 cycles"):
        programs.run()


def test_programs_that_do_not_fit_are_refused(programs):
    with pytest.raises(CslError, match=r"'big' takes 48,000 bytes"):
        programs.one_pe(
            "var big = @zeros([12000]f32);\nfn run() void { big[0] = 1.0; }",
            {"big": "f32"},
        )
