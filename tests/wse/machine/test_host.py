"""What the host does to a wafer: launches, streams, memory, symbols, reports."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pyflame.wse.errors import Deadlock, HostError
from pyflame.wse.language.code import GlobalVariable
from pyflame.wse.language.types import F32, I16, U32, Array, Pointer
from pyflame.wse.machine.dsd import INFINITE_EXTENT, FabIn, FabOut, Mem1d
from pyflame.wse.machine.operations import OPERATIONS, OpConfig, Operation

MOVE = OPERATIONS["@mov32"]
IN, OUT = 6, 7
ASYNC = OpConfig(asynchronous=True)
A = 8192


def test_launches_run_in_order_with_typed_arguments(bench: Any, arch: str) -> None:
    b, calls = bench(arch, 2), []

    def f(pe: Any, small: int, real: Any) -> None:
        calls.append((pe.x, small, float(real)))
        pe.clock += 100
        pe.unblock_cmd_stream()

    for x in (0, 1):
        b.at(x).export(f, I16, F32)
    wafer = b.wafer()
    one = int(np.float32(1.5).view(np.uint32))
    tickets = [wafer.launch("f", [0xFFFF, one]), wafer.launch("f", [3, one])]
    assert not wafer.done(tickets[0])
    wafer.run_until(tickets[1])
    assert wafer.done(tickets[0])
    assert calls[:2] == [(0, -1, 1.5), (1, -1, 1.5)]
    assert calls[2:] == [(0, 3, 1.5), (1, 3, 1.5)]
    assert wafer.now >= 200


def test_a_stream_stays_busy_until_it_is_unblocked(bench: Any, arch: str) -> None:
    b, calls = bench(arch, 1), []

    def f(pe: Any) -> None:
        calls.append(pe.clock)
        pe.activate(9)

    def later(pe: Any) -> None:
        pe.clock += 300
        pe.unblock_cmd_stream()

    b.at(0).export(f)
    b.at(0).task("local", 9, later)
    wafer = b.wafer()
    first, second = wafer.launch("f", []), wafer.launch("f", [])
    wafer.run_until(first)
    assert len(calls) == 1
    wafer.run_until(second)
    assert calls[1] - calls[0] > 300


def test_launches_are_checked(bench: Any, arch: str) -> None:
    b = bench(arch, 2)

    def f(pe: Any) -> None:
        pass

    b.at(0).export(f)
    wafer = b.wafer()
    with pytest.raises(HostError) as caught:
        wafer.launch("f", [])
    assert str(caught.value) == (
        "PE(1,0) exports no function 'f' (bench.csl); a launch runs on every PE"
    )
    b.at(1).export(f)
    with pytest.raises(HostError, match=r"^'f' takes 0 arguments, 1 were given$"):
        b.wafer().launch("f", [1])


def echo(bench: Any, arch: str) -> Any:
    """A PE that adds nothing: what streams in streams out."""
    b = bench(arch, 1, streams={IN: "h2d", OUT: "d2h"})

    def start(pe: Any) -> None:
        source = FabIn(IN, 2, INFINITE_EXTENT)
        pe.start_async(Operation(MOVE, FabOut(OUT, 3, 1), (source,), ASYNC))

    b.at(0).task("local", 8, start)
    b.at(0).state("activate", "local_task_id", 8)
    b.at(0).queue("in", 2, IN)
    b.at(0).queue("out", 3, OUT)
    return b


def test_streams_keep_their_order(bench: Any, arch: str) -> None:
    wafer = echo(bench, arch).wafer()
    data = np.arange(100, dtype=np.uint32) * 0x0101_0101
    sent = wafer.send(IN, 0, 0, data)
    first, rest = wafer.receive(OUT, 0, 0, 30), wafer.receive(OUT, 0, 0, 70)
    wafer.run_until(rest)
    assert wafer.done(sent)
    assert wafer.done(first)
    np.testing.assert_array_equal(wafer.words(first), data[:30])
    np.testing.assert_array_equal(wafer.words(rest), data[30:])


def test_a_stream_moves_one_wavelet_per_cycle(bench: Any, arch: str) -> None:
    wafer = echo(bench, arch).wafer()
    wafer.send(IN, 0, 0, np.zeros(1000, np.uint32))
    wafer.run_until(wafer.receive(OUT, 0, 0, 1000))
    assert 1000 < wafer.now < 1050


def test_the_host_buffers_what_was_not_asked_for(bench: Any, arch: str) -> None:
    wafer = echo(bench, arch).wafer(costs={"host_buffer_wavelets": 10})
    sent = wafer.send(IN, 0, 0, np.arange(100, dtype=np.uint32))
    wafer.run_until_quiet()
    assert not wafer.done(sent)  # nobody receives: back-pressure up to the host
    ticket = wafer.receive(OUT, 0, 0, 100)
    wafer.run_until(ticket)
    assert wafer.done(sent)
    assert wafer.words(ticket).tolist() == list(range(100))


def test_a_receive_that_gets_too_little(bench: Any, arch: str) -> None:
    wafer = echo(bench, arch).wafer()
    wafer.send(IN, 0, 0, np.arange(3, dtype=np.uint32))
    with pytest.raises(Deadlock) as caught:
        wafer.run_until(wafer.receive(OUT, 0, 0, 5))
    lines = str(caught.value).splitlines()
    assert lines[1:] == [
        "  the host has received 3 of 5 wavelets on color 7 from PE(0,0)",
        "  PE(0,0): @mov32 has read 3 wavelets, without end, of color 6; the host "
        "streams it",
    ]


def test_a_send_that_nobody_reads(bench: Any, arch: str) -> None:
    b = echo(bench, arch)
    b.at(0).source.states.clear()
    wafer = b.wafer(costs={"host_buffer_wavelets": 1})
    with pytest.raises(Deadlock, match=r"the host has streamed \d+ of 40 wavelets on"):
        wafer.run_until(wafer.send(IN, 0, 0, np.zeros(40, np.uint32)))


def test_streams_are_checked(bench: Any, arch: str) -> None:
    wafer = echo(bench, arch).wafer()
    with pytest.raises(HostError) as caught:
        wafer.send(OUT, 0, 0, np.zeros(1, np.uint32))
    expected = "color 7 does not stream h2d; the program's h2d colors are [6]"
    assert str(caught.value) == expected
    with pytest.raises(HostError, match=r"^PE\(1,0\) is outside the program's rec"):
        wafer.receive(OUT, 1, 0, 1)


def test_symbols_follow_exported_pointers(bench: Any, arch: str) -> None:
    b = bench(arch, 1)
    program = b.at(0)
    array = Array((4,), U32)
    pointer_type = Pointer(U32, many=True)
    pointer = GlobalVariable("p", "p", pointer_type, None, True, None)
    vector = GlobalVariable("v", "mod.v", array, None, True, None)
    program.addresses.update({pointer: 100, vector: A})
    program.source.globals += [pointer, vector]
    program.source.exports["data"] = pointer
    program.memory[100] = np.uint16(A + 8).tobytes()
    wafer = b.wafer()
    assert wafer.symbol(0, 0, "data") == (A + 8, U32)
    assert wafer.symbol(0, 0, "mod.v") == (A, array)
    assert wafer.symbol(0, 0, "p") == (100, pointer_type)
    wafer.write_memory(0, 0, A + 8, b"\1\2\3\4")
    assert wafer.read_memory(0, 0, A + 8, 4) == b"\1\2\3\4"
    with pytest.raises(HostError) as caught:
        wafer.symbol(0, 0, "q")
    assert str(caught.value) == "PE(0,0) has no variable 'q' (bench.csl)"


def test_a_report_adds_up(bench: Any, arch: str) -> None:
    b = bench(arch, 1)
    b.route(0, 0, 4, "RAMP", "RAMP")

    def body(pe: Any) -> Any:
        pe.clock += 50
        pe.start_async(Operation(MOVE, FabOut(4, 2, 10), (Mem1d(A, 0, 1, 10),), ASYNC))
        yield Operation(MOVE, Mem1d(A, 0, 1, 10), (FabIn(4, 3, 10),))
        pe.clock += 7

    b.at(0).task("local", 8, body)
    b.at(0).state("activate", "local_task_id", 8)
    b.at(0).queue("out", 2, 4)
    b.at(0).queue("in", 3, 4)
    wafer = b.wafer()
    wafer.run_until_quiet()
    report = wafer.report()
    (pe,) = report.pes
    assert (report.wavelets, report.hops) == (10, 10)
    loads = 5  # of the two DSRs of either operation
    assert pe.busy_cycles == 50 + loads + 1 + loads + 7
    assert pe.busy_cycles + pe.stalled_cycles + pe.idle_cycles == report.cycles
    assert pe.stream_cycles == 20
    assert pe.memory_bytes == 4096
    assert report.seconds == report.cycles / wafer.costs.clock_hz


def test_lines_go_to_the_log(bench: Any, arch: str) -> None:
    b, lines = bench(arch, 2), []

    def body(pe: Any) -> None:
        pe.print_line(f"value {pe.x}")

    b.at(1).task("local", 8, body)
    b.at(1).state("activate", "local_task_id", 8)
    b.wafer(log=lambda x, y, text: lines.append((x, y, text))).run_until_quiet()
    assert lines == [(1, 0, "value 1")]
