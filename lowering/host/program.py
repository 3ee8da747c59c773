"""program.json: what a host has to know about a compiled program (version 1)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from lowering.emit import ENTRY
from lowering.host.tiling import VERSION
from lowering.placement import Placement
from lowering.plan import Plan


def program(
    plan: Plan,
    in_placements: Sequence[Placement],
    out_placements: Sequence[Placement],
    in_names: Sequence[str],
    out_names: Sequence[str],
) -> dict[str, Any]:
    """Mesh, entry function, and every input and output in the program's order.

    `name` is what the user calls a value, `symbol` what the wafer does.
    """
    rows, cols = plan.mesh.extent
    return {
        "version": VERSION,
        "entry": ENTRY,
        "mesh": {"rows": rows, "cols": cols},
        "inputs": _values(in_names, list(plan.inputs), in_placements),
        "outputs": _values(out_names, list(plan.outputs), out_placements),
    }


def program_text(program: dict[str, Any]) -> str:
    """The program as the text of program.json."""
    return json.dumps(program, indent=2) + "\n"


def _values(
    names: Sequence[str], symbols: Sequence[str], placements: Sequence[Placement]
) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "symbol": symbol,
            "shape": list(placement.shape),
            "dtype": str(placement.dtype),
            "axes": list(placement.axes),
            "extent": list(placement.extent),
            "tile_shape": list(placement.tile_shape),
        }
        for name, symbol, placement in zip(names, symbols, placements, strict=True)
    ]
