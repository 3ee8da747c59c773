"""Statements and builtins without a test of their own elsewhere, by their answers."""

from collections.abc import Callable
from typing import Any

import pytest

from pyflame.wse.errors import CslError, MachineFault
from pyflame.wse.language import state

RunCsl = Callable[..., Any]


def results(run_csl: RunCsl, body: str, count: int = 8, **options: Any) -> list[int]:
    head = "export var results = @zeros([16]i32);\n"
    return run_csl(head + body, **options).words("results", "i4", count).tolist()


def test_inline_while_unrolls_over_comptime_variables(run_csl: RunCsl) -> None:
    body = """
    const names = .{ @as(i16, 3), @as(i32, 70000), @as(u16, 9) };
    fn run() void {
      comptime var i: u16 = 0;
      inline while (i < 3) : (i += 1) {
        results[i] = @as(i32, names[i]);
      }
      results[3] = @as(i32, i);
    }
    """
    assert results(run_csl, body, 4) == [3, 70000, 9, 3]


def test_inline_while_can_be_left_and_continued(run_csl: RunCsl) -> None:
    body = """
    var limit: i32 = 3;
    fn run() void {
      comptime var i: i32 = 0;
      outer: inline while (i < 6) : (i += 1) {
        if (i == 1) { continue; }
        if (limit == i) { break :outer; }
        results[i] = 10 + i;
      }
      comptime var k = 0;
      inline while (true) { k += 1; if (k == 4) { break; } }
      results[7] = k;
    }
    """
    assert results(run_csl, body) == [10, 0, 12, 0, 0, 0, 0, 4]


def test_an_inline_while_that_never_ends(run_csl: RunCsl) -> None:
    with pytest.raises(CslError, match="exceeded the maximum of 50 inlined iterations"):
        results(
            run_csl,
            "fn run() void { inline while (true) { results[0] += 1; } }",
            max_inlined_iterations=50,
        )


def test_generators_are_apart_and_count_modulo_four(run_csl: RunCsl) -> None:
    body = """
    fn run() void {
      results[0] = @as(i32, @random16()); results[1] = @as(i32, @random16());
      @set_active_prng(1);
      results[2] = @as(i32, @random16());
      @set_active_prng(0);
      results[3] = @as(i32, @random16());
      @set_active_prng(5);
      results[4] = @as(i32, @random16());
      @set_active_prng(4);
      results[5] = @as(i32, @random16());
    }
    """
    a, b, c, d, e, f = results(run_csl, body, 6)
    assert (c, e) == (a, b)
    assert len({a, b, d, f}) == 4


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("comptime { var x: u16; x += 1; }", "'x' is read before a value was stored"),
        (
            "const P = struct { a: u16 }; comptime { var x: P; x.a = 1; }",
            "'x' is read before a value was stored",
        ),
        (
            "fn grow(n: u16) comptime_int { var x = 3;"
            " for (@range(u16, n)) |_| { x *= x; } return x; }"
            "const big = grow(40); comptime { @comptime_assert(big > 0); }",
            "a comptime_int of more than 4096 bits",
        ),
        (
            'fn grow(n: u16) comptime_string { var s: comptime_string = "abcdefgh";'
            " for (@range(u16, n)) |_| { s = @strcat(s, s); } return s; }"
            "const big = grow(40); comptime { @comptime_assert(@strlen(big) > 0); }",
            "a string of 2,097,152 bytes is too long",
        ),
        (
            "comptime { for (@range(u16, 60000)) |_| {"
            " const x = @zeros([1000000]u8); } }",
            "comptime arrays have more than 67,108,864 elements in all",
        ),
        (
            "var d = @get_dsd(mem1d_dsd, .{ .base_address = &results, .extent = 2 });"
            "comptime { const e = @increment_dsd_offset("
            "@get_dsd(mem1d_dsd, .{ .base_address = &results, .extent = 2 }), 1, bool);"
            " }",
            "'@increment_dsd_offset' counts elements of a number type, got: 'bool'",
        ),
        (
            "comptime { const x = 5.9604644775390625e; }",
            "malformed number '5.9604644775390625e'",
        ),
    ],
)
def test_refusals_at_comptime(run_csl: RunCsl, body: str, message: str) -> None:
    with pytest.raises(CslError) as caught:
        results(run_csl, body + "fn run() void {}")
    assert caught.value.message.startswith(message)
    assert caught.value.span is not None


def test_the_address_of_an_element_of_an_array_of_structs(run_csl: RunCsl) -> None:
    body = """
    const P = struct { a: i16, b: i32 };
    const last = P { .a = 5, .b = 6 };
    var items = [3]P { P { .a = 1, .b = 2 }, P { .a = 3, .b = 4 }, last };
    fn run() void {
      const p: *P = &items[2];
      results[0] = p.*.b;
      p.*.a = 9;
      results[1] = @as(i32, items[2].a);
    }
    """
    assert results(run_csl, body, 2) == [6, 9]


def test_a_comptime_array_of_bools_can_be_filled(run_csl: RunCsl) -> None:
    body = """
    fn odd(n: u16) [4]bool {
      var found: [4]bool;
      for (@range(u16, n)) |i| { found[i] = i % 2 == 1; }
      return found;
    }
    const flags = odd(4);
    fn run() void { for (flags) |f, i| { results[i] = @as(i32, f); } }
    """
    assert results(run_csl, body, 4) == [0, 1, 0, 1]


@pytest.mark.parametrize(
    "body",
    [
        "inline fn a() void { b(); b(); } inline fn b() void { c(); c(); }"
        "inline fn c() void {} fn run() void { a(); a(); }",
        "fn f(comptime n: u16) void { f(n + 1); } fn run() void { f(0); }",
        "fn run() void { inline for (@range(u16, 50)) |i| { results[0] += 1; } }",
    ],
)
def test_copies_of_code_are_counted(
    run_csl: RunCsl, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    monkeypatch.setattr(state, "MAX_EXPANSIONS", 12)
    with pytest.raises(CslError) as caught:
        results(run_csl, body)
    assert caught.value.message == (
        "more than 12 inline calls, unrolled iterations and generic instances"
    )
    assert caught.value.span is not None


@pytest.mark.parametrize(
    ("descriptor", "operation", "message"),
    [
        (
            "fabin_dsd",
            "@fmovs(D, F);",
            "a fabin_dsd of color 5 names no input queue; give it '.input_queue', and "
            "bind the queue with @initialize_queue",
        ),
        (
            "fabout_dsd",
            "@fmovs(F, D);",
            "a fabout_dsd of color 5 names no output queue; give it '.output_queue', "
            "and bind the queue with @initialize_queue",
        ),
    ],
)
def test_fabric_dsds_of_wse3_name_a_queue(
    run_csl: RunCsl, descriptor: str, operation: str, message: str
) -> None:
    text = (
        "var a = @zeros([2]f32); const D = @get_dsd(mem1d_dsd, .{ .tensor_access ="
        f" |i|{{2}} -> a[i] }}); const F = @get_dsd({descriptor}, .{{ .extent = 2,"
        f" .fabric_color = @get_color(5) }}); fn run() void {{ {operation} }}"
    )
    with pytest.raises(MachineFault) as caught:
        run_csl(text)
    assert caught.value.message.endswith(message)
