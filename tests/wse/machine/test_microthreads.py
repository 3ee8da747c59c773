"""Asynchronous operations: threads, completion, control ends, widths, DSRs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from one_pe import asynchronous, fault, finished, loop, op

from pyflame.wse.machine import wavelet
from pyflame.wse.machine.dsd import (
    INFINITE_EXTENT,
    Dsr,
    FabIn,
    FabOut,
    Mem1d,
    Mem4d,
    ScalarPointer,
)
from pyflame.wse.machine.operations import OpConfig

A, B = 8192, 12288
ASYNC = OpConfig(asynchronous=True)


def test_a_synchronous_operation_holds_its_task(bench: Any, arch: str) -> None:
    clocks = []

    def body(pe: Any) -> Any:
        pe.start_async(asynchronous("@mov32", FabOut(4, 2, 20), Mem1d(A, 0, 1, 20)))
        clocks.append(pe.clock)
        yield op("@mov32", Mem1d(B, 0, 1, 20), FabIn(4, 3, 20))
        clocks.append(pe.clock)

    pe = finished(loop(bench, arch, body))
    assert clocks[1] - clocks[0] >= 40  # two threads share the datapath
    loads = 5  # of two DSRs, before the operation itself
    assert pe.stalled_cycles == clocks[1] - clocks[0] - loads


def test_the_length_is_that_of_the_source(bench: Any, arch: str) -> None:
    """A fabric destination of extent 1 sends all that its source has."""

    def body(pe: Any) -> None:
        pe.memory.vector(np.dtype("<u4"), A, 1, 5)[:] = [1, 2, 3, 4, 5]
        pe.start_async(asynchronous("@mov32", FabOut(4, 2, 1), Mem1d(A, 0, 1, 5)))
        pe.start_async(asynchronous("@mov32", Mem1d(B, 0, 1, 5), FabIn(4, 3, 5)))

    pe = finished(loop(bench, arch, body))
    assert pe.memory.vector(np.dtype("<u4"), B, 1, 5).tolist() == [1, 2, 3, 4, 5]


def test_completion_activates_and_unblocks(bench: Any, arch: str) -> None:
    names = []

    def body(pe: Any) -> None:
        pe.activate(10)
        pe.start_async(
            asynchronous("@mov32", FabOut(4, 2, 3), Mem1d(A, 0, 1, 3), activate=9)
        )
        target = ("local_task_id", 10)
        pe.start_async(
            asynchronous("@mov32", Mem1d(B, 0, 1, 3), FabIn(4, 3, 3), unblock=target)
        )

    def sent(pe: Any) -> None:
        names.append("sent")

    def received(pe: Any) -> None:
        names.append("received")

    b = loop(bench, arch, body, task9=sent, task10=received)
    b.at(0).state("block", "local_task_id", 10)
    finished(b)
    assert names == ["sent", "received"]


def test_a_control_wavelet_ends_an_endless_receive(bench: Any, arch: str) -> None:
    names = []

    def body(pe: Any) -> Any:
        source = FabIn(4, 3, INFINITE_EXTENT)
        pe.start_async(
            asynchronous(
                "@mov32",
                Mem1d(B, 0, 1, 9),
                source,
                on_control="activate",
                on_control_target=9,
            )
        )
        yield op("@mov32", FabOut(4, 2, 3), Mem1d(A, 0, 1, 3))
        yield op("@mov32", FabOut(4, 2, 1, control=True), 31 << 16)

    def ended(pe: Any) -> None:
        names.append("ended")

    pe = finished(loop(bench, arch, body, task9=ended))
    assert names == ["ended"]
    assert pe.microthreads == [None] * 8


def test_an_operation_without_on_control_takes_it_as_data(
    bench: Any, arch: str
) -> None:
    def body(pe: Any) -> Any:
        yield op("@mov32", FabOut(4, 2, 1, control=True), 77)
        yield op("@mov32", ScalarPointer(B), FabIn(4, 3, 1))

    assert finished(loop(bench, arch, body)).memory.u32[B >> 2] == 77


def test_dfilt_drops_data_until_its_controls_have_come(bench: Any, arch: str) -> None:
    def body(pe: Any) -> Any:
        pe.start_async(asynchronous("@dfilt", None, FabIn(4, 3, 2), activate=9))
        for word, control in ((1, False), (0, True), (2, False), (0, True), (3, False)):
            yield op("@mov32", FabOut(4, 2, 1, control=control), word)

    def after(pe: Any) -> Any:
        yield op("@mov32", ScalarPointer(B), FabIn(4, 3, 1))

    pe = finished(loop(bench, arch, body, task9=after))
    assert pe.memory.u32[B >> 2] == 3


def test_packed_halves_travel_two_by_two(bench: Any, arch: str) -> None:
    n = 7

    def body(pe: Any) -> None:
        pe.memory.vector(np.dtype("<u2"), A, 1, n)[:] = range(1, n + 1)
        out = FabOut(4, 2, n, simd_mode="simd_32")
        source = FabIn(4, 3, n, simd_mode="simd_32")
        pe.start_async(asynchronous("@mov16", out, Mem1d(A, 0, 1, n)))
        pe.start_async(asynchronous("@mov16", Mem1d(B, 0, 1, n), source))

    pe = finished(loop(bench, arch, body))
    assert pe.memory.vector(np.dtype("<u2"), B, 1, n).tolist() == list(range(1, n + 1))
    assert pe.channel(4).wavelets_sent == 4


def transfer(bench: Any, arch: str, mode: str, sent: int, asked: int, op: str) -> Any:
    """A PE that sends to itself: the wafer when nothing moves any more."""
    size = "<u2" if op == "@mov16" else "<u4"

    def body(pe: Any) -> None:
        pe.memory.vector(np.dtype(size), A, 1, sent)[:] = range(1, sent + 1)
        out = FabOut(4, 2, sent, simd_mode=mode)
        source = FabIn(4, 3, asked, simd_mode=mode)
        pe.start_async(asynchronous(op, out, Mem1d(A, 0, 1, sent)))
        pe.start_async(asynchronous(op, Mem1d(B, 0, 1, asked), source))

    wafer = loop(bench, arch, body).wafer()
    wafer.run_until_quiet()
    return wafer, wafer.pe(0, 0).memory.vector(np.dtype(size), B, 1, asked).tolist()


@pytest.mark.parametrize(
    ("mode", "steps"), [("", 16), ("simd_32", 8), ("simd_64", 4), ("simd_32_or_64", 5)]
)
def test_simd_modes_move_so_many_halves_in_a_step(
    bench: Any, arch: str, mode: str, steps: int
) -> None:
    """Eight out and eight in. A source that need not wait takes what has come."""
    wafer, received = transfer(bench, arch, mode, 8, 8, "@mov16")
    assert received == list(range(1, 9))
    assert wafer.report().pes[0].stream_cycles == steps


@pytest.mark.parametrize("mode", ["simd_32", "simd_64", "simd_32_or_64"])
@pytest.mark.parametrize("count", [1, 3, 5, 6])
def test_a_lone_last_half_is_sent(bench: Any, arch: str, mode: str, count: int) -> None:
    wafer, received = transfer(bench, arch, mode, count, count, "@mov16")
    assert received == list(range(1, count + 1))
    assert wafer.pe(0, 0).microthreads == [None] * 8


@pytest.mark.parametrize(
    ("mode", "asked", "stored"),
    [
        ("simd_64", 4, [1, 2, 0, 0]),  # stalls: the fourth does not come
        ("simd_32_or_64", 4, [1, 2, 3, 0]),
        ("simd_32", 4, [1, 2, 3, 0]),
        ("simd_64", 3, [1, 2, 3]),  # needs no fourth
    ],
)
def test_a_source_of_simd_64_waits_for_two_wavelets(
    bench: Any, arch: str, mode: str, asked: int, stored: list[int]
) -> None:
    assert transfer(bench, arch, mode, 3, asked, "@mov32")[1] == stored


def test_a_control_wavelet_ends_a_step_of_two(bench: Any, arch: str) -> None:
    """What came before it is stored, though it came alone."""

    def body(pe: Any) -> None:
        out = FabOut(4, 2, 3, simd_mode="simd_64")
        pe.start_async(asynchronous("@mov32", out, Mem1d(A, 0, 1, 3), activate=9))
        source = FabIn(4, 3, 0x7FFF, simd_mode="simd_64")
        target, ends = Mem1d(B, 0, 1, 8), {"on_control": "terminate"}
        pe.start_async(asynchronous("@mov32", target, source, **ends))

    def after(pe: Any) -> None:
        end = FabOut(4, 2, 1, control=True)
        pe.start_async(asynchronous("@mov32", end, 0x1F << 16))

    b = loop(bench, arch, body, task9=after)
    b.at(0).memory[A] = np.arange(1, 4, dtype=np.uint32).tobytes()
    pe = finished(b)
    assert pe.memory.u32[B >> 2 : (B >> 2) + 4].tolist() == [1, 2, 3, 0]
    assert pe.microthreads[3] is None


def test_the_index_rides_in_the_upper_half(bench: Any, arch: str) -> None:
    def body(pe: Any) -> Any:
        yield op("@mov16", FabOut(4, 2, 1, index_offset=True), 5, index=9)
        yield op("@mov32", ScalarPointer(B), FabIn(4, 3, 1))

    pe = finished(loop(bench, arch, body))
    assert pe.memory.u32[B >> 2] == 9 << 16 | 5


@pytest.mark.parametrize("place", [A, A + 2])
def test_32_bit_vectors_may_be_aligned_to_16_bits(
    bench: Any, arch: str, place: int
) -> None:
    u32, n = np.dtype("<u4"), 5

    def body(pe: Any) -> None:
        pe.memory.vector(u32, place, 1, n)[:] = np.arange(n) * 0x0102_0304
        out, source = FabOut(4, 2, n), FabIn(4, 3, n)
        pe.start_async(asynchronous("@mov32", out, Mem1d(place, 0, 1, n)))
        pe.start_async(asynchronous("@mov32", Mem1d(place + 1000, 8, -2, n), source))

    pe = finished(loop(bench, arch, body))
    got = pe.memory.vector(u32, place + 1032, -2, n)
    assert got.tolist() == [k * 0x0102_0304 for k in range(n)]


def test_a_reduction_from_the_fabric(bench: Any, arch: str) -> None:
    def body(pe: Any) -> Any:
        pe.memory.vector(np.dtype("<f4"), A, 1, 4)[:] = [1, 2, 3, 4]
        pe.start_async(asynchronous("@fmovs", FabOut(4, 2, 4), Mem1d(A, 0, 1, 4)))
        yield op("@fadds", ScalarPointer(B), np.float32(10), FabIn(4, 3, 4))

    assert finished(loop(bench, arch, body)).memory.f32[B >> 2] == 20


def test_zero_clears_the_source_at_the_end(bench: Any, arch: str) -> None:
    def body(pe: Any) -> None:
        pe.memory.vector(np.dtype("<u4"), A, 1, 4)[:] = [1, 2, 3, 4]
        out = FabOut(4, 2, 3, zero="second_source")
        pe.start_async(asynchronous("@mov32", out, Mem1d(A, 0, 1, 3)))

    pe = finished(loop(bench, arch, body))
    assert pe.memory.vector(np.dtype("<u4"), A, 1, 4).tolist() == [0, 0, 0, 4]


@pytest.mark.parametrize(
    ("zero", "sources", "left"),
    [
        ("first_source", ("A", "B"), ([0, 0], [10, 20])),
        ("second_source", ("A", "B"), ([1, 2], [0, 0])),
        ("second_source", (5, "B"), ([1, 2], [0, 0])),
    ],
)
def test_zero_names_one_of_two_sources(
    bench: Any, arch: str, zero: str, sources: tuple[Any, ...], left: Any
) -> None:
    u16 = np.dtype("<u2")

    def body(pe: Any) -> None:
        pe.memory.vector(u16, A, 1, 2)[:] = [1, 2]
        pe.memory.vector(u16, B, 1, 2)[:] = [10, 20]
        vectors = {"A": Mem1d(A, 0, 1, 2), "B": Mem1d(B, 0, 1, 2)}
        out = FabOut(4, 2, 2, zero=zero)
        pe.start_async(
            asynchronous("@add16", out, *[vectors.get(s, s) for s in sources])
        )

    pe = finished(loop(bench, arch, body))
    held = [pe.memory.vector(u16, place, 1, 2).tolist() for place in (A, B)]
    assert tuple(held) == left


def test_an_asynchronous_dsr_brings_its_settings(bench: Any, arch: str) -> None:
    names = []
    out, source = Dsr("dsr_dest", 1), Dsr("dsr_src1", 1)

    def body(pe: Any) -> Any:
        pe.load_dsr(out, FabOut(4, 2, 3), {"async": True, "activate": 9})
        pe.load_dsr(source, Mem1d(A, 0, 1, 3), {"save_address": True})
        result = yield op("@mov32", out, source)
        names.append(f"issued {result}")

    def done(pe: Any) -> None:
        names.append("done")

    pe = finished(loop(bench, arch, body, task9=done))
    assert names == ["issued True", "done"]
    assert pe.dsrs.loaded(source).descriptor == Mem1d(A, 3, 1, 3, origin=A)


def test_saved_addresses_walk_through_a_matrix(bench: Any, arch: str) -> None:
    """y += A[:, j] * x[j], the column by a DSR that goes on where it stopped."""
    y_dest, y_src, column = Dsr("dsr_dest", 1), Dsr("dsr_src0", 1), Dsr("dsr_src1", 1)
    f32 = np.dtype("<f4")

    def body(pe: Any) -> None:
        pe.memory.vector(f32, A, 1, 6)[:] = [1, 2, 3, 4, 5, 6]
        pe.load_dsr(y_dest, Mem1d(B, 0, 1, 2), {})
        pe.load_dsr(y_src, Mem1d(B, 0, 1, 2), {})
        pe.load_dsr(column, Mem1d(A, 0, 1, 2), {"save_address": True})
        for x in (1, 10, 100):
            pe.run_memory_op(op("@fmacs", y_dest, y_src, column, np.float32(x)))

    pe = finished(loop(bench, arch, body))
    assert pe.memory.vector(f32, B, 1, 2).tolist() == [531, 642]


def test_a_gated_microthread_waits(bench: Any) -> None:
    def body(pe: Any) -> None:
        pe.block("ut_id", 5)
        pe.start_async(
            asynchronous("@mov32", FabOut(4, 2, 1), Mem1d(A, 0, 1, 1), ut_id=5)
        )
        pe.activate(9)

    def later(pe: Any) -> Any:
        pe.clock += 500
        pe.unblock("ut_id", 5)
        yield op("@mov32", ScalarPointer(B), FabIn(4, 3, 1))

    pe = finished(loop(bench, "wse3", body, task9=later))
    assert pe.timeline.now > 500
    assert pe.microthreads == [None] * 8


def test_a_control_wavelet_ends_a_stream_between_two_halves(
    bench: Any, arch: str
) -> None:
    """Three single elements become two packed wavelets, the second with a zero."""
    b = bench(arch, 1)
    for color, place in ((4, 2), (5, 4)):
        b.route(0, 0, color, "RAMP", "RAMP")
        b.at(0).queue("out", place, color)
        b.at(0).queue("in", place + 1, color)

    def body(pe: Any) -> Any:
        packed = FabOut(5, 4, INFINITE_EXTENT, simd_mode="simd_32")
        source = FabIn(4, 3, INFINITE_EXTENT)
        ends = {"on_control": "terminate", "on_control_target": 1}
        pe.start_async(asynchronous("@mov16", packed, source, **ends))
        for word in (1, 2, 3):
            yield op("@mov32", FabOut(4, 2, 1), word)
        yield op("@mov32", FabOut(4, 2, 1, control=True), 31 << 16)
        yield op("@mov32", Mem1d(B, 0, 1, 2), FabIn(5, 5, 2))

    b.at(0).task("local", 8, body)
    b.at(0).state("activate", "local_task_id", 8)
    got = finished(b).memory.vector(np.dtype("<u4"), B, 1, 2)
    assert got.tolist() == [2 << 16 | 1, 3]


# --- refusals ---------------------------------------------------------------------


def test_a_busy_microthread_is_a_fault(bench: Any) -> None:
    def body(pe: Any) -> None:
        out = FabOut(4, 2, 3)
        pe.start_async(asynchronous("@mov32", out, Mem1d(A, 0, 1, 3), ut_id=6))
        source = FabIn(4, 3, 3)
        pe.start_async(asynchronous("@mov32", Mem1d(B, 0, 1, 3), source, ut_id=6))

    assert fault(loop(bench, "wse3", body)) == (
        "PE(0,0) at cycle 17: @mov32 is issued while another operation still uses "
        "microthread 6; start it when that one has ended"
    )


def test_a_short_memory_operand_is_a_fault(bench: Any, arch: str) -> None:
    def body(pe: Any) -> None:
        pe.run_memory_op(op("@mov32", Mem1d(B, 0, 1, 2), Mem1d(A, 0, 1, 3)))

    assert fault(loop(bench, arch, body)) == (
        "PE(0,0) at cycle 6 in body: @mov32 runs over 3 elements, but a memory "
        "operand has 2; the length is that of the first source that has one (0 counts "
        "as none), and no document says what a shorter operand does"
    )


def test_an_endless_receive_must_not_outgrow_its_memory(bench: Any, arch: str) -> None:
    def body(pe: Any) -> None:
        source = FabIn(4, 3, INFINITE_EXTENT)
        pe.start_async(asynchronous("@mov32", Mem1d(B, 0, 1, 3), source))
        pe.start_async(asynchronous("@mov32", FabOut(4, 2, 1), Mem1d(A, 0, 1, 4)))

    assert fault(loop(bench, arch, body)) == (
        "PE(0,0): @mov32: an operation without end has used up the elements of a "
        "memory operand; a control wavelet should have ended it before"
    )


def test_an_endless_operation_on_memory_is_a_fault(bench: Any, arch: str) -> None:
    def body(pe: Any) -> None:
        endless = Mem1d(A, 0, 0, INFINITE_EXTENT)
        pe.run_memory_op(op("@mov16", Mem1d(B, 0, 0, 4), endless))

    assert fault(loop(bench, arch, body)) == (
        "PE(0,0) at cycle 6 in body: @mov16 runs on memory alone and never ends: "
        "extent 32767 stands for endless, which only a control wavelet or a FIFO stops"
    )


@pytest.mark.parametrize(
    ("name", "sources"),
    [("@mov16", (Mem1d(A, 0, 1, 2),)), ("@add16", (7, Mem1d(A, 0, 1, 2)))],
)
def test_zero_of_what_is_no_vector_is_a_fault(
    bench: Any, arch: str, name: str, sources: tuple[Any, ...]
) -> None:
    def body(pe: Any) -> None:
        out = FabOut(4, 2, 2, zero="first_source")
        pe.start_async(asynchronous(name, out, *sources))

    assert fault(loop(bench, arch, body)) == (
        f"PE(0,0) at cycle 6 in body: the fabout_dsd of {name} has .zero = "
        ".first_source, which is no vector in memory; the only source of an operation "
        "is its second"
    )


def test_as_many_elements_as_stand_for_endless_are_a_fault(
    bench: Any, arch: str
) -> None:
    def body(pe: Any) -> None:
        matrix = Mem4d(A, 0, (0, 0), (217, 151))
        pe.run_memory_op(op("@mov16", Mem1d(B, 0, 0, 4), matrix))

    assert fault(loop(bench, arch, body)) == (
        "PE(0,0) at cycle 6 in body: a mem4d_dsd has 32767 elements, the length that "
        "stands for endless; split the operation"
    )


def test_an_empty_dsr_is_a_fault(bench: Any, arch: str) -> None:
    def body(pe: Any) -> None:
        pe.run_memory_op(op("@mov32", Dsr("dsr_dest", 3), Mem1d(A, 0, 1, 3)))

    expected = "dsr_dest 3 is used before @load_to_dsr has filled it"
    assert fault(loop(bench, arch, body)).endswith(expected)


def test_control_transform_needs_wide_elements(bench: Any, arch: str) -> None:
    def body(pe: Any) -> None:
        out = FabOut(4, 2, 1, control_transform=True)
        pe.start_async(asynchronous("@mov16", out, Mem1d(B, 0, 1, 1)))

    assert "@mov16 on color 4 has .control_transform" in fault(loop(bench, arch, body))


def test_control_bits_are_above_the_payload() -> None:
    assert wavelet.CONTROL > wavelet.PAYLOAD_MASK
