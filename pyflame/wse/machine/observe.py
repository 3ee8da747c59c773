"""What a run looked like: counts for reports."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PeReport:
    """Cycles of one PE's main thread, and of its datapath for waiting operations.

    Args:
        stalled_cycles: the main thread waited in a synchronous operation.
        stream_cycles: elements that fabric and FIFO operations processed.
        memory_bytes: memory that the program takes.
    """

    x: int
    y: int
    busy_cycles: int
    stalled_cycles: int
    idle_cycles: int
    stream_cycles: int
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Report:
    """Counts of a run. `wavelets` were sent by CEs; `hops` are copies over a link.

    `seconds` are the cycles at the clock of the cost model.
    """

    cycles: int
    seconds: float
    wavelets: int
    hops: int
    pes: list[PeReport]
