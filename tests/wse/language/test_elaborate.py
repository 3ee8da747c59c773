"""Run-time code: what functions mean, seen by running them on one PE."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pyflame.wse.errors import CslError
from pyflame.wse.language import code
from pyflame.wse.language.image import PeProgram
from pyflame.wse.machine.engine import Wafer

Compile = Callable[..., Any]
CompilePe = Callable[..., PeProgram]
Results = Callable[..., list[Any]]

PROGRAM = """
param memcpy_params;
const sys_mod = @import_module("<memcpy/memcpy>", memcpy_params);
export var out = @zeros([16]i16);
{before}
fn main() void {{
{body}
  sys_mod.unblock_cmd_stream();
}}
comptime {{ @export_symbol(main); }}
"""
LAYOUT = """
const memcpy = @import_module("<memcpy/get_params>", .{ .width = 1, .height = 1 });
layout {
  @set_rectangle(1, 1);
  @set_tile_code(0, 0, "pe.csl", .{ .memcpy_params = memcpy.get_params(0) });
  @export_name("main", fn()void);
}
"""


@pytest.fixture
def results(compile_files: Compile) -> Results:
    """`results(body, before, count)`: the first elements that main stored to `out`."""

    def run(body: str, before: str = "", count: int = 1, **options: Any) -> list[int]:
        texts = {
            "layout.csl": LAYOUT,
            "pe.csl": PROGRAM.format(body=body, before=before),
        }
        image = compile_files(
            texts, fabric_dims=(8, 3), fabric_offsets=(4, 1), **options
        )
        wafer = Wafer(image)
        wafer.load()
        wafer.start()
        wafer.run_until(wafer.launch("main", []))
        address, _ = wafer.symbol(0, 0, "out")
        return np.frombuffer(wafer.read_memory(0, 0, address, 32), "i2").tolist()[
            :count
        ]

    return run


def test_compound_assignment_evaluates_its_place_once(results: Results) -> None:
    before = """
    var calls: i16 = 0;
    fn next() i16 { calls += 1; return calls; }
    """
    assert results("out[next()] += 5;\nout[0] = calls;", before, 3) == [1, 5, 0]


def test_inline_functions_keep_what_is_known(results: Results) -> None:
    before = """
    var side: i16 = 0;
    inline fn pick(comptime k: i16, x: i16) i16 {
      side += 1;
      if (k == 1) { return 10; }
      return x * k;
    }
    """
    body = """
    const known = pick(1, out[0]);
    var a: [known]i16 = @zeros([known]i16);
    out[0] = known;
    out[1] = pick(3, known);
    out[2] = side;
    """
    assert results(body, before, 3) == [10, 30, 2]


def test_inline_functions_with_several_returns(results: Results) -> None:
    before = """
    inline fn clamp(x: i16) i16 {
      if (x < 0) { return 0; }
      if (x > 9) { return 9; }
      return x;
    }
    """
    before += "const inputs = [3]i16 { 0 - 4, 5, 40 };"
    body = "for (inputs) |x, i| { out[i] = clamp(x) + 1; }"
    assert results(body, before, 3) == [1, 6, 10]


def test_labelled_blocks_as_values(results: Results) -> None:
    body = """
    out[5] = 3;
    out[0] = blk: {
      if (out[5] == 3) { break :blk 7; }
      break :blk out[5];
    };
    out[1] = blk: { out[6] = 2; break :blk out[6] + 1; };
    const known = blk: { out[7] = 1; break :blk 4; };
    out[2] = @as(i16, known) + @element_count([known]i16) - @element_count([known]i16);
    """
    with pytest.raises(CslError, match="expected type 'i16', got: 'u32'"):
        results(body, "", 3)
    body = body.replace(
        " + @element_count([known]i16) - @element_count([known]i16)",
        " + @as(i16, @element_count([known]i16))",
    )
    assert results(body, "", 3) == [7, 3, 8]


def test_unrolled_loops(results: Results) -> None:
    body = """
    comptime var total: i16 = 0;
    inline for (.{ @as(i16, 2), true, 3.5 }) |v, k| {
      if (@is_same_type(@type_of(v), bool)) { continue; }
      out[k] = @as(i16, v);
      total += 1;
    }
    out[3] = total;
    inline for (@range(i16, 10)) |i| {
      if (i == 4) { break; }
      if (out[0] > 100) { continue; }
      out[4 + i] = i;
    }
    outer: inline for (@range(i16, 5)) |i| {
      for (@range(i16, 5)) |j| {
        if (out[2] == 3 and i == 2) { break :outer; }
        out[10] += 1;
      }
    }
    """
    expected = [2, 0, 3, 2, 0, 1, 2, 3, 0, 0, 10]
    assert results(body, "", 11) == expected


def test_loops_at_run_time(results: Results) -> None:
    body = """
    var i: i16 = 0;
    while (i < 20) : (i += 1) {
      if (i == 3) { continue; }
      if (i > 6) { break; }
      out[0] += i;
    }
    outer: for (@range(i16, 10, 0, -3)) |k| {
      for (@range(i16, 0, 4, 1)) |j| {
        if (j == 2) { continue :outer; }
        out[1] += k;
      }
    }
    for (@range(i16, 0)) |k| { out[2] = 1; }
    """
    assert results(body, "", 3) == [0 + 1 + 2 + 4 + 5 + 6, 2 * (10 + 7 + 4 + 1), 0]


def test_switch_at_run_time(results: Results) -> None:
    before = """
    const E = enum(u16) { a, b, c };
    var e: E = E.b;
    fn name(x: i16) i16 {
      return switch (x) { 1, 2 => 12, 3 => 30, else => 0 };
    }
    """
    body = """
    switch (e) {
      E.a => { out[0] = 1; },
      E.b => { out[0] = 2; },
      E.c => out[0] = 3,
    }
    out[1] = name(2);
    out[2] = name(3);
    out[3] = name(out[9]);
    e = E.c;
    out[4] = @as(i16, @get_int(e) + 5);
    """
    assert results(body, before, 5) == [2, 12, 30, 0, 7]


def test_pointers(results: Results) -> None:
    before = """
    var a = @zeros([4]i16);
    var m = @zeros([2, 3]i16);
    var p: *[4]i16 = &a;
    var q: [*]i16 = &m;
    fn bump(x: *i16) void { x.* += 1; }
    """
    body = """
    p.*[2] = 5;
    (p.*)[3] = 6;
    q[4] = 9;
    bump(&a[2]);
    var local: i16 = 41;
    bump(&local);
    q = &a;
    q[0] = 1;
    out[0] = a[2];
    out[1] = a[3];
    out[2] = m[1, 1];
    out[3] = local;
    out[4] = a[0];
    """
    assert results(body, before, 5) == [6, 6, 9, 42, 1]


def test_function_pointers(results: Results) -> None:
    before = """
    fn double(x: i16) i16 { return 2 * x; }
    fn square(x: i16) i16 { return x * x; }
    var f: *const fn(i16) i16 = double;
    fn apply(g: *const fn(i16) i16, x: i16) i16 { return g(x); }
    """
    body = """
    out[0] = f(5);
    f = &square;
    out[1] = f(5);
    out[2] = apply(double, 8);
    """
    assert results(body, before, 3) == [10, 25, 16]


def test_generic_functions_have_one_instance_per_use(compile_pe: CompilePe) -> None:
    text = """
    var x: f32; var y: f32; var n: i16;
    fn twice(v: anytype) @type_of(v) { return v + v; }
    fn scaled(comptime k: i16, v: i16) i16 { return k * v; }
    fn main() void {
      x = twice(x); y = twice(y); n = twice(n);
      n = scaled(2, n); n = scaled(3, n); n = scaled(2, n);
    }
    comptime { @export_symbol(main); }
    """
    program = compile_pe(text)
    names = sorted(f.name.split(".")[0] for f in program.functions)
    assert names == ["main", "scaled", "scaled", "twice", "twice"]


def test_unreached_functions_and_branches_are_not_analysed(
    compile_pe: CompilePe,
) -> None:
    text = """
    param unset: i16;
    var x: i16;
    fn unused() void { undeclared(); }
    fn main() void {
      if (@is_arch("wse3")) { undeclared(); } else { x = 1; }
      const y = if (true) 1 else undeclared;
    }
    comptime { @export_symbol(main); }
    """
    program = compile_pe(text)
    assert [f.name for f in program.functions] == ["main"]
    assert [g.name for g in program.globals] == ["x"]


def test_structs_at_run_time(results: Results) -> None:
    before = """
    const P = struct { x: i16, y: i16 };
    fn swapped(p: P) P { return P { .x = p.y, .y = p.x }; }
    var g: P = P { .x = 1, .y = 2 };
    """
    body = """
    var p = P { .x = out[9] + 3, .y = 4 };
    const q = p;
    p.x = 30;
    g = swapped(q);
    out[0] = q.x;
    out[1] = g.x * 10 + g.y;
    out[2] = p.x;
    const mixed = .{ .n = 3, .v = out[2] };
    var sized = @zeros([mixed.n]i16);
    out[3] = mixed.v;
    """
    assert results(body, before, 4) == [3, 43, 30, 30]


def test_constant_arrays_are_stored_once(compile_pe: CompilePe) -> None:
    text = """
    const table = [4]i16 { 1, 2, 3, 4 };
    var i: u16; var x: i16;
    fn main() void { x = table[i] + table[2] + table[i]; }
    comptime { @export_symbol(main); }
    """
    program = compile_pe(text)
    tables = [g for g in program.globals if not g.mutable]
    assert [g.name for g in tables] == ["table"]
    assert list(tables[0].value.elements) == [1, 2, 3, 4]


def test_short_circuit(results: Results) -> None:
    before = "fn act(v: bool) bool { out[5] += 1; return v; }"
    body = """
    if (act(false) and act(true)) { out[0] = 1; }
    if (act(true) or act(true)) { out[1] = 1; }
    """
    assert results(body + "out[2] = out[5];", before, 3) == [0, 1, 2]


def test_shadowed_scopes_and_blocks(results: Results) -> None:
    body = """
    { var i: i16 = 1; out[0] = i; }
    { var i: i16 = 2; out[1] = i; }
    while (true) { out[2] += 1; if (out[2] == 3) { break; } }
    """
    assert results(body, "", 3) == [1, 2, 3]


def test_wrapping_at_run_time(results: Results) -> None:
    before = "var u: u16 = 65535; var w: u32 = 0xffffffff;"
    body = """
    u += 2;
    out[0] = @bitcast(i16, u);
    w += 3;
    out[1] = @as(i16, w);
    out[2] = @as(i16, u - 3 == 0xfffe);
    """
    assert results(body, before, 3) == [1, 2, 1]


def test_constants_hold_plain_values(compile_pe: CompilePe) -> None:
    text = """
    var x: f32;
    fn main() void { x = 0.1; }
    comptime { @export_symbol(main); }
    """
    (statement,) = compile_pe(text).functions[0].body
    assert isinstance(statement, code.Assign)
    assert isinstance(statement.value, code.Constant)
    assert statement.value.value == float(np.float32(0.1))
