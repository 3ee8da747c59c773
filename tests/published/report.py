"""Runs the official examples and writes a table of what passed.

PYFLAME_CSL_EXAMPLES=... python tests/published/report.py [--groups ABC] [FILE]

With `--release 1.3.0` the variable names a checkout of that branch, whose section in
FILE is written.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import older_releases
from published_examples import (
    EXAMPLES,
    NO_CHECKOUT,
    Example,
    Outcome,
    checkout,
    run_example,
    write_page,
)

HEADER = """\
# The official examples

The scripts of Cerebras/csl-examples 1.4.0, unmodified, run by `pyflame exec`. A
script passes if it exits with status 0 and prints the line its run.py prints after
its own checks. Written by `python tests/published/report.py`.

| group | example | arch | result | seconds | last line |
|---|---|---|---|---|---|
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--groups", default="ABCDEFGH", help="letters, such as ABC")
    parser.add_argument("--only", default="", help="part of an example's name")
    parser.add_argument("--release", default="", help="an older one, such as 1.3.0")
    parser.add_argument("file", nargs="?", type=Path, help="default: standard output")
    arguments = parser.parse_args()
    examples = checkout()
    if examples is None:
        print(NO_CHECKOUT, file=sys.stderr)
        return 2
    earlier = ""
    if arguments.file and arguments.file.is_file():
        earlier = arguments.file.read_text(encoding="utf-8")
    if arguments.release:
        section = older_releases.table(examples, arguments.release, arguments.only)
        table = older_releases.with_section(earlier, arguments.release, section)
        write_page(table, arguments.file)
        return 0
    chosen = [
        e for e in EXAMPLES if e.group in arguments.groups and arguments.only in e.name
    ]
    _, heading, older = earlier.partition(older_releases.HEADING)
    table = report(examples, chosen) + f"\n{heading}{older}".rstrip("\n") + "\n"
    write_page(table, arguments.file)
    return 0


def report(examples: Path, chosen: list[Example]) -> str:
    rows: list[str] = []
    passed = 0
    for example in chosen:
        for arch in example.arches:
            with tempfile.TemporaryDirectory() as scratch:
                outcome = run_example(examples, example, arch, Path(scratch))
            passed += outcome.passed(example)
            rows.append(_row(example, arch, outcome))
            print(rows[-1], file=sys.stderr, flush=True)
    return HEADER + "\n".join(rows) + f"\n\n{passed} of {len(rows)} scripts pass.\n"


def _row(example: Example, arch: str, outcome: Outcome) -> str:
    result = "pass" if outcome.passed(example) else f"fail ({outcome.status})"
    line = outcome.last_line().replace("|", "\\|")[:100]
    return (
        f"| {example.group} | {example.name} | wse{arch} | {result} "
        f"| {outcome.seconds:.1f} | {line} |"
    )


if __name__ == "__main__":
    sys.exit(main())
