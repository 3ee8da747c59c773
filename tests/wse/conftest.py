"""Runs pieces of CSL on one simulated PE, and programs on a rectangle of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pyflame.wse.language.compile import compile_program
from pyflame.wse.language.image import Options
from pyflame.wse.language.reader import LIBRARY_FOLDER, SavedReader
from pyflame.wse.language.source import Source
from pyflame.wse.machine.engine import MachineConfig, Wafer

LAYOUT = """
const memcpy = @import_module("<memcpy/get_params>", .{ .width = 1, .height = 1 });
layout {
  @set_rectangle(1, 1);
  @set_tile_code(0, 0, "pe.csl", .{ .memcpy_params = memcpy.get_params(0) });
  @export_name("main", fn()void);
}
"""
PROGRAM = """
param memcpy_params: comptime_struct;
const sys_mod = @import_module("<memcpy/memcpy>", memcpy_params);
%s
fn main() void {
  run();
  sys_mod.unblock_cmd_stream();
}
comptime { @export_symbol(main); }
"""


def library_sources() -> dict[str, Source]:
    sources: dict[str, Source] = {}
    for path in LIBRARY_FOLDER.rglob("*.csl"):
        name = f"<{path.relative_to(LIBRARY_FOLDER).with_suffix('').as_posix()}>"
        sources[name] = Source(name, path.read_text(encoding="utf-8"), library=True)
    return sources


@dataclass
class Finished:
    """A program that has run, and the lines it printed."""

    wafer: Wafer
    lines: list[str]

    def words(self, symbol: str, dtype: Any, count: int = 1) -> NDArray[Any]:
        """The first elements of a global that was declared `export`."""
        address, _ = self.wafer.symbol(0, 0, symbol)
        size = np.dtype(dtype).itemsize * count
        return np.frombuffer(self.wafer.read_memory(0, 0, address, size), dtype)


Runner = Callable[..., Finished]


@pytest.fixture
def run_csl() -> Runner:
    """`run_csl(body, arch="wse3", **options)`: the body declares `fn run() void`."""

    def run(
        body: str, arch: str = "wse3", strict: bool = True, **options: Any
    ) -> Finished:
        texts = {"layout.csl": LAYOUT, "pe.csl": PROGRAM % body}
        sources = library_sources() | {n: Source(n, t) for n, t in texts.items()}
        image = compile_program(
            "layout.csl",
            Options(arch=arch, fabric_dims=(8, 3), fabric_offsets=(4, 1), **options),
            SavedReader(sources),
        )
        lines: list[str] = []
        config = MachineConfig(strict=strict, log=lambda x, y, text: lines.append(text))
        wafer = Wafer(image, config)
        wafer.load()
        wafer.start()
        wafer.run_until(wafer.launch("main", []))
        return Finished(wafer, lines)

    return run


@dataclass
class Grid:
    """A loaded program on a rectangle of PEs with the exported function `main`."""

    wafer: Wafer

    def write(self, x: int, y: int, symbol: str, values: NDArray[Any]) -> None:
        address, _ = self.wafer.symbol(x, y, symbol)
        self.wafer.write_memory(x, y, address, values.tobytes())

    def read(self, x: int, y: int, symbol: str, dtype: Any, count: int) -> NDArray[Any]:
        address, _ = self.wafer.symbol(x, y, symbol)
        size = np.dtype(dtype).itemsize * count
        return np.frombuffer(self.wafer.read_memory(x, y, address, size), dtype)

    def launch(self, name: str = "main") -> None:
        self.wafer.start()
        self.wafer.run_until(self.wafer.launch(name, []))


@pytest.fixture
def load_grid() -> Callable[..., Grid]:
    """`load_grid(layout, pe, arch, seed)`: the texts of layout.csl and pe.csl."""

    def load(layout: str, pe: str, arch: str, seed: int | None = None) -> Grid:
        texts = {"layout.csl": layout, "pe.csl": pe}
        sources = library_sources() | {n: Source(n, t) for n, t in texts.items()}
        image = compile_program(
            "layout.csl",
            Options(arch=arch, fabric_dims=(20, 20), fabric_offsets=(4, 1)),
            SavedReader(sources),
        )
        wafer = Wafer(image, MachineConfig(seed=seed))
        wafer.load()
        return Grid(wafer)

    return load
