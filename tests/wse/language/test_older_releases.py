"""What programs written for releases before 1.4 rely on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pyflame.wse.errors import CslError
from pyflame.wse.language.compile import compile_program
from pyflame.wse.language.image import Options
from pyflame.wse.language.reader import FileReader, SavedReader

RunCsl = Callable[..., Any]


def test_color_32_stands_for_none_until_it_is_used(run_csl: RunCsl) -> None:
    head = "param none: color = @get_color(32); export var n: u16 = 0;"
    program = run_csl(head + "fn run() void { n = @get_int(none); }", "wse2")
    assert program.words("n", np.uint16).tolist() == [32]
    use = "comptime { @set_local_color_config(none, .{ .routes = .{} }); }"
    with pytest.raises(CslError) as caught:
        run_csl(head + "fn run() void {}" + use, "wse2")
    assert caught.value.message == "color 32 is not routable (0 to 23)"


def test_a_param_bound_to_void_takes_its_default(tmp_path: Path) -> None:
    (tmp_path / "layout.csl").write_text(
        'layout { @set_rectangle(1, 1); @set_tile_code(0, 0, "pe.csl", .{ .c = {} }); }'
    )
    (tmp_path / "pe.csl").write_text(
        "param c: color = @get_color(7); export var n: u16 = @get_int(c);"
    )
    image = compile_program(tmp_path / "layout.csl", Options(), FileReader())
    assert image.programs[0].globals[0].value == 7


def test_imports_are_found_beside_the_top_file(tmp_path: Path) -> None:
    files = {
        "app/layout.csl": "layout { @set_rectangle(1, 1);"
        ' @set_tile_code(0, 0, "../lib/pe.csl"); }',
        "lib/pe.csl": 'const m = @import_module("../lib/deep/part.csl");'
        " export var x: u16 = m.value;",
        "lib/deep/part.csl": 'const n = @import_module("../lib/other.csl");'
        " const value = n.value;",
        "lib/other.csl": "const value: u16 = 5;",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    image = compile_program(tmp_path / "app" / "layout.csl", Options(), FileReader())
    assert image.programs[0].globals[0].value == 5
    again = compile_program(
        str(tmp_path / "app" / "layout.csl"), Options(), SavedReader(image.sources)
    )
    assert again.programs[0].globals[0].value == 5


LOOP = """
const c = @get_color(3);
export var got = @zeros([4]u32);
export var word: u16 = 0;
var sent = [4]u32 { 1, 2, 3, 4 };
const from = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{4} -> sent[i] });
const into = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{4} -> got[i] });
const out = @get_dsd(fabout_dsd, .{ .extent = 4, .fabric_color = c });
const in = @get_dsd(fabin_dsd,
  .{ .extent = 4, .fabric_color = c, .input_queue = @get_input_queue(2) });
comptime {
  @set_local_color_config(c, .{ .routes = .{ .rx = .{ RAMP }, .tx = .{ RAMP } } });
}
"""


def test_wse2_chooses_an_output_queue_by_itself(run_csl: RunCsl) -> None:
    program = run_csl(
        LOOP
        + "fn run() void { @mov32(out, from, .{ .async = true }); @mov32(into, in); }",
        "wse2",
    )
    assert program.words("got", np.uint32, 4).tolist() == [1, 2, 3, 4]


def test_the_register_of_an_input_queue_sets_a_priority(run_csl: RunCsl) -> None:
    program = run_csl(
        LOOP
        + """
        const register: u16 = 0x7f5a * 2;
        fn run() void {
          @mov32(into, in, .{ .async = true });
          @bitcast(*u16, register).* |= 0x100;
          word = @bitcast(*u16, register).*;
        }
        """,
        "wse2",
    )
    assert program.words("word", np.uint16).tolist() == [0x100]
    assert program.wafer.pe(0, 0).microthreads[2].rank == 2


def test_a_control_wavelet_starts_the_data_task_of_the_id_that_it_names(
    run_csl: RunCsl,
) -> None:
    program = run_csl(
        LOOP
        + """
        const ctrl = @get_dsd(fabout_dsd,
          .{ .extent = 1, .fabric_color = c, .control = true });
        task take(data: u16) void { word = data; }
        fn run() void { @mov32(ctrl, (3 << 16) | 0xaa); }
        comptime { @bind_data_task(take, @get_data_task_id(c)); }
        """,
        "wse2",
    )
    program.wafer.run_until_quiet()
    assert program.words("word", np.uint16).tolist() == [0xAA]
