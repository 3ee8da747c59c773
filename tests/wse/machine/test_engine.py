"""Whole programs of a few PEs: values, cycles against published figures, seeds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pyflame.wse.language.types import U32
from pyflame.wse.machine.dsd import FabIn, FabOut, Mem1d
from pyflame.wse.machine.engine import Wafer
from pyflame.wse.machine.operations import OPERATIONS, OpConfig, Operation

MOVE, ADD = OPERATIONS["@fmovs"], OPERATIONS["@fadds"]
A, B = 8192, 16384


def asynchronous(activate: int | None = None) -> OpConfig:
    return OpConfig(asynchronous=True, activate=activate)


def f32(wafer: Wafer, x: int, address: int, n: int, y: int = 0) -> np.ndarray:
    return np.frombuffer(wafer.read_memory(x, y, address, 4 * n), np.float32)


def started(program: Any, call: Any) -> None:
    """Makes `call` the task that runs at the start."""
    program.task("local", 8, call)
    program.state("activate", "local_task_id", 8)


def message(bench: Any, arch: str, hops: int, n: int) -> tuple[Any, list[int]]:
    """A vector moved along a row; the list gets issue and completion times."""
    b, times = bench(arch, hops + 1), [0, 0]
    b.at(0).memory[A] = np.arange(1, n + 1, dtype=np.float32).tobytes()
    b.route(0, 0, 4, "RAMP", "EAST")
    for x in range(1, hops):
        b.route(x, 0, 4, "WEST", "EAST")
    b.route(hops, 0, 4, "WEST", "RAMP")

    def send(pe: Any) -> None:
        times[0] = pe.clock
        dest, source = FabOut(4, 2, n), Mem1d(A, 0, 1, n)
        pe.start_async(Operation(MOVE, dest, (source,), asynchronous()))

    def receive(pe: Any) -> None:
        dest, source = Mem1d(A, 0, 1, n), FabIn(4, 2, n)
        pe.start_async(Operation(MOVE, dest, (source,), asynchronous(9)))

    def done(pe: Any) -> None:
        times[1] = pe.clock

    started(b.at(0), send)
    b.at(0).queue("out", 2, 4)
    started(b.at(hops), receive)
    b.at(hops).queue("in", 2, 4)
    b.at(hops).task("local", 9, done)
    return b, times


def cycles_of_message(bench: Any, arch: str, hops: int, n: int) -> int:
    b, times = message(bench, arch, hops, n)
    wafer = b.wafer()
    wafer.run_until_quiet()
    assert f32(wafer, hops, A, n).tolist() == list(range(1, n + 1))
    return times[1] - times[0]


def test_a_message_of_8_words_takes_19_cycles_on_wse3(bench: Any) -> None:
    """Send dispatch to completion task over one hop (FAB 10j); before it come the
    loads of two DSRs, which take 5 cycles (FAB 10i)."""
    assert cycles_of_message(bench, "wse3", 1, 8) == 5 + 19


@pytest.mark.parametrize(("arch", "hop"), [("wse2", 1), ("wse3", 2)])
def test_hops_add_latency_and_words_add_one_cycle(
    bench: Any, arch: str, hop: int
) -> None:
    first = cycles_of_message(bench, arch, 1, 1)
    assert cycles_of_message(bench, arch, 5, 1) == first + 4 * hop
    assert cycles_of_message(bench, arch, 5, 100) == first + 4 * hop + 99


def chain(bench: Any, arch: str, pes: int, n: int) -> tuple[Any, list[int]]:
    """A chain reduce to the west: each PE adds what comes from the east."""
    b, times = bench(arch, pes), [0, 0]
    for x in range(pes):
        own, other = 2 + x % 2, 3 - x % 2
        b.at(x).memory[A] = np.full(n, x + 1, np.float32).tobytes()
        if x + 1 < pes:
            b.route(x, 0, other, "EAST", "RAMP")
            b.at(x).queue("in", 3, other)
        if x:
            b.route(x, 0, own, "RAMP", "WEST")
            b.at(x).queue("out", 2, own)
        started(b.at(x), link_of_chain(pes, n, own, other, times))
        b.at(x).task("local", 9, done_of(times))
    return b, times


def link_of_chain(pes: int, n: int, own: int, other: int, times: list[int]) -> Any:
    def step(pe: Any) -> None:
        mine = Mem1d(A, 0, 1, n)
        out = FabOut(own, 2, n) if pe.x else Mem1d(B, 0, 1, n)
        activate = None if pe.x else 9
        if pe.x == pes - 1:
            times[0] = pe.clock
            pe.start_async(Operation(MOVE, out, (mine,), asynchronous()))
        else:
            sources = (mine, FabIn(other, 3, n))
            pe.start_async(Operation(ADD, out, sources, asynchronous(activate)))

    return step


def done_of(times: list[int]) -> Any:
    def done(pe: Any) -> None:
        times[1] = pe.clock

    return done


def cycles_of_chain(bench: Any, arch: str, pes: int, n: int) -> int:
    b, times = chain(bench, arch, pes, n)
    wafer = b.wafer()
    wafer.run_until_quiet()
    assert f32(wafer, 0, B, n).tolist() == [pes * (pes + 1) / 2] * n
    return times[1] - times[0]


@pytest.mark.parametrize(("pes", "n"), [(4, 16), (16, 16), (16, 64)])
def test_a_chain_reduce_takes_the_published_time(bench: Any, pes: int, n: int) -> None:
    """T = B + (2 T_R + 2)(P - 1) on WSE-2 (RED), and the set-up and issue of the first
    send."""
    issue = 5 + 4
    assert cycles_of_chain(bench, "wse2", pes, n) == n + 6 * (pes - 1) + issue


def test_a_chain_on_wse3_pays_two_cycles_per_hop(bench: Any) -> None:
    assert cycles_of_chain(bench, "wse3", 8, 32) == 32 + 7 * 7 + 5 + 4


def test_multicast_reaches_all_at_link_rate(bench: Any, arch: str) -> None:
    n, b = 50, bench(arch, 4)
    b.at(0).memory[A] = np.arange(n, dtype=np.float32).tobytes()
    b.route(0, 0, 4, "RAMP", "EAST")
    b.route(1, 0, 4, "WEST", "RAMP EAST")
    b.route(2, 0, 4, "WEST", "RAMP EAST")
    b.route(3, 0, 4, "WEST", "RAMP")

    def send(pe: Any) -> None:
        source = Mem1d(A, 0, 1, n)
        pe.start_async(Operation(MOVE, FabOut(4, 2, n), (source,), asynchronous()))

    def receive(pe: Any) -> None:
        dest = Mem1d(A, 0, 1, n)
        pe.start_async(Operation(MOVE, dest, (FabIn(4, 2, n),), asynchronous()))

    started(b.at(0), send)
    b.at(0).queue("out", 2, 4)
    for x in (1, 2, 3):
        started(b.at(x), receive)
        b.at(x).queue("in", 2, 4)
    wafer = b.wafer()
    wafer.run_until_quiet()
    for x in (1, 2, 3):
        assert f32(wafer, x, A, n).tolist() == list(range(n))
    report = wafer.report()
    assert report.wavelets == n
    assert report.hops == n * 6  # three links, three ramps
    assert report.cycles < n + 40


def crossing(bench: Any, arch: str) -> Any:
    """Two streams of different colors share the middle link of a row."""
    n, b = 40, bench(arch, 3)
    for color, start in ((2, 0), (3, 1)):
        b.at(start).memory[A] = np.arange(n, dtype=np.float32).tobytes()
        b.route(start, 0, color, "RAMP", "EAST")
        b.route(2, 0, color, "WEST", "RAMP")
        b.at(start).queue("out", 2, color)
        b.at(2).queue("in", color, color)
    b.route(1, 0, 2, "WEST", "EAST")

    def send(color: int) -> Any:
        def task(pe: Any) -> None:
            dest, source = FabOut(color, 2, n), Mem1d(A, 0, 1, n)
            pe.start_async(Operation(MOVE, dest, (source,), asynchronous()))

        return task

    def receive(pe: Any) -> None:
        for color, place in ((2, A), (3, B)):
            dest, source = Mem1d(place, 0, 1, n), FabIn(color, color, n)
            pe.start_async(Operation(MOVE, dest, (source,), asynchronous()))

    started(b.at(0), send(2))
    started(b.at(1), send(3))
    started(b.at(2), receive)
    return b


def test_colors_that_share_a_link_take_turns(bench: Any, arch: str) -> None:
    wafer = crossing(bench, arch).wafer()
    wafer.run_until_quiet()
    expected = list(range(40))
    assert f32(wafer, 2, A, 40).tolist() == expected
    assert f32(wafer, 2, B, 40).tolist() == expected
    assert 80 <= wafer.now <= 80 + 30


def test_ten_seeds_give_the_same_arrays(bench: Any, arch: str) -> None:
    results, times = set(), set()
    for seed in (None, *range(10)):
        wafer = crossing(bench, arch).wafer(seed=seed)
        wafer.run_until_quiet()
        results.add(wafer.read_memory(2, 0, A, B - A + 160))
        times.add(wafer.now)
    assert len(results) == 1


def test_one_seed_gives_one_history(bench: Any, arch: str) -> None:
    runs = []
    for _ in range(2):
        wafer = crossing(bench, arch).wafer(seed=7)
        wafer.run_until_quiet()
        runs.append(wafer.report())
    assert runs[0] == runs[1]


def test_silicon_moves_8_wavelets_in_9_cycles(bench: Any) -> None:
    b, _ = message(bench, "wse3", 1, 800)
    wafer = b.wafer(profile="silicon")
    wafer.run_until_quiet()
    assert f32(wafer, 1, A, 800).tolist() == list(range(1, 801))
    assert 900 <= wafer.now <= 930


def test_a_task_does_not_change_memory_before_it_starts(bench: Any, arch: str) -> None:
    """Two tasks use one buffer: the first word must be on its way before the second
    task, picked as soon as the first has ended, overwrites it."""
    b, got = bench(arch, 1), []
    b.route(0, 0, 4, "RAMP", "RAMP")

    def first(pe: Any) -> None:
        pe.memory.u32[A >> 2] = 11
        source = Mem1d(A, 0, 1, 1)
        config = OpConfig(asynchronous=True, activate=10)
        pe.start_async(
            Operation(OPERATIONS["@mov32"], FabOut(4, 2, 1), (source,), config)
        )

    def second(pe: Any) -> None:
        pe.memory.u32[A >> 2] = 22

    def sent(pe: Any) -> None:
        pass

    def take(pe: Any, word: int) -> None:
        got.append(word)

    program = b.at(0)
    started(program, first)
    program.task("local", 9, second)
    program.task("local", 10, sent)
    program.state("activate", "local_task_id", 9)
    program.task("data", 4 if arch == "wse2" else 3, take, U32)
    program.queue("out", 2, 4)
    program.queue("in", 3, 4)
    b.wafer().run_until_quiet()
    assert got == [11]
