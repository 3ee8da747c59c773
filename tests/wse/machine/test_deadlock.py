"""Runs that cannot go on say who waits for what."""

from __future__ import annotations

from typing import Any

import pytest

from pyflame.wse.errors import Deadlock, MachineFault
from pyflame.wse.language.code import GlobalVariable
from pyflame.wse.language.source import Source, Span
from pyflame.wse.language.types import U32, Array
from pyflame.wse.language.values import FifoValue, PointerValue
from pyflame.wse.machine.dsd import FabIn, FabOut, Fifo, Mem1d
from pyflame.wse.machine.operations import ASYNC, OPERATIONS, PLAIN, Operation
from pyflame.wse.machine.sites import Site

MOVE = OPERATIONS["@mov32"]
NOWHERE = Span(Source("bench.csl", ""), 0, 0)
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
        "Deadlock at cycle 44: 1 PE waits and nothing can move",
        "  PE(1,0) main: @mov32 has read 2 of 4 elements of color 4; PE(0,0) sent 2 "
        "and sends no more",
        "  PE(1,0): 'main' was launched and unblock_cmd_stream() has not been called",
    ]


def test_a_color_without_a_route(bench: Any, arch: str) -> None:
    b = pair(bench, arch, 2, 2, tx="SOUTH")
    lines = deadlock(b)
    assert (
        "  PE(1,0) main: @mov32 has read 0 of 2 elements of color 4; PE(0,0) sent 2 "
        "and sends no more" in lines
    )
    assert lines[-1] == (
        "  color 4 at PE(1,1): 2 wavelets from NORTH: that is outside of the program's "
        "rectangle"
    )


def test_a_color_that_a_neighbour_does_not_route(bench: Any, arch: str) -> None:
    b = pair(bench, arch, 2, 2)
    del b.configs[1, 0]
    assert deadlock(b)[-1] == (
        "  color 4 at PE(1,0): 2 wavelets from WEST: the color has no route there"
    )


def test_pes_that_wait_for_each_other(bench: Any, arch: str) -> None:
    """Three PEs receive before they send, round a ring."""
    b = bench(arch, 3)
    for x in range(3):
        b.route(x, 0, 4 + x, "RAMP", "WEST" if x == 2 else "EAST")
    b.route(1, 0, 4, "WEST", "RAMP")
    b.route(2, 0, 5, "WEST", "RAMP")
    b.route(1, 0, 6, "EAST", "WEST")
    b.route(0, 0, 6, "EAST", "RAMP")

    def main(pe: Any) -> Any:
        source, target = 4 + (pe.x + 2) % 3, 4 + pe.x
        yield Operation(MOVE, Mem1d(A, 0, 1, 3), (FabIn(source, 3, 3),))
        yield Operation(MOVE, FabOut(target, 2, 3), (Mem1d(A, 0, 1, 3),))
        pe.unblock_cmd_stream()

    for x in range(3):
        b.at(x).export(main)
        b.at(x).queue("in", 3, 4 + (x + 2) % 3)
        b.at(x).queue("out", 2, 4 + x)
    lines = deadlock(b)
    assert lines[1:3] == [
        "  PE(0,0) waits for PE(2,0), which waits for PE(1,0), which waits for PE(0,0)",
        "  PE(0,0) main: @mov32 has read 0 of 3 elements of color 6; PE(2,0) sent 0 "
        "and waits itself",
    ]


def test_a_blocked_local_task(bench: Any, arch: str) -> None:
    b = bench(arch, 1)

    def main(pe: Any) -> None:
        pe.activate(9)

    def done(pe: Any) -> None:
        pe.unblock_cmd_stream()

    b.at(0).export(main)
    b.at(0).task("local", 9, done)
    b.at(0).state("block", "local_task_id", 9)
    assert (
        deadlock(b)[1]
        == "  PE(0,0): task done (id 9) has been activated, but is blocked"
    )


def test_operations_of_a_program_have_their_place(bench: Any, arch: str) -> None:
    b = pair(bench, arch, 2, 4)
    source = Source("some/where/pe.csl", "fn f() void {\n  @mov32(to, in);\n}\n")
    site = Site(Span(source, 16, 31), "@mov32")

    def receive(pe: Any) -> Any:
        yield Operation(MOVE, Mem1d(A, 0, 1, 4), (FabIn(4, 3, 4),), PLAIN, site)

    receive.__name__ = "main"
    b.at(1).export(receive)
    assert deadlock(b)[1].startswith(
        "  PE(1,0) main: @mov32 (pe.csl:2) has read 2 of 4 elements of color 4; "
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


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (31, "its control wavelet names no task, and its command lets it to the CE"),
        (40, "no control task is bound to id 40"),
    ],
)
def test_a_control_wavelet_without_a_task(
    bench: Any, arch: str, entry: int, reason: str
) -> None:
    b = pair(bench, arch, 1, 1)

    def send(pe: Any) -> Any:
        yield Operation(MOVE, FabOut(4, 2, 1, control=True), (entry << 16,))
        pe.unblock_cmd_stream()

    def wait(pe: Any) -> None:
        pass

    send.__name__ = wait.__name__ = "main"
    b.at(0).export(send)
    b.at(1).export(wait)
    line = f"  PE(1,0): 1 wavelet of color 4 in the input queue: {reason}"
    assert deadlock(b)[1] == line


@pytest.mark.parametrize(
    ("dest", "source", "cause"),
    [
        (FabOut(4, 2, 6), Fifo(0), "0 of 6 elements; its source FIFO is empty"),
        (Fifo(0), FabIn(4, 3, 6), "4 of 6 elements; its destination FIFO is full"),
    ],
)
def test_a_fifo_that_stays_empty_or_full(
    bench: Any, arch: str, dest: Any, source: Any, cause: str
) -> None:
    b = bench(arch, 1)
    buffer = GlobalVariable("buffer", "buffer", Array((4,), U32), None, True, NOWHERE)
    b.at(0).addresses[buffer] = A + 64
    b.at(0).source.fifos.append(FifoValue(PointerValue(buffer), U32, 4, {}))
    b.route(0, 0, 4, "RAMP", "RAMP")
    b.at(0).queue("out", 2, 4)
    b.at(0).queue("in", 3, 4)

    def main(pe: Any) -> Any:
        pe.start_async(Operation(MOVE, dest, (source,), ASYNC))
        if dest == Fifo(0):
            yield Operation(MOVE, FabOut(4, 2, 6), (Mem1d(A, 0, 1, 6),))

    b.at(0).export(main)
    assert deadlock(b)[1] == f"  PE(0,0): @mov32 has moved {cause}"


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
