"""Counts again what docs/pytorch.md tells: `write_table.py [PATTERN [DTYPE...]]`.

The counts are kept in counts.json. With a pattern, only ops whose name it matches are
run; with dtypes, only for those, and nothing is written. Ends with 1 if something
differs.
"""

from __future__ import annotations

import re
import sys
import time

import torch
from sweep_opinfo import sweep
from sweep_report import COUNTS, MAIN, PAGE, load_counts, page, save_counts
from sweep_run import Outcome
from sweep_table import ENTRIES


def main(pattern: str = "", *dtypes: str) -> int:
    counted = {} if dtypes or not COUNTS.exists() else load_counts()[1]
    failed = False
    for name, entry in ENTRIES.items():
        if not re.search(pattern, name):
            continue
        for dtype in [getattr(torch, d) for d in dtypes] or MAIN:
            started = time.perf_counter()
            outcome = sweep(entry, dtype, entry.every)
            if outcome:
                counted[name, dtype] = outcome
                failed = failed or bool(outcome.failures)
                _show(f"{name} {dtype}", outcome, time.perf_counter() - started)
    if not dtypes:
        save_counts(counted)
        PAGE.write_text(page(counted), encoding="utf-8")
    return int(failed)


def _show(title: str, outcome: Outcome, seconds: float) -> None:
    print(
        f"{title}: {outcome.equal} of {outcome.samples} equal, {outcome.gradients} "
        f"gradients, {seconds:.1f} s",
        flush=True,
    )
    for text in outcome.failures:
        print("    " + text, flush=True)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
