"""Task states, the picker, and how payloads become arguments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pyflame.wse.language.types import F16, F32, I16, I32, U16, U32, Type
from pyflame.wse.machine.dsd import FabOut, Mem1d
from pyflame.wse.machine.operations import OPERATIONS, OpConfig, Operation
from pyflame.wse.machine.tasks import payload_decoder

MOVE = OPERATIONS["@mov32"]
ONE = np.float32(1).view(np.uint32).item()


@pytest.mark.parametrize(
    ("types", "payload", "expected"),
    [
        ((), 5, ()),
        ((U32,), 0xFFFF_FFFE, (0xFFFF_FFFE,)),
        ((I32,), 0xFFFF_FFFE, (-2,)),
        ((F32,), ONE, (1.0,)),
        ((U16,), 0x1234_5678, (0x5678,)),
        ((I16, I16), 0xFFFF_0003, (3, -1)),
        ((F16, U16), 7 << 16 | 0x3C00, (1.0, 7)),
    ],
)
def test_arguments_come_from_the_low_bits_first(
    types: tuple[Type, ...], payload: int, expected: tuple[Any, ...]
) -> None:
    assert payload_decoder(types)(payload) == expected


def recording(names: list[str], name: str, *activates: int) -> Any:
    def task(pe: Any) -> None:
        names.append(name)
        for id_ in activates:
            pe.activate(id_)

    return task


def run(b: Any, **config: Any) -> Any:
    wafer = b.wafer(**config)
    wafer.run_until_quiet()
    return wafer


def test_two_activations_before_a_run_are_one(bench: Any, arch: str) -> None:
    b, names = bench(arch, 1), []
    b.at(0).task("local", 8, recording(names, "first", 9, 9))
    b.at(0).task("local", 9, recording(names, "second"))
    b.at(0).state("activate", "local_task_id", 8)
    run(b)
    assert names == ["first", "second"]


def test_a_blocked_task_runs_when_it_is_unblocked(bench: Any, arch: str) -> None:
    b, names = bench(arch, 1), []

    def opener(pe: Any) -> None:
        names.append("opener")
        pe.unblock("local_task_id", 9)

    b.at(0).task("local", 9, recording(names, "blocked"))
    b.at(0).task("local", 10, opener)
    for action, id_ in (("activate", 9), ("block", 9), ("activate", 10)):
        b.at(0).state(action, "local_task_id", id_)
    run(b)
    assert names == ["opener", "blocked"]


def test_an_operation_on_memory_activates_and_unblocks(bench: Any, arch: str) -> None:
    """Its settings act as the builtins would behind it, planned or not."""
    b, names = bench(arch, 1), []

    def body(pe: Any) -> None:
        for settings in ({"activate": 9}, {"unblock": ("local_task_id", 10)}):
            dest, config = Mem1d(8192, 0, 1, 2), OpConfig(**settings)
            pe.run_memory_op(Operation(MOVE, dest, (7,), config))
        names.append("body")

    b.at(0).task("local", 8, body)
    b.at(0).task("local", 9, recording(names, "activated"))
    b.at(0).task("local", 10, recording(names, "unblocked"))
    for action, id_ in (("activate", 8), ("activate", 10), ("block", 10)):
        b.at(0).state(action, "local_task_id", id_)
    run(b)
    assert names == ["body", "activated", "unblocked"]


def test_a_task_that_is_activated_while_it_runs_runs_again(
    bench: Any, arch: str
) -> None:
    """Its start has cleared the bit; blocking it stops the next start only."""
    b, names = bench(arch, 1), []

    def body(pe: Any) -> None:
        names.append("body")
        pe.activate(8)
        if len(names) == 3:
            pe.block("local_task_id", 8)
            names.append("goes on")

    b.at(0).task("local", 8, body)
    b.at(0).state("activate", "local_task_id", 8)
    run(b)
    assert names == ["body"] * 3 + ["goes on"]


def test_activating_what_no_task_is_bound_to_does_nothing(
    bench: Any, arch: str
) -> None:
    b, names = bench(arch, 1), []

    def body(pe: Any) -> None:
        pe.activate(20)
        names.append("body")

    b.at(0).task("local", 8, body)
    b.at(0).state("activate", "local_task_id", 8)
    run(b)
    assert names == ["body"]


def test_local_tasks_share_block_bits_with_colors(bench: Any) -> None:
    """Of WSE-2: the id of a local task is a color's too, up to 23."""
    b, names = bench("wse2", 1), []

    def body(pe: Any) -> None:
        pe.block("color", 12)
        pe.activate(12)

    b.at(0).task("local", 8, body)
    b.at(0).task("local", 12, recording(names, "blocked"))
    b.at(0).state("activate", "local_task_id", 8)
    run(b)
    assert names == []


def test_equals_take_turns(bench: Any, arch: str) -> None:
    """A task that always re-activates itself starves nobody."""
    b, names = bench(arch, 1), []

    def busy(pe: Any) -> None:
        names.append("busy")
        if len(names) < 5:
            pe.activate(9)
            pe.activate(12)

    b.at(0).task("local", 9, busy)
    b.at(0).task("local", 12, recording(names, "other"))
    b.at(0).state("activate", "local_task_id", 9)
    run(b)
    assert names == ["busy", "other", "busy", "other", "busy"]


def test_high_priority_goes_first(bench: Any, arch: str) -> None:
    b, names = bench(arch, 1), []
    for id_ in (9, 10, 11):
        b.at(0).task("local", id_, recording(names, str(id_)))
        b.at(0).state("activate", "local_task_id", id_)
    wafer = b.wafer()
    wafer.pe(0, 0).tasks.high_priority[11] = True
    wafer.run_until_quiet()
    assert names == ["11", "9", "10"]


def test_seeds_permute_the_picks_of_equals(bench: Any, arch: str) -> None:
    orders = set()
    for seed in range(10):
        b, names = bench(arch, 1), []
        for id_ in range(9, 14):
            b.at(0).task("local", id_, recording(names, str(id_)))
            b.at(0).state("activate", "local_task_id", id_)
        run(b, seed=seed)
        assert sorted(names, key=int) == ["9", "10", "11", "12", "13"]
        orders.add(tuple(names))
    assert len(orders) > 1


def loopback(bench: Any, arch: str, words: list[int], take: Any, *types: Type) -> Any:
    """A PE that sends words to itself, to be taken by a data task."""
    b = bench(arch, 1)
    b.route(0, 0, 4, "RAMP", "RAMP")

    def send(pe: Any) -> Any:
        for word in words:
            yield Operation(MOVE, FabOut(4, 2, 1), (word,))

    b.at(0).task("local", 8, send)
    b.at(0).state("activate", "local_task_id", 8)
    b.at(0).task("data", 4 if arch == "wse2" else 3, take, *types)
    b.at(0).queue("out", 2, 4)
    b.at(0).queue("in", 3, 4)
    return b


def test_a_data_task_runs_once_per_wavelet(bench: Any, arch: str) -> None:
    got = []

    def take(pe: Any, data: int, index: int) -> None:
        got.append((data, index))

    run(loopback(bench, arch, [1, 2 << 16, 3], take, U16, U16))
    assert got == [(1, 0), (0, 2), (3, 0)]


def test_a_blocked_data_task_leaves_wavelets_waiting(bench: Any, arch: str) -> None:
    got = []
    id_ = 4 if arch == "wse2" else 3

    def take(pe: Any, data: int) -> None:
        got.append((data, pe.clock))
        pe.block("data_task_id", id_)
        pe.activate(10)

    def later(pe: Any) -> None:
        pe.clock += 1000
        pe.unblock("data_task_id", id_)

    b = loopback(bench, arch, [1, 2], take, U32)
    b.at(0).task("local", 10, later)
    run(b)
    (first, start), (second, end) = got
    assert (first, second) == (1, 2)
    assert end - start > 1000


def test_a_data_task_costs_its_start_per_wavelet(bench: Any, arch: str) -> None:
    clocks = []

    def take(pe: Any, data: int) -> None:
        clocks.append(pe.clock)

    run(loopback(bench, arch, [0] * 6, take, U32))
    gaps = np.diff(clocks)[3:]
    assert gaps.tolist() == [6] * len(gaps)
