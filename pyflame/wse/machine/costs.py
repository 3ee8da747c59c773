"""Cycles and sizes of the timing model: one named, overridable number each.

Sources are the keys of the cost notes: FAB (a WSE-3 characterisation), RED
(Luczynski et al., Near-Optimal Wafer-Scale Reduce, 2024), FD25 (Jacquelin et al.,
2022), SPMM, DOC (vendor). "Assumed" marks defaults that nobody has published.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from pyflame.wse.errors import HostError


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Costs of one architecture as the vendor's simulator or silicon shows them."""

    name: str
    clock_hz: float

    # --- fabric ---
    hop_cycles: int  # DOC, RED 1 on WSE-2; FAB 4, 10g 2 on WSE-3
    ramp_cycles: int = 2  # router to CE or back. RED T_R; assumed on WSE-3
    wavelet_millicycles: int = 1000  # one wavelet on a link. FAB 4: 1125 on silicon
    turn_cycles: int = 0  # x to y inside a route. FAB 4: 20 on silicon
    switch_cycles: int = 0  # added by a control wavelet's command. Assumed
    # Wavelets that a router holds per color and input. The notes assume 2 at one
    # cycle per hop; a longer link needs more to run at full rate (assumed).
    router_buffer_wavelets: int
    input_queue_wavelets: tuple[int, ...]  # DOC
    output_queue_wavelets: tuple[int, ...]  # DOC on WSE-2, SPADA on WSE-3
    # WSE-2 does not say which queue carries a data task's wavelets. Assumed.
    data_task_queue_wavelets: int = 6

    # --- vector operations: elements per cycle (FD25, SPMM; FAB 3, 10d) ---
    fmac_f16_lanes: float
    fmac_f32_lanes: float
    alu_f16_lanes: float
    alu_f32_lanes: float
    mov_f16_lanes: float
    mov_f32_lanes: float
    fmac_mixed_lanes: float = 2.0  # assumed, after Rocki et al. 2020
    convert_lanes: float = 1.0  # assumed
    scalar_result_lanes: float = 0.5  # FAB 10d, 10j: dependent chain
    # 16-bit words that a strided vector spans in a cycle. FAB 10d: 8 / stride elements;
    # None: the lanes that DOC gives by the stride modulo 8.
    strided_words_per_cycle: int | None
    bank_conflict_factor: float = 2.0  # FAB 3 1.94, SPMM 2.0
    bank_count: int = 8  # DOC HC34: of one port each

    # --- set-up of operations ---
    dsr_load_cycles: int = 1  # per descriptor. FAB 10i
    dsr_use_cycles: int = 4  # a DSR's load to its use. FAB 10i

    # --- fabric operations ---
    dsd_start_cycles: int = 4  # issue to first element. FAB 10j: 7 to the link
    async_issue_cycles: int = 1  # taken from the main thread. FAB 10f
    fabric_element_cycles: int = 1  # RED: a stage costs 2*T_R + 1
    # Completion to first instruction: with ramp and element FAB's 3 cycles.
    completion_to_task_cycles: int = 0

    # --- scalar code and tasks ---
    issue_cycles: int = 1  # FAB 8
    dependent_float_cycles: int = 2  # after the operation it needs. FAB 8, 10i
    branch_taken_cycles: int = 6  # FAB 10h
    branch_not_taken_cycles: int = 3  # FAB 10h
    loop_edge_cycles: int = 9  # counter, test and branch. FAB 8
    index_cycles: int = 4  # address of an element at a run-time index. FAB 12c
    call_cycles: int = 8  # of a function that is not inlined. Assumed
    map_iteration_cycles: int = 7  # FAB 10: 11.1 with 4 of arithmetic, one input
    task_start_cycles: int = 6  # assumed
    div_f32_cycles: int = 50  # DOC
    div_f16_cycles: int = 30  # assumed
    div_int_cycles: int = 50  # assumed
    mul_u32_cycles: int = 12  # assumed: four 16-bit products
    sqrt_f32_cycles: int = 60  # assumed
    exp_f32_cycles: int = 60  # assumed
    log_f32_cycles: int = 70  # assumed
    sin_f32_cycles: int = 60  # assumed
    tanh_f32_cycles: int = 90  # assumed
    sqrt_f16_cycles: int = 36  # assumed, 0.6 of f32
    exp_f16_cycles: int = 36  # assumed
    log_f16_cycles: int = 42  # assumed
    sin_f16_cycles: int = 36  # assumed
    tanh_f16_cycles: int = 54  # assumed
    timestamp_cycles: int  # SPMM 6 on WSE-2; FAB 3 on WSE-3: 15 to 17 less set-up

    # --- host ---
    command_cycles: int = 20  # from host command to the function's start. Assumed
    host_buffer_wavelets: int = 11_776  # DOC: a buffer PE's FIFO of 46 KB

    @property
    def dsd_setup_cycles(self) -> int:
        """Of an operation that loads three descriptors."""
        return 3 * self.dsr_load_cycles + self.dsr_use_cycles - 1

    @property
    def while_edge_cycles(self) -> int:
        """The edge of a loop whose counter and test are code of its own."""
        return self.loop_edge_cycles - 2 * self.issue_cycles

    @property
    def scalar_operation_cycles(self) -> int:
        """Two loads, the operation, a store. FAB 10i/j."""
        return 4 * self.issue_cycles

    def overridden(self, changes: dict[str, float]) -> Costs:
        """The costs with some numbers replaced.

        Raises:
            HostError: for a name that is no cost.
        """
        known = {field.name for field in fields(self)} - {"name"}
        for name in changes:
            if name not in known:
                raise HostError(
                    f"there is no cost '{name}'; costs are {', '.join(sorted(known))}"
                )
        return replace(self, **changes)  # pyright: ignore[reportArgumentType]


WSE2 = Costs(
    name="wse2",
    clock_hz=850e6,
    hop_cycles=1,
    router_buffer_wavelets=2,
    input_queue_wavelets=(6, 6, 4, 4, 2, 2, 2, 2),
    output_queue_wavelets=(2, 2, 6, 6, 2, 2),
    fmac_f16_lanes=4,
    fmac_f32_lanes=1,
    alu_f16_lanes=4,
    alu_f32_lanes=1,
    mov_f16_lanes=4,
    mov_f32_lanes=2,
    strided_words_per_cycle=None,
    timestamp_cycles=6,
)
WSE3 = Costs(
    name="wse3",
    clock_hz=1.1e9,
    hop_cycles=2,
    router_buffer_wavelets=4,
    input_queue_wavelets=(8, 8, 4, 4, 4, 4, 4, 4),
    output_queue_wavelets=(8,) * 8,
    fmac_f16_lanes=4,
    fmac_f32_lanes=1,
    alu_f16_lanes=4,
    alu_f32_lanes=2,
    mov_f16_lanes=8,
    mov_f32_lanes=4,
    strided_words_per_cycle=8,
    timestamp_cycles=10,
)
WSE3_SILICON = replace(
    WSE3,
    name="wse3_silicon",
    wavelet_millicycles=1125,
    turn_cycles=20,
    fmac_f16_lanes=2.92,
    alu_f16_lanes=2.92,
    mov_f16_lanes=4.82,
    mov_f32_lanes=2.44,
)
PROFILES = {costs.name: costs for costs in (WSE2, WSE3, WSE3_SILICON)}


def costs_of(arch: str, profile: str = "vendor_sim") -> Costs:
    """The costs of "wse2" or "wse3" under profile "vendor_sim" or "silicon".

    WSE-2 has one set: nobody has published how its silicon differs.
    """
    if arch not in ("wse2", "wse3") or profile not in ("vendor_sim", "silicon"):
        raise HostError(
            f"no costs for '{arch}' as '{profile}': architectures are wse2 and wse3, "
            "profiles vendor_sim and silicon"
        )
    return PROFILES["wse3_silicon" if (arch, profile) == ("wse3", "silicon") else arch]
