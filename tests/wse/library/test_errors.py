"""What library modules refuse, word for word."""

from typing import Any

import pytest

from pyflame.wse.errors import CslError

IMPORT = 'const m = @import_module("<%s>"%s); '
RUN = "fn run() void { %s }"
DEBUG = ', .{ .key = "k", .buffer_size = 9 }'
GET_PARAMS = ", .{ .width = 2, .height = 1 }"
CONST_SQRT = "export var o: f32 = m.sqrt(@as(f32, 2.0)); " + RUN % "o += 1.0;"
VECTOR = (
    "var n = @zeros([3]i16); "
    "const N = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{3} -> n[i] }); "
)
NINE = (
    "export var o = m.encode_payload(9, @constants([9]m.opcode, m.opcode.NOP), "
    "@constants([9]bool, true), true, {}); "
)


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (
            IMPORT % ("math", "") + CONST_SQRT,
            "'sqrt_f32' can only be computed at run time",
        ),
        (
            IMPORT % ("dsd_ops", "") + VECTOR + RUN % "m.mul(i16, N, N, N, .{});",
            "comptime_assert failed: mul: no builtin works on these element types",
        ),
        (
            IMPORT % ("simprint", "") + RUN % 'm.fmt("{q}", .{ 1 });',
            'the format string "{q}" has the unknown specifier {q}',
        ),
        (
            IMPORT % ("simprint", "") + RUN % 'm.fmt("{d} {d}", .{ @as(u16, 1) });',
            'the format string "{d} {d}" takes 2 arguments, but 1 are given',
        ),
        (
            IMPORT % ("control", "") + NINE + RUN % "o += 1;",
            "comptime_assert failed: "
            "encode_payload: a payload holds at most 8 commands",
        ),
        (
            IMPORT % ("debug", DEBUG) + "var n: i12 = 1; " + RUN % "m.trace(n);",
            "comptime_assert failed: trace: no trace function takes this type",
        ),
        (
            IMPORT % ("debug", DEBUG) + RUN % f'm.trace_string("{"x" * 255}");',
            "comptime_assert failed: trace_string: at most 254 bytes",
        ),
        (
            IMPORT % ("tile_config/switch_config", "")
            + RUN % "m.set_rxtx_switch_pos1(@get_color(3), WEST, EAST);",
            "comptime_assert failed: "
            "set_rxtx_switch_pos: a position of WSE-2 changes one side only",
        ),
        (
            IMPORT % ("tile_config", "") + RUN % "m.flush_queue.exit(1);",
            "module '<tile_config>' has no member 'flush_queue'",
        ),
        (
            IMPORT % ("memcpy/get_params", GET_PARAMS)
            + "const p = m.get_params(2); export var o: u16 = 0; "
            + RUN % "o = p.width;",
            "comptime_assert failed: "
            "get_params: the column is outside the program rectangle",
        ),
    ],
)
def test_a_misuse_is_refused(run_csl: Any, program: str, message: str) -> None:
    with pytest.raises(CslError) as caught:
        run_csl(program, "wse2")
    assert caught.value.message == message
    assert caught.value.span is not None


def test_a_string_can_be_traced_by_the_generic_function(run_csl: Any) -> None:
    program = run_csl(IMPORT % ("debug", DEBUG) + RUN % 'm.trace("text");')
    assert program.words("$$csl_debug.k.buffer", "S6").tolist() == [b"s\x04text"]
