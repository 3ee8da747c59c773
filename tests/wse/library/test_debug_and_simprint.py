"""What <debug> records and what <simprint> writes."""

import numpy as np


def test_records_have_the_documented_format(run_csl) -> None:
    program = run_csl(
        """
        const tracer = @import_module("<debug>", .{ .key = "k", .buffer_size = 40 });
        export var small: i8 = -2;
        export var word: i16 = -3;
        export var long: u32 = 0x12345678;
        export var real: f32 = 1.5;
        export var half: f16 = 1.5;
        fn run() void {
          tracer.trace_string("abc");
          tracer.trace_bool(true);
          tracer.trace_i8(small);
          tracer.trace_i16(word);
          tracer.trace_u32(long);
          tracer.trace(real);
          tracer.trace(half);
          tracer.trace_string("");
        }
        """
    )
    expected = b"".join(
        [
            b"s\x04abc\0",
            b"?\x01",
            b"b\xfe",
            b"h\0" + np.int16(-3).tobytes(),
            b"I\0" + np.uint32(0x12345678).tobytes(),
            b"f\0" + np.float32(1.5).tobytes(),
            b"e\0" + np.float16(1.5).tobytes(),
            b"s\0",
        ]
    )
    assert program.words("$$csl_debug.k.buffer_index", "<u2") == len(expected) // 2
    buffer = program.words("$$csl_debug.k.buffer", "<u2", len(expected) // 2)
    assert buffer.tobytes() == expected


def test_a_full_buffer_drops_whole_records(run_csl) -> None:
    program = run_csl(
        """
        const tracer = @import_module("<debug>", .{ .key = "k", .buffer_size = 5 });
        export var x: u32 = 1;
        fn run() void {
          tracer.trace_u32(x);
          tracer.trace_u32(x);
          tracer.trace_u16(7);
        }
        """
    )
    assert program.words("$$csl_debug.k.buffer_index", "<u2") == 3


def test_timestamps_need_no_enabled_counter(run_csl) -> None:
    program = run_csl(
        """
        const tracer = @import_module("<debug>", .{ .key = "k", .buffer_size = 40 });
        fn run() void {
          tracer.trace_timestamp();
          tracer.trace_timestamp();
        }
        """
    )
    tag, low, _, _, tag2, low2, _, _ = program.words("$$csl_debug.k.buffer", "<u2", 8)
    assert bytes([tag, tag2]) == b"tt"
    assert 0 < low < low2


def test_lines_carry_their_cycle(run_csl) -> None:
    program = run_csl(
        """
        const prt = @import_module("<simprint>");
        export var n: u16 = 171;
        export var long: u32 = 70000;
        export var x: f32 = 0.5;
        fn run() void {
          prt.fmt_with_coords("n = {d} {X} {b}, {{{d}}} {f}", .{ n, n, n, long, x });
          prt.print_string("left ");
          prt.fmt("over", .{});
          prt.print_string("dropped");
        }
        """
    )
    assert [line.partition(" ")[2] for line in program.lines] == [
        "PE(0,0): n = 171 00AB 0000000010101011, {70000} 0.5",
        "left over",
    ]
    cycles = [int(line[1:].partition(" ")[0]) for line in program.lines]
    assert 0 < cycles[0] <= cycles[1]


def test_disabled_printing_writes_nothing(run_csl) -> None:
    program = run_csl(
        """
        const prt = @import_module("<simprint>", .{ .enable = false });
        fn run() void { prt.fmt("nothing", .{}); }
        """
    )
    assert program.lines == []
