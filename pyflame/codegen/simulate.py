"""Runs generated text on the simulated wafer, all in memory.

The text is compiled as `cslc` would; host copies go to and from the exported symbols
as run.py's do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lowering.host import Description, HostValue
from lowering.mesh import Mesh
from lowering.target import Target
from pyflame.wse.language.compile import compile_program
from pyflame.wse.language.image import Image, Options
from pyflame.wse.language.source import Source
from pyflame.wse.machine.engine import MachineConfig, Wafer
from pyflame.wse.sdk.saved import ProgramReader

_TOP_FILE = "layout.csl"


def compile_files(files: Mapping[str, str], mesh: Mesh, target: Target) -> Image:
    """The program of the CSL files among these, on a rectangle of this size.

    Raises: CslError, if the text breaks a rule of CSL.
    """
    options = Options(
        arch=target.arch,
        fabric_dims=target.fabric_dims(mesh.rows, mesh.cols),
        fabric_offsets=target.fabric_offset,
        memcpy=True,
        channels=1,
    )
    texts = {n: t for n, t in files.items() if n.endswith(".csl")}
    reader = ProgramReader({name: Source(name, text) for name, text in texts.items()})
    return compile_program(_TOP_FILE, options, reader)


def loaded(image: Image, described: Description, config: MachineConfig) -> Wafer:
    """The program on a wafer of its own, with its constants, waiting for the host."""
    wafer = Wafer(image, config)
    wafer.load()
    wafer.start()
    wafer.run_until_quiet()
    for value, array in described.constants:
        write(wafer, described.mesh, value, array)
    return wafer


def launch(wafer: Wafer, entry: str) -> int:
    """Runs the function `entry` on all PEs. Returns: the cycles until all are done."""
    start = wafer.now
    wafer.run_until(wafer.launch(entry, []))
    wafer.run_until_quiet()
    return wafer.now - start


def write(
    wafer: Wafer, mesh: Mesh, value: HostValue, array: np.ndarray[Any, Any]
) -> None:
    """Copies an array to where the program has it."""
    tiles = value.placement.tile(array, mesh)
    rows, cols = tiles.shape[:2]
    for y in range(rows):
        for x in range(cols):
            data = tiles[y, x].astype(_stored(tiles.dtype)).tobytes()
            if data:
                address, _ = wafer.symbol(x, y, value.symbol)
                wafer.write_memory(x, y, address, data)


def read(wafer: Wafer, mesh: Mesh, value: HostValue) -> np.ndarray[Any, Any]:
    """Copies an array from where the program has it."""
    placement = value.placement
    dtype = np.dtype(placement.dtype)
    stored = _stored(dtype)
    tiles = np.zeros((mesh.rows, mesh.cols, *placement.tile_shape), dtype)
    size_bytes = int(np.prod(placement.tile_shape)) * stored.itemsize
    if not size_bytes:
        return placement.untile(tiles)
    for y in range(placement.extent[0]):
        for x in range(placement.extent[1]):
            address, _ = wafer.symbol(x, y, value.symbol)
            data = wafer.read_memory(x, y, address, size_bytes)
            values = np.frombuffer(data, stored).reshape(placement.tile_shape)
            tiles[y, x] = values.astype(dtype)
    return placement.untile(tiles)


def _stored(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """How a PE keeps the dtype: booleans and bytes in 16-bit words."""
    if dtype.itemsize > 1:
        return dtype
    return np.dtype(np.int16 if dtype.kind == "i" else np.uint16)
