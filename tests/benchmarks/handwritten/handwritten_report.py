"""Measures generated programs beside official hand-written ones, and writes a table.

    cd tests/benchmarks/handwritten
    PYFLAME_CSL_EXAMPLES=... python handwritten_report.py ../../../docs/handwritten.md

The text of the file outside of the marked table stays. Without a file the table goes to
the standard output.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from statistics import geometric_mean

import handwritten_runs as runs
from comparisons import COMPARISONS, Comparison

sys.path.insert(0, str(Path(__file__).parents[1]))
from page_section import rewrite

VARIABLE = "PYFLAME_CSL_EXAMPLES"


def report(checkout: Path) -> str:
    """A row for each example and architecture, and the mean of their ratios."""
    rows: list[str] = []
    ratios: list[float] = []
    for comparison in COMPARISONS:
        for arch in comparison.arches:
            by_hand = runs.example_cycles(comparison, arch, checkout)
            generated = runs.generated_cycles(comparison, arch)
            rows.append(_row(comparison, arch, by_hand, generated))
            ratios.append(generated / by_hand)
    return (
        "| example | what | PEs | wafer | by hand | generated "
        "| generated / by hand |\n"
        "| --- | --- | --- | --- | ---: | ---: | ---: |\n"
        + "\n".join(rows)
        + f"\n\nThe geometric mean of the ratios is {geometric_mean(ratios):.2f}."
    )


def _row(comparison: Comparison, arch: str, by_hand: int, generated: int) -> str:
    cells = [
        comparison.example,
        comparison.what,
        "x".join(map(str, comparison.mesh)),
        arch,
        f"{by_hand:,}",
        f"{generated:,}",
        f"{generated / by_hand:.2f}",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> int:
    checkout = os.environ.get(VARIABLE)
    if not checkout:
        print(f"{VARIABLE} names no checkout of csl-examples", file=sys.stderr)
        return 2
    table = report(Path(checkout))
    if len(sys.argv) < 2:
        print(table)
    else:
        rewrite(Path(sys.argv[1]), "handwritten", table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
