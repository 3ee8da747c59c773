"""The pages of the reference: every example runs, every signature is the real one."""

from __future__ import annotations

import ast
import doctest
import importlib.util
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import pyflame as pf

FOLDER = Path(__file__).parents[3] / "docs" / "reference"
PAGES = sorted(FOLDER.glob("*.md"))
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SIGNATURE = re.compile(r"^#+ `([\w.]+\(.*\))`$", re.MULTILINE)


def page_name(page: Path) -> str:
    return page.name


def examples(text: str) -> str:
    """The blocks of a page; what stands between them is blank, line by line."""
    kept = [""] * (text.count("\n") + 1)
    for match in BLOCK.finditer(text):
        first = text[: match.start(1)].count("\n")
        for i, line in enumerate(match[1].splitlines()):
            kept[first + i] = line
    return "\n".join(kept)


def failures(name: str, text: str, folder: Path) -> tuple[int, str]:
    """How many examples of a text there are, and what went wrong with them."""
    names = {"folder": str(folder)}
    test = doctest.DocTestParser().get_doctest(examples(text), names, name, name, 0)
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    report: list[str] = []
    runner.run(test, out=report.append)
    return len(test.examples), "".join(report)


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_example_prints_what_is_shown(page: Path, tmp_path: Path) -> None:
    text = page.read_text("utf-8")
    count, report = failures(page.name, text, tmp_path)
    assert report == ""
    assert count > 0 or page.name in ("README.md", "everything.md")


def test_a_wrong_example_is_noticed(tmp_path: Path) -> None:
    count, report = failures("x.md", "```python\n>>> 1 + 1\n3\n\n```\n", tmp_path)
    assert count == 1
    assert "Expected:\n    3\nGot:\n    2" in report


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_blocks_are_examples(page: Path) -> None:
    """So that no block is skipped: each starts with a prompt, but for the first two
    lines that all pages share."""
    for match in BLOCK.finditer(page.read_text("utf-8")):
        shared = "import numpy as np\nimport pyflame as pf\n"
        assert match[1].startswith(">>> ") or match[1] == shared


def signatures() -> list[str]:
    texts = [page.read_text("utf-8") for page in PAGES]
    return [match for text in texts for match in SIGNATURE.findall(text)]


def documented_parameters(call: ast.Call) -> dict[str, Any]:
    """Name to default; `...` where there is none, and for `*names`."""
    found: dict[str, Any] = {}
    for argument in call.args:
        inner = argument.value if isinstance(argument, ast.Starred) else argument
        found[ast.unparse(inner)] = ...
    for keyword in call.keywords:
        assert keyword.arg is not None
        found[keyword.arg] = default_of(keyword.value)
    return found


def default_of(value: ast.expr) -> Any:
    match value:
        case ast.Name(id=name):
            return getattr(pf, name)
        case ast.BinOp(left=ast.Constant(value=a), right=ast.Constant(value=b)):
            return a / b
        case _:
            return ast.literal_eval(value)


def function_of(path: str) -> Callable[..., Any]:
    """What a heading names: of `pf`, or a method of an object of that class."""
    objects = {"Tensor": pf.zeros([1]), "CSLCodeGenerator": pf.CSLCodeGenerator()}
    first, *rest = path.split(".")
    found: Any = objects.get(first) if rest and first in objects else getattr(pf, first)
    for name in rest:
        found = getattr(found, name)
    return found


@pytest.mark.parametrize("text", signatures())
def test_signatures_are_real(documented, text: str) -> None:
    call = ast.parse(text, mode="eval").body
    assert isinstance(call, ast.Call)
    documented(function_of(ast.unparse(call.func)), **documented_parameters(call))


def test_generated_files_are_up_to_date() -> None:
    path = FOLDER / "generate.py"
    spec = importlib.util.spec_from_file_location("generate_reference", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, text in module.texts().items():
        kept = (FOLDER / name).read_text("utf-8")
        assert kept == text, f"{name}: run python docs/reference/generate.py"


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
        assert "://" in target or (page.parent / target).exists()
