"""What an operation whose operands are DSRs takes from their loads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyflame.wse.errors import MachineFault
from pyflame.wse.language.image import QueueInit
from pyflame.wse.machine.dsd import Dsr, FabIn, FabOut, Mem1d
from pyflame.wse.machine.operations import OPERATIONS, OpConfig, Operation

A, B = 8192, 12288
OUT, IN, FIRST = Dsr("dsr_dest", 1), Dsr("dsr_src1", 1), Dsr("dsr_src0", 1)
MOVE, ADD = OPERATIONS["@mov32"], OPERATIONS["@fadds"]


def loop(bench: Any, arch: str, body: Callable[[Any], Any], bound: bool = True) -> Any:
    """A PE whose color 4 leads back to it; `body` is a task."""
    b = bench(arch, 1)
    b.route(0, 0, 4, "RAMP", "RAMP")
    b.at(0).queue("out", 2, 4)
    if bound:
        b.at(0).source.queues.append(QueueInit("in", 3, 4))
    b.at(0).task("local", 8, body)
    b.at(0).state("activate", "local_task_id", 8)
    return b.wafer()


def fault(wafer: Any) -> str:
    with pytest.raises(MachineFault) as caught:
        wafer.run_until_quiet()
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("async", {"asynchronous": True}),
        ("activate", {"activate": 9}),
        ("unblock", {"unblock": ("local_task_id", 9)}),
    ],
)
def test_a_setting_belongs_to_the_load(
    bench: Any, arch: str, name: str, settings: dict[str, Any]
) -> None:
    def body(pe: Any) -> Any:
        pe.load_dsr(OUT, FabOut(4, 2, 3), {})
        yield Operation(MOVE, OUT, (Mem1d(A, 0, 1, 3),), OpConfig(**settings))

    assert fault(loop(bench, arch, body)) == (
        f"PE(0,0) at cycle 7 in body: @mov32 has .{name}, but its fabric operand is "
        f"in dsr_dest 1, which was loaded without it; give .{name} at @load_to_dsr"
    )


def test_an_operand_that_is_no_register_takes_the_settings(bench: Any) -> None:
    """The destination is a plain fabout_dsd, so the operation may be asynchronous."""

    def body(pe: Any) -> None:
        pe.load_dsr(IN, FabIn(4, 3, 2), {})
        source = Mem1d(A, 0, 1, 2)
        pe.start_async(Operation(MOVE, FabOut(4, 2, 2), (source,), OpConfig(True)))
        pe.start_async(Operation(MOVE, FabOut(5, 4, 2), (IN,), OpConfig(True)))

    wafer = loop(bench, "wse2", body)
    wafer.run_until_quiet()
    assert wafer.pe(0, 0).channel(5).wavelets_sent == 2


def test_a_stream_in_a_register_needs_its_queue_initialised(
    bench: Any, arch: str
) -> None:
    def body(pe: Any) -> None:
        pe.load_dsr(IN, FabIn(4, 3, 2), {"async": True})
        pe.start_async(Operation(MOVE, Mem1d(A, 0, 1, 2), (IN,), OpConfig(True)))

    assert fault(loop(bench, arch, body, bound=False)) == (
        "PE(0,0) at cycle 7 in body: dsr_src1 1 holds a fabin_dsd of color 4 and "
        "input queue 3, which @initialize_queue has not bound to that color; the queue "
        "of a fabin_dsd in a DSR needs it"
    )


def test_two_streams_in_registers_are_too_many_for_wse3(bench: Any) -> None:
    def body(pe: Any) -> None:
        pe.load_dsr(FIRST, FabIn(4, 3, 2), {"async": True})
        pe.load_dsr(IN, FabIn(5, 4, 2), {"async": True})
        dest = Mem1d(A, 0, 1, 2)
        pe.start_async(Operation(ADD, dest, (FIRST, IN), OpConfig(True)))

    assert fault(loop(bench, "wse3", body)) == (
        "PE(0,0) at cycle 8 in body: @fadds reads colors 4 and 5; wse3 reads at most "
        "one fabin_dsd per operation"
    )


@pytest.mark.parametrize(
    ("dest", "source", "number"),
    [
        (OUT, Mem1d(A, 0, 1, 40), 5),  # the load's: a destination comes first
        (FabOut(4, 2, 40), IN, 6),  # the operation's, as its first operand is a DSD
        (OUT, IN, 5),
    ],
)
def test_the_first_operand_names_the_microthread(
    bench: Any, dest: Any, source: Any, number: int
) -> None:
    """All of them wait in the end: nobody sends, or nobody reads."""

    def body(pe: Any) -> None:
        pe.load_dsr(OUT, FabOut(4, 2, 40), {"async": True, "ut_id": 5})
        pe.load_dsr(IN, FabIn(4, 3, 40), {"async": True, "ut_id": 7})
        config = OpConfig(asynchronous=True, ut_id=6)
        pe.start_async(Operation(MOVE, dest, (source,), config))

    wafer = loop(bench, "wse3", body)
    wafer.run_until_quiet()
    pe = wafer.pe(0, 0)
    assert [n for n, thread in enumerate(pe.microthreads) if thread] == [number]


def test_map_steps_through_registers_loaded_for_it(bench: Any, arch: str) -> None:
    held: list[Any] = []

    def body(pe: Any) -> None:
        pe.load_dsr(IN, Mem1d(A, 0, 1, 2), {"single_step": True})
        held.append(pe.read_dsr(IN))
        pe.load_dsr(IN, Mem1d(A, 0, 1, 2), {})
        pe.read_dsr(IN)

    assert fault(loop(bench, arch, body)) == (
        "PE(0,0) at cycle 8 in body: @map uses dsr_src1 1, which was loaded without "
        ".single_step; give .single_step = true at @load_to_dsr"
    )
    assert held == [Mem1d(A, 0, 1, 2)]
