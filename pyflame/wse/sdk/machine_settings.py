"""Settings of the simulated machine that come from outside of a host script.

Scripts are run unmodified, so what is to be checked or recorded is asked for with
environment variables, which the flags of `pyflame exec` set.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from pyflame.wse.errors import HostError
from pyflame.wse.machine.engine import MachineConfig

STRICT = "PYFLAME_STRICT"

_ON, _OFF = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")


def machine_config(
    log: Callable[[int, int, str], None], environment: Mapping[str, str] | None = None
) -> MachineConfig:
    """The machine of a run that gives none itself.

    Raises:
        HostError: a variable with a value that means nothing.
    """
    variables = os.environ if environment is None else environment
    return MachineConfig(log=log, strict=_switch(variables, STRICT))


def _switch(variables: Mapping[str, str], name: str) -> bool:
    value = variables.get(name, "").lower()
    if value not in (*_ON, *_OFF):
        raise HostError(f"{name} is {variables[name]!r}; 1 turns it on, 0 off")
    return value in _ON
