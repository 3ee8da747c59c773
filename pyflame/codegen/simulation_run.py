"""What a finished run on the simulated wafer gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyflame.shown import Shown


@dataclass(frozen=True)
class SimulationRun(Shown):
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
