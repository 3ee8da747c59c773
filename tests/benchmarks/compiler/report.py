"""Measures what compiling costs, and writes a table.

    python tests/benchmarks/compiler/report.py docs/compiler-speed.md

A figure is the median of rounds in processor time; the two meshes take turns, and a
ratio is the median of the ratios of the rounds. The text outside of the marked table
stays.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import jax
from compiler_workloads import LONG, PROGRAMS, SMALL, WAFERS, compile_long, compiled

sys.path.insert(0, str(Path(__file__).parents[1]))
from page_section import rewrite

ROUNDS = 15
LENGTHS = (100, 300, 1000)


def seconds_of(call: Callable[[], Any]) -> float:
    """Processor time of one call."""
    start = time.process_time()
    call()
    return time.process_time() - start


def scale_row(name: str, target: str) -> tuple[str, ...]:
    """4x4 PEs beside a whole wafer: milliseconds, their ratio, bytes and steps."""
    wafer = WAFERS[target]
    small, large = compiled(name, SMALL, target), compiled(name, wafer, target)
    rounds = [
        (
            seconds_of(lambda: compiled(name, SMALL, target)),
            seconds_of(lambda: compiled(name, wafer, target)),
        )
        for _ in range(ROUNDS)
    ]
    few, many = (1000 * median(column) for column in zip(*rounds, strict=True))
    ratio = median(b / a for a, b in rounds)
    sizes = f"{small.size_bytes:,}", f"{large.size_bytes:,}"
    steps = f"{small.steps} / {large.steps}"
    times = f"{few:.0f} ms", f"{many:.0f} ms", f"{ratio:.2f}"
    return name, f"{target}, {wafer[0]}x{wafer[1]}", *times, *sizes, steps


def length_row(count: int, kind: str) -> tuple[str, ...]:
    """A program of so many equations on 2x2 PEs."""
    compile_long(40, kind)  # fills the caches
    start = time.process_time()
    result = compile_long(count, kind)
    seconds = time.process_time() - start
    first = result.error_message.partition("\n")[0]
    return (
        f"{count:,}, {kind}",
        f"{seconds:.1f} s",
        f"refused: {first}" if first else "compiled",
    )


def table() -> str:
    cores = f"{os.cpu_count()} cores"
    lengths = [length_row(count, kind) for kind in LONG for count in LENGTHS]
    scale = [scale_row(name, target) for name in PROGRAMS for target in WAFERS]
    header = ("program", "whole wafer", "4x4", "wafer", "ratio")
    header += ("bytes of CSL, 4x4", "wafer", "steps")
    return "\n".join(
        [
            f"Python {platform.python_version()}, jax {jax.__version__}, {cores}.",
            "",
            *_markdown(header, scale),
            "",
            *_markdown(("equations", "processor time", "outcome"), lengths),
            "",
        ]
    )


def _markdown(header: tuple[str, ...], rows: Any) -> list[str]:
    lines = [header, ("---",) * len(header), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]


def main(path: str) -> int:
    rewrite(Path(path), "compiler", table())
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
