"""The scripts of older releases of csl-examples, each judged by its own run.py.

Which examples a release has, and how its scripts are called, is read off a checkout:
`FOLDER/*/*/commands*.sh`. Shared CSL lies beside the examples, in folders without a
script of their own.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from published_examples import Outcome, run_script

HEADING = "## Older releases\n"
_INTRODUCTION = f"""\
{HEADING}
Every script that the branches hold, unmodified. A script passes if it exits with
status 0: each run.py ends with its own checks. Written by
`python tests/published/report.py --release 1.3.0 FILE`.
"""


@dataclass(frozen=True)
class Script:
    """One script of one example; `arch` is "" where the release has one for both."""

    folder: str
    name: str
    file: str

    @property
    def arch(self) -> str:
        match = re.search(r"wse\d", self.file)
        return match[0] if match else ""


def scripts(checkout: Path) -> list[Script]:
    """All scripts of a checkout, tutorials first."""
    paths = sorted(checkout.glob("*/*/commands*.sh"), key=lambda p: p.parts[-3:])
    found = [Script(p.parts[-3], p.parts[-2], p.name) for p in paths]
    return sorted(found, key=lambda script: script.folder != "tutorials")


def run(checkout: Path, script: Script, scratch: Path) -> Outcome:
    """Copies an example and what it shares with others, and runs its script."""
    group = checkout / script.folder
    for folder in sorted(group.iterdir()):
        shared = folder.is_dir() and not list(folder.glob("commands*.sh"))
        if folder.name == script.name or shared:
            shutil.copytree(folder, scratch / script.folder / folder.name)
    return run_script(scratch / script.folder / script.name, script.file)


def table(checkout: Path, release: str, only: str) -> str:
    """The section about a release; progress goes to standard error."""
    rows: list[str] = []
    passed = 0
    for script in scripts(checkout):
        if only not in script.name:
            continue
        with tempfile.TemporaryDirectory() as scratch:
            outcome = run(checkout, script, Path(scratch))
        passed += outcome.status == 0
        result = "pass" if outcome.status == 0 else f"fail ({outcome.status})"
        line = outcome.last_line().replace("|", "\\|")[:100]
        rows.append(
            f"| {script.folder} | {script.name} | {script.arch} | {result} "
            f"| {outcome.seconds:.1f} | {line} |"
        )
        print(rows[-1], file=sys.stderr, flush=True)
    head = (
        f"### {release}\n\n| folder | example | arch | result | seconds | last line |"
    )
    lines = [head, "|---|---|---|---|---|---|", *rows]
    return "\n".join(lines) + f"\n\n{passed} of {len(rows)} scripts pass.\n"


def with_section(text: str, release: str, section: str) -> str:
    """The document with the section about a release put in or replaced."""
    main, _, older = text.partition(HEADING)
    sections = dict(_sections(older))
    sections[release] = section
    parts = [sections[name] for name in sorted(sections, reverse=True)]
    return "\n".join([main.rstrip() + "\n", _INTRODUCTION, *parts])


def _sections(text: str) -> Iterator[tuple[str, str]]:
    for part in re.split(r"(?m)^(?=### )", text)[1:]:
        yield part.split("\n", 1)[0].removeprefix("### ").strip(), part.rstrip() + "\n"
