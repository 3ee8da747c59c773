"""Comptime values: arithmetic, variables, loops, calls and their limits."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pyflame.wse.errors import CslError
from pyflame.wse.language import state

ValueOf = Callable[..., Any]


@pytest.mark.parametrize(
    ("expression", "type_", "value"),
    [
        ("7 / 2", "i16", 3),
        ("(0 - 7) / 2", "i16", -3),
        ("(0 - 7) % 2", "i16", -1),
        ("7 % (0 - 2)", "i16", 1),
        ("1 << 10", "i16", 1024),
        ("@as(u16, 0x8001) << 1", "u16", 2),
        ("@as(u16, 3) - @as(u16, 5)", "u16", 65534),
        ("~@as(u16, 1)", "u16", 65534),
        ("~@as(i16, 1)", "i16", -2),
        ("@as(i16, 0 - 8) >> 1", "i16", -4),
        ("1 | 2 << 2", "i16", 9),
        ("5 & 1 == 1", "bool", True),
        ("0x1_0 + 0b11 + 0o17", "i16", 34),
        ("'a' + 1", "u16", 98),
        ("@as(f32, 0.1)", "f32", float(np.float32(0.1))),
        ("@as(f32, 0.1) + 0.2", "f32", float(np.float32(0.1) + np.float32(0.2))),
        ("1.0 / 3.0", "f32", float(np.float32(1.0 / 3.0))),
        ("@as(f16, 1.0) / 3.0", "f16", float(np.float16(1) / np.float16(3))),
        ("@as(i16, 2.9)", "i16", 2),
        ("@as(i16, -2.9)", "i16", -2),
        ("@as(u16, true)", "u16", 1),
        ("@as(bool, 2)", "bool", True),
        ("@bitcast(u16, @as(f16, 1.0))", "u16", 0x3C00),
        ("@bitcast(u32, @as(f32, -2.0))", "u32", 0xC0000000),
        ("@bitcast(i16, @as(u16, 0xffff))", "i16", -1),
        ("@bitcast(f32, @as(u32, 0x3f800000))", "f32", 1.0),
        ("true and !false", "bool", True),
        ("false and (1 / 0 == 1)", "bool", False),
        ("true or undeclared", "bool", True),
        ("if (1 > 2) undeclared else 3", "i16", 3),
        ('"ab" == "ab"', "bool", True),
        ('@strlen(@strcat("ab", "c", @get_string_from_byte(100)))', "u16", 4),
        ("@is_same_type(@type_of(@as(f16, 1.0)), f16)", "bool", True),
        ("@rank([2, 3]f32)", "u16", 2),
        ("@element_count([2, 3]f32)", "u32", 6),
        ("@dimensions([2, 3]f32)[1]", "u32", 3),
        ("@is_same_type(@element_type([2]f32), f32)", "bool", True),
        ("@range_stop(@range(i16, 5))", "i16", 5),
        ("@range_step(@range(i16, 5, 0, -1))", "i16", -1),
        ("@get_int(@get_color(7))", "u16", 7),
        ('@has_field(.{ .a = 1 }, "a")', "bool", True),
        ('@field(.{ .a = 1, .b = 2 }, "b")', "i16", 2),
        (".{ 4, 5 }[1]", "i16", 5),
        ("@concat_structs(.{ .a = 1 }, .{ .b = 2 }).b", "i16", 2),
        ("@is_comptime()", "bool", True),
        ('@is_arch("wse2")', "bool", True),
        ("switch (@as(i16, 3)) { 1, 3 => 10, else => 20 }", "i16", 10),
        ("blk: { break :blk 4; }", "i16", 4),
    ],
)
def test_expression(value_of: ValueOf, expression: str, type_: str, value: Any) -> None:
    assert value_of(expression, type_) == value


@pytest.mark.parametrize(
    ("type_", "number", "bits"),
    [
        ("cb16", "6.0", 0b0101100100000000),  # the documented pattern
        ("bf16", "1.0", 0x3F80),
        ("bf16", "-2.5", 0xC020),
        ("f16", "65504.0", 0x7BFF),
    ],
)
def test_sixteen_bit_float_patterns(
    value_of: ValueOf, type_: str, number: str, bits: int
) -> None:
    assert value_of(f"@bitcast(u16, @as({type_}, {number}))", "u16") == bits
    back = f"@bitcast({type_}, @as(u16, {bits})) == @as({type_}, {number})"
    assert value_of(back, "bool") is True


def test_functions_loops_and_local_variables(value_of: ValueOf) -> None:
    before = """
    fn triangle(n: i16) i16 {
      var sum: i16 = 0;
      for (@range(i16, 1, n + 1, 1)) |i| {
        if (i == 3) { continue; }
        if (i > 5) { break; }
        sum += i;
      }
      return sum;
    }
    fn log2(n: u16) u16 {
      var k: u16 = 0;
      var m = n;
      while (m > 1) : (k += 1) { m >>= 1; }
      return k;
    }
    fn factorial(n: u32) u32 { return if (n == 0) 1 else n * factorial(n - 1); }
    """
    assert value_of("triangle(9)", "i16", before) == 1 + 2 + 4 + 5
    assert value_of("log2(1000)", "u16", before) == 9
    assert value_of("factorial(10)", "u32", before) == 3628800


def test_arrays_are_values(value_of: ValueOf) -> None:
    before = """
    fn f() [4]i16 {
      var a = @zeros([4]i16);
      const kept = a;
      var b = a;
      for (@range(i16, 4)) |i, k| { a[k] = 10 * i; }
      b[1] = 7;
      a[0] = kept[3] + b[1];
      return a;
    }
    """
    assert list(value_of("f()", "", before).elements) == [7, 10, 20, 30]


def test_struct_fields_can_be_stored(value_of: ValueOf) -> None:
    before = """
    const P = struct { x: i16, m: [2]i16 };
    fn f() i16 {
      var p = P { .x = 1, .m = [2]i16 { 2, 3 } };
      const q = p;
      p.x += 10;
      @field(p, "m")[1] = 30;
      return p.x * 100 + p.m[1] + q.m[1];
    }
    """
    assert value_of("f()", "i16", before) == 1133


def test_labelled_loops(value_of: ValueOf) -> None:
    before = """
    fn f() i16 {
      var count: i16 = 0;
      outer: for (@range(i16, 4)) |i| {
        for (@range(i16, 4)) |j| {
          if (j == 2) { continue :outer; }
          if (i == 3) { break :outer; }
          count += 1;
        }
      }
      return count;
    }
    """
    assert value_of("f()", "i16", before) == 6


def test_types_are_values(value_of: ValueOf) -> None:
    before = """
    fn pair(comptime T: type) type { return struct { a: T, b: T }; }
    const P = pair(f32);
    const p = P { .a = 1.0, .b = 2.5 };
    """
    assert value_of("p.b", "f32", before) == 2.5
    assert value_of("@is_same_type(P, pair(f32))", "bool", before) is True
    assert value_of("@is_same_type(P, pair(f16))", "bool", before) is False


def test_enum_items_take_the_free_integers(value_of: ValueOf) -> None:
    before = "const E = enum(u16) { red, white = 1, blue };"
    assert value_of("@get_int(E.blue)", "u16", before) == 2
    before = "const E = enum(u16) { red, white = 4, blue };"
    assert value_of("@get_int(E.blue)", "u16", before) == 1


def test_globals_may_be_used_before_their_declaration(value_of: ValueOf) -> None:
    before = "const early = late + 1;\nconst late: i16 = last;\nconst last = 4;"
    assert value_of("early", "i16", before) == 5


def test_wrapping_and_overflow(value_of: ValueOf) -> None:
    assert value_of("@as(u8, 200) + @as(u8, 100)", "u8") == 44
    with pytest.raises(CslError, match="does not fit type 'i16'"):
        value_of("@as(i16, 300) * @as(i16, 300)", "i16")


def test_known_integers_change_type_but_operands_do_not(value_of: ValueOf) -> None:
    before = "const n: u16 = 5;\nfn f(x: i16) i16 { return x; }"
    assert value_of("n", "i16", before) == 5
    assert value_of("f(n)", "i16", before) == 5
    with pytest.raises(CslError, match="expected type 'u16', got: 'i16'"):
        value_of("n + @as(i16, 1)", "i16", before)


def test_deep_recursion_is_refused_not_crashed(value_of: ValueOf) -> None:
    before = "fn f(n: i32) i32 { return if (n == 0) 0 else 1 + f(n - 1); }"
    assert value_of("f(300)", "i32", before) == 300
    with pytest.raises(CslError, match="more than 400 nested calls"):
        value_of("f(1000000)", "i32", before)


def test_steps_are_counted(value_of: ValueOf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "MAX_COMPTIME_STEPS", 500)
    before = """
    fn f(n: i32) i32 { var s: i32 = 0; for (@range(i32, n)) |i| { s += i; } return s; }
    """
    assert value_of("f(100)", "i32", before) == 4950
    with pytest.raises(CslError, match="more than 500 steps"):
        value_of("f(1000)", "i32", before)


def test_comptime_print(value_of: ValueOf, capsys: pytest.CaptureFixture[str]) -> None:
    before = """
    const E = enum(u16) { a, b };
    comptime { @comptime_print("n", 3, .{ .x = 1, .e = E.b }, [2]i16 { 1, 2 }, true); }
    """
    value_of("1", "i16", before)
    shown = capsys.readouterr().err
    assert shown == "n 3 .{ .x = 1, .e = b } [2]i16 { 1, 2 } true\n"
