"""Queues between router and CE: whose they are, and when they change their color."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from one_pe import asynchronous, fault, finished, loop, op

from pyflame.wse.language.image import QueueInit
from pyflame.wse.machine.dsd import FabIn, FabOut, Mem1d

A, B = 8192, 12288


@pytest.mark.parametrize("place", range(8))
def test_queues_hold_what_the_costs_say(bench: Any, arch: str, place: int) -> None:
    """Nobody reads: an output queue is full of what the input queue, the wires of the
    ramp and the router do not take."""
    b = bench(arch, 1)
    b.route(0, 0, 4, "RAMP", "RAMP")
    out = place % (6 if arch == "wse2" else 8)
    b.at(0).queue("out", out, 4)
    b.at(0).source.queues.append(QueueInit("in", place, 4))

    def body(pe: Any) -> None:
        source = Mem1d(A, 0, 1, 60)
        pe.start_async(asynchronous("@mov32", FabOut(4, out, 60), source))

    b.at(0).task("local", 8, body)
    b.at(0).state("activate", "local_task_id", 8)
    pe = finished(b)
    ramp = pe.costs.ramp_cycles
    held = pe.costs.input_queue_wavelets[place]
    assert len(pe.inputs[4].words) == held + ramp
    assert len(pe.outputs[out].words) == pe.costs.output_queue_wavelets[out]


def test_wse2_reads_two_streams_in_an_operation(bench: Any) -> None:
    def body(pe: Any) -> Any:
        for color, out in ((4, 2), (5, 3)):
            source = Mem1d(A, 0, 1, 3)
            pe.start_async(asynchronous("@mov16", FabOut(color, out, 3), source))
        yield op("@add16", Mem1d(B, 0, 1, 3), FabIn(4, 4, 3), FabIn(5, 5, 3))

    b = loop(bench, "wse2", body)
    b.route(0, 0, 5, "RAMP", "RAMP")
    b.at(0).memory[A] = np.array([1, 2, 3], np.uint16).tobytes()
    got = finished(b).memory.vector(np.dtype("<u2"), B, 1, 3)
    assert got.tolist() == [2, 4, 6]


def test_a_queue_serves_one_operation(bench: Any) -> None:
    def body(pe: Any) -> None:
        for ut_id in (5, 6):
            source = FabIn(4, 3, 3)
            dest = Mem1d(B, 0, 1, 3)
            pe.start_async(asynchronous("@mov32", dest, source, ut_id=ut_id))

    assert "still uses the input queue of color 4" in fault(loop(bench, "wse3", body))


def test_wse2_colors_that_share_a_queue_number_are_a_fault(bench: Any) -> None:
    def body(pe: Any) -> None:
        for color, out in ((4, 4), (5, 5)):
            source = FabIn(color, 3, 3)
            pe.start_async(asynchronous("@mov32", FabOut(6, out, 3), source))

    assert "still uses input queue 3" in fault(loop(bench, "wse2", body))


@pytest.mark.parametrize(
    ("initialised", "state"),
    [
        (False, "still holds wavelets of color 4"),
        (True, "@initialize_queue has bound to color 4"),
    ],
)
def test_wse2_an_input_queue_must_be_empty_to_change_its_color(
    bench: Any, initialised: bool, state: str
) -> None:
    def body(pe: Any) -> Any:
        yield op("@mov32", FabOut(4, 2, 3), 7)
        yield op("@mov32", Mem1d(B, 0, 1, 2), FabIn(4, 3, 2))
        pe.clock += 50
        yield op("@mov32", Mem1d(B, 0, 1, 1), FabIn(5, 3, 1))

    b = loop(bench, "wse2", body)
    if initialised:
        b.at(0).source.queues.append(QueueInit("in", 3, 4))
    assert (
        f"@mov32 reads color 5 through input queue 3, which {state}; a queue changes "
        "its color only if it is not initialised and empty"
    ) in fault(b)


def test_wse2_an_empty_input_queue_changes_its_color(bench: Any) -> None:
    """What comes for the first color meanwhile waits outside, and is read later."""

    def body(pe: Any) -> Any:
        yield op("@mov32", FabOut(4, 2, 2), 7)
        yield op("@mov32", Mem1d(A, 0, 1, 2), FabIn(4, 3, 2))
        yield op("@mov32", FabOut(5, 4, 2), 8)
        yield op("@mov32", Mem1d(A, 2, 1, 2), FabIn(5, 3, 2))
        yield op("@mov32", FabOut(4, 2, 2), 9)
        yield op("@mov32", Mem1d(A, 4, 1, 2), FabIn(4, 3, 2))

    b = loop(bench, "wse2", body)
    b.route(0, 0, 5, "RAMP", "RAMP")
    got = finished(b).memory.vector(np.dtype("<u4"), A, 1, 6)
    assert got.tolist() == [7, 7, 8, 8, 9, 9]


def test_wse2_colors_without_a_queue_number_share_none(bench: Any) -> None:
    """What waits on one color is in nobody's way on another."""

    def body(pe: Any) -> Any:
        yield op("@mov32", FabOut(4, 2, 2), 7)
        yield op("@mov32", FabOut(5, 4, 2), 8)
        pe.clock += 50
        yield op("@mov32", Mem1d(B, 0, 1, 2), FabIn(5, None, 2))

    b = loop(bench, "wse2", body)
    b.route(0, 0, 5, "RAMP", "RAMP")
    got = finished(b).memory.vector(np.dtype("<u4"), B, 1, 2)
    assert got.tolist() == [8, 8]


def test_wse2_an_output_queue_changes_color_when_it_is_empty(bench: Any) -> None:
    """The second color waits for the first one's wavelets, which are slow to leave."""

    def body(pe: Any) -> Any:
        yield op("@mov32", FabOut(4, 2, 5), 7)
        yield op("@mov32", FabOut(5, 2, 5), 8)

    def later(pe: Any) -> Any:
        yield op("@mov32", Mem1d(A, 0, 1, 5), FabIn(4, 3, 5))
        yield op("@mov32", Mem1d(B, 0, 1, 5), FabIn(5, 4, 5))

    b = loop(bench, "wse2", body, task9=later)
    b.route(0, 0, 5, "RAMP", "RAMP")
    b.at(0).state("activate", "local_task_id", 9)
    pe = finished(b)
    u32 = np.dtype("<u4")
    assert pe.memory.vector(u32, A, 1, 5).tolist() == [7] * 5
    assert pe.memory.vector(u32, B, 1, 5).tolist() == [8] * 5


def test_wse3_queues_need_their_color(bench: Any) -> None:
    def reading(pe: Any) -> None:
        pe.start_async(asynchronous("@mov32", Mem1d(B, 0, 1, 3), FabIn(5, 3, 3)))

    assert fault(loop(bench, "wse3", reading)).endswith(
        "a fabin_dsd reads color 5 from input queue 3, which is not initialised for "
        "that color; @initialize_queue must bind it"
    )

    def writing(pe: Any) -> None:
        pe.start_async(asynchronous("@mov32", FabOut(5, 2, 3), Mem1d(B, 0, 1, 3)))

    assert fault(loop(bench, "wse3", writing)).endswith(
        "a fabout_dsd on color 5 uses output queue 2, which is bound to color 4; "
        "@initialize_queue must bind it"
    )
