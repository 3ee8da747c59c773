"""The language reference, statement by statement: each row is a small program.

A row names the section of the reference, declarations, the body of `run`, and what
`found` holds afterwards.
"""

from collections.abc import Callable
from typing import Any

import pytest

RunCsl = Callable[..., Any]
ROWS: list[tuple[str, str, str, list[int]]] = [
    (
        "2 literals",
        "",
        "found[0] = 0x1F + 0o17 + 0b101 + 1_000; found[1] = 'a';"
        "found[2] = '\\n'; found[3] = '\\x41';",
        [1051, 97, 10, 65],
    ),
    (
        "2 strings",
        'const s = "a\\tb\\u00e9";',
        "found[0] = @strlen(s); found[1] = @as(i32, @get_array(s)[1]);",
        [5, 9],
    ),
    (
        "2 discard",
        "fn f() i16 { return 1; }",
        "_ = f(); for (@range(i16, 3)) |_| { found[0] += 1; }",
        [3],
    ),
    (
        "3 precedence",
        "var x: u16 = 6;",
        "found[0] = @as(i32, x & 1 == 0); found[1] = @as(i32, 1 | x << 2);"
        "found[2] = 2 + 3 * 4 - 10 / 3; found[3] = @as(i32, x > 5 and x < 7 or x == "
        "0);",
        [1, 25, 11, 1],
    ),
    (
        "3 if without braces",
        "var c = true;",
        "if (c) found[0] = 1 else found[0] = 2; if (!c) found[1] = 1;",
        [1, 0],
    ),
    (
        "3 enum without a backing type",
        "const E = enum { a, b, c, };",
        "found[0] = @as(i32, @get_int(E.c));",
        [2],
    ),
    (
        "3 short circuit",
        "var n: i32 = 0; fn hit() bool { n += 1; return true; }",
        "const a = (n == 1) and hit(); const b = (n == 0) or hit(); found[0] = n;",
        [0],
    ),
    (
        "4 tuple",
        "const t = .{ @as(i16, 7), true };",
        "found[0] = @as(i32, t[0]); found[1] = @as(i32, t[1]);",
        [7, 1],
    ),
    (
        "4 named struct of run time",
        "const P = struct { x: i16, y: f32 };"
        "fn moved(p: P) P { var q = p; q.x += 1; return q; } var g = P { .x = 1, .y = "
        "2.5 };",
        "g = moved(g); const h = moved(g); found[0] = @as(i32, g.x);"
        "found[1] = @as(i32, h.x); found[2] = @as(i32, h.y);",
        [2, 3, 2],
    ),
    (
        "4 struct type of a function",
        "fn Pair(comptime T: type) type { return struct { a: T, b: T }; }",
        "const p = Pair(i16) { .a = 3, .b = 4 }; found[0] = @as(i32, p.a + p.b);"
        "found[1] = @as(i32, @is_same_type(Pair(i16), Pair(i16)));"
        "found[2] = @as(i32, @is_same_type(Pair(i16), Pair(u16)));",
        [7, 1, 0],
    ),
    (
        "4 fields by name",
        "const P = struct { x: i16, y: i16 };",
        'var p = P { .x = 1, .y = 2 }; @field(p, "y") = 9; found[0] = @as(i32, p.y);'
        'found[1] = @as(i32, @has_field(p, "z"));',
        [9, 0],
    ),
    (
        "4 enums",
        "const E = enum(u16) { red, white = 4, blue };",
        "found[0] = @as(i32, @get_int(E.red)); found[1] = @as(i32, @as(u16, E.white));"
        "found[2] = @as(i32, @as(u16, E.blue)); var e = @as(E, 4);"
        "found[3] = @as(i32, e == E.white);",
        [0, 4, 1, 1],
    ),
    (
        "4 arrays are values",
        "fn twice(a: [3]i32) [3]i32 { var b = a;"
        " for (@range(i16, 3)) |i| { b[i] *= 2; } return b; } var a = [3]i32 { 1, 2, "
        "3 };",
        "const b = twice(a); a = b; a[0] = 9; found[0] = a[0]; found[1] = b[0];"
        "found[2] = a[2];",
        [9, 2, 6],
    ),
    (
        "4 arrays of two dimensions",
        "var m = [2,3]i32 { 1, 2, 3, 4, 5, 6 };var i: u32 = 1; var j: i8 = 2;",
        "found[0] = m[i, j]; m[0, j] = 9; found[1] = m[0, 2];"
        "for (m) |v| { found[2] += v; }",
        [6, 9, 27],
    ),
    (
        "4 pointers",
        "var x: i32 = 5; var a = [2]i32 { 1, 2 };"
        "fn bump(p: *i32) void { p.* += 1; } fn last(p: *[2]i32) i32 { return p.*[1]; }"
        "fn first(p: [*]const i32) i32 { return p[0]; }",
        "bump(&x); bump(&a[1]); found[0] = x; found[1] = last(&a); found[2] = "
        "first(&a);"
        "var local: i32 = 3; bump(&local); found[3] = local;",
        [6, 3, 1, 4],
    ),
    (
        "4 functions as values",
        "fn add(a: i32) i32 { return a + 1; }"
        "fn twice(a: i32) i32 { return a * 2; } const same = add;"
        "var p: *const fn(i32) i32 = add; var c = true;",
        "found[0] = same(1); found[1] = p(1); if (c) { p = &twice; } found[2] = p(10);",
        [2, 2, 20],
    ),
    (
        "4 directions",
        "var d: direction = NORTH;",
        "found[0] = @as(i32, d == NORTH); d = RAMP; found[1] = @as(i32, d == NORTH);",
        [1, 0],
    ),
    (
        "4 colors and ids",
        "var c = @get_color(5); const t = @get_local_task_id(12);",
        "found[0] = @as(i32, @get_int(c)); found[1] = @as(i32, @get_int(t));"
        "found[2] = @as(i32, c == @get_color(5));",
        [5, 12, 1],
    ),
    (
        "4 float formats",
        "const b: bf16 = 1.5;",
        "found[0] = @as(i32, @is_same_type(@fp16(), f16));"
        "found[1] = comptime @as(i32, b * 2.0);",
        [1, 3],
    ),
    (
        "5 peers",
        "var c = true; var m: i32 = 7;",
        "const x = if (c) 3 else m; found[0] = x; const y = blk: { if (c) { break "
        ":blk m; }"
        " break :blk 4; }; found[1] = y;",
        [3, 7],
    ),
    (
        "6 order of globals",
        "const a = b + 1; const b = c * 2; const c = 5;",
        "found[0] = a;",
        [11],
    ),
    (
        "6 comptime functions",
        "fn fib(n: i32) i32 { if (n < 2) { return n; }"
        " return fib(n - 1) + fib(n - 2); } const f = fib(12);",
        "found[0] = f;",
        [144],
    ),
    (
        "6 generic functions",
        "fn max(a: anytype, b: @type_of(a)) @type_of(a) {"
        " return if (a > b) a else b; } fn nth(comptime n: u16, x: i32) i32 {"
        " return x * @as(i32, n); } var i: i16 = 3; var f: f32 = 2.5;",
        "found[0] = @as(i32, max(i, 9)); found[1] = @as(i32, max(f, 1.0));"
        "found[2] = nth(3, 5) + nth(4, 5);",
        [9, 2, 35],
    ),
    (
        "6 inline functions",
        "inline fn pick(comptime c: bool, a: i32) i32 {"
        " if (c) { return a; } return -a; } var a: i32 = 4;",
        "found[0] = pick(true, a); found[1] = pick(false, a);",
        [4, -4],
    ),
    (
        "6 inline results stay known",
        "inline fn side(n: u16) u16 { return n * 2; }",
        "const a = @zeros([comptime side(3)]i16); found[0] = "
        "@element_count(@type_of(a));",
        [6],
    ),
    (
        "6 recursion at run time",
        "fn down(n: i32) i32 { if (n == 0) { return 0; }"
        " return n + down(n - 1); } var n: i32 = 10;",
        "found[0] = down(n);",
        [55],
    ),
    (
        "7 labelled loops",
        "",
        "outer: for (@range(i16, 4)) |i| {"
        " for (@range(i16, 4)) |j| { if (j == 2) { continue :outer; }"
        " if (i == 2) { break :outer; } found[0] += 1; } }",
        [4],
    ),
    (
        "7 while with a step",
        "",
        "var i: i32 = 0; while (i < 10) : (i += 3) {"
        " if (i == 3) { continue; } found[0] += i; } found[1] = i;",
        [15, 12],
    ),
    (
        "7 for with an index",
        "var a = [3]i32 { 5, 6, 7 };",
        "for (a) |v, i| { found[i] = v * @as(i32, i); }",
        [0, 6, 14],
    ),
    (
        "7 ranges",
        "var n: i16 = -3; var r = @range(i16, 2, -3, -2);",
        "for (@range(i16, n, 3, 2)) |i| { found[0] += @as(i32, i); found[1] += 1; }"
        "for (r) |i| { found[2] = found[2] * 10 + @as(i32, i) + 5; }"
        "found[3] = @as(i32, @range_step(r));",
        [-3, 3, 753, -2],
    ),
    (
        "7 inline for over a tuple",
        "",
        "inline for (.{ @as(i16, 1), @as(f32, 2.5) })"
        " |v, i| { found[i] = @as(i32, v); }",
        [1, 2],
    ),
    (
        "7 switch",
        "const E = enum(u16) { a, b }; var e = E.b; var n: i8 = -1;",
        "switch (e) { E.a => found[0] = 1, E.b => found[0] = 2 }"
        "found[1] = switch (n) { -1, 1 => @as(i32, 10), else => 20 };",
        [2, 10],
    ),
    (
        "7 blocks",
        "var c = true;",
        "const v = lbl: { if (c) { break :lbl @as(i32, 3); }"
        " break :lbl 4; }; found[0] = v; { const v = 9; found[1] = v; }",
        [3, 9],
    ),
    (
        "8 comptime variables",
        "",
        "comptime var n = 1; inline for (@range(i16, 4)) |i|"
        " { n *= 2; } found[0] = n; comptime { var m = 3; m += n; @comptime_assert(m "
        "== 19);"
        " }",
        [16],
    ),
    (
        "8 untaken branches",
        "param T = i16;",
        "if (@is_same_type(T, f32)) {"
        " found[0] = no_such_name; } else { found[0] = 1; }",
        [1],
    ),
    (
        "8 is_comptime",
        "fn mode() i32 { return if (@is_comptime()) 1 else 2; }const known = mode();",
        "found[0] = known; found[1] = mode();found[2] = comptime mode();",
        [1, 2, 1],
    ),
    (
        "8 noreturn of comptime_assert",
        "fn size(comptime T: type) u16 {"
        " return if (@is_same_type(T, f32)) 4 else if (@is_same_type(T, i16)) 2 else"
        ' @comptime_assert(false, "no size"); }',
        "found[0] = @as(i32, size(f32));",
        [4],
    ),
    (
        "9 attributes",
        "var a: [3]i16 align(64) = @zeros([3]i16); var place: *[3]i16 = &a;",
        "found[0] = @as(i32, @bitcast(u16, place) & 63);",
        [0],
    ),
    (
        "12 types",
        "const A = [2, 5]f32;",
        "found[0] = @rank(A); found[1] = @element_count(A); found[2] = "
        "@dimensions(A)[1];"
        "found[3] = @as(i32, @is_same_type(@element_type(A), f32));",
        [2, 10, 5, 1],
    ),
    (
        "12 strings",
        'const s = @strcat("ab", "cd", @get_string_from_byte(101));',
        'found[0] = @strlen(s); found[1] = @as(i32, s == "abcde");'
        "found[2] = @strlen(@strcat());",
        [5, 1, 0],
    ),
    (
        "12 arrays",
        "var one: i32 = 1;",
        "const a = @constants([3]i32, 7);"
        " var b = @zeros([2]i32); b = @constants([2]i32, one); found[0] = a[2] + b[1];",
        [8],
    ),
    (
        "12 structs",
        "const s = @concat_structs(.{ .a = 1 }, .{ .b = 2 });"
        "const t = @concat_structs(.{ 5 }, .{ 6 });",
        "found[0] = s.a + s.b; found[1] = t[1];",
        [3, 6],
    ),
    ("12 architecture", "", 'found[0] = @as(i32, @is_arch("wse3"));', [1]),
    (
        "12 rectangle",
        "",
        "const r = @get_rectangle(); found[0] = @as(i32, r.width);"
        "found[1] = @as(i32, r.fabric.width); found[2] = @as(i32, r.offsets.height);",
        [1, 8, 1],
    ),
    (
        "12 counting bits",
        "var w = [3]u16 { 0x00f0, 1, 0xffff };"
        "var r = @zeros([3]u16); const W = @get_dsd(mem1d_dsd,"
        " .{ .tensor_access = |i|{3} -> w[i] }); const R = @get_dsd(mem1d_dsd,"
        " .{ .tensor_access = |i|{3} -> r[i] });",
        "@popcnt(R, W); found[0] = @as(i32, r[0]); found[1] = @as(i32, r[2]); @clz(R, "
        "W);"
        "found[2] = @as(i32, r[0]); @ctz(R, W); found[3] = @as(i32, r[0]);",
        [4, 16, 8, 4],
    ),
]


@pytest.mark.parametrize(
    ("before", "body", "expected"), [r[1:] for r in ROWS], ids=[r[0] for r in ROWS]
)
def test_statement(
    run_csl: RunCsl, before: str, body: str, expected: list[int]
) -> None:
    text = f"{before}\nexport var found = @zeros([4]i32);\nfn run() void {{ {body} }}"
    found = run_csl(text).words("found", "i4", 4).tolist()
    assert found == expected + [0] * (4 - len(expected))
