"""What the simulator is measured by: CSL programs of our own, and how they are run.

Each workload checks the values that it computes, so that what is timed is right.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pyflame.wse.language.compile import compile_program
from pyflame.wse.language.image import Options
from pyflame.wse.language.reader import FileReader
from pyflame.wse.machine.engine import MachineConfig, Wafer

PROGRAMS = Path(__file__).parent / "programs"


@dataclass
class Spent:
    """Seconds of a stretch of work: on the clock, and of this process's processor."""

    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0

    def __enter__(self) -> Spent:
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall_seconds = time.perf_counter() - self._wall
        self.cpu_seconds = time.process_time() - self._cpu


@dataclass
class Run:
    """A workload that has run, with the simulator's own counts."""

    compile: Spent
    load: Spent
    run: Spent
    cycles: int = 0
    hops: int = 0

    def figures(self) -> dict[str, Any]:
        return asdict(self)


class Loaded:
    """A program on its wafer, started."""

    def __init__(
        self, name: str, width: int, height: int, arch: str, params: dict[str, int]
    ) -> None:
        self.name, self.arch, self.params = name, arch, params
        self.dims = (width + 7, height + 2)
        self.spent = Run(Spent(), Spent(), Spent())
        self.wafer: Wafer

    def load(self, **config: Any) -> Loaded:
        options = Options(
            arch=self.arch,
            fabric_dims=self.dims,
            fabric_offsets=(4, 1),
            memcpy=True,
            params=self.params,
        )
        with self.spent.compile:
            top = PROGRAMS / self.name / "layout.csl"
            image = compile_program(top, options, FileReader())
        with self.spent.load:
            self.wafer = Wafer(image, MachineConfig(**config))
            self.wafer.load()
            self.wafer.start()
        return self

    def run(self, function: str) -> Run:
        with self.spent.run:
            self.wafer.run_until(self.wafer.launch(function, []))
        report = self.wafer.report()
        self.spent.cycles, self.spent.hops = report.cycles, report.hops
        return self.spent

    def write(self, x: int, y: int, symbol: str, values: np.ndarray) -> None:
        address, _ = self.wafer.symbol(x, y, symbol)
        self.wafer.write_memory(x, y, address, values.tobytes())

    def read(self, x: int, y: int, symbol: str, count: int) -> np.ndarray:
        address, _ = self.wafer.symbol(x, y, symbol)
        data = self.wafer.read_memory(x, y, address, 4 * count)
        return np.frombuffer(data, np.float32)


def line(width: int, count: int, arch: str = "wse2", **config: Any) -> Run:
    """`count` wavelets from the first to the last of `width` PEs."""
    loaded = Loaded("line", width, 1, arch, {"width": width, "count": count})
    loaded.load(**config)
    sent = np.random.default_rng(0).standard_normal(count).astype(np.float32)
    loaded.write(0, 0, "vector", sent)
    run = loaded.run("send")
    assert np.array_equal(loaded.read(width - 1, 0, "vector", count), sent)
    return run


def summa_wafer(side: int, tile: int, arch: str = "wse2", **config: Any) -> Loaded:
    """The program of a product of matrices of `side * tile` rows and columns."""
    params = {"side": side, "tile": tile}
    return Loaded("summa", side, side, arch, params).load(**config)


def summa(side: int, tile: int, arch: str = "wse2", **config: Any) -> Run:
    """C = A B on `side` x `side` PEs, tiles of `tile` x `tile` f32."""
    loaded = summa_wafer(side, tile, arch, **config)
    n = side * tile
    random = np.random.default_rng(0)
    a, b = random.standard_normal((2, n, n)).astype(np.float32)
    for name, matrix in (("a", a), ("b", b)):
        for y, x in np.ndindex(side, side):
            part = matrix[y * tile : (y + 1) * tile, x * tile : (x + 1) * tile]
            loaded.write(x, y, name, np.ascontiguousarray(part.T))
    run = loaded.run("multiply")
    c = np.block(
        [
            [loaded.read(x, y, "c", tile * tile).reshape(tile, tile).T
             for x in range(side)]
            for y in range(side)
        ]
    )  # fmt: skip
    np.testing.assert_allclose(c, a @ b, rtol=0, atol=2e-5 * n**0.5)
    return run
