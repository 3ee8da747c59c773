"""The official example programs, what their scripts print, and how to run one.

The files themselves come from a checkout of Cerebras/csl-examples at 1.4.0, whose
folder PYFLAME_CSL_EXAMPLES names; nothing of it is kept here. Groups are steps of
difficulty: A memory only, B streams on one PE, C static routes, D switches and
control wavelets, E collectives, F run-time reconfiguration, G SdkLayout, H large.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "PYFLAME_CSL_EXAMPLES"
NO_CHECKOUT = f"{VARIABLE} names no checkout of csl-examples"
TIMEOUT_SECONDS = 600


@dataclass(frozen=True)
class Example:
    """`line` must occur in the output of a script that passes; `needs` are modules
    beside NumPy that its run.py imports."""

    group: str
    name: str
    arches: str = "23"
    line: str = "SUCCESS"
    folder: str = "tutorials"
    needs: tuple[str, ...] = ()


def _tutorials(group: str, *names: str) -> list[Example]:
    return [Example(group, name) for name in names]


def _benchmarks(group: str, *names: str, needs: tuple[str, ...] = ()) -> list[Example]:
    return [Example(group, name, folder="benchmarks", needs=needs) for name in names]


EXAMPLES = [
    *_tutorials(
        "A",
        "gemv-01-complete-program",
        "gemv-02-memory-dsds",
        "gemv-03-memcpy",
        "gemv-04-params",
        "topic-01-arrays-and-pointers",
        "gemv-05-multiple-pes",
        "topic-10-map-builtin",
        "topic-02-libraries",
    ),
    *_benchmarks("A", "single-tile-matvec"),
    *_tutorials(
        "B",
        "topic-03-streaming-wavelet-data",
        "topic-04-sparse-tensors",
        "pipeline-01-basic",
        "pipeline-02-fifo",
        "topic-09-fifos",
    ),
    *_benchmarks("B", "wide-multiplication"),
    *_tutorials("C", "gemv-06-routes-1"),
    Example("C", "topic-15-wse3-microthreads", arches="3"),
    *_tutorials(
        "C",
        "gemv-07-routes-2",
        "gemv-08-routes-3",
        "gemv-09-streaming",
        "pipeline-03-multiple",
    ),
    *_benchmarks("C", "mandelbrot", "residual"),
    *_tutorials("C", "topic-12-debug-library", "topic-13-simprint"),
    *_tutorials(
        "D",
        "topic-05-sentinels",
        "topic-08-filters",
        "topic-06-switches",
        "topic-07-switches-entrypt",
    ),
    Example("D", "topic-14-color-swap", arches="2"),
    *_benchmarks("D", "gemv-checkerboard-pattern", "cholesky", "fft-1d-2d"),
    *_benchmarks("D", "game-of-life", needs=("matplotlib",)),
    *_tutorials("E", "topic-11-collectives"),
    *_benchmarks("E", "gemv-collectives_2d", "gemm-collectives_2d"),
    Example("E", "bandwidth-test", line="", folder="benchmarks"),
    Example("E", "row-col-broadcast", line="", folder="benchmarks"),
    *_benchmarks(
        "F",
        "7pt-stencil-spmv",
        "power-method",
        "conjugate-gradient",
        "preconditioned-conjugate-gradient",
        "bicgstab",
        needs=("scipy",),
    ),
    *_tutorials(
        "G",
        "sdklayout-01-introduction",
        "sdklayout-02-routing",
        "sdklayout-03-ports-and-connections",
        "sdklayout-04-h2d-d2h",
        "sdklayout-05-gemv",
    ),
    Example("H", "histogram-torus", arches="2", folder="benchmarks"),
    Example("H", "25-pt-stencil", arches="2", folder="benchmarks"),
    Example(
        "H",
        "spmv-hypersparse",
        arches="2",
        line="[[ Result within tolerance 1e-08: PASS ]]",
        folder="benchmarks",
        needs=("scipy", "pandas"),
    ),
    Example("H", "fft-3d", arches="3", folder="benchmarks"),
]


@dataclass(frozen=True)
class Outcome:
    """What one script did: exit status, all output, wall-clock seconds."""

    status: int
    output: str
    seconds: float

    def passed(self, example: Example) -> bool:
        return self.status == 0 and example.line in self.output

    def last_line(self) -> str:
        lines = [line for line in self.output.splitlines() if line.strip()]
        return lines[-1].strip() if lines else ""


def checkout() -> Path | None:
    """The folder of the examples, None if the variable is unset."""
    value = os.environ.get(VARIABLE, "")
    return Path(value) if value else None


def write_page(text: str, file: Path | None) -> None:
    """Into a file, or without one to standard output."""
    if file:
        file.write_text(text, encoding="utf-8")
    else:
        print(text)


def run_example(
    examples: Path,
    example: Example,
    arch: str,
    scratch: Path,
    flags: Sequence[str] = (),
) -> Outcome:
    """Copies an example into a scratch folder and runs its own script there.

    `flags` are those of `pyflame exec`.
    """
    work = scratch / example.folder / example.name
    shutil.copytree(examples / example.folder / example.name, work)
    shared = examples / example.folder / "benchmark-libs"
    if shared.is_dir():
        shutil.copytree(shared, work.parent / "benchmark-libs")
    return run_script(work, f"commands_wse{arch}.sh", flags)


def run_script(work: Path, script: str, flags: Sequence[str] = ()) -> Outcome:
    """Runs a script in the folder that holds it."""
    command = [sys.executable, "-m", "pyflame", "exec", *flags, "--", "bash", script]
    start = time.perf_counter()
    try:
        done = subprocess.run(
            command,
            cwd=work,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=TIMEOUT_SECONDS,
        )
        status, output = done.returncode, done.stdout
    except subprocess.TimeoutExpired:
        status, output = -1, f"no end after {TIMEOUT_SECONDS} seconds"
    return Outcome(status, output, time.perf_counter() - start)
