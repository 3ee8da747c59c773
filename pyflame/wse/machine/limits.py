"""What the hardware has a fixed number of, and what its documentation leaves open."""

from __future__ import annotations

from dataclasses import dataclass

DIRECTIONS = ("NORTH", "SOUTH", "EAST", "WEST", "RAMP")
NORTH, SOUTH, EAST, WEST, RAMP = range(5)
OPPOSITE = (SOUTH, NORTH, WEST, EAST, RAMP)
STEP_X, STEP_Y = (0, 0, 1, -1), (-1, 1, 0, 0)

ROUTABLE_COLORS = 24
TASK_IDS = 64
MICROTHREADS = 8
TEARDOWN_TASK_ID = 29
MAX_SWITCH_POSITION = 3
FILTERS_PER_PE = 6  # WSE-2; no document tells those of WSE-3
SWITCH_COLORS_WSE3 = frozenset((*range(10), 12, 13, 16, 17, 20, 21))
NO_ENTRY_POINT = 31  # control payload that names no task, as old encoders wrote it


@dataclass(frozen=True, kw_only=True)
class ArchLimits:
    """Fixed resources of one PE of an architecture."""

    name: str
    memory_bytes: int = 49_152
    input_queues: int
    output_queues: int
    local_task_ids: range
    data_tasks_by_color: bool  # otherwise by input queue
    queues_need_init: bool
    has_router_registers: bool  # at known addresses


WSE2 = ArchLimits(
    name="wse2",
    input_queues=8,
    output_queues=6,
    local_task_ids=range(31),
    data_tasks_by_color=True,
    queues_need_init=False,
    has_router_registers=True,
)
WSE3 = ArchLimits(
    name="wse3",
    input_queues=8,
    output_queues=8,
    local_task_ids=range(8, 31),
    data_tasks_by_color=False,
    queues_need_init=True,
    has_router_registers=False,
)
ARCHITECTURES = {limits.name: limits for limits in (WSE2, WSE3)}


@dataclass(frozen=True, kw_only=True)
class Semantics:
    """Behaviour that no document fixes, one choice per field.

    Args:
        fused_multiply_add: round `a + b * s` once. Off: the measured scalar code of
            WSE-3 multiplies, then adds.
        max_propagates_nan: `@fmaxs` of a NaN is a NaN, so that it cannot hide.
        zero_count_bits: `@clz` and `@ctz` of 0 give the width of the word.
        short_memory_fault: an operation longer than a memory operand is a fault; off:
            a one-dimensional operand is walked on past its extent.
        scalar_is_accumulator: in `@fadds(&v, s, d)` the scalar is re-read after each
            element also if it is not the pointee's own value.
        control_end_completes: an operation that `.on_control` ends also activates
            or unblocks as at its normal end.
        rotation_takes_wavelet: the wavelet whose turn in `@bind_rotating_tasks` it is
            starts the other task and is gone; off: it starts the data task next.
        switch_reset_position: position that a SWITCH_RST command goes to.
    """

    fused_multiply_add: bool = False
    max_propagates_nan: bool = True
    zero_count_bits: int = 16
    short_memory_fault: bool = True
    scalar_is_accumulator: bool = True
    control_end_completes: bool = True
    rotation_takes_wavelet: bool = True
    switch_reset_position: int = 0
