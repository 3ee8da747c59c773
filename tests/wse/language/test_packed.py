"""Packed structs and unions: what their fields hold, at comptime and at run time."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pyflame.wse.errors import CslError

RunCsl = Callable[..., Any]
TYPES = """
const Color = packed struct { r: u5, g: u6, b: u5 };
const Level = enum(u16) { low, high = 3 };
const Mixed = packed struct { sign: bool, small: i7, half: f16, level: Level };
const Bits = union { f: f32, u: u32, low: i16 };
const Outer = packed struct { tag: u4, rest: u12, inner: Color };
"""


def test_fields_lie_from_the_lowest_bit_on(run_csl: RunCsl) -> None:
    program = run_csl(
        TYPES
        + """
    export var red: u16 = 0; export var green: u16 = 0; export var blue: u16 = 0;
    export var word: u16 = 0;
    var n: u16 = 5;
    fn run() void {
      var c = Color { .r = 1, .g = @as(u6, n), .b = 31 };
      red = @as(u16, c.r); green = @as(u16, c.g); blue = @as(u16, c.b);
      word = @bitcast(u16, c);
    }
    """
    )
    found = [program.words(name, "u2")[0] for name in ("red", "green", "blue", "word")]
    assert found == [1, 5, 31, 31 << 11 | 5 << 5 | 1]


def test_a_store_to_a_field_leaves_the_others(run_csl: RunCsl) -> None:
    program = run_csl(
        TYPES
        + """
    export var word: u32 = 0; export var small: i16 = 0; export var half: f16 = 0.0;
    const start = Color { .r = 3, .g = 4, .b = 5 };
    var m = Outer { .tag = 9, .rest = 0xabc, .inner = start };
    export var sign: bool = false; export var level: u16 = 0;
    var n: i7 = -3;
    fn run() void {
      m.inner.g = 63;
      m.tag += 1;
      word = @bitcast(u32, m);
      var x = Mixed { .sign = false, .small = 1, .half = 0.5, .level = Level.low };
      x.small = n;
      x.sign = x.small < @as(i7, 0);
      x.half *= 3.0;
      x.level = Level.high;
      small = @as(i16, x.small); half = x.half; sign = x.sign;
      level = @get_int(x.level);
    }
    """
    )
    inner = 3 | 63 << 5 | 5 << 11
    assert program.words("word", "u4")[0] == 10 | 0xABC << 4 | inner << 16
    assert program.words("small", "i2")[0] == -3
    assert program.words("half", "f2")[0] == 1.5
    assert program.words("sign", "u2")[0] == 1
    assert program.words("level", "u2")[0] == 3


def test_a_union_reads_the_same_bits_as_another_type(run_csl: RunCsl) -> None:
    program = run_csl(
        TYPES
        + """
    export var bits: u32 = 0; export var low: i16 = 0; export var back: f32 = 0.0;
    var x: f32 = -1.5;
    const known = Bits { .f = 1.0 };
    export var comptime_bits: u32 = known.u;
    fn run() void {
      var b = Bits { .f = x };
      bits = b.u;
      b.u |= 7;
      low = b.low;
      b.low = 0;
      back = b.f;
      const p: *u32 = &pool.u;
      p.* = 0x40490fdb;
      pi = pool.f;
    }
    var pool = Bits { .u = 0 };
    export var pi: f32 = 0.0;
    """
    )
    raw = int(np.float32(-1.5).view("u4"))
    assert program.words("bits", "u4")[0] == raw
    assert program.words("low", "i2")[0] == 7
    assert program.words("back", "f4")[0] == np.float32(-1.5)
    assert program.words("comptime_bits", "u4")[0] == 0x3F800000
    assert program.words("pi", "u4")[0] == 0x40490FDB


def test_packed_values_live_in_comptime_variables_arrays_and_structs(
    run_csl: RunCsl,
) -> None:
    program = run_csl(
        TYPES
        + """
    const Pair = struct { a: Color, n: i16 };
    fn made(n: u16) Color {
      var c = Color { .r = 0, .g = 0, .b = 0 };
      for (@range(u16, n)) |_| { c.r += 1; @field(c, "g") = 2 * @as(u6, c.r); }
      return c;
    }
    export var word: u16 = @bitcast(u16, made(3));
    var cells = [2]Color { made(1), made(2) };
    var pair = Pair { .a = made(4), .n = 7 };
    export var sum: u16 = 0;
    fn total(c: Color) u16 { return @as(u16, c.r) + @as(u16, c.g); }
    fn run() void {
      cells[1].b = 9;
      pair.a.b = cells[1].b;
      sum = total(cells[0]) + total(cells[1]) + total(pair.a) + @as(u16, pair.a.b);
    }
    """
    )
    assert program.words("word", "u2")[0] == 3 | 6 << 5
    assert program.words("sum", "u2")[0] == 3 + 6 + 12 + 9


def test_integers_of_other_widths_wrap_at_their_own_width(run_csl: RunCsl) -> None:
    program = run_csl(
        """
    export var results = @zeros([4]i32);
    var a: u4 = 13; var b: i12 = -2048; var c: u24 = 0xffffff; var d: i5 = 7;
    fn run() void {
      a += 5; b -= 1; c *= 3; d <<= @as(u16, 1);
      results[0] = @as(i32, a); results[1] = @as(i32, b);
      results[2] = @as(i32, c); results[3] = @as(i32, d);
    }
    """
    )
    expected = [18 % 16, 2047, 0xFFFFFF * 3 % (1 << 24), 14]
    assert program.words("results", "i4", 4).tolist() == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "const T = packed struct { a: [2]u8 }; var x: T;",
            "a packed struct cannot have a field of type '[2]u8'",
        ),
        (
            "const T = packed struct { a: u64, b: bool }; var x: T;",
            "a packed struct holds 1 to 64 bits, but this one has 65",
        ),
        (
            "const T = union { a: u8, b: u16 }; var x = T { .a = 1, .b = 2 };",
            "union 'T' is initialised by exactly one field",
        ),
        (
            "const T = packed struct { a: u8, b: u8 }; var x = T { .a = 1 };",
            "field 'b' of packed struct 'T' is missing",
        ),
        (
            "const T = packed struct { a: u8 }; var w = T { .a = 1 }; const x = &w.c;",
            "packed struct 'T' has no field 'c'",
        ),
        ("var x: u48 = 0;", "type 'u48' is not supported"),
        ("var x: f64 = 0.0;", "type 'f64' is not supported"),
    ],
)
def test_refusals(run_csl: RunCsl, text: str, message: str) -> None:
    with pytest.raises(CslError) as caught:
        run_csl(text + " export var z: u16 = 0; fn run() void { const t = x; }")
    assert caught.value.message == message
    assert caught.value.span is not None


def test_packed_fields_have_no_address(run_csl: RunCsl) -> None:
    text = TYPES + "var c = Color { .r = 1, .g = 2, .b = 3 };"
    with pytest.raises(CslError, match="address of packed struct field is unsupp"):
        run_csl(text + "fn run() void { const p = &c.r; }")
