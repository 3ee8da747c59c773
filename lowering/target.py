"""Hardware facts the compiler relies on, one `Target` per wafer.

The simulator states the same facts for itself in `pyflame/wse/machine/limits.py`; a
test compares them. Sources are named beside each figure: "SDK" is the vendor's public
documentation, "examples" the official csl-examples at 1.4.0, "FABRICA" is arXiv
2608.25124 (simulator figures), "RED" arXiv 2404.15888.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Arch = Literal["wse2", "wse3"]

# Colors whose routes may have switches on both wafers (SDK: WSE-3 has them on these).
SWITCH_COLORS = (*range(10), 12, 13, 16, 17, 20)


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleCosts:
    """Predicted cycles of what a PE does; rates are f32 elements per cycle."""

    dsd_setup_cycles: int
    alu_elements_per_cycle: float
    fmac_elements_per_cycle: float
    move_elements_per_cycle: float
    hop_cycles: int
    ramp_cycles: int = 2  # RED, one way
    scalar_op_cycles: int = 4  # FABRICA: ld, ld, op, st fill four issue slots
    scalar_reduce_cycles: int = 2  # FABRICA: dependent chain into a register
    loop_edge_cycles: int = 9  # FABRICA: taken back edge and counter
    call_cycles: int = 8  # assumed: no source gives a call
    task_start_cycles: int = 6  # FABRICA: branch-taken cost after the current task
    # Around an exchange: the switch to the next phase, the call into the module, the
    # coordinate, the branches to this PE's part. Around a launch: memcpy's call of the
    # entry and its return. Both counted on PyFlame's own simulator.
    exchange_overhead_cycles: int = 58
    launch_cycles: int = 36
    # Between messages of a star that are longer than an output queue: the command that
    # lets the next one pass is issued when the message has left the CE. Counted there.
    star_gap_cycles: int
    divide_cycles: int = 50  # examples, benchmark-libs/allreduce
    transcendental_cycles: int = 60  # assumed: scalar only, no source


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One wafer generation.

    `colors`, `task_ids` and the queues are what generated code may use beside memcpy
    (SDK: memcpy takes colors 21 to 23, local tasks 27, 28 and 30, queue 0, on WSE-3
    also input queue 1). `queues` are ids of both an input and an output queue.
    """

    arch: Arch
    fabric_cols: int
    fabric_rows: int
    costs: CycleCosts
    sram_bytes: int = 49_152  # SDK white paper; FABRICA section 9 measured it exactly
    runtime_bytes: int = 4_176  # FABRICA section 9: a minimal program under memcpy
    colors: tuple[int, ...] = tuple(range(21))  # SDK: 24 routable
    local_task_ids: tuple[int, ...] = (*range(8, 21), 25, 26)  # WSE-3: from 8 on
    input_queues: tuple[int, ...] = (2, 3, 4, 5, 6, 7)
    output_queues: tuple[int, ...] = (2, 3, 4, 5)  # WSE-2 has 0 to 5
    data_structure_registers: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)
    max_extent_elements: int = 0x7FFE  # SDK: 0x7FFF is an endless vector
    max_mem1d_stride: int = 127  # SDK: i8
    max_mem4d_stride: int = 0x7FFF  # SDK: i16
    max_offset_elements: int = 0x7FFF  # SDK: i16
    max_dsd_rank: int = 4
    memcpy_halo_cols: int = 7  # SDK: 3 west, 2 east, a ring of 1
    memcpy_halo_rows: int = 2
    fabric_offset: tuple[int, int] = (4, 1)

    @property
    def max_mesh(self) -> tuple[int, int]:
        """(rows, cols) of the largest program rectangle under memcpy."""
        return (
            self.fabric_rows - self.memcpy_halo_rows,
            self.fabric_cols - self.memcpy_halo_cols,
        )

    def fabric_dims(self, rows: int, cols: int) -> tuple[int, int]:
        """(width, height) of the smallest fabric around a program rectangle."""
        return (cols + self.memcpy_halo_cols, rows + self.memcpy_halo_rows)


WSE2 = Target(
    arch="wse2",
    fabric_cols=757,  # SDK system geometry
    fabric_rows=996,
    costs=CycleCosts(
        dsd_setup_cycles=6,
        alu_elements_per_cycle=1.0,
        fmac_elements_per_cycle=1.0,
        move_elements_per_cycle=2.0,
        hop_cycles=1,
        star_gap_cycles=6,
    ),
)

WSE3 = Target(
    arch="wse3",
    fabric_cols=762,
    fabric_rows=1172,
    costs=CycleCosts(
        dsd_setup_cycles=6,
        alu_elements_per_cycle=2.0,
        fmac_elements_per_cycle=1.0,
        move_elements_per_cycle=4.0,
        hop_cycles=2,
        star_gap_cycles=1,
    ),
)

TARGETS: dict[str, Target] = {"wse2": WSE2, "wse3": WSE3}
