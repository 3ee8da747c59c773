"""The pages on coverage name tests that exist, one at least for each statement."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = {"machine-coverage.md": 100, "language-coverage.md": 140}
TESTS = ROOT / "tests" / "wse"
NODE = re.compile(r"`([\w/]+\.py)::(\w+)(?:\[([^\]`]+)\])?`")
CASE = re.compile(r"`(errors/\w+\.csl)`")


@cache
def parsed(file: str) -> ast.Module:
    return ast.parse((TESTS / file).read_text(encoding="utf-8"))


@cache
def functions_of(file: str) -> set[str]:
    nodes = parsed(file).body
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef)}


@cache
def strings_of(file: str) -> set[str]:
    nodes = ast.walk(parsed(file))
    values = [node.value for node in nodes if isinstance(node, ast.Constant)]
    return {value for value in values if isinstance(value, str)}


def missing_evidence(text: str) -> list[str]:
    """Tests, their parameters and programs of a page that do not exist."""
    missing = [case for case in CASE.findall(text) if not (TESTS / case).exists()]
    for file, name, row in NODE.findall(text):
        if not (TESTS / file).exists() or name not in functions_of(file):
            missing.append(f"{file}::{name}")
        elif row and row not in strings_of(file):
            missing.append(f"{file}::{name}[{row}]")
    return missing


def statements(text: str) -> list[str]:
    """The rows of its tables, but those of its last section, on what is missing."""
    proved = text.rpartition("\n## Not ")[0]
    rows = [line for line in proved.splitlines() if line.startswith("| ")]
    return [row for row in rows if not row.startswith(("| statement", "| ---"))]


@pytest.mark.parametrize("page", PAGES)
def test_every_statement_has_evidence_that_exists(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    assert missing_evidence(text) == []
    rows = statements(text)
    assert len(rows) > PAGES[page]
    assert [row for row in rows if not NODE.search(row) and not CASE.search(row)] == []


def test_what_does_not_exist_is_noticed() -> None:
    text = (
        "`machine/test_no.py::test_x` `machine/test_tasks.py::test_y` `errors/z.csl` "
        "`language/test_reference.py::test_statement[99 no such row]`"
    )
    assert missing_evidence(text) == [
        "errors/z.csl",
        "machine/test_no.py::test_x",
        "machine/test_tasks.py::test_y",
        "language/test_reference.py::test_statement[99 no such row]",
    ]
