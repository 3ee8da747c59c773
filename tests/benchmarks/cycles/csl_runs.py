"""Runs the CSL programs of this folder on the simulated wafer."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from pyflame.wse.errors import HostError
from pyflame.wse.language.compile import compile_program
from pyflame.wse.language.image import Options
from pyflame.wse.language.reader import FileReader
from pyflame.wse.machine.engine import MachineConfig, Wafer

PROGRAMS = Path(__file__).parent / "programs"


@cache
def ran(file: str, arch: str, profile: str = "vendor_sim", **params: int) -> Wafer:
    """The wafer after a program whose tasks start at load has come to rest."""
    options = Options(arch=arch, params=params)
    image = compile_program(PROGRAMS / file, options, FileReader())
    wafer = Wafer(image, MachineConfig(profile=profile))
    wafer.load()
    wafer.start()
    wafer.run_until_quiet()
    return wafer


def array(wafer: Wafer, symbol: str, dtype: str, count: int, x: int = 0, y: int = 0):
    """The first elements of a global of the PE at x, y."""
    address, _ = wafer.symbol(x, y, symbol)
    size = np.dtype(dtype).itemsize * count
    return np.frombuffer(wafer.read_memory(x, y, address, size), dtype)


def laps(file: str, arch: str, profile: str = "vendor_sim", **params: int) -> list[int]:
    """The cycles that a program's stop-watch has noted."""
    wafer = ran(file, arch, profile, **params)
    _, noted = wafer.symbol(0, 0, "watch.cycles")
    return array(wafer, "watch.cycles", "<u4", noted.dims[0]).tolist()


def cycles_of_all(
    file: str, arch: str, profile: str = "vendor_sim", **params: int
) -> int:
    """From the first PE's start to the last PE's end, by the programs' clocks."""
    wafer = ran(file, arch, profile, **params)
    spans = [_span(wafer, pe.x, pe.y) for pe in wafer.pes()]
    return max(end for _, end in spans) - min(begin for begin, _ in spans if begin)


def _span(wafer: Wafer, x: int, y: int) -> tuple[int, int]:
    """Begin and end of a PE; 0 for what it does not note."""
    return tuple(_stamp(wafer, f"clock.{name}", x, y) for name in ("begin", "end"))


def _stamp(wafer: Wafer, symbol: str, x: int, y: int) -> int:
    try:
        low, middle, high = array(wafer, symbol, "<u2", 3, x, y).tolist()
    except HostError:
        return 0  # an idle PE has no clock
    return low | middle << 16 | high << 32
