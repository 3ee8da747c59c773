"""Settings of the simulated machine that come from outside of a host script.

Scripts are run unmodified, so what is to be checked or recorded is asked for with
environment variables, which the flags of `pyflame exec` set:

    PYFLAME_STRICT      1: strict mode; it holds for machines of any other kind too
    PYFLAME_SEED        number: the order of what the hardware leaves open
    PYFLAME_READS       file for a checksum of every array that the host reads
    PYFLAME_TRACE       file for a Chrome trace
    PYFLAME_COUNTERS    file for counters as JSON; "-" prints a table to stderr
    PYFLAME_LOG         PEs to log, such as "PE(0,0) PE(2,1)"
    PYFLAME_LOG_FOLDER  where their pe_X_Y.log go; by default the working directory
    SIMFABRIC_DEBUG     the vendor's: kinds of lines for sim.log; also found with the
                        prefixes that carry it into a container
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pyflame.wse.errors import HostError, HostWarning
from pyflame.wse.machine.engine import MachineConfig
from pyflame.wse.machine.recorder import Observe
from pyflame.wse.machine.strictness import strict_by_default

SEED, READS = "PYFLAME_SEED", "PYFLAME_READS"
TRACE, COUNTERS = "PYFLAME_TRACE", "PYFLAME_COUNTERS"
LOG, LOG_FOLDER = "PYFLAME_LOG", "PYFLAME_LOG_FOLDER"
LINES = "SIMFABRIC_DEBUG"
TABLE = "-"

_LINE_NAMES = (LINES, f"SINGULARITYENV_{LINES}", f"APPTAINERENV_{LINES}")
_LINE_KINDS = ("landing", "router", "inst_trace")
_PE = re.compile(r"PE\((\d+),(\d+)\)")


@dataclass(frozen=True, slots=True)
class RecordFiles:
    """Where records go; None for what is not asked for. `counters` may be `TABLE`."""

    trace: Path | None = None
    counters: str | None = None
    log_folder: Path = Path()
    reads: Path | None = None


def machine_config(
    log: Callable[[int, int, str], None], environment: Mapping[str, str] | None = None
) -> tuple[MachineConfig, RecordFiles]:
    """The machine of a run that gives none itself, and the files for its records.

    Raises:
        HostError: a variable with a value that means nothing.
    """
    variables = os.environ if environment is None else environment
    config = MachineConfig(
        log=log,
        seed=_seed(variables.get(SEED, "")),
        strict=strict_by_default(variables),
        observe=_observe(variables),
    )
    trace, reads = variables.get(TRACE), variables.get(READS)
    files = RecordFiles(
        Path(trace) if trace else None,
        variables.get(COUNTERS) or None,
        Path(variables.get(LOG_FOLDER, "")),
        Path(reads) if reads else None,
    )
    return config, files


def _seed(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit()):
        raise HostError(f"{SEED} is {text!r}; a seed is a whole number from 0 up")
    return int(text)


def _observe(variables: Mapping[str, str]) -> Observe | None:
    observe = Observe(
        trace=bool(variables.get(TRACE)),
        counters=bool(variables.get(COUNTERS)),
        log=_places(variables.get(LOG, "")),
        lines=_kinds(variables),
    )
    return None if observe == Observe() else observe


def _places(text: str) -> tuple[tuple[int, int], ...]:
    """PEs, with blanks, commas or semicolons between them."""
    places: list[tuple[int, int]] = []
    squeezed = re.sub(r"[\s;]+", "", text).replace(",PE", "PE")
    position = 0
    while position < len(squeezed):
        match = _PE.match(squeezed, position)
        if match is None:
            raise HostError(f"{LOG} is {text!r}; PEs are written as PE(0,0) PE(2,1)")
        places.append((int(match.group(1)), int(match.group(2))))
        position = match.end()
    return tuple(places)


def _kinds(variables: Mapping[str, str]) -> frozenset[str]:
    asked = {
        kind.strip()
        for name in _LINE_NAMES
        for kind in variables.get(name, "").split(",")
        if kind.strip()
    }
    for kind in sorted(asked - set(_LINE_KINDS)):
        message = (
            f"{LINES} asks for '{kind}' lines; this simulator writes "
            f"{', '.join(_LINE_KINDS)}"
        )
        warnings.warn(message, HostWarning, stacklevel=2)
    return frozenset(asked & set(_LINE_KINDS))
