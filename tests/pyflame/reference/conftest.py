"""What the reference promises of signatures."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

_ANY_NUMBER = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def _check(function: Callable[..., Any], **parameters: Any) -> None:
    """The documented parameters come first, in this order and with these defaults
    (`...`: none is documented); whatever follows can be left out."""
    found = list(inspect.signature(function).parameters.values())
    if found and found[0].name == "self":
        found = found[1:]
    assert [p.name for p in found[: len(parameters)]] == list(parameters)
    for parameter in found[: len(parameters)]:
        expected, given = parameters[parameter.name], parameter.default
        if expected is not ...:
            assert (given, type(given)) == (expected, type(expected)), parameter
    for parameter in found[len(parameters) :]:
        optional = parameter.default is not parameter.empty
        assert optional or parameter.kind in _ANY_NUMBER, parameter


@pytest.fixture
def documented() -> Callable[..., None]:
    return _check
