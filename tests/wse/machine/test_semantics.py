"""Every field of `Semantics`, both ways: behaviour that no document fixes."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from pyflame.wse.errors import MachineFault
from pyflame.wse.language.image import Switches, SwitchPosition, TaskRotation
from pyflame.wse.language.types import U32
from pyflame.wse.machine.dsd import INFINITE_EXTENT, FabIn, FabOut, Mem1d, ScalarPointer
from pyflame.wse.machine.limits import Semantics
from pyflame.wse.machine.operations import OPERATIONS, OpConfig, Operation

A, B = 8192, 12288
F32 = np.dtype("<f4")
BOTH = pytest.mark.parametrize("choice", [True, False])


def ran(bench: Any, body: Any, switches: Switches | None = None, **choice: Any) -> Any:
    """A PE of WSE-2 whose color 4 leads back to it, after `body`."""
    b = bench("wse2", 1)
    b.route(0, 0, 4, "RAMP", "RAMP", switches=switches)
    b.at(0).task("local", 8, body)
    b.at(0).state("activate", "local_task_id", 8)
    wafer = b.wafer(semantics=Semantics(**choice))
    wafer.run_until_quiet()
    return wafer.pe(0, 0)


def on_memory(bench: Any, operation: Operation, a: Any, b: Any, **choice: Any) -> Any:
    """A PE after an operation on what lies at A and B."""

    def body(pe: Any) -> None:
        dtype = operation.spec.source_dtypes[0]
        pe.memory.vector(dtype, A, 1, len(a))[:] = a
        pe.memory.vector(dtype, B, 1, len(b))[:] = b
        pe.run_memory_op(operation)

    return ran(bench, body, **choice)


@BOTH
def test_fused_multiply_add(bench: Any, choice: bool) -> None:
    near = np.float32(1 + 2**-12)
    first, last = Mem1d(A, 0, 1, 1), Mem1d(B, 0, 1, 1)
    step = Operation(OPERATIONS["@fmacs"], first, (first, last, near))
    pe = on_memory(bench, step, [-1], [near], fused_multiply_add=choice)
    exact = 2**-11 + 2**-24
    assert pe.memory.f32[A >> 2] == (exact if choice else 2**-11)


@BOTH
def test_max_propagates_nan(bench: Any, choice: bool) -> None:
    operands = (Mem1d(A, 0, 1, 1), Mem1d(B, 0, 1, 1))
    step = Operation(OPERATIONS["@fmaxs"], operands[0], operands)
    pe = on_memory(bench, step, [np.nan], [1], max_propagates_nan=choice)
    got = pe.memory.f32[A >> 2]
    assert np.isnan(got) if choice else got == 1


@pytest.mark.parametrize("choice", [16, 0xFFFF])
def test_zero_count_bits(bench: Any, choice: int) -> None:
    for name in ("@clz", "@ctz"):
        step = Operation(OPERATIONS[name], Mem1d(A, 0, 1, 1), (Mem1d(B, 0, 1, 1),))
        pe = on_memory(bench, step, [1], [0], zero_count_bits=choice)
        assert pe.memory.u16[A >> 1] == choice


def test_short_memory_fault(bench: Any) -> None:
    """Off, the destination is walked on past its extent."""
    step = Operation(OPERATIONS["@fmovs"], Mem1d(A, 0, 1, 2), (Mem1d(B, 0, 1, 3),))
    with pytest.raises(MachineFault, match="runs over 3 elements"):
        on_memory(bench, step, [0] * 3, [1, 2, 3])
    pe = on_memory(bench, step, [0] * 3, [1, 2, 3], short_memory_fault=False)
    assert pe.memory.vector(F32, A, 1, 3).tolist() == [1, 2, 3]


@BOTH
def test_scalar_is_accumulator(bench: Any, choice: bool) -> None:
    """Off, every element is added to the scalar, and the last sum stays."""
    vector = Mem1d(B, 0, 1, 3)
    step = Operation(
        OPERATIONS["@fadds"], ScalarPointer(A), (np.float32(10), vector), OpConfig()
    )
    pe = on_memory(bench, step, [0], [1, 2, 3], scalar_is_accumulator=choice)
    assert pe.memory.f32[A >> 2] == (16 if choice else 13)


@BOTH
def test_control_end_completes(bench: Any, choice: bool) -> None:
    def body(pe: Any) -> Any:
        ends = OpConfig(
            asynchronous=True, activate=9, on_control="terminate", on_control_target=1
        )
        move, source = OPERATIONS["@mov32"], FabIn(4, 3, INFINITE_EXTENT)
        pe.start_async(Operation(move, Mem1d(A, 0, 1, 4), (source,), ends))
        yield Operation(move, FabOut(4, 2, 1, control=True), (31 << 16,))

    pe = ran(bench, body, control_end_completes=choice)
    assert pe.microthreads == [None] * 8
    assert pe.tasks.active[9] is choice


@BOTH
def test_rotation_takes_wavelet(bench: Any, choice: bool) -> None:
    """Four wavelets, and after every second one the other task runs."""
    got: list[int] = []
    b = bench("wse3", 1)
    b.route(0, 0, 4, "RAMP", "RAMP")
    pe = b.at(0)
    pe.queue("in", 3, 4)
    pe.queue("out", 2, 4)

    def body(pe: Any) -> Any:
        pe.memory.vector(np.dtype("<u4"), A, 1, 4)[:] = [1, 2, 3, 4]
        yield Operation(OPERATIONS["@mov32"], FabOut(4, 2, 4), (Mem1d(A, 0, 1, 4),))

    pe.task("local", 8, body)
    pe.task("data", 3, lambda pe, word: got.append(word), U32)
    pe.task("control", 40, lambda pe, word: got.append(-word), U32)
    pe.source.rotations.append(TaskRotation(3, 40, 2, 0))
    pe.state("activate", "local_task_id", 8)
    b.wafer(semantics=Semantics(rotation_takes_wavelet=choice)).run_until_quiet()
    assert got == ([1, 2, -3, 4] if choice else [1, 2, -3, 3, 4])


@pytest.mark.parametrize("choice", [0, 2])
def test_switch_reset_position(bench: Any, choice: int) -> None:
    def body(pe: Any) -> Any:
        reset = 2 << 22 | 1 << 24
        yield Operation(OPERATIONS["@mov32"], FabOut(4, 2, 1, control=True), (reset,))

    step = SwitchPosition(tx=("RAMP",), valid=True)
    switches = Switches((step, step, step), current=3)
    pe = ran(bench, body, switches, switch_reset_position=choice)
    assert pe.channel(4).position == choice


def test_there_is_a_test_per_choice() -> None:
    tests = {name.removeprefix("test_") for name in globals()}
    assert {field.name for field in fields(Semantics)} <= tests
