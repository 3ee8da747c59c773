"""Faults of a running program name the line that caused them, and who called it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyflame.wse.errors import MachineFault
from pyflame.wse.language.compile import compile_program
from pyflame.wse.language.image import Options
from pyflame.wse.language.reader import FileReader
from pyflame.wse.machine.engine import MachineConfig, Wafer

LAYOUT = """
const memcpy = @import_module("<memcpy/get_params>", .{ .width = 1, .height = 1 });
layout {
  @set_rectangle(1, 1);
  @set_tile_code(0, 0, "pe.csl", .{ .memcpy_params = memcpy.get_params(0) });
  @export_name("main", fn() void);
}
"""
HEAD = """param memcpy_params;
const sys = @import_module("<memcpy/memcpy>", memcpy_params);
const c = @get_color(4);
const oq = @get_output_queue(3);
const iq = @get_input_queue(4);
var x = @zeros([8]u32);
const eight = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{8} -> x[i] });
const four = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{4} -> x[i] });
const out = @get_dsd(fabout_dsd,
  .{ .fabric_color = c, .extent = 8, .output_queue = oq });
const in = @get_dsd(fabin_dsd, .{ .fabric_color = c, .extent = 8, .input_queue = iq });
comptime {
  @export_symbol(main);
  @set_local_color_config(c, .{ .routes = .{ .rx = .{ RAMP }, .tx = .{ RAMP } } });
  if (@is_arch("wse3")) {
    @initialize_queue(oq, .{ .color = c });
    @initialize_queue(iq, .{ .color = c });
  }
}
"""


@pytest.fixture(params=["wse2", "wse3"])
def fault(request: pytest.FixtureRequest, tmp_path: Path):
    """`fault(text)`: the words of the fault of a program, its folder left out."""

    def run(text: str) -> str:
        (tmp_path / "layout.csl").write_text(LAYOUT)
        (tmp_path / "pe.csl").write_text(HEAD + text)
        options = Options(
            arch=request.param, fabric_dims=(8, 3), fabric_offsets=(4, 1), memcpy=True
        )
        image = compile_program(tmp_path / "layout.csl", options, FileReader())
        wafer = Wafer(image, MachineConfig(strict=False))  # the machine's own faults
        wafer.load()
        wafer.start()
        with pytest.raises(MachineFault) as caught:
            wafer.run_until(wafer.launch("main", []))
        return str(caught.value).replace(f"{tmp_path}/", "")

    return run


def test_an_operation_on_memory_in_a_function(fault) -> None:
    text = """fn part() void {
  @mov32(four, eight);
}
fn main() void { part(); sys.unblock_cmd_stream(); }
"""
    words = fault(text)
    assert words.startswith("pe.csl:21:3: fault: PE(0,0) at cycle ")
    assert (
        " in main: @mov32 runs over 8 elements, but a memory operand has 4; " in words
    )
    assert words.endswith(
        "   21 |   @mov32(four, eight);\n      |   ^^^^^^^^^^^^^^^^^^^"
    )


def test_an_operation_that_waits_in_a_function(fault) -> None:
    """Its function stands still in the middle; the place is found all the same."""
    text = """fn part() void {
  @mov32(out, eight, .{ .async = true });
  @mov32(four, in);
}
fn main() void { part(); sys.unblock_cmd_stream(); }
"""
    words = fault(text)
    assert words.startswith("pe.csl:22:3: fault: PE(0,0) at cycle ")
    assert words.endswith("   22 |   @mov32(four, in);\n      |   ^^^^^^^^^^^^^^^^")


def test_two_operations_on_one_queue_name_both_places(fault) -> None:
    text = """fn main() void {
  @mov32(out, eight, .{ .async = true });
  @mov32(out, eight);
  sys.unblock_cmd_stream();
}
"""
    words = fault(text)
    assert words.startswith("pe.csl:22:3: fault: PE(0,0) at cycle ")
    assert (
        ": @mov32 is issued while another operation still uses output queue 3; start "
        "it when that one has ended\n"
        "   22 |   @mov32(out, eight);\n"
        "      |   ^^^^^^^^^^^^^^^^^^\n"
        "pe.csl:21:3: note: that one, @mov32, was issued here\n"
        "   21 |   @mov32(out, eight, .{ .async = true });\n"
    ) in words


def test_a_fault_inside_a_library_notes_the_call(fault) -> None:
    text = """const exceptions = @import_module("<tile_config/exceptions>");
fn main() void {
  exceptions.set_exception_mask(0);
  sys.unblock_cmd_stream();
}
"""
    words = fault(text)
    place, _, rest = words.partition(": fault: ")
    assert place.startswith("<tile_config/exceptions>:")
    assert rest.endswith(
        "pe.csl:22:3: note: called from here\n"
        "   22 |   exceptions.set_exception_mask(0);\n"
        "      |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^"
    )


def test_a_fault_of_generated_code_keeps_its_own_place(fault) -> None:
    text = """var at: i16 = 9;
fn main() void { x[@as(u16, at)] = 1; sys.unblock_cmd_stream(); }
"""
    words = fault(text)
    assert words == (
        "pe.csl:21:18: fault: PE(0,0): index 9 is outside 'x', which has 8 elements\n"
        "   21 | fn main() void { x[@as(u16, at)] = 1; sys.unblock_cmd_stream(); }\n"
        "      |                  ^^^^^^^^^^^^^^^"
    )


def test_a_vector_outside_of_memory_names_the_pe(fault) -> None:
    text = """fn main() void {
  const far = @increment_dsd_offset(eight, 20000, u16);
  @mov32(@increment_dsd_offset(far, 3000, u16), 1);
  sys.unblock_cmd_stream();
}
"""
    words = fault(text)
    assert words.startswith("pe.csl:22:3: fault: PE(0,0): bytes ")
    assert " are not in the 49,152 bytes of this PE's memory\n" in words


def test_an_endless_operation_that_runs_out_of_its_operand(fault) -> None:
    text = """const endless_out = @get_dsd(fabout_dsd,
  .{ .fabric_color = c, .extent = 8, .output_queue = oq });
const endless = @get_dsd(fabin_dsd,
  .{ .fabric_color = c, .extent = 0x7fff, .input_queue = iq });
fn main() void {
  @mov32(four, endless, .{ .async = true });
  @mov32(out, eight);
}
"""
    words = fault(text)
    assert words.startswith(
        "pe.csl:25:3: fault: PE(0,0): @mov32: an operation without end has used up the "
        "elements of a memory operand; a control wavelet should have ended it before\n"
    )
