"""What compiling costs does not depend on the number of PEs."""

from __future__ import annotations

import cProfile
import pstats
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import pytest

import pyflame as pf


def _function(x: Any, w: Any, b: Any) -> Any:
    return jnp.sum(jax.nn.relu(x * w + b) / 3.0, axis=1)


def _calls(folder: Path, rows: int, cols: int, debug: bool) -> tuple[int, int]:
    """Function calls of a compilation with tiles of 2x2, and bytes it writes."""
    options = pf.CodeGenOptions(
        output_dir=str(folder),
        fabric_height=rows,
        fabric_width=cols,
        generate_debug_info=debug,
    )
    shapes = ((2 * rows, 2 * cols), (2 * rows, 2 * cols), (2 * cols,))
    specs = [jax.ShapeDtypeStruct(shape, "float32") for shape in shapes]
    profile = cProfile.Profile()
    with profile:
        result = pf.compile_to_csl(_function, *specs, options=options)
    assert result.success, result.error_message
    calls = sum(row[1] for row in pstats.Stats(profile).stats.values())
    return calls, sum(map(len, result.sources.values()))


@pytest.mark.parametrize(
    ("mesh", "debug"), [((994, 750), False), ((400, 400), True)], ids=str
)
def test_a_wafer_costs_what_a_small_mesh_costs(
    tmp_path: Path, mesh: tuple[int, int], debug: bool
) -> None:
    """Sums cross rows of 256 PEs in the pattern that they do on all of a wafer."""
    _calls(tmp_path, 4, 256, debug)  # fills the caches
    small_calls, small_bytes = _calls(tmp_path, 4, 256, debug)
    calls, size_bytes = _calls(tmp_path, *mesh, debug)
    assert calls < 1.2 * small_calls
    assert size_bytes < 1.05 * small_bytes
