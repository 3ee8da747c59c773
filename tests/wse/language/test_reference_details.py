"""What the language reference says in passing: each row is a small program.

Rows are as in test_reference: section and statement, declarations, the body of `run`,
and what `found` holds afterwards.
"""

from collections.abc import Callable
from typing import Any

import pytest

RunCsl = Callable[..., Any]
ROWS: list[tuple[str, str, str, list[int]]] = [
    (
        "2 escapes",
        "",
        "found[0] = '\\\\'; found[1] = '\\''; found[2] = '\\\"'; found[3] = '\\x7f';",
        [92, 39, 34, 127],
    ),
    (
        "2 strings hold any byte",
        'const s = "a\\x00b\\u00e9";',
        "found[0] = @strlen(s); found[1] = @as(i32, @get_array(s)[2]);",
        [5, 98],
    ),
    (
        "3 labelled while",
        "",
        "var i: i32 = 0; outer: while (i < 5) : (i += 1) { var j: i32 = 0; "
        "while (j < 3) : (j += 1) { if (j == 1) continue :outer; found[0] += "
        "1; } }",
        [5],
    ),
    (
        "3 compound assignment",
        "var a: u16 = 6;",
        "a += 2; a -= 1; a *= 3; a /= 2; a %= 7; a <<= 3; a >>= 1; a |= 1; a "
        "&= 0xf; a ^= 2; found[0] = @as(i32, a);",
        [15],
    ),
    (
        "3 equality of identifiers",
        "var d: direction = EAST; const q = @get_input_queue(3);",
        "found[0] = @as(i32, d != WEST); found[1] = @as(i32, q == "
        "@get_input_queue(3)); found[2] = @as(i32, @get_local_task_id(9) == "
        "@get_local_task_id(10)); found[3] = @as(i32, @get_color(2) == "
        "@get_color(2));",
        [1, 1, 0, 1],
    ),
    (
        "3 unsigned carry",
        "var l: u16 = 0xffff; var r: u16 = 2;",
        "found[0] = @as(i32, l + r < l);",
        [1],
    ),
    (
        "4 long integers",
        "var a: i64 = 1; var n: u16 = 40;",
        "a = a << n; found[0] = @as(i32, a >> 38);",
        [4],
    ),
    (
        "4 void params",
        "param c = {};",
        "found[0] = @as(i32, @is_same_type(@type_of(c), void));",
        [1],
    ),
    (
        "4 tasks as values",
        "task t() void {} const cb: task () void = t; comptime { "
        "@bind_local_task(cb, @get_local_task_id(9)); }",
        "found[0] = 1;",
        [1],
    ),
    (
        "4 tables of functions",
        "fn a(x: i32) i32 { return x + 1; } fn b(x: i32) i32 { return x * 2; } "
        "var table = [2]*const fn(i32) i32 { a, b }; var i: u16 = 1;",
        "found[0] = table[i](5); i = 0; found[1] = table[i](5);",
        [10, 6],
    ),
    (
        "4 address of an element",
        "var m = [2,2]i32 { 1, 2, 3, 4 }; fn set(p: *i32) void { p.* = 9; }",
        "set(&m[1, 0]); found[0] = m[1, 0];",
        [9],
    ),
    (
        "4 fields behind pointers",
        "const S = struct { x: i32, y: i32 }; var s = S { .x = 1, .y = 2 }; fn "
        "set(p: *S) void { p.*.x = 5; }",
        "set(&s); found[0] = s.x; found[1] = s.y;",
        [5, 2],
    ),
    (
        "4 items of a result",
        "fn pair(n: i32) [2]i32 { return [2]i32 { n, n + 1 }; }",
        "const a = pair(4); found[0] = a[1]; found[1] = pair(9)[1];",
        [5, 10],
    ),
    (
        "4 DSDs are values",
        "var a = @zeros([4]f32); const d = @get_dsd(mem1d_dsd, .{ "
        ".tensor_access = |i|{4} -> a[i] }); fn fill(x: mem1d_dsd, v: f32) "
        "mem1d_dsd { @fmovs(x, v); return @set_dsd_length(x, 2); }",
        "@fmovs(fill(d, 2.0), 3.0); found[0] = @as(i32, a[1]); found[1] = "
        "@as(i32, a[2]);",
        [3, 2],
    ),
    (
        "5 pointer casts",
        "var f = [2]f32 { 1.0, 2.0 };",
        "const p = @ptrcast([*]u16, &f); found[0] = @as(i32, p[1]);",
        [16256],
    ),
    (
        "6 noinline",
        "noinline fn f(x: i32) i32 { return x + 1; }",
        "found[0] = f(1);",
        [2],
    ),
    (
        "6 functions as arguments",
        "fn add(a: i32, b: i32) i32 { return a + b; } fn apply(comptime f: "
        "anytype, x: i32) i32 { return f(x, 1); }",
        "found[0] = apply(add, 4);",
        [5],
    ),
    (
        "6 link names",
        'fn f(x: i32) linkname("ff") i32 { return x + 1; } var v: i16 '
        'linkname(@strcat("a", "b")) = 3; var w: i16 linksection("here") = 4;',
        "found[0] = f(1); found[1] = @as(i32, v + w);",
        [2, 7],
    ),
    (
        "7 loops without braces",
        "var a = [3]i32 { 1, 2, 3 };",
        "for (a) |v| found[0] += v; while (found[1] < 3) found[1] += 1;",
        [6, 3],
    ),
    (
        "7 arms of a switch",
        "var n: u16 = 3;",
        "switch (n) { 1, 2 => { found[0] = 1; }, 3 => { found[0] = 7; }, else => {} }",
        [7],
    ),
    (
        "7 a known block with run-time code",
        "var g: i32 = 0;",
        "const n = lbl: { g += 1; break :lbl 5; }; const a = @zeros([n]i16); "
        "found[0] = @element_count(@type_of(a)); found[1] = g;",
        [5, 1],
    ),
    (
        "7 labels of neighbours",
        "",
        "lbl: { found[0] += 1; break :lbl; } lbl: { found[0] += 1; break :lbl; }",
        [2],
    ),
    (
        "8 blocks at comptime",
        "",
        "const n = comptime lbl: { var s: u16 = 0; for (@range(u16, 4)) |i| { "
        "s += i; } break :lbl s; }; const a = @zeros([n]i16); found[0] = "
        "@element_count(@type_of(a));",
        [6],
    ),
    (
        "12 constants of bools",
        "var b = @constants([3]bool, true);",
        "found[0] = @as(i32, b[2]);",
        [1],
    ),
    (
        "12 empty ranges",
        "",
        "for (@range(i16, 5, 2, 1)) |_| { found[0] += 1; } for (@range(i16, 2, "
        "5, -1)) |_| { found[0] += 1; } for (@range(u16, 0)) |_| { found[0] += "
        "1; }",
        [],
    ),
    (
        "12 ranges of comptime numbers",
        "",
        "inline for (@range(comptime_int, 3)) |i| { found[i] = i + 1; }",
        [1, 2, 3],
    ),
    (
        "12 ids of run time",
        "var n: u16 = 9;",
        "found[0] = @as(i32, @get_int(@get_color(n))); found[1] = @as(i32, "
        "@get_int(@get_local_task_id(n))); found[2] = @as(i32, "
        "@get_int(@get_control_task_id(n))); found[3] = @as(i32, "
        "@get_int(@get_ut_id(n - 4)));",
        [9, 9, 9, 5],
    ),
    (
        "12 fields of fields",
        "const s = .{ .a = .{ .b = 1 } };",
        'found[0] = @as(i32, @has_field(s.a, "b")); found[1] = @as(i32, '
        '@has_field(s, "b"));',
        [1, 0],
    ),
]


@pytest.mark.parametrize(
    ("before", "body", "expected"), [r[1:] for r in ROWS], ids=[r[0] for r in ROWS]
)
def test_detail(run_csl: RunCsl, before: str, body: str, expected: list[int]) -> None:
    text = f"{before}\nexport var found = @zeros([4]i32);\nfn run() void {{ {body} }}"
    found = run_csl(text).words("found", "i4", 4).tolist()
    assert found == expected + [0] * (4 - len(expected))
