"""What environment variables and the flags of `pyflame exec` ask for."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from pyflame import cli
from pyflame.wse.errors import HostError, HostWarning
from pyflame.wse.sdk.machine_settings import machine_config

LAYOUT = """
const memcpy = @import_module("<memcpy/get_params>", .{ .width = 1, .height = 1 });
layout {
  @set_rectangle(1, 1);
  @set_tile_code(0, 0, "pe.csl", .{ .memcpy_params = memcpy.get_params(0) });
  @export_name("main", fn() void);
}
"""
PE = """param memcpy_params;
const sys = @import_module("<memcpy/memcpy>", memcpy_params);
const print = @import_module("<simprint>");
var x: u16;
export var y: u16 = 0;
fn main() void {
  print.fmt("hello {d}", .{y});
  y = x + 1;
  sys.unblock_cmd_stream();
}
comptime { @export_symbol(main); }
"""
RUN = """from cerebras.sdk.runtime.sdkruntimepybind import SdkRuntime
for _ in range(2):
    runner = SdkRuntime("out")
    runner.load()
    runner.run()
    runner.launch("main", nonblock=False)
    runner.stop()
"""
COMMANDS = """cd run
cslc --arch=wse3 layout.csl --fabric-dims=8,3 --fabric-offsets=4,1 --memcpy \\
  --channels=1 -o out && cs_python run.py
"""


def config(**environment: str):
    return machine_config(lambda x, y, text: None, environment)


def test_nothing_is_asked_for_by_default() -> None:
    machine, files = config()
    assert machine.observe is None
    assert not machine.strict
    assert machine.seed is None
    assert (files.trace, files.counters) == (None, None)


def test_variables() -> None:
    machine, files = config(
        PYFLAME_STRICT="1",
        PYFLAME_SEED="7",
        PYFLAME_READS="reads.txt",
        PYFLAME_TRACE="t.json",
        PYFLAME_COUNTERS="-",
        PYFLAME_LOG="PE(0,0) PE(2,1), PE(3,1);PE(4,4)",
        SINGULARITYENV_SIMFABRIC_DEBUG="landing,inst_trace",
    )
    assert machine.strict
    assert machine.observe is not None
    assert machine.observe.log == ((0, 0), (2, 1), (3, 1), (4, 4))
    assert machine.observe.lines == {"landing", "inst_trace"}
    assert machine.seed == 7
    assert (files.trace, files.reads) == (Path("t.json"), Path("reads.txt"))


def test_values_that_mean_nothing() -> None:
    with pytest.raises(HostError, match=r"PYFLAME_STRICT is 'maybe'; 1 turns it on"):
        config(PYFLAME_STRICT="maybe")
    with pytest.raises(HostError, match=r"PYFLAME_LOG is '2,1'; PEs are written as PE"):
        config(PYFLAME_LOG="2,1")
    message = r"PYFLAME_SEED is '-1'; a seed is a whole number from 0 up"
    with pytest.raises(HostError, match=message):
        config(PYFLAME_SEED="-1")


def test_kinds_of_lines_that_are_not_written() -> None:
    message = (
        "SIMFABRIC_DEBUG asks for 'memory' lines; this simulator writes landing, "
        "router, inst_trace"
    )
    with pytest.warns(HostWarning, match=message):
        machine, _ = config(SIMFABRIC_DEBUG="memory,router")
    assert machine.observe is not None
    assert machine.observe.lines == {"router"}


def test_exec_writes_records_beside_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Unmodified scripts, two runs of one process; sim.log stays where they put it."""
    folder = _program(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYFLAME_STRICT")  # the program reads what it has not written
    flags = ["--trace", "t.json", "--counters", "--log", "PE(0,0)"]
    flags += ["--sim-log", "inst_trace"]
    assert cli.main(["exec", *flags, "--", "sh", "-c", COMMANDS]) == 0
    for name in ("t.json", "t.2.json"):
        events = json.loads((tmp_path / name).read_text())["traceEvents"]
        assert "main" in {e["name"] for e in events if e["ph"] == "X"}
    log = (tmp_path / "pe_0_0.log").read_text()
    assert "pe.csl:8  y = x + 1;\n" in log
    sim_log = (folder / "sim.log").read_text().splitlines()
    assert sim_log[0] == "@0 dimX=8, dimY=3"
    assert any(line.endswith("[EX OP] T0 main") for line in sim_log)
    (printed,) = [line for line in sim_log if line.endswith("hello 0")]
    assert sim_log.index(printed) > 1
    err = capfd.readouterr().err
    assert err.count("PE(0,0) ") == 2
    assert " cycles\nPE            busy" in err


def test_exec_writes_counters_to_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _program(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYFLAME_STRICT")
    assert cli.main(["exec", "--counters=c.json", "--", "sh", "-c", COMMANDS]) == 0
    data = json.loads((tmp_path / "c.json").read_text())
    assert data["pes"][0]["tasks"] == {"main": 1}


def test_exec_strict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The records of a run that fails are written as far as it came."""
    _program(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYFLAME_STRICT")
    flags = ["--strict", "--trace", "t.json"]
    assert cli.main(["exec", *flags, "--", "sh", "-c", COMMANDS]) == 1
    err = capfd.readouterr().err
    assert "pe.csl:8:7: fault: PE(0,0): the program reads 'x' before anything" in err
    assert (tmp_path / "t.json").is_file()


READING_RUN = """import numpy as np
from cerebras.sdk.runtime.sdkruntimepybind import (
    MemcpyDataType, MemcpyOrder, SdkRuntime)
runner = SdkRuntime("out")
runner.load()
runner.run()
value = np.array([7], np.uint32)
how = dict(streaming=False, data_type=MemcpyDataType.MEMCPY_16BIT,
           order=MemcpyOrder.ROW_MAJOR)
y = runner.get_id("y")
runner.memcpy_h2d(y, value, 0, 0, 1, 1, 1, nonblock=False, **how)
runner.memcpy_d2h(value, y, 0, 0, 1, 1, 1, nonblock=True, **how)
runner.stop()
"""


def test_exec_notes_what_the_host_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = _program(tmp_path)
    (folder / "layout.csl").write_text(
        LAYOUT.replace("fn() void);", 'fn() void);\n  @export_name("y", [*]u16, true);')
    )
    pe = PE.replace("export var y: u16 = 0", "var y = [1]u16{0}").replace(
        "y = x", "y[0] = x"
    )
    pe = pe.replace(".{y}", ".{y[0]}") + "var p: [*]u16 = &y;\n"
    pe = pe.replace("comptime {", 'comptime { @export_symbol(p, "y");')
    (folder / "pe.csl").write_text(pe)
    (folder / "run.py").write_text(READING_RUN)
    monkeypatch.chdir(tmp_path)
    flags = ["--seed", "3", "--reads", "reads.txt"]
    assert cli.main(["exec", *flags, "--", "sh", "-c", COMMANDS]) == 0
    digest = hashlib.sha256(np.uint32(7).tobytes()).hexdigest()
    assert (tmp_path / "reads.txt").read_text() == f"y 1x1x1 {digest}\n"


def _program(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "layout.csl").write_text(LAYOUT)
    (folder / "pe.csl").write_text(PE)
    (folder / "run.py").write_text(RUN)
    return folder
