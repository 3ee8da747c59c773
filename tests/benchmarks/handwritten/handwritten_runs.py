"""Cycles of an official example and of its generated counterpart, by one measure.

Both run on the simulator with a trace, and the time counts from the first cycle in
which a PE works on it to the last one. What the host copies takes no cycles in either.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import jax
import numpy as np
from comparisons import Comparison

import pyflame as pf
from pyflame.wse.machine.engine import MachineConfig
from pyflame.wse.machine.recorder import Observe

_FOLDERS = ("tutorials", "benchmarks")


def example_cycles(comparison: Comparison, arch: str, checkout: Path) -> int:
    """Of the example as its own script runs it, whose check has to pass."""
    with tempfile.TemporaryDirectory() as folder:
        trace = _traced(comparison, arch, checkout, Path(folder))
    return span_cycles(trace, comparison.begin, comparison.until)


def _traced(
    comparison: Comparison, arch: str, checkout: Path, folder: Path
) -> dict[str, Any]:
    copy = folder / comparison.example
    for group in _FOLDERS:
        if (checkout / group / comparison.example).exists():
            shutil.copytree(checkout / group / comparison.example, copy)
    libraries = checkout / "benchmarks" / "benchmark-libs"
    shutil.copytree(libraries, folder / libraries.name)
    script = f"commands_{arch}.sh"
    run = [sys.executable, "-m", "pyflame", "exec", "--trace", "trace.json", "--"]
    done = subprocess.run(
        [*run, "bash", script], cwd=copy, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((copy / "trace.json").read_text("utf-8"))


def span_cycles(trace: dict[str, Any], begin: str, until: str) -> int:
    """Cycles between two tasks, where they first start; else of all that was done."""
    slices = [event for event in trace["traceEvents"] if event["ph"] == "X"]
    starts = {
        name: min((s["ts"] for s in slices if s["name"] == name), default=None)
        for name in (begin, until)
    }
    first = starts[begin] if begin else min(s["ts"] for s in slices)
    ends = [
        s["ts"] + s["dur"]
        for s in slices
        if s["ts"] >= first and (not until or s["ts"] < starts[until])
    ]
    return max(ends) - first


@cache
def generated_cycles(comparison: Comparison, arch: str) -> int:
    """Of the compiled function, whose values have to be JAX's."""
    inputs = comparison.inputs()
    rows, cols = comparison.mesh
    with tempfile.TemporaryDirectory() as folder:
        result = pf.compile_to_csl(
            comparison.function,
            *inputs,
            options=pf.CodeGenOptions(
                output_dir=folder, target=arch, fabric_width=cols, fabric_height=rows
            ),
            in_layouts=comparison.layouts,
            out_layouts=comparison.result,
        )
    assert result.success, result.error_message
    session = result.session(config=MachineConfig(observe=Observe(trace=True)))
    got = session.run(*inputs)
    want = jax.tree.leaves(comparison.function(*inputs))
    for value, expected in zip(jax.tree.leaves(got.outputs), want, strict=True):
        near = comparison.tolerance
        np.testing.assert_allclose(value, expected, rtol=near, atol=near)
    return span_cycles(session.trace(), "", "")
