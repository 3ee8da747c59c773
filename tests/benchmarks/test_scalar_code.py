"""Speed of generated scalar code: the double loop of a matrix-vector product."""

from __future__ import annotations

import numpy as np
import pytest

from pyflame.wse.language.compile import compile_program
from pyflame.wse.language.image import Options
from pyflame.wse.language.reader import FileReader
from pyflame.wse.machine.engine import MachineConfig, Wafer

pytest.importorskip("pytest_benchmark")

SIZE = 64
TEXT = """
const N: i16 = 64;
var A = @constants([N*N]f32, 0.5);
var x = @constants([N]f32, 1.0);
var y = @zeros([N]f32);
const main_id = @get_local_task_id(9);
task main() void {
  for (@range(i16, N)) |i| {
    var sum: f32 = 0.0;
    for (@range(i16, N)) |j| { sum += A[i*N + j] * x[j]; }
    y[i] = sum;
  }
}
comptime { @bind_local_task(main, main_id); @activate(main_id); }
layout {
  @set_rectangle(1, 1);
  @set_tile_code(0, 0);
}
"""


def test_double_loop(benchmark, tmp_path):
    """About 4,096 inner statements a round; 1 to 3 million a second are wanted."""
    (tmp_path / "gemv.csl").write_text(TEXT)
    options = Options(arch="wse3")
    image = compile_program(tmp_path / "gemv.csl", options, FileReader())

    def fresh():
        wafer = Wafer(image, MachineConfig())
        wafer.load()
        return (wafer,), {}

    def run(wafer):
        wafer.start()
        wafer.run_until_quiet()
        return wafer

    wafer = benchmark.pedantic(run, setup=fresh, rounds=5)
    address, _ = wafer.symbol(0, 0, "y")
    data = wafer.read_memory(0, 0, address, 4 * SIZE)
    assert np.frombuffer(data, "<f4").tolist() == [0.5 * SIZE] * SIZE
