"""<collectives_2d>: what each operation leaves where, and that calls stay apart."""

import numpy as np
import pytest

from pyflame.wse.errors import MachineFault

ARCHS = pytest.mark.parametrize("arch", ["wse2", "wse3"])
LAYOUT = """
const memcpy = @import_module("<memcpy/get_params>",
  .{{ .width = {width}, .height = {height} }});
const c2d = @import_module("<collectives_2d/params>");
layout {{
  @set_rectangle({width}, {height});
  for (@range(u16, {width})) |x| {{
    for (@range(u16, {height})) |y| {{
      @set_tile_code(x, y, "pe.csl", .{{
        .memcpy_params = memcpy.get_params(x),
        .c2d_params = c2d.get_params(x, y, .{{
          .x_colors = .{{ @get_color(0), @get_color(1) }},
          .x_entrypoints = .{{ @get_local_task_id(10), @get_local_task_id(11) }},
          .y_colors = .{{ @get_color(4), @get_color(5) }},
          .y_entrypoints = .{{ @get_local_task_id(12), @get_local_task_id(13) }},
        }}),
      }});
    }}
  }}
  @export_name("main", fn() void);
}}
"""
# Every step writes its own result, so that a call that mixes with another shows.
PE = """
param memcpy_params;
param c2d_params;
const sys = @import_module("<memcpy/memcpy>", memcpy_params);
const lib_x = @import_module("<collectives_2d/pe>", .{ .dim_params = c2d_params.x });
const lib_y = @import_module("<collectives_2d/pe>", .{ .dim_params = c2d_params.y });
const x_id = @get_local_task_id(15);
const y_id = @get_local_task_id(16);
const both_id = @get_local_task_id(17);
export var whole_x = @zeros([%(words)d]u32);
export var whole_y = @zeros([%(words)d]u32);
export var out_x = @zeros([%(results)d]u32);
export var out_y = @zeros([%(results)d]u32);
var step_x: u16 = 0;
var step_y: u16 = 0;
fn target(base: [*]u32, step: u16) [*]u32 {
  return @ptrcast([*]u32, &base[step * %(words)d]);
}
task x_step() void {
  const to = target(&out_x, step_x);
  step_x += 1;
  switch (step_x - 1) { %(x_steps)s else => { @activate(both_id); } }
}
task y_step() void {
  const to = target(&out_y, step_y);
  step_y += 1;
  switch (step_y - 1) { %(y_steps)s else => { @unblock(both_id); } }
}
task both() void { sys.unblock_cmd_stream(); }
fn main() void {
  lib_x.init();
  lib_y.init();
  @activate(x_id);
  @activate(y_id);
}
comptime {
  @bind_local_task(x_step, x_id);
  @bind_local_task(y_step, y_id);
  @bind_local_task(both, both_id);
  @block(both_id);
  @export_symbol(main);
}
"""
CALLS = {
    "broadcast": "if (lib_{a}.pe_id == {root}) {{ "
    "lib_{a}.broadcast({root}, &whole_{a}, {n}, {a}_id); }} else {{ "
    "lib_{a}.broadcast({root}, to, {n}, {a}_id); }}",
    "scatter": "lib_{a}.scatter({root}, &whole_{a}, to, {n}, {a}_id);",
    "gather": "lib_{a}.gather({root}, &whole_{a}, to, {n}, {a}_id);",
    "reduce": "lib_{a}.reduce_fadds({root}, @ptrcast([*]f32, &whole_{a}), "
    "@ptrcast([*]f32, to), {n}, {a}_id);",
}
Step = tuple[str, int, int]  # operation, root, count


def steps_text(axis: str, steps: list[Step]) -> str:
    return "".join(
        f"{i} => {{ {CALLS[name].format(a=axis, root=root, n=n)} }},\n"
        for i, (name, root, n) in enumerate(steps)
    )


def inputs(axis: str, x: int, y: int, words: int) -> np.ndarray:
    base = (1000 if axis == "x" else 5000) + 200 * x + 20 * y
    return (base + np.arange(words)).astype(np.float32)


def expected(
    step: Step, line: list[np.ndarray], k: int, words: int
) -> dict[int, np.ndarray]:
    """The words that PE k must hold after a step, by offset in its result."""
    name, root, n = step
    if name == "broadcast":
        return {} if k == root else {0: line[root][:n]}
    if name == "scatter":
        return {0: line[root][k * n : (k + 1) * n]}
    if k != root:
        return {}
    if name == "gather":
        return {j * n: part[:n] for j, part in enumerate(line)}
    return {0: np.sum([part[:n] for part in line], axis=0, dtype=np.float32)}


class Runs:
    def __init__(self, load_grid, width: int, height: int) -> None:
        self.load_grid, self.width, self.height = load_grid, width, height

    def run(self, x_steps, y_steps, arch: str, words: int, seed=None):
        texts = {
            "words": words,
            "results": words * max(len(x_steps), len(y_steps), 1),
            "x_steps": steps_text("x", x_steps),
            "y_steps": steps_text("y", y_steps),
        }
        layout = LAYOUT.format(width=self.width, height=self.height)
        grid = self.load_grid(layout, PE % texts, arch, seed)
        for x in range(self.width):
            for y in range(self.height):
                for axis in "xy":
                    grid.write(x, y, f"whole_{axis}", inputs(axis, x, y, words))
        grid.launch()
        return grid

    def check(self, x_steps, y_steps, arch: str, words: int, seed=None) -> None:
        grid = self.run(x_steps, y_steps, arch, words, seed)
        for x in range(self.width):
            for y in range(self.height):
                row = [inputs("x", i, y, words) for i in range(self.width)]
                column = [inputs("y", x, j, words) for j in range(self.height)]
                self.check_pe(grid, "x", (x, y), x_steps, row, x, words)
                self.check_pe(grid, "y", (x, y), y_steps, column, y, words)

    def check_pe(self, grid, axis, place, steps, line, k, words) -> None:
        out = grid.read(*place, f"out_{axis}", np.float32, words * len(steps))
        for i, step in enumerate(steps):
            for offset, values in expected(step, line, k, words).items():
                start = i * words + offset
                found = out[start : start + len(values)]
                assert found.tolist() == values.tolist(), (place, axis, step)


@ARCHS
@pytest.mark.parametrize("operation", list(CALLS))
def test_an_operation_from_every_root(load_grid, arch: str, operation: str) -> None:
    steps = [(operation, root, 3) for root in range(5)]
    Runs(load_grid, 5, 1).check(steps, [], arch, 15)


@ARCHS
@pytest.mark.parametrize("seed", [None, 1, 2])
def test_both_axes_at_once_and_different_calls(load_grid, arch: str, seed) -> None:
    x_steps = [
        *(("broadcast", 0, 2), ("scatter", 3, 2), ("gather", 1, 2), ("reduce", 2, 5)),
        *(("broadcast", 3, 8), ("reduce", 0, 1), ("gather", 3, 1), ("scatter", 0, 1)),
    ]
    y_steps = [
        *(("gather", 0, 1), ("gather", 2, 2), ("reduce", 2, 4), ("reduce", 1, 4)),
        *(("scatter", 1, 2), ("broadcast", 1, 3), ("broadcast", 2, 3)),
    ]
    Runs(load_grid, 4, 3).check(x_steps, y_steps, arch, 8, seed)


@ARCHS
def test_lines_of_one_and_two(load_grid, arch: str) -> None:
    alone = [(operation, 0, 2) for operation in CALLS]
    pairs = [(operation, root, 2) for operation in CALLS for root in (0, 1)]
    Runs(load_grid, 1, 2).check(alone, pairs, arch, 4)


@ARCHS
def test_no_words_only_call_back(load_grid, arch: str) -> None:
    steps = [*((operation, 1, 0) for operation in CALLS), ("gather", 2, 1)]
    Runs(load_grid, 3, 1).check(steps, steps[:0], arch, 3)


def test_a_sum_is_taken_from_each_end_towards_the_root(load_grid) -> None:
    """Ends inward, the upper side before the lower one: 1 is lost beside 2**24."""
    runs = Runs(load_grid, 3, 1)
    layout = LAYOUT.format(width=3, height=1)
    texts = {"words": 1, "results": 1, "y_steps": ""}
    texts["x_steps"] = steps_text("x", [("reduce", 1, 1)])
    grid = runs.load_grid(layout, PE % texts, "wse3", None)
    for x, value in enumerate([1.0, -(2.0**24), 2.0**24]):
        grid.write(x, 0, "whole_x", np.array([value], np.float32))
    grid.launch()
    assert grid.read(1, 0, "out_x", np.float32, 1).tolist() == [1.0]


def test_time_grows_with_the_distance_and_the_words(load_grid) -> None:
    def cycles(count: int) -> int:
        steps = [("broadcast", 0, count)]
        return Runs(load_grid, 6, 1).run(steps, [], "wse3", 200).wafer.now

    assert 80 <= cycles(200) - cycles(100) <= 250


def test_a_root_outside_the_line_is_refused(load_grid) -> None:
    with pytest.raises(MachineFault, match="assert"):
        Runs(load_grid, 2, 1).run([("gather", 2, 1)], [], "wse3", 3)
