"""What a finished run on the simulated wafer gives back."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class SimulationRun:
    """A finished run on the simulated wafer.

    Attributes:
        outputs: NumPy arrays in the pytree that the function returns.
        cycles: from the launch until the last PE was done.
        report: what each PE did: busy and idle cycles, wavelets, bytes of memory.
    """

    outputs: Any
    cycles: int
    report: Any

    def __repr__(self) -> str:
        return f"SimulationRun(cycles={self.cycles})"

    def _repr_html_(self) -> str:
        return import_module("pyflame.report").html_of(self)
