"""What releases after 1.4 add: stride registers, rotating tasks, actions of FIFOs."""

from __future__ import annotations

from typing import Any

import pytest

from pyflame.wse.errors import CslError, MachineFault

WSE3 = pytest.mark.parametrize("programs", ["wse3"], indirect=True)

MATRIX = """
var m = [3, 4]i16 { 0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23 };
var out = @zeros([24]i16);
const rows = @get_dsd(mem4d_dsd, .{ .tensor_access = |i,j|{3,4} -> m[i,j] });
const columns = @get_dsd(mem4d_dsd, .{ .tensor_access = |j,i|{4,3} -> m[i,j] });
const twice = @get_dsd(mem4d_dsd, .{ .tensor_access = |k,j,i|{2,4,3} -> m[i,j] });
const to12 = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{12} -> out[i] });
const to24 = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{24} -> out[i] });
const dsr = @get_dsr(dsr_src1, 2);
const other = @get_dsr(dsr_src1, 3);
const x = @get_xdsr(1);
const x2 = @get_xdsr(2);
const s0 = @get_sr(0);
const s1 = @get_sr(1);
const s2 = @get_sr(2);
"""
BY_COLUMN = [0, 10, 20, 1, 11, 21, 2, 12, 22, 3, 13, 23]


def moved(programs: Any, body: str, n: int, text: str = "") -> list[int]:
    code = f"{MATRIX}{text} fn run() void {{ {body} }}"
    programs.one_pe(code, {"out": "i16"})
    programs.run()
    return programs.read("out", "<i2", n).tolist()


@pytest.mark.parametrize(
    ("load", "move", "expected"),
    [
        # an inner stride of 1 makes the second dimension free
        ("(dsr, x, .{}, rows)", "to12", [*range(4), *range(10, 14), *range(20, 24)]),
        ("(dsr, x, .{s0}, columns)", "to12", BY_COLUMN),
        ("(dsr, x, .{s0, s1}, twice)", "to24", BY_COLUMN * 2),
    ],
)
@pytest.mark.parametrize("comptime", [True, False])
def test_stride_registers(
    programs: Any, load: str, move: str, expected: list[int], comptime: bool
) -> None:
    """As many as the DSD has strides beyond the first, loaded early or late."""
    call = f"@load_to_dsr_xdsr_sr{load};"
    early = f"comptime {{ {call} }}" if comptime else ""
    late = "" if comptime else call
    body = f"{late} @mov16({move}, dsr);"
    assert moved(programs, body, len(expected), early) == expected


def test_an_unknown_dsd_takes_three_stride_registers(programs: Any) -> None:
    text = "var either: mem4d_dsd = rows; var which: i16 = 1;"
    body = """
      if (which == 1) { either = columns; }
      @load_to_dsr_xdsr_sr(dsr, x, .{ s0, s1, s2 }, either);
      @mov16(to12, dsr);
    """
    assert moved(programs, body, 12, text) == BY_COLUMN


def test_saved_addresses_go_on_behind_the_matrix(programs: Any) -> None:
    text = """
    const two = @get_dsd(mem4d_dsd, .{ .tensor_access = |i,j|{1,4} -> m[i,j] });
    const to4 = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{4} -> out[i] });
    """
    body = """
      @load_to_dsr_xdsr_sr(dsr, x, .{}, two, .{ .save_address = true });
      @mov16(to4, dsr);
      @mov16(@increment_dsd_offset(to4, 4, i16), dsr);
    """
    assert moved(programs, body, 8, text) == [0, 1, 2, 3, 10, 11, 12, 13]


@pytest.mark.parametrize(
    ("second", "lost"), [("x, .{s1}", "xdsr 1"), ("x2, .{s0}", "sr 0")]
)
def test_registers_that_another_load_has_overwritten(
    programs: Any, second: str, lost: str
) -> None:
    """The hardware would walk with the other one's strides."""
    body = f"""
      @load_to_dsr_xdsr_sr(dsr, x, .{{ s0 }}, columns);
      @load_to_dsr_xdsr_sr(other, {second}, columns);
      @mov16(to12, dsr);
    """
    with pytest.raises(MachineFault) as caught:
        moved(programs, body, 12)
    assert caught.value.message.endswith(
        f": dsr_src1 2 is used after another load has overwritten its {lost}"
    )


def test_what_a_register_holds_changes(programs: Any) -> None:
    """A new base, with the offset dropped, and a new length."""
    text = """
    const four = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{4} -> m[1, i] });
    """
    body = """
      @load_to_dsr(dsr, four);
      @set_dsr_base_addr(dsr, &m);
      @mov16(to12, dsr);
      @set_dsr_length(dsr, 2);
      @mov16(@increment_dsd_offset(to12, 4, i16), dsr);
      @load_to_dsr_xdsr_sr(dsr, x, .{ s0 }, columns);
      @set_dsr_base_addr(dsr, &out);
      @mov16(@increment_dsd_offset(to12, 12, i16), dsr);
    """
    got = moved(programs, body, 24, text)
    assert got[:6] == [0, 1, 2, 3, 0, 1]
    assert got[12:] == [0, 0, 0, 1, 1, 0, 2, 0, 0, 3, 0, 0]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "@load_to_dsr_xdsr_sr(dsr, x, .{ s0 }, columns); @set_dsr_length(dsr, 3);",
            "@set_dsr_length of dsr_src1 2, which holds a vector of several "
            "dimensions; its shape cannot change",
        ),
        (
            "@load_to_dsr(dsr, sent); @set_dsr_base_addr(dsr, &m);",
            "@set_dsr_base_addr of dsr_src1 2, which holds no vector in memory",
        ),
    ],
)
def test_changes_that_make_no_sense(programs: Any, body: str, message: str) -> None:
    text = """
    const q = @get_input_queue(2);
    const c = @get_color(5);
    const sent = @get_dsd(fabin_dsd, .{
      .extent = 1, .fabric_color = c, .input_queue = q });
    comptime { @initialize_queue(q, .{ .color = c }); }
    """
    with pytest.raises(MachineFault) as caught:
        moved(programs, body, 1, text)
    assert caught.value.message.endswith(f": {message}")


def test_registers_and_types_are_compared(programs: Any) -> None:
    text = """
    const again = @get_dsr(dsr_src1, 2);
    fn flag(b: bool) i16 { return @as(i16, b); }
    """
    body = """
      out[0] = flag(dsr == again);
      out[1] = flag(dsr == other);
      out[2] = flag(s0 != s1);
      out[3] = flag(x != x2);
      out[4] = flag(i16 == @type_of(out[0]));
      out[5] = flag([3]f32 != [4]f32);
      out[6] = @as(i16, @get_int(other) + @get_int(x) + @get_int(s2));
    """
    assert moved(programs, body, 7, text) == [1, 0, 1, 1, 1, 1, 6]


def refusals(cases: dict[str, str]) -> Any:
    return pytest.mark.parametrize(("text", "message"), list(cases.items()))


@refusals(
    {
        "@load_to_dsr_xdsr_sr(dsr, x, .{}, columns);": "this mem4d_dsd needs 1 stride "
        "register, got 0",
        "@load_to_dsr_xdsr_sr(dsr, x, .{ s0 }, rows);": "this mem4d_dsd needs no "
        "stride registers, got 1",
        "@load_to_dsr_xdsr_sr(dsr, x, .{ s0 }, to12);": "'@load_to_dsr_xdsr_sr' takes "
        "a mem4d_dsd, got: 'mem1d_dsd'",
        "@load_to_dsr_xdsr_sr(dsr, x, .{ x }, columns);": "'@load_to_dsr_xdsr_sr' "
        "takes an SR, got: 'xdsr'",
        "@load_to_dsr_xdsr_sr(dsr, x, s0, columns);": "'@load_to_dsr_xdsr_sr' takes a "
        "tuple of stride registers, got: 'sr'",
        "@load_to_dsr_xdsr_sr(s0, x, .{ s1 }, columns);": "'@load_to_dsr_xdsr_sr' "
        "takes a DSR, got: 'sr'",
        "@load_to_dsr_xdsr_sr(dsr, x, .{ s0 }, columns, .{ .async = true });": (
            "'@load_to_dsr_xdsr_sr' has no setting 'async'"
        ),
        "@load_to_dsr(s0, to12);": "'@load_to_dsr' takes a DSR, got: 'sr'",
        "@set_dsr_length(x, 3);": "'@set_dsr_length' takes a DSR, got: 'xdsr'",
        "@set_dsr_base_addr(dsr, 3);": "'@set_dsr_base_addr' takes an array or a "
        "pointer",
        "const a = comptime @get_sr(16);": "sr id 16 is out of range (0 to 15)",
    }
)
def test_refusals_of_registers(programs: Any, text: str, message: str) -> None:
    with pytest.raises(CslError) as caught:
        moved(programs, text, 1)
    assert caught.value.message == message
    assert caught.value.span is not None


# --- FIFOs ------------------------------------------------------------------------

FIFO = """
var buffer = @zeros([4]i16);
var a = [6]i16 { 1, 2, 3, 4, 5, 6 };
var out = @zeros([8]i16);
const fifo = @allocate_fifo(buffer, .{ %s });
const a6 = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{6} -> a[i] });
const a2 = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{2} -> a[i] });
const out5 = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{5} -> out[i] });
"""
TRY = "if (%s) { out[7] = 1; } else { out[7] = 2; }"
POP = FIFO + f"fn run() void {{ @mov16(fifo, a2); {TRY % '@mov16(out5, fifo)'} }}"
PUSH = FIFO + f"fn run() void {{ {TRY % '@mov16(fifo, a6)'} }}"


def ended(programs: Any, text: str) -> list[int]:
    programs.one_pe(text, {"out": "i16"})
    programs.run()
    return programs.read("out", "<i2", 8).tolist()


def test_an_empty_fifo_may_end_an_operation_as_if_it_were_done(programs: Any) -> None:
    default = ended(programs, POP % ".empty_action = .{ .test_or_suspend = true }")
    assert default == ended(programs, POP % "") == [1, 2, 0, 0, 0, 0, 0, 2]
    got = ended(programs, POP % ".empty_action = .{ .terminate = true }")
    assert got == [1, 2, 0, 0, 0, 0, 0, 1]


def test_a_full_fifo_may_end_an_operation_as_if_it_were_done(programs: Any) -> None:
    text = PUSH % ".full_action = .{ .terminate = true }"
    if programs.arch == "wse3":
        assert ended(programs, text)[7] == 1
        return
    with pytest.raises(CslError) as caught:
        ended(programs, text)
    assert caught.value.message == "'full_action' exists on wse3 only"


@pytest.mark.parametrize(("text", "state"), [(POP, "empty"), (PUSH, "full")])
def test_an_empty_or_full_fifo_may_be_a_fault(
    programs: Any, text: str, state: str
) -> None:
    if programs.arch == "wse2":
        with pytest.raises(CslError) as refused:
            ended(programs, POP % ".empty_action = .{ .fault = true }")
        assert refused.value.message == "'empty_action' has no choice 'fault'"
        return
    with pytest.raises(MachineFault) as caught:
        ended(programs, text % f".{state}_action = .{{ .fault = true }}")
    assert caught.value.message == f"PE(0,0): @mov16: its FIFO is {state}"
    assert caught.value.span is not None


@WSE3
def test_an_operation_of_the_main_thread_may_wait_for_a_fifo(programs: Any) -> None:
    """A stream that loops back through the router fills the FIFO meanwhile."""
    text = FIFO % ".empty_action = .{ .suspend = true }"
    got = ended(
        programs,
        f"""{text}
        const iq = @get_input_queue(2);
        const oq = @get_output_queue(3);
        const c = @get_color(5);
        const sent = @get_dsd(fabout_dsd, .{{
          .extent = 5, .fabric_color = c, .output_queue = oq }});
        const come = @get_dsd(fabin_dsd, .{{
          .extent = 5, .fabric_color = c, .input_queue = iq }});
        const a5 = @get_dsd(mem1d_dsd, .{{ .tensor_access = |i|{{5}} -> a[i] }});
        comptime {{
          @set_local_color_config(c, .{{ .routes = .{{
            .rx = .{{RAMP}}, .tx = .{{RAMP}} }} }});
          @initialize_queue(iq, .{{ .color = c }});
          @initialize_queue(oq, .{{ .color = c }});
        }}
        fn run() void {{
          @mov16(fifo, come, .{{ .async = true, .ut_id = @get_ut_id(2) }});
          @mov16(sent, a5, .{{ .async = true, .ut_id = @get_ut_id(3) }});
          {TRY % "@mov16(out5, fifo)"}
        }}""",
    )
    assert got == [1, 2, 3, 4, 5, 0, 0, 1]


# --- rotating tasks ---------------------------------------------------------------

ROTATION = """
var out = @zeros([12]u16);
var count: u16 = 0;
var a = [9]u32 { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
const iq = @get_input_queue(2);
const oq = @get_output_queue(3);
const c = @get_color(5);
const sent = @get_dsd(fabout_dsd, .{
  .extent = 9, .fabric_color = c, .output_queue = oq });
const a9 = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{9} -> a[i] });
task each(word: u32) void { out[count] = @as(u16, word); count += 1; }
task other() void { out[count] = 100; count += 1; }
const main_id = @get_data_task_id(iq);
comptime {
  @set_local_color_config(c, .{ .routes = .{ .rx = .{RAMP}, .tx = .{RAMP} } });
  @initialize_queue(iq, .{ .color = c%s });
  @initialize_queue(oq, .{ .color = c });
  @bind_rotating_tasks(%s);
  %s
}
fn run() void { @mov32(sent, a9, .{ .async = true }); }
"""
TABLE = "@set_control_task_table();"
PAIR = "each, other, main_id, "


def rotated(programs: Any, queue: str, binding: str, table: str) -> list[int]:
    programs.one_pe(ROTATION % (queue, binding, table), {"out": "u16"})
    programs.run()
    programs.wafer.run_until_quiet()
    return programs.read("out", "<u2", 9).tolist()


@WSE3
@pytest.mark.parametrize(
    ("counts", "queue", "expected"),
    [
        (".{ .limit = 2 }", "", [1, 2, 100, 4, 5, 100, 7, 8, 100]),
        (".{ .limit = 3, .init = 2 }", "", [1, 100, 3, 4, 5, 100, 7, 8, 9]),
        (".{ .limit = 0 }", ", .ctrl_table_id = 2", [100] * 9),
    ],
)
def test_tasks_rotate(
    programs: Any, counts: str, queue: str, expected: list[int]
) -> None:
    """After `limit` wavelets the next one starts the other task instead."""
    assert rotated(programs, queue, PAIR + counts, TABLE) == expected


@refusals(
    {
        PAIR + ".{ .limit = 2 }); @bind_rotating_tasks(each, other, @get_data_task_id("
        "@get_input_queue(4)), .{ .limit = 2 }": "task ID '0' bound to more than one "
        "task",
        PAIR + ".{ .init = 2 }": "a rotation needs the setting 'limit'",
        PAIR + ".{ .limit = 2, .init = 3 }": "'init' 3 is out of range (0 to 2)",
        PAIR + ".{ .limit = 2, .count = 3 }": "a rotation has no setting 'count'",
        "other, other, main_id, .{ .limit = 2 }": "data task 'other' must take one or "
        "two parameters",
        "each, other, @get_control_task_id(3), .{ .limit = 2 }": "expected type "
        "'data_task_id', got: 'control_task_id'",
    }
)
@WSE3
def test_refusals_of_rotations(programs: Any, text: str, message: str) -> None:
    with pytest.raises(CslError) as caught:
        rotated(programs, "", text, TABLE)
    assert caught.value.message == message
    assert caught.value.span is not None


@WSE3
def test_the_other_task_needs_a_table_that_has_its_part(programs: Any) -> None:
    with pytest.raises(CslError) as caught:
        rotated(programs, ", .ctrl_table_id = 1", PAIR + ".{ .limit = 2 }", "")
    assert caught.value.message == (
        "input queue 2 has .ctrl_table_id 1, but the program has one table for all "
        "tasks"
    )


@pytest.mark.parametrize("programs", ["wse2"], indirect=True)
def test_rotation_is_of_wse3(programs: Any) -> None:
    text = """
    task each(word: u32) void {}
    task other() void {}
    comptime {
      @bind_rotating_tasks(each, other, @get_data_task_id(@get_color(5)),
        .{ .limit = 2 });
    }
    var out = @zeros([1]u16);
    fn run() void {}
    """
    with pytest.raises(CslError) as caught:
        programs.one_pe(text, {"out": "u16"})
    assert caught.value.message == (
        "'@bind_rotating_tasks' exists on wse3 only (compiling for wse2)"
    )
