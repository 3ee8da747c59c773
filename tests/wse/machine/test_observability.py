"""Counters, traces and logs of a small program whose every part is known."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from pyflame.wse.errors import Deadlock, HostError
from pyflame.wse.language.compile import compile_program
from pyflame.wse.language.image import Options
from pyflame.wse.language.reader import FileReader
from pyflame.wse.machine.engine import MachineConfig, Wafer
from pyflame.wse.machine.observed_operations import MOVING
from pyflame.wse.machine.progress import Progress
from pyflame.wse.machine.recorder import Observe
from pyflame.wse.machine.vendor_log import log_lines

LAYOUT = """
const memcpy = @import_module("<memcpy/get_params>", .{ .width = 2, .height = 1 });
const c = @get_color(4);
layout {
  @set_rectangle(2, 1);
  for (@range(i16, 2)) |x| {
    @set_tile_code(x, 0, "pe.csl",
      .{ .memcpy_params = memcpy.get_params(x), .first = x == 0 });
  }
  @set_color_config(0, 0, c, .{ .routes = .{ .rx = .{ RAMP }, .tx = .{ EAST } } });
  @set_color_config(1, 0, c, .{ .routes = .{ .rx = .{ WEST }, .tx = .{ RAMP } } });
  @export_name("main", fn() void);
}
"""
PE = """param memcpy_params;
param first: bool;
const sys = @import_module("<memcpy/memcpy>", memcpy_params);
const c = @get_color(4);
const oq = @get_output_queue(3);
const iq = @get_input_queue(4);
var x = @constants([8]f32, 1.5);
const mem = @get_dsd(mem1d_dsd, .{ .tensor_access = |i|{8} -> x[i] });
const out = @get_dsd(fabout_dsd,
  .{ .fabric_color = c, .extent = 8, .output_queue = oq });
const in = @get_dsd(fabin_dsd, .{ .fabric_color = c, .extent = 8, .input_queue = iq });
task done() void { sys.unblock_cmd_stream(); }
const done_id = @get_local_task_id(9);
comptime {
  @bind_local_task(done, done_id);
  if (@is_arch("wse3")) {
    @initialize_queue(oq, .{ .color = c });
    @initialize_queue(iq, .{ .color = c });
  }
  @export_symbol(main);
}
fn main() void {
  if (first) {
    @fmuls(mem, mem, 2.0);
    @fmovs(out, mem, .{ .async = true, .activate = done_id });
  } else {
    @fmovs(mem, in);
    @activate(done_id);
  }
}
"""
ALL = Observe(
    trace=True,
    counters=True,
    log=((0, 0), (1, 0)),
    lines=frozenset({"landing", "router", "inst_trace"}),
)
Made = tuple[Wafer, Path]


class Watched:
    def __init__(self, folder: Path, arch: str) -> None:
        self.folder, self.arch = folder, arch

    def run(self, observe: Observe | None, pe: str = PE) -> Wafer:
        (self.folder / "layout.csl").write_text(LAYOUT)
        (self.folder / "pe.csl").write_text(pe)
        options = Options(
            arch=self.arch, fabric_dims=(9, 3), fabric_offsets=(4, 1), memcpy=True
        )
        image = compile_program(self.folder / "layout.csl", options, FileReader())
        wafer = Wafer(image, MachineConfig(observe=observe))
        wafer.load()
        wafer.start()
        wafer.run_until(wafer.launch("main", []))
        wafer.run_until_quiet()
        return wafer


@pytest.fixture(params=["wse2", "wse3"])
def watched(request: pytest.FixtureRequest, tmp_path: Path) -> Watched:
    return Watched(tmp_path, request.param)


def test_watching_changes_no_cycle(watched: Watched) -> None:
    plain = watched.run(None).report()
    seen = watched.run(ALL).report()
    assert plain == seen


def test_every_cycle_of_a_pe_has_one_cause(watched: Watched) -> None:
    wafer = watched.run(ALL)
    counters = wafer.counters()
    for pe in counters.pes:
        stalled = sum(pe.stalled_cycles.values())
        assert pe.busy_cycles + stalled + pe.idle_cycles == counters.cycles
    sender, receiver = counters.pes
    assert sender.stalled_cycles == {}
    assert receiver.stalled_cycles[MOVING] == 8
    assert receiver.stalled_cycles["starting"] == wafer.costs.dsd_start_cycles
    assert receiver.stalled_cycles["no wavelet of color 4 in input queue 4"] > 0
    assert sender.microthread_cycles == {
        3: {MOVING: 8, "starting": wafer.costs.dsd_start_cycles}
    }
    assert sum(receiver.stalled_cycles.values()) == wafer.report().pes[1].stalled_cycles


def test_tasks_and_wavelets_are_counted(watched: Watched) -> None:
    counters = watched.run(ALL).counters()
    sender, receiver = counters.pes
    assert sender.tasks == receiver.tasks == {"main": 1, "done": 1}
    assert (sender.wavelets_out, sender.wavelets_in) == ({4: 8}, {})
    assert (receiver.wavelets_out, receiver.wavelets_in) == ({}, {4: 8})
    (link,) = counters.links
    assert (link.source, link.target, link.direction) == ((0, 0), (1, 0), "EAST")
    assert (link.color, link.wavelets, link.control) == (4, 8, 0)
    assert link.last_cycle - link.first_cycle == 7
    assert counters.heat_map("EAST") == [[8, 0]]
    assert counters.heat_map("WEST") == [[0, 0]]


def test_counters_as_json_and_as_a_table(watched: Watched) -> None:
    counters = watched.run(ALL).counters()
    data = json.loads(json.dumps(counters.as_json()))
    assert data["heat_maps"]["EAST"] == [[8, 0]]
    assert data["pes"][1]["wavelets_in"] == {"4": 8}
    table = counters.table().splitlines()
    assert table[0] == f"{counters.cycles:,} cycles"
    assert table[-1] == "(0,0) east to (1,0)           4         8"


def test_the_trace_has_a_track_per_thread_and_slices_at_their_cycles(
    watched: Watched,
) -> None:
    wafer = watched.run(ALL)
    trace = json.loads(json.dumps(wafer.trace()))
    names = {
        (e["pid"], e["tid"]): e["args"]["name"]
        for e in trace["traceEvents"]
        if e["name"] == "thread_name"
    }
    assert names == {(1, 0): "main", (1, 4): "microthread 3", (2, 0): "main"}
    slices = [e for e in trace["traceEvents"] if e["ph"] == "X"]
    operation = {(e["pid"], e["name"]): e for e in slices if e["cat"] == "operation"}
    multiply, send = operation[1, "@fmuls"], operation[1, "@fmovs"]
    receive = operation[2, "@fmovs"]
    costs = wafer.costs
    assert multiply["dur"] == _fmuls_cycles(wafer)
    loads = costs.dsr_load_cycles + costs.dsr_use_cycles
    assert send["ts"] == multiply["ts"] + multiply["dur"] + loads
    assert send["dur"] == costs.dsd_start_cycles + 8
    assert send["args"]["at"].endswith("pe.csl:25:5")
    waits = [e for e in slices if e["cat"] == "wait" and e["pid"] == 2]
    assert sum(e["dur"] for e in waits) + 8 == receive["dur"]
    tasks = {(e["pid"], e["name"]): e for e in slices if e["cat"] == "task"}
    assert tasks[1, "done"]["ts"] == send["ts"] + send["dur"]
    assert tasks[2, "main"]["ts"] + tasks[2, "main"]["dur"] < tasks[2, "done"]["ts"]
    assert trace["otherData"]["cycles"] == wafer.now


def test_slices_of_a_track_nest(watched: Watched) -> None:
    """Viewers draw slices of a track as a stack: none may reach out of another."""
    stacks: dict[Any, list[int]] = {}
    for event in watched.run(ALL).trace()["traceEvents"]:
        if event["ph"] != "X":
            continue
        stack = stacks.setdefault((event["pid"], event["tid"]), [])
        while stack and stack[-1] <= event["ts"]:
            stack.pop()
        end = event["ts"] + event["dur"]
        assert not stack or end <= stack[-1]
        stack.append(end)


def test_the_log_of_a_pe(watched: Watched) -> None:
    wafer = watched.run(ALL)
    assert wafer.recorder is not None
    texts = [text for _, text in wafer.recorder.logs[0, 0]]
    assert texts[:6] == [
        "task main starts",
        "pe.csl:24  @fmuls(mem, mem, 2.0);",
        f"@fmuls('x[0]' x 8, 'x[0]' x 8, 2.0) takes {_fmuls_cycles(wafer)} cycles",
        "pe.csl:25  @fmovs(out, mem, .{ .async = true, .activate = done_id });",
        "@fmovs(8 wavelets on color 4, 'x[0]' x 8) is issued",
        "task main ends",
    ]
    other = [text for _, text in wafer.recorder.logs[1, 0]]
    assert (
        "@fmovs('x[0]' x 8, 8 wavelets of color 4) is issued; the main thread waits "
        "for it"
    ) in other
    assert "@fmovs has ended after 8 elements" in other
    assert "activates task id 9" in other
    cycles = [cycle for cycle, _ in wafer.recorder.logs[1, 0]]
    assert cycles == sorted(cycles)


def _fmuls_cycles(wafer: Wafer) -> int:
    """Destination and first source are one DSR: a load, and its way to the use."""
    return wafer.costs.dsr_use_cycles + int(8 / wafer.costs.alu_f32_lanes)


# What public viewers of the vendor's log look for.
LANDING = re.compile(
    r"^@(\d+) P(\d+)\.(\d+) \(\w+\) landing C(\d+) from link ([WESNR]),"
)
WAVELET = re.compile(
    r"^@(\d+) P(\d+)\.(\d+) \(\w+\) wavelet C(\d+) ctrl=(\d), idx=([0-9a-f]+), "
    r"data=([0-9a-f]+) \([^)]*\([^)]*\)\), half=(\d), ident=([0-9a-f]+) "
    r"landing=([RENWSD-]) departing=/(.{5})/"
)
NOT_ENOUGH = re.compile(
    r"^@(\d+) P(\d+)\.(\d+):.*Not enough wavelets \((\d+)/(\d+)\) (?:for )?(SRC\d) "
    r"with C(\d+), IN_Q\[(\d+)\], SIMD-(\d+)"
)


def test_lines_of_the_vendors_log(watched: Watched) -> None:
    wafer = watched.run(ALL)
    assert wafer.recorder is not None
    lines = [text for _, text in log_lines(wafer.recorder, (9, 3), (4, 1))]
    assert lines[0] == "@0 dimX=9, dimY=3"
    landings = [m for m in map(LANDING.match, lines) if m]
    assert [m.group(2, 3, 5) for m in landings].count(("5", "1", "W")) == 8
    assert [m.group(2, 3, 5) for m in landings].count(("4", "1", "R")) == 8
    ways: dict[str, list[tuple[str, ...]]] = {}
    for match in filter(None, map(WAVELET.match, lines)):
        ways.setdefault(match.group(9), []).append(match.group(2, 10, 11))
    assert len(ways) == 8
    for way in ways.values():
        assert way == [("4", "R", "E    "), ("5", "W", "    R")]
    assert any(NOT_ENOUGH.match(line) for line in lines)
    assert any("P4.1: [EX OP] T0 @fmuls" in line for line in lines)
    assert any("P5.1: [EX OP] IDLE" in line for line in lines)


def test_waits_without_end_are_counted_up_to_the_deadlock(watched: Watched) -> None:
    lonely = PE.replace("if (first) {", "if (false) {").replace(
        "@fmovs(mem, in);", "if (first) { return; } @fmovs(mem, in);"
    )
    with pytest.raises(Deadlock):
        watched.run(ALL, lonely)
    (watched.folder / "pe.csl").write_text(lonely)
    wafer = _stuck(watched)
    receiver = wafer.counters().pes[1]
    stalled = sum(receiver.stalled_cycles.values())
    total = receiver.busy_cycles + stalled + receiver.idle_cycles
    assert total == wafer.now
    assert receiver.idle_cycles == (
        wafer.costs.command_cycles + wafer.costs.task_start_cycles
    )


def _stuck(watched: Watched) -> Wafer:
    options = Options(
        arch=watched.arch, fabric_dims=(9, 3), fabric_offsets=(4, 1), memcpy=True
    )
    image = compile_program(watched.folder / "layout.csl", options, FileReader())
    wafer = Wafer(image, MachineConfig(observe=Observe(counters=True)))
    wafer.load()
    wafer.start()
    with pytest.raises(Deadlock):
        wafer.run_until(wafer.launch("main", []))
    return wafer


def test_what_was_not_recorded_cannot_be_asked_for(watched: Watched) -> None:
    wafer = watched.run(Observe(log=((0, 0),)))
    with pytest.raises(HostError, match=r"no counters were kept: give MachineConfig"):
        wafer.counters()
    with pytest.raises(HostError, match=r"no trace was kept: give MachineConfig"):
        wafer.trace()


def test_events_beyond_the_limit_are_only_counted(watched: Watched) -> None:
    wafer = watched.run(Observe(trace=True, max_events=3))
    slices = [e for e in wafer.trace()["traceEvents"] if e["ph"] == "X"]
    assert len(slices) == 3
    assert wafer.trace()["otherData"]["dropped_slices"] > 3


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_shows_the_cycle_and_clears_its_line() -> None:
    stream = _Terminal()
    progress = Progress(lambda: 12345, stream)
    with progress:
        progress.tell(3.2)
    text = "simulating: cycle 12,345 after 3 s"
    assert stream.getvalue() == f"\r{text}\r{' ' * len(text)}\r"


def test_progress_is_for_terminals() -> None:
    stream = io.StringIO()
    with Progress(lambda: 1, stream):
        pass
    assert stream.getvalue() == ""
