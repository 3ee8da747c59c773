"""Lets the test import its neighbour; runs published programs as they are."""

import sys
from pathlib import Path

import pytest

from pyflame.wse.machine.strictness import STRICT

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def _as_published(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some read what nothing has written, which a strict machine refuses."""
    monkeypatch.setenv(STRICT, "0")
