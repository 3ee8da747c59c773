"""The parser reads every .csl file of the official examples."""

import os
from pathlib import Path

import pytest

from pyflame.wse.language import parser
from pyflame.wse.language.source import Source

EXAMPLES = os.environ.get("PYFLAME_CSL_EXAMPLES", "")


@pytest.mark.skipif(
    not EXAMPLES, reason="PYFLAME_CSL_EXAMPLES names no checkout of csl-examples"
)
def test_every_file_of_the_examples_parses():
    paths = sorted(Path(EXAMPLES).rglob("*.csl"))
    assert len(paths) > 100
    for path in paths:
        parser.parse(Source(str(path), path.read_text()))
