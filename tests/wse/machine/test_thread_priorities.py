"""Threads share the datapath: those of higher priority first, equals in turns."""

from __future__ import annotations

from typing import Any

import pytest

from pyflame.wse.machine.dsd import FabIn, FabOut, Mem1d, ScalarPointer
from pyflame.wse.machine.operations import OPERATIONS, OpConfig, Operation

A, B = 8192, 16384
MOVE = OPERATIONS["@mov32"]
COUNT = 24


def last_elements(bench: Any, arch: str, *priorities: str | None) -> list[int]:
    """When microthreads that copy memory to the fabric end; no link is shared."""
    b = bench(arch, 3, 3)
    ends = [0] * len(priorities)
    for place, side in enumerate(("EAST", "WEST", "NORTH", "SOUTH")[: len(ends)]):
        x, y = {"EAST": (2, 1), "WEST": (0, 1), "NORTH": (1, 0), "SOUTH": (1, 2)}[side]
        back = {"EAST": "WEST", "WEST": "EAST", "NORTH": "SOUTH", "SOUTH": "NORTH"}
        color = 8 + place
        b.route(1, 1, color, "RAMP", side)
        b.route(x, y, color, back[side], "RAMP")
        b.at(1, 1).queue("out", 2 + place, color)
        b.at(x, y).queue("in", 4, color)
        b.at(x, y).task("local", 9, _reader(color))
        b.at(x, y).state("activate", "local_task_id", 9)
        b.at(1, 1).task("local", 20 + place, _noter(ends, place))

    def start(pe: Any) -> None:
        for place, priority in enumerate(priorities):
            of_dsd = priority if arch == "wse3" else None
            of_operation = None if arch == "wse3" else priority
            out = FabOut(8 + place, 2 + place, COUNT, priority=of_dsd)
            config = OpConfig(
                asynchronous=True, activate=20 + place, priority=of_operation
            )
            pe.start_async(Operation(MOVE, out, (Mem1d(A, 0, 1, COUNT),), config))

    b.at(1, 1).task("local", 8, start)
    b.at(1, 1).state("activate", "local_task_id", 8)
    b.wafer().run_until_quiet()
    return ends


def _reader(color: int) -> Any:
    def read(pe: Any) -> Any:
        yield Operation(MOVE, Mem1d(B, 0, 1, COUNT), (FabIn(color, 4, COUNT),))

    return read


def _noter(ends: list[int], place: int) -> Any:
    def note(pe: Any) -> None:
        ends[place] = pe.clock

    return note


@pytest.mark.parametrize(
    ("first", "second"), [("low", "medium"), ("medium", "high"), (None, "high")]
)
def test_a_higher_priority_overtakes(
    bench: Any, arch: str, first: str | None, second: str
) -> None:
    early, late = last_elements(bench, arch, first, second)
    assert late < early


def test_equals_share(bench: Any, arch: str) -> None:
    early, late = last_elements(bench, arch, "medium", "medium")
    alone = last_elements(bench, arch, "medium")[0]
    assert early < late < early + 10
    assert early > alone + COUNT // 2


@pytest.mark.parametrize("simd", ["", "simd_32"])
def test_the_upper_half_of_a_16_bit_element(bench: Any, arch: str, simd: str) -> None:
    """It is zero, unless a wavelet holds two elements: the second one then."""
    b = bench(arch, 1)
    b.route(0, 0, 4, "RAMP", "RAMP")
    b.at(0).queue("out", 2, 4)
    b.at(0).queue("in", 3, 4)

    def body(pe: Any) -> Any:
        pe.memory.u16[A >> 1] = 0xFFFF
        pe.memory.u16[(A >> 1) + 1] = 0xABCD
        out, halves = FabOut(4, 2, 2, simd_mode=simd), Mem1d(A, 0, 1, 2)
        yield Operation(OPERATIONS["@mov16"], out, (halves,))
        yield Operation(MOVE, ScalarPointer(B), (FabIn(4, 3, 1),))

    b.at(0).task("local", 8, body)
    b.at(0).state("activate", "local_task_id", 8)
    wafer = b.wafer()
    wafer.run_until_quiet()
    word = wafer.pe(0, 0).memory.u32[B >> 2]
    assert word == (0xABCD_FFFF if simd else 0xFFFF)
