"""Programs that once made the compiler fail with something else than CslError."""

from collections.abc import Callable
from typing import Any

import pytest

from pyflame.wse.errors import CslError, MachineFault

RunCsl = Callable[..., Any]
DSD = (
    "var a = @zeros([3]f32);"
    "var d = @get_dsd(%s, .{ .base_address = %s, .extent = %s }); "
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            DSD % ("mem1d_dsd", "&f", "2") + "fn f() void {} fn run() void { d = d; }",
            "a DSD cannot describe elements of type 'fn() void'",
        ),
        (
            DSD % ("mem1d_dsd", "&a", ".{}") + "fn run() void { d = d; }",
            "the 'extent' of a mem1d_dsd is empty",
        ),
        (
            DSD % ("mem4d_dsd", "&a", "[2]bool { true, true }")
            + "fn run() void { d = d; }",
            "expected integers, got: '[2]bool'",
        ),
        (
            "var a: [3]mem1d_dsd; fn run() void { const p = &a[1]; }",
            "an element of type 'mem1d_dsd' does not lie in memory, "
            "so it has no address",
        ),
        (
            "param c: color = 5; const m = @import_module("
            '"<tile_config/color_config>"); fn run() void { const n = @get_int(c); }',
            "expected type 'color', got: 'comptime_int'",
        ),
        (
            "var x = @zeros([2]f32); const d = @get_dsd(mem1d_dsd,"
            " .{ .tensor_access = |i|{2} -> x[i] });"
            "fn f(n: i64) f32 { return 1.0; } fn run() void { @map(f, d, d); }",
            "'@map' cannot pass values of type 'i64'",
        ),
        (
            "var p: *mem1d_dsd; fn run() void { p.* = p.*; }",
            "a 'mem1d_dsd' does not lie in memory, where pointers lead",
        ),
        (
            "var x: i16 = 1; fn run() void {"
            " const p = @ptrcast([*]mem1d_dsd, &x); const q = p[0]; }",
            "a 'mem1d_dsd' does not lie in memory, where pointers lead",
        ),
    ],
)
def test_refused(run_csl: RunCsl, text: str, message: str) -> None:
    with pytest.raises(CslError) as caught:
        run_csl(text)
    assert caught.value.message == message
    assert caught.value.span is not None


@pytest.mark.parametrize("arch", ["wse2", "wse3"])
@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("@activate(@get_local_task_id(n));", "local task id 300 is out of range"),
        ("@block(@get_local_task_id(n));", "local task id 300 is out of range"),
        ("tile_config.teardown.exit(@get_color(n));", "color 300 is out of range"),
    ],
)
def test_ids_of_run_time_are_checked(
    run_csl: RunCsl, arch: str, body: str, message: str
) -> None:
    head = 'const tile_config = @import_module("<tile_config>"); var n: u16 = 300;'
    with pytest.raises(MachineFault, match=message):
        run_csl(f"{head} fn run() void {{ {body} }}", arch)


def test_arrays_and_structs_of_function_pointers(run_csl: RunCsl) -> None:
    program = run_csl(
        """
        export var found = @zeros([5]i16);
        fn one() i16 { return 1; }
        fn two() i16 { return 2; }
        const Pair = struct { first: *const fn() i16, second: *const fn() i16 };
        var table = [2]*const fn() i16 { &one, &two };
        const fixed = [2]*const fn() i16 { two, one };
        var pair = Pair { .first = &two, .second = &one };
        var k: u16 = 1;
        fn run() void {
          found[0] = table[k]();
          found[1] = fixed[k]();
          table = [2]*const fn() i16 { &two, &one };
          found[2] = table[k]();
          pair = Pair { .first = &one, .second = &two };
          found[3] = pair.second();
          found[4] = fixed[0]();
        }
        """
    )
    assert program.words("found", "i2", 5).tolist() == [2, 1, 1, 2, 2]
