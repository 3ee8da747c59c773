"""The documentation says what is there."""

import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("pyflame/**/*.md")]
)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
REPOSITORY_PATH = re.compile(
    r"`((?:pyflame|lowering|tests|docs|notebooks|\.ci)/[\w./*-]+)`"
)


def page_id(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def missing_targets(page: Path, text: str) -> list[str]:
    """Relative links and quoted repository paths of a page that lead nowhere."""
    links = [t.partition("#")[0] for t in LINK.findall(text) if "://" not in t]
    missing = [t for t in links if t and not (page.parent / t).exists()]
    paths = REPOSITORY_PATH.findall(text)
    return missing + [t for t in paths if not list(ROOT.glob(t.rstrip("/")))]


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_links_and_paths_resolve(page: Path) -> None:
    assert missing_targets(page, page.read_text(encoding="utf-8")) == []


def test_a_dead_link_is_noticed() -> None:
    page = ROOT / "README.md"
    text = "[a](docs/no.md), `lowering/no.py`, [b](LICENSE), [c](https://x.org)"
    assert missing_targets(page, text) == ["docs/no.md", "lowering/no.py"]


# --- the README's commands ----------------------------------------------------------


def readme_commands() -> list[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.startswith("python3 ")]


def test_the_readme_has_two_commands_that_set_up_and_run() -> None:
    demo, tests = readme_commands()
    setup = "python3 -m venv .venv && .venv/bin/pip install -q -e "
    assert demo == f"{setup}. && .venv/bin/python -m pyflame"
    assert tests == f"{setup}'.[test]' && .venv/bin/python -m pytest -n 2"


def test_what_the_commands_name_exists() -> None:
    assert (ROOT / "pyflame" / "__main__.py").exists()
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    extras = " ".join(project["optional-dependencies"]["test"])
    assert "pytest>=" in extras
    assert "pytest-xdist>=" in extras


def test_ci_runs_the_test_command_of_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    pattern = re.search(r"grep --max-count=1 '(.*)' README.md", script)
    assert pattern is not None
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.findall(pattern[1], readme, flags=re.MULTILINE)
    assert len(found) == 1
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


# --- generated tables ---------------------------------------------------------------


def load_generator() -> ModuleType:
    path = ROOT / "docs" / "generate_tables.py"
    spec = importlib.util.spec_from_file_location("generate_tables", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/*.md")), ids=page_id)
def test_generated_tables_are_up_to_date(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert load_generator().with_tables(text) == text, (
        "run python docs/generate_tables.py"
    )


def test_every_table_is_used_and_every_cost_has_a_source() -> None:
    generator = load_generator()
    pages = "".join(p.read_text(encoding="utf-8") for p in ROOT.glob("docs/*.md"))
    assert set(re.findall(r"<!-- table: (\w+) -->", pages)) == set(generator.TABLES)
    unexplained = {n for n, note in generator.cost_notes().items() if not note}
    assert unexplained <= {"name", "clock_hz"}


def test_every_module_is_listed() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"<!-- table: files (\S+) -->", page))
    modules = [
        p for name in ("pyflame", "lowering") for p in (ROOT / name).rglob("*.py")
    ]
    folders = {p.parent.relative_to(ROOT).as_posix() for p in modules if is_module(p)}
    assert folders <= listed


def is_module(path: Path) -> bool:
    """Whether a file is part of the product's own packages, and not a stand-in
    that is only put on the path of a host script."""
    return path.name != "__init__.py" and "packages" not in path.parts


# --- snippets -----------------------------------------------------------------------


def test_the_python_snippet_of_the_readme_runs() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    run = subprocess.run(
        [sys.executable, "-c", snippet], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip()
