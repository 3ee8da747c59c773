"""<kernels/tally>: when it ends, where, and with what total."""

import numpy as np
import pytest

ARCHS = pytest.mark.parametrize("arch", ["wse2", "wse3"])
LAYOUT = """
const memcpy = @import_module("<memcpy/get_params>",
  .{{ .width = {width}, .height = {height} }});
const tally = @import_module("<kernels/tally/layout>", .{{
  .kernel_width = {width}, .kernel_height = {height}, .phase2_tally = {target},
  .colors = [3]color {{ @get_color(12), @get_color(13), @get_color(14) }},
  .output_color = @get_color(8),
}});
layout {{
  @set_rectangle({width}, {height});
  for (@range(i16, {width})) |x| {{
    for (@range(i16, {height})) |y| {{
      @set_tile_code(x, y, "pe.csl", .{{
        .memcpy_params = memcpy.get_params(x), .tally_params = tally.get_params(x, y),
      }});
    }}
  }}
  @export_name("main", fn() void);
}}
"""
PE = """
param memcpy_params;
param tally_params;
const sys = @import_module("<memcpy/memcpy>", memcpy_params);
const tally = @import_module("<kernels/tally/pe>",
  @concat_structs(tally_params, .{
    .input_queues = [2]u16 { 6, 7 }, .output_queues = [2]u16 { 4, 5 }, %s
  }));
const done_id = @get_local_task_id(15);
const step_id = @get_local_task_id(16);
export var bumps: u16 = 0;
export var silent: u16 = 0;
export var times_done: u16 = 0;
export var total: u32 = 0xffff;
task done() void {
  times_done += 1;
  total = tally.local_tally;
}
task step() void {
  if (bumps == 0) {
    if (silent == 0) { tally.signal_completion(); }
    return;
  }
  bumps -= 1;
  tally.bump_tally(3);
  @activate(step_id);
}
fn main() void {
  @activate(step_id);
  sys.unblock_cmd_stream();
}
comptime {
  @bind_local_task(done, done_id);
  @bind_local_task(step, step_id);
  @export_symbol(main);
}
"""
CALLBACK = ".callback = @get_local_task_id(15)"


@pytest.fixture
def run_tally(load_grid):
    """Each PE counts to 3 as often as `bumps(x, y)` says, then signals."""

    def run(width, height, target, bumps, arch, callback=CALLBACK, silent=None):
        layout = LAYOUT.format(width=width, height=height, target=target)
        grid = load_grid(layout, PE % callback, arch)
        for x in range(width):
            for y in range(height):
                grid.write(x, y, "bumps", np.array([bumps(x, y)], np.uint16))
        if silent is not None:
            grid.write(*silent, "silent", np.array([1], np.uint16))
        grid.launch()
        grid.wafer.run_until_quiet()
        return grid

    return run


def times_done(grid, width: int, height: int) -> dict[tuple[int, int], int]:
    places = [(x, y) for x in range(width) for y in range(height)]
    times = {p: int(grid.read(*p, "times_done", np.uint16, 1)[0]) for p in places}
    return {place: count for place, count in times.items() if count}


@ARCHS
@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 4), (5, 1), (2, 2), (4, 5)])
def test_the_corner_is_called_once_with_the_total(
    run_tally, arch: str, width: int, height: int
) -> None:
    def bumps(x: int, y: int) -> int:
        return (x + 2 * y) % 4 + 1

    target = 3 * sum(bumps(x, y) for x in range(width) for y in range(height))
    grid = run_tally(width, height, target, bumps, arch)
    assert times_done(grid, width, height) == {(width - 1, 0): 1}
    assert grid.read(width - 1, 0, "total", np.uint32, 1).tolist() == [target]


@ARCHS
def test_it_ends_when_the_total_passes_the_target(run_tally, arch: str) -> None:
    grid = run_tally(3, 3, 26, lambda x, y: 1, arch)
    assert times_done(grid, 3, 3) == {(2, 0): 1}
    assert grid.read(2, 0, "total", np.uint32, 1).tolist() == [27]


@ARCHS
@pytest.mark.parametrize("missing", ["signal", "count"])
def test_it_does_not_end_early(run_tally, arch: str, missing: str) -> None:
    silent = (0, 2) if missing == "signal" else None
    target = 27 if missing == "signal" else 28
    grid = run_tally(3, 3, target, lambda x, y: 1, arch, silent=silent)
    assert times_done(grid, 3, 3) == {}


@ARCHS
def test_without_a_second_phase_the_total_is_0(run_tally, arch: str) -> None:
    grid = run_tally(3, 2, 0, lambda x, y: 1, arch)
    assert grid.read(2, 0, "total", np.uint32, 1).tolist() == [0]
    assert times_done(grid, 3, 2) == {(2, 0): 1}


@ARCHS
def test_without_a_callback_the_total_leaves_north(run_tally, arch: str) -> None:
    grid = run_tally(2, 2, 12, lambda x, y: 1, arch, callback="")
    assert grid.wafer.pe(1, 0).channel(8).wavelets_sent == 1
    assert times_done(grid, 2, 2) == {}
