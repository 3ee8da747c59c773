"""The natives of <tile_config> that concern the CE: its threads, queues, exceptions."""

from __future__ import annotations

from typing import Protocol

from pyflame.wse.errors import MachineFault
from pyflame.wse.machine.costs import Costs
from pyflame.wse.machine.microthreads import MAIN_THREAD_RANK
from pyflame.wse.machine.natives import register
from pyflame.wse.machine.queues import InputQueue, OutputQueue
from pyflame.wse.machine.timeline import Timeline

# As <tile_config/exceptions> lists them; a cleared bit lets an exception through.
EXCEPTIONS = (
    *("PERF_CNT_0_OVERFLOW", "PERF_CNT_1_OVERFLOW", "SW_EXCEPTION", "FP_UNDERFLOW"),
    *("FP_OVERFLOW", "FP_INEXACT", "FP_INVALID", "FP_DIV_BY_0"),
)


class ControlledPe(Protocol):
    """The part of a PE that these natives use."""

    x: int
    y: int
    clock: int
    timeline: Timeline
    costs: Costs
    main_thread_rank: int
    inputs: dict[int, InputQueue]
    outputs: list[OutputQueue]


@register("main_thread_priority", cost="issue_cycles")
def main_thread_priority(pe: ControlledPe, level: int) -> None:
    """Level 0 is the default; each further one ranks before more microthreads."""
    pe.main_thread_rank = MAIN_THREAD_RANK - level


@register("exception_mask", cost="issue_cycles")
def exception_mask(pe: ControlledPe, mask: int) -> None:
    """Accepts masks that let no exception through.

    Raises:
        MachineFault: for any other mask.
    """
    unmasked = [name for bit, name in enumerate(EXCEPTIONS) if not mask >> bit & 1]
    if unmasked:
        raise MachineFault(
            f"PE({pe.x},{pe.y}) at cycle {pe.clock}: set_exception_mask lets "
            f"{', '.join(unmasked)} through; this simulator raises no exceptions"
        )


@register("input_queues", cost="issue_cycles")
def input_queues(pe: ControlledPe, full: bool) -> int:
    """A mask of the input queues that are full, or of those that are empty."""
    now = pe.timeline.now
    mask = 0 if full else 0xFF
    for queue in pe.inputs.values():
        if queue.number is None:
            continue
        depth = queue.capacity - pe.costs.ramp_cycles
        count = sum(time <= now for time in queue.times)
        mask = _with_queue(mask, queue.number, count, depth, full)
    return mask


@register("output_queues", cost="issue_cycles")
def output_queues(pe: ControlledPe, full: bool) -> int:
    """A mask of the output queues that are full, or of those that are empty."""
    mask = 0
    for queue in pe.outputs:
        count = len(queue.words)
        mask = _with_queue(mask, queue.number, count, queue.capacity, full)
    return mask


def _with_queue(mask: int, number: int, count: int, depth: int, full: bool) -> int:
    holds = count >= depth if full else count == 0
    return mask & ~(1 << number) | holds << number
