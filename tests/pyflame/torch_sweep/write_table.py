"""Writes docs/pytorch.md: `python tests/pyflame/torch_sweep/write_table.py [PATTERN]`.

With a pattern, ops whose name matches are run for every dtype, and nothing is written.
It ends with 1 if something differs.
"""

from __future__ import annotations

import re
import sys
import time

from sweep_opinfo import sweep
from sweep_report import MAIN, OTHERS, PAGE, page
from sweep_run import Outcome
from sweep_table import ENTRIES


def main(pattern: str = "") -> int:
    outcomes: dict[tuple[str, object], Outcome] = {}
    dtypes = (*MAIN, *OTHERS) if pattern else MAIN
    for name, entry in ENTRIES.items():
        for dtype in dtypes if re.search(pattern, name) else ():
            started = time.perf_counter()
            outcome = sweep(entry, dtype, entry.every)
            if outcome:
                outcomes[name, dtype] = outcome
                _show(f"{name} {dtype}", outcome, time.perf_counter() - started)
    if not pattern:
        PAGE.write_text(page(outcomes), encoding="utf-8")
    return int(any(o.failures for o in outcomes.values()))


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
