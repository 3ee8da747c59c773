"""Whether machines are strict that are not told so: what PYFLAME_STRICT says."""

from __future__ import annotations

import os
from collections.abc import Mapping

from pyflame.wse.errors import HostError

STRICT = "PYFLAME_STRICT"

_ON, _OFF = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")


def strict_by_default(environment: Mapping[str, str] | None = None) -> bool:
    """What the variable says; False without it.

    Raises:
        HostError: for a value that means nothing.
    """
    variables = os.environ if environment is None else environment
    value = variables.get(STRICT, "").lower()
    if value not in (*_ON, *_OFF):
        raise HostError(f"{STRICT} is {variables[STRICT]!r}; 1 turns it on, 0 off")
    return value in _ON
