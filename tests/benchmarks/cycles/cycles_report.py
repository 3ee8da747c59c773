"""Measures our cycles beside the published ones and writes a table.

    python tests/benchmarks/cycles/cycles_report.py docs/hardware.md

The text of the file outside the marked table stays. Without a file the table goes to
the standard output.
"""

from __future__ import annotations

import sys
from pathlib import Path

import published_code
import published_fabric
import published_patterns
import published_vectors
from published import Figure, Unmeasured

sys.path.insert(0, str(Path(__file__).parents[1]))
from page_section import rewrite

GROUPS: dict[str, tuple[Figure, ...]] = {
    "Vector operations: throughput": published_vectors.THROUGHPUT,
    "Vector operations: reductions": published_vectors.REDUCTIONS,
    "Vector operations: banks and strides": published_vectors.BANKS,
    "Vector operations: columns of matrices": published_vectors.COLUMNS,
    "Vector operations: set-up": published_vectors.SETUP,
    "Scalar code": published_code.STATEMENTS,
    "4,096 multiply-adds in four forms (G9)": published_code.LOOPS,
    "Messages": published_fabric.MESSAGES,
    "Store and forward (R1)": published_fabric.RELAYS,
    "Reductions and broadcasts of a row": published_patterns.ROWS,
    "Reductions and broadcasts of a square": published_patterns.SQUARES,
}
UNMEASURED: tuple[Unmeasured, ...] = (
    *published_vectors.UNMEASURED,
    *published_code.UNMEASURED,
    *published_fabric.UNMEASURED,
    *published_patterns.UNMEASURED,
)
FIGURES = tuple(figure for group in GROUPS.values() for figure in group)


def report() -> str:
    """All tables, and what they come to."""
    parts = [_summary()]
    for title, figures in GROUPS.items():
        parts.append(f"### {title}\n\n{_table(figures)}")
    parts.append(f"### What has no row\n\n{_unmeasured()}")
    return "\n\n".join(parts)


def _summary() -> str:
    lines = []
    for name, hardware in (("the vendor's simulator", False), ("hardware", True)):
        figures = [figure for figure in FIGURES if figure.hardware == hardware]
        within = sum(figure.within() for figure in figures)
        aim = figures[0].aim
        lines.append(f"{within} of {len(figures)} figures of {name} within {aim:.0%}")
    return "; ".join(lines) + "."


def _table(figures: tuple[Figure, ...]) -> str:
    head = [
        "| what | machine | source | published | ours | ours / published | |",
        "|---|---|---|---:|---:|---:|---|",
    ]
    return "\n".join(head + [_row(figure) for figure in figures])


def _row(figure: Figure) -> str:
    machine = "WSE-2" if figure.arch == "wse2" else "WSE-3"
    if figure.profile == "silicon":
        machine += " silicon"
    evidence = "hardware" if figure.hardware else "simulator"
    published, ours = _number(figure.published), _number(figure.measured())
    verdict = "within" if figure.within() else f"off: {figure.why}"
    return (
        f"| {figure.what} | {machine} | {figure.source}, {evidence} | {published} "
        f"{figure.unit} | {ours} | {figure.ratio():.2f} | {verdict} |"
    )


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def _unmeasured() -> str:
    head = ["| what | source | published | why |", "|---|---|---|---|"]
    rows = [f"| {u.what} | {u.source} | {u.published} | {u.why} |" for u in UNMEASURED]
    return "\n".join(head + rows)


def main() -> None:
    table = report()
    if len(sys.argv) < 2:
        print(table)
        return
    rewrite(Path(sys.argv[1]), "cycles", table)


if __name__ == "__main__":
    main()
