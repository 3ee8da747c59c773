"""Strict mode: what it refuses, word for word, and that it changes nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
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
fn main() void { run(); sys.unblock_cmd_stream(); }
comptime { @export_symbol(main); }
"""
LOOP = """
const c = @get_color(4);
const out_queue = @get_output_queue(3);
const in_queue = @get_input_queue(4);
const out = @get_dsd(fabout_dsd, .{ .fabric_color = c, .extent = 8,
  .output_queue = out_queue });
const in = @get_dsd(fabin_dsd, .{ .fabric_color = c, .extent = 8,
  .input_queue = in_queue });
comptime {
  @set_local_color_config(c, .{ .routes = .{ .rx = .{ RAMP }, .tx = .{ RAMP } } });
  if (@is_arch("wse3")) {
    @initialize_queue(out_queue, .{ .color = c });
    @initialize_queue(in_queue, .{ .color = c });
  }
}
"""


class Strict:
    """Runs the function `run` of a PE program; `wafer` is the last one."""

    def __init__(self, folder: Path, arch: str) -> None:
        self.folder, self.arch = folder, arch
        self.wafer: Wafer

    def run(self, text: str, strict: bool = True) -> Wafer:
        (self.folder / "layout.csl").write_text(LAYOUT)
        (self.folder / "pe.csl").write_text(HEAD + text)
        options = Options(
            arch=self.arch, fabric_dims=(8, 3), fabric_offsets=(4, 1), memcpy=True
        )
        image = compile_program(self.folder / "layout.csl", options, FileReader())
        self.wafer = wafer = Wafer(image, MachineConfig(strict=strict))
        wafer.load()
        wafer.start()
        wafer.run_until(wafer.launch("main", []))
        return wafer

    def fault(self, text: str) -> str:
        """The words of the fault, the path of the file left out."""
        self.run(text, strict=False)  # the machine itself lets it pass
        with pytest.raises(MachineFault) as caught:
            self.run(text)
        return str(caught.value).replace(f"{self.folder}/", "")

    def words(self, name: str, dtype: Any, count: int) -> np.ndarray:
        address, _ = self.wafer.linker_symbol(0, 0, name)
        size = np.dtype(dtype).itemsize * count
        return np.frombuffer(self.wafer.read_memory(0, 0, address, size), dtype)


@pytest.fixture(params=["wse2", "wse3"])
def strict(request: pytest.FixtureRequest, tmp_path: Path) -> Strict:
    return Strict(tmp_path, request.param)


# --- undefined memory -------------------------------------------------------------


def test_a_global_without_a_value(strict: Strict) -> None:
    text = "var x: [4]f32;\nexport var y: f32 = 0.0;\nfn run() void { y = x[3]; }"
    assert strict.fault(text) == (
        "pe.csl:7:21: fault: PE(0,0): the program reads 'x[3]' before anything has "
        "been written to it\n"
        "    7 | fn run() void { y = x[3]; }\n"
        "      |                     ^^^^\n"
        "note: strict mode: memory is undefined until an initialiser, the host or the "
        "program writes it\n"
        "help: give it an initial value, or write it before this"
    )


def test_a_vector_operation_names_the_first_undefined_element(strict: Strict) -> None:
    text = """var x: [2, 3]f32;
export var y = @zeros([6]f32);
const all = @get_dsd(mem1d_dsd, .{ .base_address = &x, .extent = 6 });
const to = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{6} -> y[i] });
fn run() void { x[0, 0] = 1.0; x[0, 1] = 1.0; @fmovs(to, all); }"""
    fault = strict.fault(text)
    assert fault.startswith(
        "pe.csl:9:47: fault: PE(0,0): @fmovs reads 'x[0, 2]' before anything has "
        "been written to it\n"
    )


def test_an_operation_may_read_what_it_has_written_itself(strict: Strict) -> None:
    text = """var x: [5]u16;
const from = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{4} -> x[i] });
const to = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{4} -> x[i + 1] });
fn run() void { x[0] = 7; @mov16(to, from); }"""
    strict.run(text)
    assert strict.words("x", np.uint16, 5).tolist() == [7] * 5


def test_locals_without_a_value(strict: Strict) -> None:
    text = "export var y: u16 = 0;\nfn run() void { var x: u16; y = x + 1; }"
    assert "pe.csl:6:33: fault: PE(0,0): 'x' is read before it has a value\n" in (
        strict.fault(text)
    )


def test_a_local_array_is_undefined_again_at_each_call(strict: Strict) -> None:
    text = """export var y: u16 = 0;
fn part(fill: bool) void { var x: [2]u16; if (fill) { x[1] = 5; } y = x[1]; }
fn run() void { part(true); part(false); }"""
    assert "pe.csl:6:71: fault: PE(0,0): the program reads 'x[1]' before" in (
        strict.fault(text)
    )


def test_sending_undefined_elements(strict: Strict) -> None:
    text = """
var x: [8]u32;
var got = @zeros([8]u32);
const from = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{8} -> x[i] });
const to = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{8} -> got[i] });
fn run() void {
  for (@range(u16, 6)) |i| { x[i] = 1; }
  @mov32(out, from, .{ .async = true });
  @mov32(to, in);
}"""
    fault = strict.fault(LOOP + text)
    assert "@mov32 reads 'x[6]' before anything has been written to it" in fault
    assert "@mov32(out, from, .{ .async = true });\n" in fault


# --- bounds -----------------------------------------------------------------------


def test_a_pointer_leaves_its_variable(strict: Strict) -> None:
    text = """var x = @zeros([4]u16);
var after = @zeros([4]u16);
export var y: u16 = 0;
fn part(p: [*]u16, i: u16) void { y = p[i]; }
fn run() void { part(&x, 5); y = after[0]; }"""
    assert strict.fault(text) == (
        "pe.csl:8:39: fault: PE(0,0): the pointer 'p' was made from 'x', which has 4 "
        "elements, and reaches 4 bytes past its end, 'after[1]'\n"
        "    8 | fn part(p: [*]u16, i: u16) void { y = p[i]; }\n"
        "      |                                       ^^^^\n"
        "note: strict mode: a pointer or DSD may touch only the variable that it was "
        "made from\n"
        "help: check the index, or the offset, stride and extent of the DSD"
    )


def test_a_dsd_leaves_its_variable(strict: Strict) -> None:
    text = """var x = @zeros([4]f32);
var after = @zeros([4]f32);
const far = @get_dsd(mem1d_dsd, .{ .base_address = &x, .offset = 1, .extent = 4 });
fn run() void { @fmovs(far, 1.0); after[1] = 0.0; }"""
    assert (
        "pe.csl:8:17: fault: PE(0,0): a DSD of @fmovs was made from 'x', which has 4 "
        "elements, and reaches 4 bytes past its end, 'after[0]'\n"
    ) in strict.fault(text)


def test_a_dsd_that_was_moved_on_keeps_its_variable(strict: Strict) -> None:
    text = """var x = @zeros([4]f32);
var after = @zeros([4]f32);
var part = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{2} -> x[i] });
fn run() void {
  for (@range(u16, 3)) |i| {
    @fmovs(part, 1.0);
    part = @increment_dsd_offset(part, 2, f32);
  }
  after[0] = 0.0;
}"""
    fault = strict.fault(text)
    assert "and reaches 8 bytes past its end, 'after[1]'" in fault


def test_a_dsd_before_its_variable(strict: Strict) -> None:
    text = """var before = @zeros([4]f32);
var x = @zeros([4]f32);
const far = @get_dsd(mem1d_dsd, .{ .base_address = &x, .stride = -1, .extent = 2 });
fn run() void { before[0] = 0.0; @fmovs(far, 1.0); }"""
    fault = strict.fault(text)
    assert "which has 4 elements, and reaches 4 bytes before its start, " in fault


# --- races ------------------------------------------------------------------------

RACE = """
var x = @zeros([8]u32);
var got = @zeros([8]u32);
const from = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{8} -> x[i] });
const to = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{8} -> got[i] });
fn run() void {
  @mov32(out, from, .{ .async = true });
  %s
  @mov32(to, in);
}
"""


def test_writing_what_an_asynchronous_operation_still_sends(strict: Strict) -> None:
    fault = strict.fault(LOOP + RACE % "x[2] = 1;")
    assert "the program writes 'x[2]' while @mov32 may still be reading it\n" in fault
    assert fault.endswith(
        "note: strict mode: the memory of an asynchronous operation belongs to it "
        "until it ends\n"
        "pe.csl:26:3: note: @mov32 was started here\n"
        "   26 |   @mov32(out, from, .{ .async = true });\n"
        "      |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
        "help: go on in a task that the operation's .activate or .unblock starts"
    )


def test_reading_it_is_allowed(strict: Strict) -> None:
    strict.run(LOOP + RACE % "got[7] = x[2];")


def test_a_vector_operation_into_it(strict: Strict) -> None:
    fault = strict.fault(LOOP + RACE % "@mov32(from, 3);")
    assert "@mov32 writes 'x[0]' while @mov32 may still be reading it" in fault


def test_reading_what_an_asynchronous_operation_receives(strict: Strict) -> None:
    text = """
export var y: u32 = 0;
var x = @zeros([8]u32);
var got = @zeros([8]u32);
const from = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{8} -> x[i] });
const to = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{8} -> got[i] });
fn run() void { @mov32(to, in, .{ .async = true }); @mov32(out, from); y = got[7]; }
"""
    fault = strict.fault(LOOP + text)
    assert "the program reads 'got[7]' while @mov32 may still be writing it" in fault


def test_after_its_end_the_memory_is_free(strict: Strict) -> None:
    text = """
export var y: u32 = 0;
var x = @constants([8]u32, 9);
var got: [8]u32;
const from = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{8} -> x[i] });
const to = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{8} -> got[i] });
task done() void { y = got[7]; got[7] = 1; }
const done_id = @get_local_task_id(9);
comptime { @bind_local_task(done, done_id); }
fn run() void { @mov32(to, in, .{ .async = true, .activate = done_id });
  @mov32(out, from, .{ .async = true }); }
"""
    strict.run(LOOP + text).run_until_quiet()
    assert strict.words("y", np.uint32, 1).tolist() == [9]


# --- nothing else changes ---------------------------------------------------------

MIXED = """
const Pair = struct { a: u16, b: f32 };
var pairs: [3]Pair;
var sums = @zeros([6]f32);
export var total: f32 = 0.0;
export var steps: u32 = 0;
fn scale(p: *f32, by: f32) void { p.* = p.* * by; }
fn run() void {
  var best: u16;
  var local: [4]u16;
  for (@range(u16, 4)) |i| { local[i] = i * 3; }
  best = 0;
  for (local) |v, i| { if (v > best and i < 3) { best = v; } }
  for (@range(u16, 6)) |i| { sums[i] = @as(f32, i + best); }
  var one: Pair;
  one.a = 4;
  one.b = 2.5;
  pairs[best - 5] = one;
  const copy = pairs[best - 5];
  scale(&sums[2], copy.b);
  var n: u16 = 0;
  while (n < copy.a) : (n += 1) { steps += @as(u32, local[n]); }
  total = sums[2] + sums[5];
}
"""


def test_values_and_cycles_are_the_same(strict: Strict) -> None:
    seen = []
    for mode in (False, True):
        wafer = strict.run(MIXED, strict=mode)
        values = (
            strict.words("total", np.float32, 1),
            strict.words("steps", np.uint32, 1),
        )
        seen.append((wafer.now, [v.tolist() for v in values]))
    assert seen[0] == seen[1]
    assert seen[0][1] == [[31.0], [18]]
