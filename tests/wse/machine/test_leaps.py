"""Leaps over steady streams: the same values, cycles, counts and deadlocks as steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyflame.wse.errors import MachineFault
from pyflame.wse.language.types import U32
from pyflame.wse.machine.dsd import FabIn, FabOut, Mem1d, Mem4d, ScalarPointer
from pyflame.wse.machine.operations import OPERATIONS, OpConfig, Operation
from pyflame.wse.machine.recorder import Observe

FROM, INTO = 8192, 20480  # what streams read, and where their results go
STEP = 2560  # bytes between the areas of two colors
FIRST_QUEUE = 2


def operation(name: str, dest: Any, *sources: Any, **config: Any) -> Operation:
    settings = OpConfig(asynchronous=True, **config)
    return Operation(OPERATIONS[name], dest, sources, settings)


@dataclass(frozen=True)
class Line:
    """A stream along a row or column of PEs, from `root` to both or one of its sides.

    Args:
        count: elements that the root sends.
        delay: cycles of the root's main thread before it does.
        readers: by place on the line, what the CE there does with the elements:
            "store", "add", "sum", "relay", "task", or "short", which leaves the last.
        stride: of the vectors in memory.
        packed: two 16-bit elements in each wavelet.
    """

    along_x: bool
    row: int
    root: int
    count: int
    delay: int
    readers: tuple[str, ...]
    stride: int
    packed: bool
    ends_with_control: bool


KINDS = ("store", "store", "add", "sum", "relay", "task", "short", "none")


@st.composite
def lines(draw: Any) -> Line:
    readers = draw(st.lists(st.sampled_from(KINDS), min_size=4, max_size=4))
    packed = draw(st.integers(0, 4)) == 0
    if packed:
        readers = ["none" if kind == "none" else "store" for kind in readers]
    return Line(
        along_x=draw(st.booleans()),
        row=draw(st.integers(0, 2)),
        root=draw(st.integers(0, 3)),
        count=draw(st.integers(1, 150)) * 2,
        delay=draw(st.integers(0, 60)),
        readers=tuple(readers),
        stride=draw(st.integers(1, 2)),
        packed=packed,
        ends_with_control=draw(st.booleans()),
    )


class Program:
    """The lines as a program of the bench: color k is line k."""

    def __init__(self, bench: Any, arch: str, lines: list[Line]) -> None:
        self.bench = bench(arch, 4, 4)
        self.starts: dict[tuple[int, int], list[tuple[int, Operation]]] = {}
        self.lines = lines
        for color, line in enumerate(lines):
            for place in range(4):
                self._route(color, line, place)
                self._start(color, line, place)
        for (x, y), started in self.starts.items():
            at = self.bench.at(x, y)
            at.task("local", 8, _starter(started))
            at.state("activate", "local_task_id", 8)

    def _at(self, line: Line, place: int) -> tuple[int, int]:
        return (place, line.row) if line.along_x else (line.row, place)

    def _route(self, color: int, line: Line, place: int) -> None:
        down, up = ("WEST", "EAST") if line.along_x else ("NORTH", "SOUTH")
        onward = {place - 1: down, place + 1: up}
        beyond = [d for p, d in onward.items() if 0 <= p < 4]
        if place == line.root:
            rx, tx = "RAMP", beyond
        else:
            rx = up if place < line.root else down
            away = down if place < line.root else up
            tx = [away] if away in beyond else []
            tx += ["RAMP"] if line.readers[place] != "none" or not tx else []
        self.bench.route(*self._at(line, place), color, rx, " ".join(tx))

    def _start(self, color: int, line: Line, place: int) -> None:
        where = self._at(line, place)
        at = self.bench.at(*where)
        sends = place == line.root
        if not sends and line.readers[place] == "task":
            _bind_task(at, color)
            return
        at.queue("out" if sends else "in", FIRST_QUEUE + color, color)
        made = self._sent if sends else self._read
        found = made(color, line, place)
        if found is not None:
            delay = line.delay if sends else 7 * place
            self.starts.setdefault(where, []).append((delay, found))
        if sends and line.ends_with_control:
            dest = FabOut(color, FIRST_QUEUE + color, 1, control=True)
            send = operation("@mov32", dest, 31 << 16)
            at.task("local", 16 + color, _starter([(0, send)]))

    def _sent(self, color: int, line: Line, place: int) -> Operation | None:
        if self._relay_of(self._at(line, place)) is not None:
            return None  # what it relays is all that it sends
        name, simd = ("@mov16", "simd_32") if line.packed else ("@mov32", "")
        dest = FabOut(color, FIRST_QUEUE + color, line.count, simd_mode=simd)
        after = {"activate": 16 + color} if line.ends_with_control else {}
        source = Mem1d(FROM + STEP * color, 0, line.stride, line.count)
        return operation(name, dest, source, **after)

    def _relay_of(self, where: tuple[int, int]) -> int | None:
        """The color that a PE passes on, changed, in place of its own stream."""
        for color, line in enumerate(self.lines):
            for place, kind in enumerate(line.readers):
                ours = self._at(line, place) == where and place != line.root
                if ours and kind == "relay":
                    return color
        return None

    def _read(self, color: int, line: Line, place: int) -> Operation | None:
        kind, count = line.readers[place], line.count
        if kind == "none":
            return None
        simd = "simd_32" if line.packed else ""
        source = FabIn(color, FIRST_QUEUE + color, count, simd_mode=simd)
        into = Mem1d(INTO + STEP * color, 0, line.stride, count)
        if line.packed:
            return operation("@mov16", into, source)
        if kind == "short":
            shorter = FabIn(color, FIRST_QUEUE + color, count - 1)
            return operation("@mov32", into, shorter)
        if kind == "add":
            return operation("@fadds", into, into, source)
        if kind == "sum":
            return operation("@fadds", ScalarPointer(into.base), np.float32(1), source)
        own = self._own_color(self._at(line, place))
        if kind == "relay" and own is not None and self._is_relayed(color, line, place):
            dest = FabOut(own, FIRST_QUEUE + own, count)
            addend = Mem1d(FROM + STEP * own, 0, 1, count)
            return operation("@fadds", dest, source, addend)
        return operation("@mov32", Mem4d(into.base, 0, (1, 3), (count // 2, 2)), source)

    def _is_relayed(self, color: int, line: Line, place: int) -> bool:
        return self._relay_of(self._at(line, place)) == color

    def _own_color(self, where: tuple[int, int]) -> int | None:
        for color, line in enumerate(self.lines):
            if self._at(line, line.root) == where and not line.packed:
                return color
        return None


def _starter(started: list[tuple[int, Operation]]) -> Any:
    def start(pe: Any) -> None:
        for delay, found in started:
            pe.clock += delay
            pe.start_async(found)

    return start


def _bind_task(at: Any, color: int) -> None:
    queue = FIRST_QUEUE + color
    at.queue("in", queue, color)

    def arrived(pe: Any, word: int) -> None:
        pe.memory.u32[(INTO >> 2) + color] += word & 0xFFFF
        pe.clock += 3

    at.task("data", color if at.arch == "wse2" else queue, arrived, U32)


class Corner:
    """A stream that turns, over a link that takes long, with another one behind it."""

    def __init__(self, bench: Any, arch: str, delay: int) -> None:
        b = self.bench = bench(arch, 2, 2)
        ways = [
            (0, 0, "RAMP", "EAST"),
            (1, 0, "WEST", "SOUTH"),
            (1, 1, "NORTH", "RAMP"),
        ]
        for x, y, rx, tx in ways:
            b.route(x, y, 0, rx, tx)
        send = operation("@mov32", FabOut(0, 2, 300), Mem1d(FROM, 0, 1, 300))
        read = operation("@mov32", Mem1d(INTO, 0, 1, 300), FabIn(0, 2, 300))
        for (x, y), side, found in (((0, 0), "out", send), ((1, 1), "in", read)):
            b.at(x, y).queue(side, 2, 0)
            b.at(x, y).task("local", 8, _starter([(delay * x, found)]))
            b.at(x, y).state("activate", "local_task_id", 8)


def outcome(
    program: Program | Corner, leaps: bool = True, **config: Any
) -> tuple[Any, ...]:
    """All that a run leaves behind, and how often it leapt."""
    wafer = program.bench.wafer(leaps=leaps, **config)
    random = np.random.default_rng(1)
    for pe in wafer.pes():
        values = random.standard_normal(49_152 // 4).astype(np.float32)
        values[: FROM // 4] = 0
        pe.memory.write(0, values.tobytes())
    end = ""
    try:
        wafer.run_until_quiet()
    except MachineFault as error:
        end = str(error)
    memories = [bytes(pe.memory.data) for pe in wafer.pes()]
    reads = [
        [(c, q.read_count, list(q.words)) for c, q in sorted(pe.inputs.items())]
        for pe in wafer.pes()
    ]
    text = wafer._explanation()
    return (end, wafer.report(), reads, text, memories), wafer._stepper.leaps


PROFILES = pytest.mark.parametrize("profile", ["vendor_sim", "silicon"])


@PROFILES
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(found=st.lists(lines(), min_size=1, max_size=4))
def test_leaps_change_nothing(
    bench: Any, arch: str, profile: str, found: list[Line]
) -> None:
    steps, none = outcome(Program(bench, arch, found), leaps=False, profile=profile)
    leapt, _ = outcome(Program(bench, arch, found), leaps=True, profile=profile)
    assert none == 0
    assert leapt == steps


def test_a_long_stream_is_leapt_over(bench: Any, arch: str) -> None:
    line = Line(True, 0, 0, 250, 0, ("none", "store", "none", "add"), 1, False, True)
    (steps, none) = outcome(Program(bench, arch, [line]), leaps=False)
    (leapt, leaps) = outcome(Program(bench, arch, [line]), leaps=True)
    assert leapt == steps
    assert (none, leaps) == (0, 1)


@pytest.mark.parametrize("config", [{"seed": 3}, {"observe": Observe(counters=True)}])
def test_seeds_and_observers_take_every_step(
    bench: Any, arch: str, config: dict[str, Any]
) -> None:
    line = Line(True, 0, 0, 250, 0, ("none", "none", "none", "store"), 1, False, False)
    leapt, leaps = outcome(Program(bench, arch, [line]))
    assert leaps == 1
    stepped, leaps = outcome(Program(bench, arch, [line]), **config)
    assert leaps == 0
    assert stepped == leapt


def test_strict_mode_takes_every_step(bench: Any, arch: str) -> None:
    line = Line(True, 0, 0, 250, 0, ("none", "none", "none", "store"), 1, False, False)
    _, leaps = outcome(Program(bench, arch, [line]), strict=True)
    assert leaps == 0


def test_the_budget_ends_a_leap(bench: Any, arch: str) -> None:
    line = Line(True, 0, 0, 250, 0, ("none", "none", "none", "store"), 1, False, False)
    (steps, _) = outcome(Program(bench, arch, [line]), leaps=False, max_cycles=150)
    (leapt, leaps) = outcome(Program(bench, arch, [line]), max_cycles=150)
    assert leaps == 1
    assert leapt == steps
    assert leapt[0].startswith("the program ran for 150 cycles")


@PROFILES
@pytest.mark.parametrize("delay", [0, 40, 100])
def test_streams_that_turn_are_leapt_over(
    bench: Any, arch: str, profile: str, delay: int
) -> None:
    steps, _ = outcome(Corner(bench, arch, delay), leaps=False, profile=profile)
    leapt, leaps = outcome(Corner(bench, arch, delay), profile=profile)
    assert leapt == steps
    assert leaps or delay  # a late reader may leave a longer period
