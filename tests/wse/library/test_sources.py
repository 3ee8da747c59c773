"""Every library file parses, explains itself and keeps to one layout."""

import re
from pathlib import Path

import pytest

from pyflame.wse.language import tree
from pyflame.wse.language.parser import parse
from pyflame.wse.language.reader import LIBRARY_FOLDER
from pyflame.wse.language.source import Source

FILES = sorted(LIBRARY_FOLDER.rglob("*.csl"))


def module_name(path: Path) -> str:
    return path.relative_to(LIBRARY_FOLDER).with_suffix("").as_posix()


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_a_library_file_parses_and_opens_with_its_name(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    file = parse(Source(f"<{module_name(path)}>", text, library=True))
    assert isinstance(file, tree.File)
    assert text.startswith(f"// <{module_name(path)}>: ")


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_a_library_file_is_formatted(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert not re.search(r"\t|[ ]+$|\n\n\n", text, flags=re.MULTILINE)
    assert max(map(len, text.splitlines())) <= 88


def test_the_documented_modules_are_there() -> None:
    assert set(map(module_name, FILES)) >= {
        "complex",
        "control",
        "debug",
        "directions",
        "dsd_ops",
        "empty",
        "layout",
        "malloc",
        "math",
        "memcpy/get_params",
        "memcpy/memcpy",
        "memcpy/memcpy_switches",
        "random",
        "simprint",
        "time",
        "timer",
    }
