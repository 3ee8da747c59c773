"""program.json: what a host has to know about a compiled program (version 1)."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lowering.emit import ENTRY
from lowering.empty_ends import NO_EMPTY_ENDS, EmptyEnds
from lowering.host.tiling import VERSION
from lowering.placement import Placement
from lowering.plan import Plan


def program(
    plan: Plan,
    in_placements: Sequence[Placement],
    out_placements: Sequence[Placement],
    in_names: Sequence[str],
    out_names: Sequence[str],
    constants: Sequence[np.ndarray[Any, Any]] = (),
    ends: EmptyEnds = NO_EMPTY_ENDS,
) -> dict[str, Any]:
    """Mesh, entry function, and every input and output in the program's order.

    `name` is what the user calls a value, `symbol` what the wafer does. Inputs whose
    memory the program uses again are "donated". The last of the plan's inputs are
    `constants`, which hold their own data. What has no elements (`ends`) has no symbol.
    """
    rows, cols = plan.mesh.extent
    symbols, count = list(plan.inputs), len(plan.inputs) - len(constants)
    tables = _values(symbols[count:], symbols[count:], in_placements[count:])
    for table, array in zip(tables, constants, strict=True):
        table["data"] = base64.b64encode(_little_endian(array)).decode("ascii")
    kept = ends.kept_inputs(in_names)
    inputs = _values(kept, symbols[:count], in_placements[:count])
    for entry, value in zip(inputs, plan.inputs.values(), strict=False):
        if value in plan.allocation.lives:
            entry["donated"] = True
    outputs = _values(ends.kept_outputs(out_names), list(plan.outputs), out_placements)
    described: dict[str, Any] = {
        "version": VERSION,
        "entry": ENTRY,
        "mesh": {"rows": rows, "cols": cols},
        "inputs": _with_empty(inputs, in_names, ends.inputs),
        "outputs": _with_empty(outputs, out_names, ends.outputs),
    }
    return {**described, "constants": tables} if tables else described


def _little_endian(array: np.ndarray[Any, Any]) -> bytes:
    if str(array.dtype) == "bfloat16":
        array = array.view(np.uint16)
    return array.astype(array.dtype.newbyteorder("<")).tobytes()


def program_text(program: dict[str, Any]) -> str:
    """The program as the text of program.json."""
    return json.dumps(program, indent=2) + "\n"


def _with_empty(
    kept: Sequence[dict[str, Any]], names: Sequence[str], gone: Mapping[int, Placement]
) -> list[dict[str, Any]]:
    """All values in order, those without elements among them."""
    others = iter(kept)
    return [
        _values([name], [""], [gone[number]])[0] if number in gone else next(others)
        for number, name in enumerate(names)
    ]


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
