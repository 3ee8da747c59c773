"""What has been published about cycles, and how each figure is measured here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

# The aims: how far from a figure of the vendor's simulator, from one of hardware or
# of a model fitted to it, ours may lie.
SIMULATOR_AIM, HARDWARE_AIM = 0.10, 0.25


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A published number and the measurement that stands beside it.

    Args:
        source: key and section, as docs/hardware.md lists them.
        published: in `unit`.
        measured: runs the program of this folder; gives the number in `unit`.
        hardware: published of hardware, not of the vendor's simulator.
        why: where it is off by more than the aim, the reason.
        slow: takes more than a few seconds.
    """

    what: str
    source: str
    arch: str
    published: float
    unit: str
    measured: Callable[[], float]
    profile: str = "vendor_sim"
    hardware: bool = False
    why: str = ""
    slow: bool = False

    @property
    def aim(self) -> float:
        return HARDWARE_AIM if self.hardware else SIMULATOR_AIM

    def ratio(self) -> float:
        return self.measured() / self.published

    def within(self) -> bool:
        return abs(self.ratio() - 1) <= self.aim


@dataclass(frozen=True, kw_only=True)
class Unmeasured:
    """A published number that no program of ours can stand beside."""

    what: str
    source: str
    published: str
    why: str
