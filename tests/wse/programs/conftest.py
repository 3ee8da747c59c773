"""Runs small CSL programs in this process: text in, memory and wavelets out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pyflame.wse.language.compile import compile_program
from pyflame.wse.language.image import Options
from pyflame.wse.language.reader import FileReader
from pyflame.wse.machine.engine import MachineConfig, Wafer

LAYOUT = """
const memcpy = @import_module("<memcpy/get_params>", .{ .width = 1, .height = 1 });
layout {
  @set_rectangle(1, 1);
  @set_tile_code(0, 0, "pe.csl", .{ .memcpy_params = memcpy.get_params(0) });
  %s
}
"""
HEAD = """
param memcpy_params;
const sys = @import_module("<memcpy/memcpy>", memcpy_params);
"""


class Programs:
    """Compiles and loads; `wafer` is the last one."""

    def __init__(self, folder: Path, arch: str) -> None:
        self.folder = folder
        self.arch = arch
        self.wafer: Wafer

    def load(self, files: dict[str, str], **config: Any) -> Wafer:
        """A started wafer of the program whose layout file is `layout.csl`."""
        for name, text in files.items():
            (self.folder / name).write_text(text)
        options = Options(
            arch=self.arch, fabric_dims=(16, 8), fabric_offsets=(4, 1), memcpy=True
        )
        image = compile_program(self.folder / "layout.csl", options, FileReader())
        self.wafer = Wafer(image, MachineConfig(**config))
        self.wafer.load()
        self.wafer.start()
        return self.wafer

    def one_pe(self, text: str, exports: dict[str, str], **config: Any) -> Wafer:
        """A PE program with `fn run() void`; exports are arrays by element type.

        The text need not export anything itself, nor unblock the command stream.
        """
        names = [f'@export_name("{n}", [*]{t}, true);' for n, t in exports.items()]
        names.append('@export_name("main", fn() void);')
        pointers = [f"var {n}_ptr: [*]{t} = &{n};" for n, t in exports.items()]
        symbols = [f'@export_symbol({n}_ptr, "{n}");' for n in exports]
        main = "fn main() void { run(); sys.unblock_cmd_stream(); }"
        comptime = f"comptime {{ {' '.join(symbols)} @export_symbol(main); }}"
        pe = "\n".join([HEAD, text, *pointers, main, comptime])
        layout = LAYOUT % "\n  ".join(names)
        return self.load({"layout.csl": layout, "pe.csl": pe}, **config)

    def run(self, name: str = "main", *arguments: int) -> None:
        self.wafer.run_until(self.wafer.launch(name, list(arguments)))

    def read(self, name: str, dtype: Any, n: int, x: int = 0, y: int = 0) -> np.ndarray:
        address, _ = self.wafer.symbol(x, y, name)
        data = self.wafer.read_memory(x, y, address, n * np.dtype(dtype).itemsize)
        return np.frombuffer(data, dtype)

    def write(self, name: str, values: Any, x: int = 0, y: int = 0) -> None:
        address, _ = self.wafer.symbol(x, y, name)
        self.wafer.write_memory(x, y, address, np.asarray(values).tobytes())


@pytest.fixture(params=["wse2", "wse3"])
def programs(request: pytest.FixtureRequest, tmp_path: Path) -> Programs:
    return Programs(tmp_path, request.param)
