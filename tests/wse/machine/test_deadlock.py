"""Runs that cannot go on say who waits for what."""

from __future__ import annotations

from typing import Any

import pytest

from pyflame.wse.errors import Deadlock, MachineFault
from pyflame.wse.language.types import U32
from pyflame.wse.machine.dsd import FabIn, FabOut, Mem1d
from pyflame.wse.machine.operations import OPERATIONS, Operation

MOVE = OPERATIONS["@mov32"]
A = 8192


def pair(bench: Any, arch: str, sent: int, asked: int, tx: str = "RAMP") -> Any:
    """PE(0,0) sends some wavelets to PE(1,0), whose task `main` waits for more."""
    b = bench(arch, 2)
    b.route(0, 0, 4, "RAMP", "EAST")
    b.route(1, 0, 4, "WEST", tx)

    def send(pe: Any) -> Any:
        yield Operation(MOVE, FabOut(4, 2, sent), (Mem1d(A, 0, 1, sent),))
        pe.unblock_cmd_stream()

    def receive(pe: Any) -> Any:
        yield Operation(MOVE, Mem1d(A, 0, 1, asked), (FabIn(4, 3, asked),))
        pe.unblock_cmd_stream()

    send.__name__ = receive.__name__ = "main"
    b.at(0).export(send)
    b.at(1).export(receive)
    b.at(0).queue("out", 2, 4)
    b.at(1).queue("in", 3, 4)
    return b


def deadlock(b: Any) -> list[str]:
    wafer = b.wafer()
    ticket = wafer.launch("main", [])
    with pytest.raises(Deadlock) as caught:
        wafer.run_until(ticket)
    return str(caught.value).splitlines()


def test_a_receiver_that_asks_for_too_much(bench: Any) -> None:
    assert deadlock(pair(bench, "wse3", 2, 4)) == [
        "Deadlock at cycle 39: 1 PE waits and nothing can move",
        "  PE(1,0) main: @mov32 has read 2 of 4 elements of color 4; PE(0,0) sent 2",
        "  PE(1,0): 'main' was launched and unblock_cmd_stream() has not been called",
    ]


def test_a_color_without_a_route(bench: Any, arch: str) -> None:
    b = pair(bench, arch, 2, 2, tx="SOUTH")
    lines = deadlock(b)
    assert (
        "  PE(1,0) main: @mov32 has read 0 of 2 elements of color 4; PE(0,0) sent 2"
        in lines
    )
    assert lines[-1] == (
        "  color 4 at PE(1,1): 2 wavelets from NORTH: the color has no route there"
    )


def test_a_route_that_does_not_accept_the_side(bench: Any, arch: str) -> None:
    b = pair(bench, arch, 1, 1)
    b.route(1, 0, 4, "NORTH", "RAMP")
    lines = deadlock(b)
    assert lines[1] == (
        "  PE(1,0) main: @mov32 has read 0 of 1 elements of color 4; no PE's route "
        "leads there"
    )
    assert lines[-1] == (
        "  color 4 at PE(1,0): 1 wavelet from WEST: the route is rx NORTH, tx RAMP"
    )


def test_a_full_output_queue(bench: Any, arch: str) -> None:
    """Nobody reads: queues and buffers fill up, then the sender waits."""
    b = pair(bench, arch, 500, 1)
    lines = deadlock(b)
    assert lines[1].startswith("  PE(0,0) main: @mov32 has sent ")
    assert lines[1].endswith(" of 500 elements on color 4; output queue 2 is full")
    assert any("no operation reads it and no task is bound to it" in x for x in lines)


def test_a_blocked_data_task(bench: Any, arch: str) -> None:
    b, id_ = pair(bench, arch, 1, 1), 4 if arch == "wse2" else 3

    def wait(pe: Any) -> None:
        pass

    def take(pe: Any, word: int) -> None:
        pass

    wait.__name__ = "main"
    b.at(1).export(wait)
    b.at(1).task("data", id_, take, U32)
    b.at(1).state("block", "data_task_id", id_)
    lines = deadlock(b)
    assert lines[1:] == [
        "  PE(1,0): 1 wavelet of color 4 in the input queue: task take is blocked",
        "  PE(1,0): 'main' was launched and unblock_cmd_stream() has not been called",
    ]


def test_a_color_without_a_queue_on_wse3(bench: Any) -> None:
    b = pair(bench, "wse3", 1, 1)

    def wait(pe: Any) -> None:
        pass

    wait.__name__ = "main"
    b.at(1).export(wait)
    b.at(1).source.queues.clear()
    assert deadlock(b)[1] == (
        "  PE(1,0): 1 wavelet of color 4 in the input queue: no @initialize_queue "
        "binds the color to one"
    )


def test_long_explanations_are_cut(bench: Any) -> None:
    b = bench("wse3", 20)

    def main(pe: Any) -> None:
        pass

    for x in range(20):
        b.at(x).export(main)
    lines = deadlock(b)
    assert lines[0] == "Deadlock at cycle 26: 20 PEs wait and nothing can move"
    assert len(lines) == 14
    assert lines[-1] == "  and 8 more"


def test_a_program_without_end_spends_its_budget(bench: Any, arch: str) -> None:
    b = bench(arch, 1)

    def again(pe: Any) -> None:
        pe.activate(8)

    b.at(0).task("local", 8, again)
    b.at(0).state("activate", "local_task_id", 8)
    with pytest.raises(MachineFault) as caught:
        b.wafer(max_cycles=5000).run_until_quiet()
    assert str(caught.value) == (
        "the program ran for 5,000 cycles, the limit of this run; a larger "
        "`max_cycles` lets it run on"
    )
    assert not isinstance(caught.value, Deadlock)
