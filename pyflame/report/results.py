"""What code generation gave, and what a run on the simulated wafer did."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

import jax
import numpy as np

from pyflame.codegen.result import CodeGenResult
from pyflame.codegen.simulation_run import SimulationRun
from pyflame.graph_text import size_text
from pyflame.report.drawing import Drawing, label
from pyflame.report.heat import heat_strip
from pyflame.report.markup import Markup, text_width
from pyflame.report.tables import (
    block,
    folded,
    heading,
    note,
    preformatted,
    side_by_side,
    table,
)

_MAX_STEPS = 30
_LARGE_CELL, _SMALL_CELL = 22.0, 7.0


def result_html(result: CodeGenResult) -> str:
    """The files and the predicted cost; or why there are none."""
    if not result.success:
        head = heading("CodeGenResult", "nothing was generated")
        return block(head, preformatted(result.error_message))
    facts = [f"{len(result.sources)} files in {result.output_dir}"]
    if result.cost is not None:
        cost = result.cost
        facts.append(f"{cost.cycles:,} cycles predicted")
        facts.append(f"{cost.size_bytes:,} of {cost.sram_bytes:,} bytes per PE")
    rows = [_file_row(name, text) for name, text in result.sources.items()]
    files = table(rows, header=("file", "lines", "size"), left=(0,))
    parts = [folded("files", files, *map(_source, result.sources.items()))]
    if result.cost is not None:
        parts.append(folded("predicted cost of each step", _cost_table(result.cost)))
    return block(heading("CodeGenResult", *facts), *parts)


def run_html(run: SimulationRun) -> str:
    """The cycles, the outputs, and what each PE did."""
    report = run.report
    head = heading(
        "SimulationRun",
        f"{run.cycles:,} cycles",
        f"{report.wavelets:,} wavelets over {report.hops:,} links",
    )
    leaves = jax.tree_util.tree_leaves_with_path(run.outputs)
    rows = [_output_row(path, leaf) for path, leaf in leaves]
    outputs = table(rows, header=("output", "type"), left=(0, 1))
    maps = [
        pe_map(report.pes, "memory_bytes", "bytes of memory"),
        pe_map(report.pes, "busy_cycles", "busy cycles"),
    ]
    return block(head, outputs, side_by_side(*(drawing.inline() for drawing in maps)))


def pe_map(pes: Sequence[Any], name: str, what: str) -> Drawing:
    """One field of a report on PEs as a picture of the mesh, stronger for more."""
    rows = 1 + max((pe.y for pe in pes), default=0)
    cols = 1 + max((pe.x for pe in pes), default=0)
    values = np.zeros((rows, cols))
    for pe in pes:
        values[pe.y, pe.x] = getattr(pe, name)
    low, high = int(values.min()), int(values.max())
    title = f"{what}: {low:,}" + ("" if low == high else f" to {high:,}")
    cell = _LARGE_CELL if max(rows, cols) <= 16 else _SMALL_CELL
    strip = heat_strip(values, title, cell)
    return Drawing(
        title,
        max(strip.width, text_width(title, 11)),
        strip.height + 20,
        (label(title, 0, 12, size=11, anchor="start"), strip.moved(0, 20)),
    )


def _file_row(name: str, text: str) -> tuple[str, str, str]:
    size = len(text.encode("utf-8", errors="replace"))
    return name, f"{text.count(chr(10)):,}", size_text(size)


def _source(item: tuple[str, str]) -> Markup:
    name, text = item
    return folded(PurePath(name).name, preformatted(text))


def _cost_table(cost: Any) -> Markup:
    steps = cost.steps[:_MAX_STEPS]
    rows = [("launch", f"{cost.launch_cycles:,}", "")]
    rows += [(s.equation, f"{s.cycles:,}", f"{s.size_bytes:,}") for s in steps]
    shown = table(rows, header=("step", "cycles", "bytes"), left=(0,))
    left = len(cost.steps) - len(steps)
    return Markup(shown + note(f"and {left:,} steps more")) if left else shown


def _output_row(path: Any, leaf: Any) -> tuple[str, str]:
    array = np.asarray(leaf)
    return f"out{jax.tree_util.keystr(path)}", f"{array.dtype}{list(array.shape)}"
