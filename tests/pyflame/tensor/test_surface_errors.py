"""What bad input to the surface of Tensor is told, word for word.

The transcript has each wrong expression, and indented below it what it is told.
"""

from pathlib import Path
from typing import Any

import pytest

import pyflame as pf

TRANSCRIPT = Path(__file__).parent / "surface_errors.txt"


def _names() -> dict[str, Any]:
    return {
        "pf": pf,
        "x": pf.ones([3, 4]),
        "v": pf.ones([3]),
        "n": pf.ones([3, 4], dtype=pf.int32),
        "b": pf.ones([3, 4], dtype=pf.bool_),
        "i": pf.zeros([3], dtype=pf.int32),
    }


def _cases() -> list[tuple[str, str]]:
    blocks = TRANSCRIPT.read_text(encoding="utf-8").strip().split("\n\n")
    heads = [block.partition("\n") for block in blocks]
    return [
        (expression, "\n".join(line[4:] for line in message.split("\n")))
        for expression, _, message in heads
    ]


@pytest.mark.parametrize(("wrong", "message"), _cases(), ids=lambda text: text[:40])
def test_message(wrong: str, message: str) -> None:
    with pytest.raises(pf.PyFlameError) as error:
        eval(wrong, _names())
    assert str(error.value) == message
