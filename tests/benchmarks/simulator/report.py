"""Measures the simulator against its aims, and writes a table.

    PYFLAME_CSL_EXAMPLES=... python tests/benchmarks/simulator/report.py FILE

Each figure comes from a process of its own. Seconds are those of the processor, and
of the clock too if nothing else keeps the machine busy. Rows that need the official
examples are left out without a checkout of them. The text of FILE outside of the marked
table stays.
"""

from __future__ import annotations

import gc
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median
from typing import Any

import simulator_workloads as workloads

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "published"))
import published_examples  # noqa: E402

sys.path.insert(0, str(HERE.parent))
from page_section import rewrite  # noqa: E402

ROUNDS = 5
LINE = 64, 3000  # PEs, wavelets
SUMMA = 16, 16  # PEs and elements per side
WIDE = 64, 4
MESHES = 8, 32  # PEs per side, for the difference in memory
PE_MEMORY_KIB = 48

Figures = dict[str, Any]


# --- measurements, each in a process of its own -----------------------------------


def line(arch: str, leaps: bool) -> Figures:
    return workloads.line(*LINE, arch, leaps=leaps).figures()


def summa(arch: str, leaps: bool) -> Figures:
    return workloads.summa(*SUMMA, arch, leaps=leaps).figures()


def wide(arch: str) -> Figures:
    return workloads.summa_wafer(*WIDE, arch).spent.figures()


def resident(side: int) -> Figures:
    """Bytes of this process with a loaded program of side x side PEs."""
    kept = workloads.summa_wafer(side, 4)
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    assert kept.wafer.now == 0
    return {"bytes": pages * os.sysconf("SC_PAGE_SIZE")}


MEASURES: dict[str, Callable[..., Figures]] = {
    measure.__name__: measure for measure in (line, summa, wide, resident)
}


def measured(name: str, *arguments: Any) -> Figures:
    command = [sys.executable, __file__, "--measure", name, json.dumps(arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


# --- rows: what, aim, on the clock, of the processor ------------------------------


def table() -> str:
    load = os.getloadavg()[0]
    busy = load > 1
    rows = [
        *(_example_rows() if published_examples.checkout() else []),
        *_program_rows(),
        _memory_row(),
    ]
    lines = [
        f"Python {platform.python_version()}, {os.cpu_count()} cores, on which other "
        f"work was a load of {load:.0f}.",
        "",
        "| workload | aim | of the processor | on the clock |",
        "|---|---:|---:|---:|",
        *(_line(*row, busy) for row in rows),
    ]
    return "\n".join(lines)


def _line(title: str, aim: str, clock: str, processor: str, busy: bool) -> str:
    return f"| {title} | {aim} | {processor} | {'' if busy else clock} |"


def _example_rows() -> list[tuple[str, ...]]:
    checkout = published_examples.checkout()
    assert checkout is not None, "only with a checkout"
    tutorials = [
        (example, arch)
        for example in published_examples.EXAMPLES
        if example.folder == "tutorials"
        for arch in example.arches
    ]
    wall, cpu = _together(checkout, tutorials)
    title = f"the {len(tutorials)} tutorial scripts, two at a time"
    return [(title, "180 s", f"{wall:.0f} s", f"{cpu:.0f} s"), *_start_rows(checkout)]


def _together(checkout: Path, scripts: list[tuple[Any, str]]) -> tuple[float, float]:
    def run(script: tuple[Any, str]) -> bool:
        with tempfile.TemporaryDirectory() as scratch:
            done = published_examples.run_example(checkout, *script, Path(scratch))
        return done.passed(script[0])

    start, before = time.perf_counter(), _children_seconds()
    with ThreadPoolExecutor(2) as pool:
        assert all(pool.map(run, scripts)), "a script has failed"
    return time.perf_counter() - start, _children_seconds() - before


def _children_seconds() -> float:
    usage = getrusage(RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _start_rows(checkout: Path) -> list[tuple[str, ...]]:
    """gemv-01's two commands, as its script has them."""
    compiler = "cslc --arch=wse2 ./layout.csl --fabric-dims=8,3 --fabric-offsets=4,1"
    commands = {
        "`cslc` of gemv-01": f"{compiler} -o out --memcpy --channels 1",
        "`cs_python` of gemv-01": "cs_python run.py --name out",
    }
    times: dict[str, list[tuple[float, float]]] = {title: [] for title in commands}
    with tempfile.TemporaryDirectory() as scratch:
        name = "gemv-01-complete-program"
        source = checkout / "tutorials" / name
        for file in source.iterdir():
            (Path(scratch) / file.name).write_bytes(file.read_bytes())
        for _ in range(ROUNDS):
            for title, command in commands.items():
                times[title].append(_timed(command.split(), scratch))
    return [
        (title, "1 s", *(f"{median(part):.2f} s" for part in zip(*found, strict=True)))
        for title, found in times.items()
    ]


def _timed(command: list[str], folder: str) -> tuple[float, float]:
    from pyflame.wse.sdk.exec import environment, write_tools

    with tempfile.TemporaryDirectory() as tools:
        write_tools(Path(tools))
        start, before = time.perf_counter(), _children_seconds()
        subprocess.run(
            [f"{tools}/{command[0]}", *command[1:]],
            cwd=folder,
            env=environment(tools),
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return time.perf_counter() - start, _children_seconds() - before


def _program_rows() -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for arch in ("wse2", "wse3"):
        for leaps, how in ((False, "step by step"), (True, "with leaps")):
            found = measured("line", arch, leaps)
            title = f"a wavelet's hop on a line of {LINE[0]} PEs, {arch}, {how}"
            scale = 1e6 / found["hops"]
            rows.append(_row(title, "3 us", [found["run"]], scale, "us"))
    for arch in ("wse2", "wse3"):
        for leaps, how in ((False, "step by step"), (True, "with leaps")):
            found = measured("summa", arch, leaps)
            n = SUMMA[0] * SUMMA[1]
            title = f"SUMMA of {n}x{n}x{n} f32 on 16x16 PEs, {arch}, {how}"
            rows.append(_row(title, "20 s", [found["run"]], 1, "s"))
    found = measured("wide", "wse2")
    title = f"a program of {WIDE[0]}x{WIDE[0]} PEs, compiled and loaded"
    rows.append(_row(title, "10 s", [found["compile"], found["load"]], 1, "s"))
    return rows


def _row(
    title: str, aim: str, spent: list[dict[str, float]], scale: float, unit: str
) -> tuple[str, ...]:
    sums = [sum(s[key] for s in spent) for key in ("wall_seconds", "cpu_seconds")]
    return title, aim, *(f"{scale * value:.2g} {unit}" for value in sums)


def _memory_row() -> tuple[str, ...]:
    small, large = MESHES
    more = measured("resident", large)["bytes"] - measured("resident", small)["bytes"]
    each = more / (large**2 - small**2) / 1024 - PE_MEMORY_KIB
    title = f"memory of a PE beyond its {PE_MEMORY_KIB} KiB"
    return title, "256 KiB", "", f"{each:.0f} KiB"


def main() -> None:
    if sys.argv[1] == "--measure":
        name, arguments = sys.argv[2:]
        print(json.dumps(MEASURES[name](*json.loads(arguments))))
        return
    rewrite(Path(sys.argv[1]), "simulator", table())


if __name__ == "__main__":
    main()
