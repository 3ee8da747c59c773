"""Compares the memory of plans with what must stand there at once; writes a table.

    python tests/benchmarks/memory/report.py docs/memory.md

The text outside of the marked table stays.
"""

from __future__ import annotations

import sys
from pathlib import Path

from memory_models import models, needed_bytes, planned

sys.path.insert(0, str(Path(__file__).parents[1]))
from page_section import rewrite


def table() -> str:
    rows: list[tuple[str, int, int]] = []
    for name, model in models():
        plan = planned(model)
        rows.append((name, plan.cost.data_bytes, needed_bytes(plan)))
    rows.append(("all", sum(row[1] for row in rows), sum(row[2] for row in rows)))
    lines = ["| model | bytes per PE | at once | ratio |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {name} | {data:,} | {least:,} | {data / least:.2f} |"
        for name, data, least in rows
    ]
    return "\n".join([*lines, ""])


def main(path: str) -> int:
    rewrite(Path(path), "memory", table())
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
