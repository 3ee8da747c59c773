"""Writes the tables of the documentation that repeat what the code says.

A table stands between `<!-- table: NAME -->` and `<!-- end of table -->`; NAME is a key
of TABLES, or `files FOLDER` for a list of the modules in a folder.
`python docs/generate_tables.py` rewrites all of them; a test fails if one is out of
date.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pyflame.wse.machine.interpreter  # noqa: F401  registers what has code
from pyflame.wse.language.builtins import BUILTINS, Builtin
from pyflame.wse.language.reader import LIBRARY_FOLDER
from pyflame.wse.machine.codegen_core import BUILTINS as RUN_TIME_BUILTINS
from pyflame.wse.machine.costs import WSE2, WSE3, WSE3_SILICON, Costs
from pyflame.wse.machine.limits import Semantics

DOCS = Path(__file__).parent
ROOT = DOCS.parent
_TABLE = re.compile(
    r"(?P<head><!-- table: (?P<name>[\w/ -]+) -->\n).*?(?P<tail><!-- end of table -->)",
    re.DOTALL,
)
_FIELD = re.compile(r"    (?P<name>\w+): [^#]*(?:#\s*(?P<comment>.*))?$")
_SECTION = re.compile(r"    # --- [^(]*(?:\((?P<source>.*)\))? ---$")
_REMARK = re.compile(r"    # (?P<text>.*)$")


def rows(header: Iterable[str], body: Iterable[Iterable[Any]]) -> str:
    """A Markdown table."""
    head = list(header)
    lines = [head, ["---"] * len(head), *([str(c) for c in row] for row in body)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def cost_notes() -> dict[str, str]:
    """The remark on every field of `Costs`: the comments beside and above it, or what
    the heading of its section says in parentheses."""
    notes: dict[str, str] = {}
    heading, remark = "", list[str]()
    for line in inspect.getsource(Costs).splitlines():
        if match := _SECTION.match(line):
            heading = match["source"] or ""
        elif match := _REMARK.match(line):
            remark.append(match["text"])
        elif match := _FIELD.match(line):
            comment = " ".join([*remark, match["comment"] or ""]).strip()
            notes[match["name"]] = comment or heading
            remark = []
    return notes


def costs_table() -> str:
    """One row per cost parameter."""

    def row(name: str) -> list[Any]:
        values = [getattr(costs, name) for costs in (WSE2, WSE3, WSE3_SILICON)]
        return [f"`{name}`", *map(_value, values), notes[name]]

    notes = cost_notes()
    names = [field.name for field in fields(Costs) if field.name != "name"]
    header = ("parameter", "WSE-2", "WSE-3", "WSE-3 silicon", "source")
    return rows(header, (row(name) for name in names))


def _value(value: Any) -> str:
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def semantics_table() -> str:
    """One row per choice in `Semantics`, with the text of its docstring."""
    text = inspect.getdoc(Semantics) or ""
    reasons = dict(
        re.findall(r"^    (\w+): (.*(?:\n        .*)*)", text, flags=re.MULTILINE)
    )
    body = (
        (f"`{f.name}`", f"`{f.default}`", " ".join(reasons[f.name].split()))
        for f in fields(Semantics)
    )
    return rows(("choice", "default", "meaning"), body)


def libraries_table() -> str:
    """One row per shipped CSL module: its name and the first sentence about it."""

    def row(path: Path) -> list[str]:
        name = path.relative_to(LIBRARY_FOLDER).with_suffix("").as_posix()
        comment = re.match(r"(?:// ?.*\n)+", path.read_text(encoding="utf-8"))
        assert comment is not None, f"{path} does not open with a comment"
        text = " ".join(line[2:].strip() for line in comment[0].splitlines())
        sentence = re.split(r"(?<=\.)\s", text.partition(": ")[2])[0]
        return [f"`<{name}>`", sentence.rstrip(".")]

    paths = sorted(LIBRARY_FOLDER.rglob("*.csl"))
    return rows(("module", "what it holds"), map(row, paths))


def files_table(folder: str) -> str:
    """One row per module of a folder: the first sentence of its docstring."""

    def row(path: Path) -> list[str]:
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        assert text, f"{path} has no docstring"
        paragraph = " ".join(text.partition("\n\n")[0].split())
        sentence = re.split(r"(?<=\.)\s(?=[A-Z])", paragraph)[0]
        return [f"`{path.name}`", sentence.rstrip(".").replace("|", "\\|")]

    modules = sorted(p for p in (ROOT / folder).glob("*.py") if p.stem != "__init__")
    return rows(("file", "what it does"), map(row, modules))


def table(name: str) -> str:
    """The table of that name.

    Raises:
        KeyError: if there is none.
    """
    kind, _, folder = name.partition(" ")
    return files_table(folder) if kind == "files" else TABLES[name]()


_CONTEXTS = {"L": "layout", "T": "top-level comptime", "K": "comptime", "R": "run time"}


def builtins_table() -> str:
    """One row per public builtin: where it may be evaluated, and whether it works."""
    body = (
        (f"`{name}`", ", ".join(_CONTEXTS[c] for c in row.contexts), _status(row))
        for name, row in BUILTINS.items()
        if not row.library_only
    )
    return rows(("builtin", "allowed in", "status"), body)


def _status(row: Builtin) -> str:
    """ "works", or why it is refused."""
    if not row.supported:
        return f"refused: {row.reason}"
    if row.contexts == "R" and not row.lowered and row.name not in RUN_TIME_BUILTINS:
        return "refused: the machine has no such operation"
    return "works"


TABLES: dict[str, Callable[[], str]] = {
    "builtins": builtins_table,
    "costs": costs_table,
    "libraries": libraries_table,
    "semantics": semantics_table,
}


def with_tables(text: str) -> str:
    """The text with every table made anew."""
    return _TABLE.sub(
        lambda match: f"{match['head']}{table(match['name'])}{match['tail']}", text
    )


def main() -> None:
    for path in sorted(DOCS.glob("*.md")):
        path.write_text(with_tables(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
