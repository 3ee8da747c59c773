"""Writes what a watched run has recorded: trace, counters, logs of PEs, sim.log."""

from __future__ import annotations

import atexit
import json
import re
import sys
from pathlib import Path

from pyflame.wse.machine.engine import Wafer
from pyflame.wse.machine.vendor_log import log_lines
from pyflame.wse.sdk.machine_settings import TABLE, RecordFiles

_CYCLE = re.compile(r"@(\d+) ")
_runs_written = 0  # in this process; later ones get numbers in their file names


class Records:
    """The records of one wafer, written once: when its run stops, or, if it does not
    come to that, when the process ends."""

    def __init__(self, wafer: Wafer, files: RecordFiles, sim_log: Path) -> None:
        self._wafer = wafer
        self._files = files
        self._sim_log = sim_log.absolute()
        self._written = False
        if wafer.recorder is not None:
            atexit.register(self.write)

    def write(self) -> None:
        """Writes the files that were asked for; the second call does nothing."""
        recorder = self._wafer.recorder
        if recorder is None or self._written:
            return
        self._written = True
        atexit.unregister(self.write)
        global _runs_written
        _runs_written += 1
        if self._files.trace is not None:
            _write_json(_numbered(self._files.trace), self._wafer.trace())
        if self._files.counters is not None:
            self._write_counters(self._files.counters)
        for (x, y), lines in recorder.logs.items():
            path = _numbered(self._files.log_folder / f"pe_{x}_{y}.log")
            text = "".join(f"{cycle:>10}  {line}\n" for cycle, line in _sorted(lines))
            path.write_text(text, encoding="utf-8")
        if recorder.observe.lines:
            self._write_sim_log()

    def _write_counters(self, where: str) -> None:
        counters = self._wafer.counters()
        if where == TABLE:
            print(counters.table(), file=sys.stderr)
        else:
            _write_json(_numbered(Path(where)), counters.as_json())

    def _write_sim_log(self) -> None:
        """Puts the lines between those that programs have printed, by cycle."""
        recorder = self._wafer.recorder
        assert recorder is not None, "lines come from a recorder"
        options, image = self._wafer.image.options, self._wafer.image
        x, y = self._wafer.fabric_offsets
        dims = options.fabric_dims or (x + image.width, y + image.height)
        lines = log_lines(recorder, dims, (x, y)) + _printed(self._sim_log)
        text = "".join(f"{line}\n" for _, line in _sorted(lines))
        self._sim_log.write_text(text, encoding="utf-8")


def _sorted(lines: list[tuple[int, str]]) -> list[tuple[int, str]]:
    return sorted(lines, key=lambda line: line[0])


def _printed(path: Path) -> list[tuple[int, str]]:
    """Lines of a log with their cycles; those without go with the one before."""
    if not path.is_file():
        return []
    lines: list[tuple[int, str]] = []
    cycle = 0
    for line in path.read_text("utf-8").splitlines():
        match = _CYCLE.match(line)
        cycle = int(match.group(1)) if match else cycle
        lines.append((cycle, line))
    return lines


def _numbered(path: Path) -> Path:
    """`out.json`, then `out.2.json` for the second run of a process."""
    if _runs_written == 1:
        return path
    return path.with_suffix(f".{_runs_written}{path.suffix}")


def _write_json(path: Path, data: object) -> None:
    path.write_text(json.dumps(data), encoding="utf-8")
