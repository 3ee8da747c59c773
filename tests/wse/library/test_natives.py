"""The natives on a PE that records what they ask of it."""

from typing import Any

import numpy as np
import pytest

from pyflame.wse.errors import MachineFault
from pyflame.wse.library import natives as _natives  # registers them
from pyflame.wse.library.state import LineBuffer, TimestampCounter
from pyflame.wse.machine.costs import WSE2
from pyflame.wse.machine.memory import Memory
from pyflame.wse.machine.natives import lookup, names


class RecordingPe:
    def __init__(self) -> None:
        self.x, self.y, self.clock = 2, 1, 100
        self.memory = Memory()
        self.library: dict[str, Any] = {}
        self.lines: list[str] = []
        self.seeds: list[int] = []
        self.unblocked = 0

    def unblock_cmd_stream(self) -> None:
        self.unblocked += 1

    def seed_random(self, seed: int) -> None:
        self.seeds.append(seed)

    def print_line(self, text: str) -> None:
        self.lines.append(text)


@pytest.fixture
def pe() -> RecordingPe:
    return RecordingPe()


def call(name: str, *arguments: Any) -> Any:
    return lookup(name).function(*arguments)


def words(pe: RecordingPe, address: int) -> int:
    low, middle, high = pe.memory.u16[address >> 1 : (address >> 1) + 3]
    return low | middle << 16 | high << 32


def test_every_cost_is_a_parameter() -> None:
    assert _natives.__name__ == "pyflame.wse.library.natives"
    for name in names():
        cost = lookup(name).cost
        assert cost is None or isinstance(getattr(WSE2, cost), int)


def test_place_stream_and_seed(pe: RecordingPe) -> None:
    assert (call("get_x_coord", pe), call("get_y_coord", pe)) == (2, 1)
    call("unblock_cmd_stream", pe)
    call("set_random_seed", pe, 7)
    assert (pe.unblocked, pe.seeds) == (1, [7])


def test_the_timestamp_counter_counts_from_enable(pe: RecordingPe) -> None:
    call("tsc_enable", pe)
    pe.clock += 70_000
    call("tsc_read", pe, 64)
    assert words(pe, 64) == 70_000
    call("tsc_disable", pe)
    pe.clock += 5
    call("tsc_read", pe, 64)
    assert words(pe, 64) == 70_000


def test_a_counter_that_never_ran_reads_zero(pe: RecordingPe) -> None:
    call("tsc_read", pe, 64)
    assert words(pe, 64) == 0


def test_traces_need_no_enabled_counter(pe: RecordingPe) -> None:
    call("tsc_trace", pe, 64)
    assert words(pe, 64) == 100
    pe.clock = 130
    call("tsc_read", pe, 64)
    assert words(pe, 64) == 130


def test_reset_keeps_the_counter_running_or_stopped() -> None:
    counter = TimestampCounter()
    counter.reset(10)
    assert counter.read(50) == 0
    counter.enable(10)
    counter.reset(30)
    assert counter.read(50) == 20


def test_a_third_performance_counter_is_refused(pe: RecordingPe) -> None:
    call("perf_counter", pe, 64, 1)
    assert words(pe, 64) == 100
    with pytest.raises(MachineFault) as caught:
        call("perf_counter", pe, 64, 2)
    assert str(caught.value) == (
        "PE(2,1) at cycle 100: get_perf_cntr of counter 2; "
        "a PE has the counters 0 and 1"
    )


def test_printing_waits_for_the_end_of_the_line(pe: RecordingPe) -> None:
    call("print_string", pe, "x = ")
    call("print_decimal", pe, 10)
    assert pe.lines == []
    call("print_string", pe, ", ")
    call("print_hex", pe, 171, 4)
    call("print_string", pe, " ")
    call("print_binary", pe, 5, 16)
    call("print_string", pe, " ")
    call("print_float", pe, np.float32(0.1))
    call("print_string", pe, "\nnext")
    assert pe.lines == ["@100 x = 10, 00AB 0000000000000101 0.1"]


def test_a_full_line_is_written_out() -> None:
    line = LineBuffer(capacity=4)
    assert line.add("abcdefghi") == ["abcd", "efgh"]
    assert line.add("\n") == ["i"]


def test_math_keeps_the_type(pe: RecordingPe) -> None:
    for suffix, kind in (("f32", np.float32), ("f16", np.float16)):
        for name in ("sqrt", "exp", "log", "sin", "cos", "inv", "invsqrt", "tanh"):
            got = call(f"{name}_{suffix}", pe, kind(2))
            assert type(got) is kind
        assert call(f"pow_{suffix}", pe, kind(2), kind(3)) == 8
        assert call(f"fscale_{suffix}", pe, kind(3), 2) == 12
    assert call("sqrt_f32", pe, np.float32(42)) == np.sqrt(np.float32(42))
