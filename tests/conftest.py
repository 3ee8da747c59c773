"""`--update-golden`: rewrite the generated text that golden tests compare with;
`--optimize`: compile the frontend's tests as for users; and simulated machines of tests
are strict unless a test says otherwise."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pyflame.wse.machine.strictness import STRICT

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite files in tests/golden"
    )
    parser.addoption(
        "--optimize", action="store_true", help="compile with XLA's optimizations"
    )


def pytest_configure() -> None:
    """Before anything is imported that makes machines; commands inherit it."""
    os.environ[STRICT] = "1"


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[dict[str, str]], None]:
    """Compares texts with tests/golden/MODULE/TEST/NAME, or writes them there."""
    folder = GOLDEN / request.path.stem / request.node.name
    update = request.config.getoption("--update-golden")

    def check(texts: dict[str, str]) -> None:
        if update:
            folder.mkdir(parents=True, exist_ok=True)
            for old in folder.iterdir():
                old.unlink()
            for name, text in texts.items():
                (folder / name).write_text(text, encoding="utf-8")
        assert folder.is_dir(), f"{folder} is missing: run pytest --update-golden"
        kept = {p.name: p.read_text("utf-8") for p in sorted(folder.iterdir())}
        assert sorted(texts) == sorted(kept)
        for name, text in texts.items():
            assert text == kept[name], f"{folder / name} differs: --update-golden"

    return check
