"""Runs the official examples under scheduler seeds, and compares what the host reads.

PYFLAME_CSL_EXAMPLES=... python tests/published/seeds.py [--seeds 10] [--only NAME] \
    [FILE]

A seed permutes what the hardware leaves open: the order of runnable tasks of one
priority and of wavelets that reach a router in one cycle.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from published_examples import (
    EXAMPLES,
    NO_CHECKOUT,
    Example,
    checkout,
    run_example,
    write_page,
)

HEADER = """\
# The official examples under seeds

The scripts of Cerebras/csl-examples 1.4.0, run twice as they are and once under each
seed, which permutes what the hardware leaves open: the order of runnable tasks of one
priority and of wavelets that reach a router in one cycle. Every run is judged by the
script's own check, and the arrays that the host reads are compared bit for bit; not
those that differ between two runs without a seed, because run.py itself draws numbers.
Written by `python tests/published/seeds.py FILE`.

"""

# What is known of those that depend on the seed.
REMARKS = {
    "game-of-life": (
        "Its tasks rely on a fair picker: `start_next_gen`, activated last, may be "
        "picked while `send` of the generation before still waits, behind eight "
        "receiving tasks that were runnable later. Activation is one bit, so one "
        "`send` is lost, and the neighbours wait for it. Without a seed tasks take "
        "turns, and each one runs in time. In a copy in which `start_next_gen` waits "
        "for `send` and `fwd_east_west`, 20 of 20 runs under ten seeds pass."
    ),
    "spmv-hypersparse": (
        "It has two races of its own (hypersparse_spmv/pe.csl). `compute_local` takes "
        "the train whose last vector was received as ended, while `compute_north` or "
        "`compute_south` still waits with that vector; run first, it finds the wrong "
        "column and adds nothing. And `compute_done` starts the reduction twice if a "
        "train's last `compute` runs between the two calls of `tx_north_done` or "
        "`tx_south_done`. Without a seed tasks take turns, and neither happens. In a "
        "copy in which `compute_local` waits for the computing and the reduction "
        "starts once, 20 of 20 seeds pass; with one of the two mended, 6 and 3."
    ),
}


@dataclass(frozen=True)
class Run:
    """Whether a script passed its own check, and a checksum of each array it read."""

    passed: bool
    reads: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """A script's runs: one without a seed, the same again, and one for each seed."""

    example: str
    arch: str
    plain: Run
    again: Run
    seeded: list[Run]

    @property
    def fixed(self) -> list[int]:
        """The arrays that two runs alike agree on; others hold the host's own dice."""
        pairs = zip(self.plain.reads, self.again.reads, strict=False)
        return [i for i, (one, two) in enumerate(pairs) if one == two]

    @property
    def passed(self) -> bool:
        return all(run.passed for run in (self.plain, self.again, *self.seeded))

    @property
    def changing(self) -> list[str]:
        """Names of arrays that depend on the seed, in the order of their reading."""
        reads = self.plain.reads
        names = (
            reads[i].rsplit(" ", 2)[0]
            for i in self.fixed
            if any(run.reads[i : i + 1] != (reads[i],) for run in self.seeded)
        )
        return list(dict.fromkeys(names))

    def __str__(self) -> str:
        check = "passes" if self.passed else "FAILS"
        changing = ", ".join(f"`{name}`" for name in self.changing) or "none"
        count = f"{len(self.fixed)} of {len(self.plain.reads)}"
        return f"| {self.example} | {self.arch} | {check} | {count} | {changing} |"


def row(examples: Path, example: Example, arch: str, seeds: Iterable[int]) -> Row:
    plain, again = (_run(examples, example, arch, []) for _ in range(2))
    seeded = [_run(examples, example, arch, ["--seed", str(n)]) for n in seeds]
    return Row(example.name, f"wse{arch}", plain, again, seeded)


def _run(examples: Path, example: Example, arch: str, flags: list[str]) -> Run:
    with tempfile.TemporaryDirectory() as scratch:
        reads = Path(scratch) / "reads.txt"
        flags = [*flags, "--reads", str(reads)]
        outcome = run_example(examples, example, arch, Path(scratch), flags)
        lines = reads.read_text("utf-8").splitlines() if reads.exists() else []
        return Run(outcome.passed(example), tuple(lines))


def page(rows: list[Row], seeds: int) -> str:
    good = sum(row.passed for row in rows)
    equal = sum(row.passed and not row.changing for row in rows)
    lines = [
        f"{good} of {len(rows)} scripts pass without a seed and under {seeds} seeds; "
        f"{equal} read the same under all of them.",
        "",
        "| example | arch | own check | arrays compared | depend on the seed |",
        "|---|---|---|---|---|",
        *map(str, rows),
    ]
    remarks = [
        f"\n`{name}`: {text}"
        for name, text in REMARKS.items()
        if any(row.example == name and (row.changing or not row.passed) for row in rows)
    ]
    return HEADER + "\n".join([*lines, *remarks]) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, help="how many")
    parser.add_argument("--only", default="", help="part of an example's name")
    parser.add_argument("file", nargs="?", type=Path, help="default: standard output")
    arguments = parser.parse_args()
    examples = checkout()
    if examples is None:
        print(NO_CHECKOUT, file=sys.stderr)
        return 2
    rows: list[Row] = []
    for example in EXAMPLES:
        for arch in example.arches if arguments.only in example.name else "":
            rows.append(row(examples, example, arch, range(arguments.seeds)))
            print(rows[-1], file=sys.stderr, flush=True)
    write_page(page(rows, arguments.seeds), arguments.file)
    return 0 if all(row.passed for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
