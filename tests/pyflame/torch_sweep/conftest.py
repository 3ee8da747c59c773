"""The sweep's own modules, importable by name; skipped where PyTorch is missing."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def quick_compilation() -> None:
    """Not here: numbers are compared to the last bits, as users get them."""
