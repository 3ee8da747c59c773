"""Compares the memory of plans with what must stand there at once; writes a table.

    python tests/benchmarks/memory/report.py docs/memory.md

The text outside of the marked table stays.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from memory_models import models, needed_bytes, planned

_TABLE = re.compile(
    r"(<!-- memory: begin -->\n).*?(<!-- memory: end -->)", flags=re.DOTALL
)


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
    page = Path(path)
    text = page.read_text(encoding="utf-8")
    assert _TABLE.search(text), f"{page} has no place for the table"
    made = table()
    text = _TABLE.sub(lambda match: f"{match[1]}{made}{match[2]}", text)
    page.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
