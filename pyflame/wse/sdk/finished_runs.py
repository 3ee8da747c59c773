"""The last run of every program folder in this process.

A script makes its `debug_util` from the folder's name after the runtime has stopped,
so the name is the only link to the memory of the PEs. Only the latest few runs are
kept: each holds the memory of a whole wafer.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from pyflame.wse.errors import HostError

_MAX_RUNS = 8


class Run(Protocol):
    """What debugging needs of a runtime, also after it has stopped."""

    def read_symbol(
        self, x: int, y: int, name: str, dtype: Any = "uint8"
    ) -> NDArray[Any]: ...
    def coord_logical_to_physical(self, coord: tuple[int, int]) -> tuple[int, int]: ...


# Oldest first.
_runs: dict[Path, Run] = {}


def remember(folder: str | os.PathLike[str], runtime: Run) -> None:
    """Makes a run the last one of its folder, and the latest of all."""
    path = Path(folder).resolve()
    _runs.pop(path, None)
    _runs[path] = runtime
    while len(_runs) > _MAX_RUNS:
        del _runs[next(iter(_runs))]


def last_run(folder: str | os.PathLike[str]) -> Run:
    """The runtime that last ran the program of a folder.

    Raises:
        HostError: none did in this process.
    """
    try:
        return _runs[Path(folder).resolve()]
    except KeyError:
        raise HostError(
            f"no run of the program in '{folder}' is known in this process; load and "
            "run it with SdkRuntime first"
        ) from None
