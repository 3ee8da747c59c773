"""FIFOs: order, suspension, synchronous ends, events."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyflame.wse.language.code import GlobalVariable
from pyflame.wse.language.types import U32, Array
from pyflame.wse.language.values import FifoValue, PointerValue
from pyflame.wse.machine.dsd import (
    INFINITE_EXTENT,
    FabIn,
    FabOut,
    Fifo,
    Mem1d,
    ScalarPointer,
)
from pyflame.wse.machine.microthreads import MAIN_THREAD_RANK
from pyflame.wse.machine.operations import OPERATIONS, OpConfig, Operation

MOVE = OPERATIONS["@mov32"]
A, BUFFER = 8192, 12288
ASYNC = OpConfig(asynchronous=True)


def with_fifo(program: Any, capacity: int, **config: Any) -> None:
    variable = GlobalVariable(
        "buffer", "buffer", Array((capacity,), U32), None, True, None
    )
    program.addresses[variable] = BUFFER
    value = FifoValue(PointerValue(variable), U32, capacity, dict(config))
    program.source.fifos.append(value)


def started(program: Any, call: Any) -> None:
    program.task("local", 8, call)
    program.state("activate", "local_task_id", 8)


def synchronous(bench: Any, arch: str, capacity: int, body: Any) -> Any:
    """Runs a generator on a PE that has FIFO 0."""
    b = bench(arch, 1)
    with_fifo(b.at(0), capacity)
    started(b.at(0), body)
    wafer = b.wafer()
    wafer.run_until_quiet()
    return wafer.pe(0, 0)


def test_elements_come_out_in_order_round_the_buffer(bench: Any, arch: str) -> None:
    results = []

    def body(pe: Any) -> Any:
        for start in (0, 3, 6):
            pe.memory.vector(MOVE.dest_dtype, A, 1, 3)[:] = range(start, start + 3)
            ok = yield Operation(MOVE, Fifo(0), (Mem1d(A, 0, 1, 3),))
            results.append(ok)
            pe.set_fifo_length("read", Fifo(0), 3)
            ok = yield Operation(MOVE, Mem1d(A + 64, start, 1, 3), (Fifo(0),))
            results.append(ok)

    pe = synchronous(bench, arch, 4, body)
    assert results == [True] * 6
    got = pe.memory.vector(MOVE.dest_dtype, A + 64, 1, 9)
    assert got.tolist() == list(range(9))
    assert len(pe.fifos[0]) == 0


def test_a_synchronous_push_into_a_full_fifo_ends_with_false(
    bench: Any, arch: str
) -> None:
    results = []

    def body(pe: Any) -> Any:
        results.append((yield Operation(MOVE, Fifo(0), (Mem1d(A, 0, 1, 6),))))

    pe = synchronous(bench, arch, 4, body)
    assert results == [False]
    assert len(pe.fifos[0]) == 4
    assert pe.fifos[0].write_length == 2  # what is left


def test_a_synchronous_pop_from_an_empty_fifo_ends_with_false(
    bench: Any, arch: str
) -> None:
    results = []

    def body(pe: Any) -> Any:
        yield Operation(MOVE, Fifo(0), (Mem1d(A, 0, 1, 2),))
        results.append((yield Operation(MOVE, Mem1d(A + 64, 0, 1, 5), (Fifo(0),))))

    pe = synchronous(bench, arch, 4, body)
    assert results == [False]
    assert pe.fifos[0].read_length == 3


def test_a_synchronous_pop_that_ends_early_leaves_its_scalar(
    bench: Any, arch: str
) -> None:
    """What was popped is lost; a pop of all that was asked for is stored."""
    results = []

    def body(pe: Any) -> Any:
        pe.memory.vector(MOVE.dest_dtype, A, 1, 3)[:] = [7, 8, 9]
        for count in (3, 2):
            yield Operation(MOVE, Fifo(0), (Mem1d(A, 0, 1, 2),))
            pe.set_fifo_length("read", Fifo(0), count)
            ok = yield Operation(MOVE, ScalarPointer(A + 64), (Fifo(0),))
            results.append((ok, pe.memory.load_bits(A + 64, 4)))

    pe = synchronous(bench, arch, 4, body)
    assert results == [(False, 0), (True, 8)]
    assert len(pe.fifos[0]) == 0


def test_the_priority_of_a_fifo_is_that_of_its_microthread(bench: Any) -> None:
    """WSE-3. The wavelets leave the rectangle, so the operation still waits."""

    def rank(**config: Any) -> int:
        b = bench("wse3", 1)
        with_fifo(b.at(0), 64, **config)
        b.route(0, 0, 4, "RAMP", "EAST")
        b.at(0).queue("out", 2, 4)

        def body(pe: Any) -> Any:
            yield Operation(MOVE, Fifo(0), (Mem1d(A, 0, 1, 40),))
            pe.start_async(Operation(MOVE, FabOut(4, 2, 40), (Fifo(0),), ASYNC))

        started(b.at(0), body)
        wafer = b.wafer()
        wafer.run_until_quiet()
        return wafer.pe(0, 0).microthreads[2].rank

    assert rank(priority="high") < MAIN_THREAD_RANK < rank(priority="low") == rank()


def test_asynchronous_ends_suspend_and_lose_nothing(bench: Any, arch: str) -> None:
    """Memory -> loop -> FIFO of 3 -> loop -> memory, 40 elements."""
    n, b = 40, bench(arch, 1)
    with_fifo(b.at(0), 3)
    b.at(0).memory[A] = np.arange(n, dtype=np.uint32).tobytes()
    for color in (4, 5):
        b.route(0, 0, color, "RAMP", "RAMP")
        b.at(0).queue("out", color - 2, color)
        b.at(0).queue("in", color, color)

    def body(pe: Any) -> None:
        source, endless = Mem1d(A, 0, 1, n), FabIn(4, 4, INFINITE_EXTENT)
        pe.start_async(Operation(MOVE, FabOut(4, 2, n), (source,), ASYNC))
        pe.start_async(Operation(MOVE, Fifo(0), (endless,), ASYNC))
        out = FabOut(5, 3, INFINITE_EXTENT)
        pe.start_async(Operation(MOVE, out, (Fifo(0),), ASYNC))
        dest = Mem1d(A + 4 * n, 0, 1, n)
        pe.start_async(Operation(MOVE, dest, (FabIn(5, 5, n),), ASYNC))

    started(b.at(0), body)
    wafer = b.wafer()
    wafer.run_until_quiet()
    got = np.frombuffer(wafer.read_memory(0, 0, A + 4 * n, 4 * n), np.uint32)
    assert got.tolist() == list(range(n))


def test_a_push_after_a_starved_pop_activates(bench: Any, arch: str) -> None:
    names: list[str] = []
    b = bench(arch, 1)
    with_fifo(b.at(0), 4, activate_push=9, activate_pop=10)

    def body(pe: Any) -> Any:
        yield Operation(MOVE, Mem1d(A + 64, 0, 1, 1), (Fifo(0),))
        yield Operation(MOVE, Fifo(0), (Mem1d(A, 0, 1, 6),))
        yield Operation(MOVE, Mem1d(A + 64, 0, 1, 2), (Fifo(0),))

    def pushed(pe: Any) -> None:
        names.append("pushed")

    def popped(pe: Any) -> None:
        names.append("popped")

    started(b.at(0), body)
    b.at(0).task("local", 9, pushed)
    b.at(0).task("local", 10, popped)
    b.wafer().run_until_quiet()
    assert names == ["pushed", "popped"]
