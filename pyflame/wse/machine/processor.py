"""What the parts of a PE may ask of the whole, so that no part imports the PE."""

from __future__ import annotations

from typing import Any, Protocol

from pyflame.wse.machine.costs import Costs
from pyflame.wse.machine.timeline import Timeline


class Processor(Protocol):
    """A PE as its queues and its command stream see it."""

    @property
    def timeline(self) -> Timeline: ...
    @property
    def costs(self) -> Costs: ...
    @property
    def library(self) -> dict[str, Any]:
        """What natives keep about the PE, by name."""
        ...

    def wake(self, now: int) -> None:
        """Lets the task picker look for a task."""
        ...
