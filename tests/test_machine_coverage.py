"""The page on the coverage of the machine names tests that exist, and misses none of
the rules of the machine."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "machine-coverage.md"
TESTS = ROOT / "tests" / "wse"
NODE = re.compile(r"`([\w/]+\.py)::(\w+)`")
CASE = re.compile(r"`(errors/\w+\.csl)`")


@cache
def functions_of(file: str) -> set[str]:
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def missing_evidence(text: str) -> list[str]:
    """Tests and programs of a page that do not exist."""
    missing = [case for case in CASE.findall(text) if not (TESTS / case).exists()]
    for file, name in NODE.findall(text):
        if not (TESTS / file).exists() or name not in functions_of(file):
            missing.append(f"{file}::{name}")
    return missing


def statements(text: str) -> list[str]:
    """The rows of its tables, but those of what is not modelled."""
    proved = text.partition("## Not modelled")[0]
    rows = [line for line in proved.splitlines() if line.startswith("| ")]
    return [row for row in rows if not row.startswith(("| statement", "| ---"))]


def test_every_statement_has_evidence_that_exists() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert missing_evidence(text) == []
    rows = statements(text)
    assert len(rows) > 100
    assert [row for row in rows if not NODE.search(row) and not CASE.search(row)] == []


def test_what_does_not_exist_is_noticed() -> None:
    text = "`machine/test_no.py::test_x` `machine/test_tasks.py::test_y` `errors/z.csl`"
    assert missing_evidence(text) == [
        "errors/z.csl",
        "machine/test_no.py::test_x",
        "machine/test_tasks.py::test_y",
    ]
