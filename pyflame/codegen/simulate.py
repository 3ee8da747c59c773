"""Runs generated text on the simulated wafer, all in memory.

The text is compiled as `cslc` would; host copies go to and from the exported symbols
as run.py's do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lowering.emit import ENTRY
from lowering.lower import Lowered
from lowering.mesh import Mesh
from lowering.placement import Placement
from lowering.target import Target
from pyflame.wse.language.compile import compile_program
from pyflame.wse.language.image import Image, Options
from pyflame.wse.language.source import Source
from pyflame.wse.machine.engine import MachineConfig, Wafer
from pyflame.wse.sdk.saved import ProgramReader

_TOP_FILE = "layout.csl"


def compile_text(lowered: Lowered) -> Image:
    """The program that the generated files are.

    Raises: CslError, if the text breaks a rule of CSL.
    """
    return compile_files(lowered.files, lowered.plan.mesh, lowered.plan.target)


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


def run(
    image: Image,
    lowered: Lowered,
    arrays: Sequence[np.ndarray[Any, Any]],
    config: MachineConfig,
) -> tuple[list[np.ndarray[Any, Any]], int, Any]:
    """Copies the inputs in, launches the program once, copies the outputs out.

    Returns: the outputs in order, the cycles of the launch, the wafer's report.
    """
    plan, parts = lowered.plan, lowered.partitioned
    wafer = Wafer(image, config)
    wafer.load()
    wafer.start()
    wafer.run_until_quiet()
    given = [*arrays, *lowered.constants]
    for symbol, array, placement in zip(
        plan.inputs, given, parts.in_placements, strict=True
    ):
        _write(wafer, symbol, placement.tile(array, plan.mesh))
    start = wafer.now
    wafer.run_until(wafer.launch(ENTRY, []))
    wafer.run_until_quiet()
    cycles = wafer.now - start
    outputs = [
        _read(wafer, symbol, placement, lowered)
        for symbol, placement in zip(plan.outputs, parts.out_placements, strict=True)
    ]
    return outputs, cycles, wafer.report()


def _write(wafer: Wafer, symbol: str, tiles: np.ndarray[Any, Any]) -> None:
    """tiles: [rows, cols, *tile_shape]."""
    rows, cols = tiles.shape[:2]
    for y in range(rows):
        for x in range(cols):
            data = tiles[y, x].astype(_stored(tiles.dtype)).tobytes()
            if data:
                address, _ = wafer.symbol(x, y, symbol)
                wafer.write_memory(x, y, address, data)


def _read(
    wafer: Wafer, symbol: str, placement: Placement, lowered: Lowered
) -> np.ndarray[Any, Any]:
    mesh, dtype = lowered.plan.mesh, np.dtype(placement.dtype)
    stored = _stored(dtype)
    tiles = np.zeros((mesh.rows, mesh.cols, *placement.tile_shape), dtype)
    size_bytes = int(np.prod(placement.tile_shape)) * stored.itemsize
    if not size_bytes:
        return placement.untile(tiles)
    for y in range(placement.extent[0]):
        for x in range(placement.extent[1]):
            address, _ = wafer.symbol(x, y, symbol)
            data = wafer.read_memory(x, y, address, size_bytes)
            values = np.frombuffer(data, stored).reshape(placement.tile_shape)
            tiles[y, x] = values.astype(dtype)
    return placement.untile(tiles)


def _stored(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """How a PE keeps the dtype: booleans and bytes in 16-bit words."""
    if dtype.itemsize > 1:
        return dtype
    return np.dtype(np.int16 if dtype.kind == "i" else np.uint16)
