"""cslc from command line to program folder."""

import json
import subprocess
import sys

import pytest

from pyflame.wse.sdk import cslc

LAYOUT = """\
param n: u16;
param c: color;
const memcpy = @import_module("<memcpy/get_params>", .{ .width = 2, .height = 1 });
layout {
  @set_rectangle(2, 1);
  for (@range(u16, 2)) |x| {
    @set_tile_code(x, 0, "pe.csl", .{ .memcpy_params = memcpy.get_params(x), .n = n });
  }
  @set_color_config(0, 0, c, .{ .routes = .{ .rx = .{RAMP}, .tx = .{EAST} } });
  @set_color_config(1, 0, c, .{ .routes = .{ .rx = .{WEST}, .tx = .{RAMP} } });
  @export_name("y", [*]f32, true);
  @export_name("scale", fn(f32) void);
}
"""
PE = """\
param memcpy_params;
param n: u16;
const sys = @import_module("<memcpy/memcpy>", memcpy_params);
var y = @zeros([n]f32);
var y_ptr: [*]f32 = &y;
fn scale(factor: f32) void {
  for (@range(u16, n)) |i| { y[i] *= factor; }
  sys.unblock_cmd_stream();
}
comptime {
  @export_symbol(y_ptr, "y");
  @export_symbol(scale);
}
"""
FLAGS = (
    "layout.csl --fabric-dims=9,3 --fabric-offsets=4,1 --memcpy --channels=1 "
    "--params=n:3 --colors=c:5"
).split()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "layout.csl").write_text(LAYOUT)
    (tmp_path / "pe.csl").write_text(PE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_program_folder_is_written(folder, capsys):
    assert cslc.main([*FLAGS, "-o", "x/y"]) == 0
    assert capsys.readouterr() == ("", "")
    out = folder / "x" / "y"
    files = sorted(str(p.relative_to(out)) for p in out.rglob("*.*"))
    assert files == [
        "bin/out_0_0.elf",
        "bin/out_rpc.json",
        "bin/program.json",
        "out.json",
    ]
    table = json.loads((out / "out.json").read_text())
    assert table == {"params": {"n": 3}, "colors": {"c": 5}}
    symbols = json.loads((out / "bin" / "out_rpc.json").read_text())["rpc_symbols"]
    assert [s["sym_name"] for s in symbols] == ["y_ptr", "scale"]
    assert symbols[1]["inputs"] == [{"name": "factor", "type": "f32"}]


def test_reports(folder, capsys):
    assert cslc.main([*FLAGS, "--out-routes", "--verbose", "--output-json=p.json"]) == 0
    out = capsys.readouterr().out
    assert "PE(0,0) color 5: RAMP -> EAST\nPE(1,0) color 5: WEST -> RAMP\n" in out
    assert "layout.csl: 2x1 PEs, 1 PE programs from " in out
    assert json.loads((folder / "p.json").read_text())["params"] == {"n": 3}


def test_errors_of_the_program(folder, capsys):
    (folder / "layout.csl").write_text("layout { @set_rectangle(1, 1) }")
    assert cslc.main(FLAGS) == 1
    assert capsys.readouterr().err == (
        "layout.csl:1:30: error: expected ';' after an expression, found '}'\n"
        "    1 | layout { @set_rectangle(1, 1) }\n"
        "      |                              ^\n"
    )
    assert not (folder / "out").exists()


def test_errors_of_the_command_line(folder, capsys):
    assert cslc.main(["layout.csl", "--params=n"]) == 1
    assert capsys.readouterr().err == "error: --params: 'n' is not NAME:VALUE\n"


def test_errors_of_geometry(folder, capsys):
    flags = [f.replace("9,3", "8,3") for f in FLAGS]
    assert cslc.main(flags) == 1
    assert capsys.readouterr().err == (
        "error: the fabric is 8 wide, but 4 columns in front of the program, 2 of it "
        "and 3 behind it make 9; the smallest fabric for 2x1 PEs is "
        "--fabric-dims=9,3 --fabric-offsets=4,1\n"
    )


def test_unwritable_json(folder, capsys):
    assert cslc.main([*FLAGS, "--output-json=none/p.json"]) == 1
    assert capsys.readouterr().err == (
        "error: cannot write 'none/p.json': no such file or directory\n"
    )


def test_warnings(folder, capsys):
    assert cslc.main([*FLAGS, "--fast"]) == 0
    assert capsys.readouterr().err == "warning: unknown option '--fast' is ignored\n"
    assert cslc.main([*FLAGS, "--fast", "--warnings-as-errors"]) == 1
    assert capsys.readouterr().err == (
        "warning: unknown option '--fast' is ignored\n"
        "error: warnings are errors (--warnings-as-errors)\n"
    )


def test_the_tools_do_not_load_heavy_packages():
    code = (
        "import sys, pyflame.wse.sdk.cslc, pyflame.wse.sdk.runtime\n"
        "print([m for m in ('jax', 'scipy', 'jinja2') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
