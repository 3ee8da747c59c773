"""Switches, control wavelets, filters and color swap."""

from __future__ import annotations

from typing import Any

import pytest

from pyflame.wse.errors import MachineFault
from pyflame.wse.language.image import Filter, Switches, SwitchPosition
from pyflame.wse.language.types import U16, U32
from pyflame.wse.machine import wavelet
from pyflame.wse.machine.dsd import FabOut, Mem1d
from pyflame.wse.machine.filters import WaveletFilter
from pyflame.wse.machine.operations import OPERATIONS, Operation

MOVE = OPERATIONS["@mov32"]
COLOR = 3
A = 8192
NULL = 31


def control(*commands: tuple[int, bool], entry: int = NULL, data: int = 0) -> int:
    """A control payload by the documented loop; missing slots are NOP, not for CE."""
    payload, bit = entry << 16 | data, 22
    if len(commands) == 1:
        opcode, ignore = commands[0]
        return payload | opcode << 22 | int(ignore) << 24
    for k in range(8):
        opcode, ignore = commands[k] if k < len(commands) else (0, True)
        payload |= opcode << bit
        bit = (bit + 2) % 30
        payload |= int(ignore) << bit
        bit += 1
    return payload


def test_published_payloads() -> None:
    teardown = control((wavelet.TEARDOWN, True), *[(0, True)] * 7)
    assert teardown == 0x09DF9249
    assert wavelet.popped(0x09DF9249) == 0x091F9249
    assert wavelet.opcode(0x09DF9249) == wavelet.TEARDOWN
    assert wavelet.entry_point(5 << 16 | 1 << 22) == 5
    advance = (5 << 22) | (4 << 25)
    assert wavelet.opcode(advance) == wavelet.SWITCH_ADVANCE
    assert wavelet.not_for_ce(advance)
    assert wavelet.opcode(wavelet.popped(advance)) == wavelet.NOP
    assert wavelet.not_for_ce(wavelet.popped(advance))


def sender(words: list[tuple[int, bool]]) -> Any:
    """A task that sends each word, as control or data, through one queue."""

    def task(pe: Any) -> Any:
        for payload, is_control in words:
            dest = FabOut(COLOR, 2, 1, control=is_control)
            yield Operation(MOVE, dest, (payload,))

    return task


def collector(bench: Any, x: int, y: int, arch: str) -> list[int]:
    """A data task that notes what arrives."""
    got: list[int] = []

    def take(pe: Any, word: int) -> None:
        got.append(word)

    program = bench.at(x, y)
    program.task("data", COLOR if arch == "wse2" else 2, take, U32)
    program.queue("in", 2, COLOR)
    return got


def star(bench: Any, arch: str, switches: Switches, words: Any) -> dict[str, list[int]]:
    """A 3x3 cross whose centre sends `words`; what each neighbour got."""
    b = bench(arch, 3, 3)
    places = {"NORTH": (1, 0), "SOUTH": (1, 2), "EAST": (2, 1), "WEST": (0, 1)}
    back = {"NORTH": "SOUTH", "SOUTH": "NORTH", "EAST": "WEST", "WEST": "EAST"}
    b.route(1, 1, COLOR, "RAMP", "NORTH", switches=switches)
    got = {}
    for name, (x, y) in places.items():
        b.route(x, y, COLOR, back[name], "RAMP")
        got[name] = collector(b, x, y, arch)
    b.at(1, 1).task("local", 8, sender(words))
    b.at(1, 1).state("activate", "local_task_id", 8)
    b.at(1, 1).queue("out", 2, COLOR)
    b.wafer().run_until_quiet()
    return got


def positions(*tx: str) -> Any:
    return tuple(SwitchPosition(tx=(name,), valid=True) for name in tx)


ROUND = positions("WEST", "EAST", "SOUTH")


def test_data_behind_an_advance_takes_the_next_position(bench: Any, arch: str) -> None:
    """The published example: start at pos1, four times advance then data."""
    advance = control((wavelet.SWITCH_ADVANCE, True))
    words = [w for data in (10, 12, 14, 16) for w in ((advance, True), (data, False))]
    got = star(bench, arch, Switches(ROUND, ring_mode=True, current=1), words)
    assert got == {"EAST": [10], "SOUTH": [12], "NORTH": [14], "WEST": [16]}


def test_a_switch_without_ring_stays_at_its_last_position(
    bench: Any, arch: str
) -> None:
    advance = control((wavelet.SWITCH_ADVANCE, True))
    words = [(advance, True)] * 5 + [(1, False)]
    assert star(bench, arch, Switches(ROUND), words)["SOUTH"] == [1]


def test_a_reset_goes_back_to_position_0(bench: Any, arch: str) -> None:
    words = [(control((wavelet.SWITCH_RESET, True)), True), (1, False)]
    assert star(bench, arch, Switches(ROUND, current=3), words)["NORTH"] == [1]


def test_an_invalid_position_is_not_entered(bench: Any, arch: str) -> None:
    gap = (SwitchPosition(tx=("WEST",), valid=True), SwitchPosition(), ROUND[2])
    advance = control((wavelet.SWITCH_ADVANCE, True))
    words = [(advance, True), (advance, True), (1, False)]
    assert star(bench, arch, Switches(gap), words)["WEST"] == [1]


def test_advance_switch_acts_behind_the_last_wavelet(bench: Any) -> None:
    b = bench("wse2", 3)
    switches = Switches(
        (SwitchPosition(tx=("WEST",), valid=True), *[SwitchPosition()] * 2)
    )
    b.route(1, 0, COLOR, "RAMP", "EAST", switches=switches)
    b.route(2, 0, COLOR, "WEST", "RAMP")
    b.route(0, 0, COLOR, "EAST", "RAMP")
    east, west = collector(b, 2, 0, "wse2"), collector(b, 0, 0, "wse2")

    def task(pe: Any) -> Any:
        pe.memory.vector(MOVE.dest_dtype, A, 1, 3)[:] = [1, 2, 3]
        dest = FabOut(COLOR, 2, 3, advance_switch=True)
        yield Operation(MOVE, dest, (Mem1d(A, 0, 1, 3),))
        yield Operation(MOVE, FabOut(COLOR, 2, 1), (4,))

    b.at(1).task("local", 8, task)
    b.at(1).state("activate", "local_task_id", 8)
    b.wafer().run_until_quiet()
    assert (east, west) == ([1, 2, 3], [4])


@pytest.mark.parametrize(
    ("pop_mode", "reached"),
    [("no_pop", [1, 1, 1]), ("always_pop", [1, 0, 0]), ("pop_on_advance", [1, 0, 0])],
)
def test_pop_modes_address_routers_in_turn(
    bench: Any, arch: str, pop_mode: str, reached: list[int]
) -> None:
    """One advance and then NOPs pass three routers; which of them moved."""
    b = bench(arch, 4)
    one = (SwitchPosition(rx=("NORTH",), valid=True), *[SwitchPosition()] * 2)
    switches = Switches(one, pop_mode=pop_mode)
    b.route(0, 0, COLOR, "RAMP", "EAST", switches=switches)
    for x in (1, 2):
        b.route(x, 0, COLOR, "WEST", "EAST", switches=switches)
    b.route(3, 0, COLOR, "WEST", "RAMP")
    word = control((wavelet.SWITCH_ADVANCE, True), (0, True))
    b.at(0).task("local", 8, sender([(word, True)]))
    b.at(0).state("activate", "local_task_id", 8)
    b.at(0).queue("out", 2, COLOR)
    wafer = b.wafer()
    wafer.run_until_quiet()
    assert [wafer.fabric.channel(x, 0, COLOR).position for x in range(3)] == reached


def test_commands_cost_what_the_model_says(bench: Any, arch: str) -> None:
    ends = []
    for cycles in (0, 5):
        b = bench(arch, 3)
        b.route(0, 0, COLOR, "RAMP", "EAST")
        b.route(1, 0, COLOR, "WEST", "EAST")
        b.route(2, 0, COLOR, "WEST", "RAMP")
        got = collector(b, 2, 0, arch)
        word = control((0, True))
        b.at(0).task("local", 8, sender([(word, True), (9, False)]))
        b.at(0).state("activate", "local_task_id", 8)
        b.at(0).queue("out", 2, COLOR)
        wafer = b.wafer(costs={"switch_cycles": cycles})
        wafer.run_until_quiet()
        assert got == [9]
        ends.append(wafer.now)
    assert ends[1] > ends[0]


def test_a_control_task_gets_the_data(bench: Any, arch: str) -> None:
    b, got = bench(arch, 2), []
    b.route(0, 0, COLOR, "RAMP", "EAST")
    b.route(1, 0, COLOR, "WEST", "RAMP")

    def on_control(pe: Any, data: int) -> None:
        got.append(data)

    ignored = control((0, True), entry=40, data=1)
    meant = control((0, False), entry=40, data=77)
    b.at(0).task("local", 8, sender([(ignored, True), (meant, True)]))
    b.at(0).state("activate", "local_task_id", 8)
    b.at(0).queue("out", 2, COLOR)
    b.at(1).task("control", 40, on_control, U16)
    b.at(1).queue("in", 2, COLOR)
    b.at(1).state(
        "unblock", *(("color", COLOR) if arch == "wse2" else ("input_queue", 2))
    )
    b.wafer().run_until_quiet()
    assert got == [77]


def test_a_teardown_stops_the_color_and_tells_the_task(bench: Any, arch: str) -> None:
    b = bench(arch, 2)
    b.route(0, 0, COLOR, "RAMP", "EAST")
    b.route(1, 0, COLOR, "WEST", "RAMP")
    got = collector(b, 1, 0, arch)
    word = control((wavelet.TEARDOWN, True))
    b.at(0).task("local", 8, sender([(1, False), (word, True), (2, False)]))
    b.at(0).state("activate", "local_task_id", 8)
    b.at(0).queue("out", 2, COLOR)
    wafer = b.wafer()
    wafer.run_until_quiet()
    assert got == [1]
    assert [wafer.pe(x, 0).teardown_pending for x in (0, 1)] == [[COLOR], [COLOR]]
    for x in (0, 1):
        wafer.fabric.channel(x, 0, COLOR).exit_teardown(wafer.now)
    wafer.run_until_quiet()
    assert got == [1, 2]


def test_color_swap_alternates_the_pair(bench: Any) -> None:
    """A color that flows east through swapping routers changes at each."""
    red, blue, b = 0, 1, bench("wse2", 4)
    got: dict[int, list[str]] = {x: [] for x in range(4)}

    def noting(x: int, name: str) -> Any:
        def task(pe: Any, word: int) -> None:
            got[x].append(f"{name} {word}")

        return task

    for x in range(4):
        rx = "WEST" if x else "RAMP"
        tx = "RAMP EAST" if x < 3 else "RAMP"
        for color, name in ((red, "red"), (blue, "blue")):
            b.route(x, 0, color, rx, tx, color_swap_x=True)
            b.at(x).task("data", color, noting(x, name), U32)

    def send(pe: Any) -> Any:
        yield Operation(MOVE, FabOut(blue, 2, 1), (5,))

    b.at(0).task("local", 8, send)
    b.at(0).state("activate", "local_task_id", 8)
    b.wafer().run_until_quiet()
    assert got == {0: ["blue 5"], 1: ["red 5"], 2: ["blue 5"], 3: ["red 5"]}


# --- filters ----------------------------------------------------------------------


def passed(filter_: WaveletFilter, words: list[int]) -> list[int]:
    result = []
    for word in words:
        if filter_.passes(word):
            result.append(word)
        filter_.count(word)
    return result


def test_a_range_filter_looks_at_the_index() -> None:
    filter_ = WaveletFilter(Filter("range", {"min_idx": 2, "max_idx": 3}))
    words = [i << 16 | 7 for i in range(6)]
    assert passed(filter_, words) == words[2:4]
    assert passed(filter_, [wavelet.CONTROL]) == [wavelet.CONTROL]


def test_a_counter_filter_keeps_the_first_of_every_round() -> None:
    fields = {"count_data": True, "limit1": 4, "max_counter": 1}
    assert passed(WaveletFilter(Filter("counter", fields)), list(range(12))) == [
        0, 1, 5, 6, 10, 11,
    ]  # fmt: skip


def test_a_sparse_counter_switches_itself_off() -> None:
    fields = {"count_data": True, "limit1": 2, "max_counter": 0}
    filter_ = WaveletFilter(Filter("sparse_counter", fields))
    assert passed(filter_, list(range(6))) == [0, 3, 4, 5]


def test_a_second_limit_replaces_the_first_once() -> None:
    fields = {"count_data": True, "limit1": 1, "limit2": 3, "max_counter": 0}
    filter_ = WaveletFilter(Filter("sparse_counter", fields))
    assert passed(filter_, list(range(9))) == [0, 2, 6, 7, 8]


def test_a_sparse_counter_without_a_limit_is_off() -> None:
    filter_ = WaveletFilter(Filter("sparse_counter", {"count_data": True}))
    assert passed(filter_, [1, 2, 3]) == [1, 2, 3]


def test_counters_count_what_they_are_told_to() -> None:
    """Control wavelets at the highest counter pass, and nothing else."""
    fields = {"count_control": True, "limit1": 2, "max_counter": 1}
    stops, data = wavelet.CONTROL, 7
    words = [data, stops, data, stops, stops, data]
    assert passed(WaveletFilter(Filter("counter", fields)), words) == [
        data, stops, data, stops, data,
    ]  # fmt: skip
    strict = WaveletFilter(Filter("counter", {**fields, "filter_control": True}))
    assert passed(strict, words) == [stops]


def test_a_filter_keeps_wavelets_from_the_ce_only(bench: Any, arch: str) -> None:
    b = bench(arch, 3)
    odd = Filter("counter", {"count_data": True, "limit1": 1, "max_counter": 0})
    b.route(0, 0, COLOR, "RAMP", "EAST")
    b.route(1, 0, COLOR, "WEST", "RAMP EAST", filter=odd)
    b.route(2, 0, COLOR, "WEST", "RAMP")
    near, far = collector(b, 1, 0, arch), collector(b, 2, 0, arch)
    b.at(0).task("local", 8, sender([(k, False) for k in range(5)]))
    b.at(0).state("activate", "local_task_id", 8)
    b.at(0).queue("out", 2, COLOR)
    b.wafer().run_until_quiet()
    assert near == [0, 2, 4]
    assert far == [0, 1, 2, 3, 4]


# --- color swap at the ramp, limits -------------------------------------------------


def swapping(bench: Any, red: dict[str, bool], blue: dict[str, bool]) -> list[str]:
    """What comes back to a CE that sends 5 on blue round its own router."""
    b, got = bench("wse2", 1), []

    def noting(name: str) -> Any:
        def task(pe: Any, word: int) -> None:
            got.append(f"{name} {word}")

        return task

    for color, name, flags in ((0, "red", red), (1, "blue", blue)):
        b.route(0, 0, color, "RAMP", "RAMP", **flags)
        b.at(0).task("data", color, noting(name), U32)

    def send(pe: Any) -> Any:
        yield Operation(MOVE, FabOut(1, 2, 1), (5,))

    b.at(0).task("local", 8, send)
    b.at(0).state("activate", "local_task_id", 8)
    b.wafer().run_until_quiet()
    return got


BOTH = {"color_swap_x": True, "color_swap_y": True}


def test_a_flag_on_one_color_receives_the_others_wavelets_too(bench: Any) -> None:
    """Of red's wavelets from the west; what comes from the north is not swapped."""
    b, got = bench("wse2", 2, 2), []

    def noting(name: str) -> Any:
        def task(pe: Any, word: int) -> None:
            got.append(f"{name} {word}")

        return task

    for color, name, flags in ((0, "red", {}), (1, "blue", {"color_swap_x": True})):
        b.route(1, 1, color, "WEST NORTH", "RAMP", **flags)
        b.at(1, 1).task("data", color, noting(name), U32)
    for x, y, tx in ((0, 1, "EAST"), (1, 0, "SOUTH")):
        b.route(x, y, 0, "RAMP", tx)

        def send(pe: Any) -> Any:
            yield Operation(MOVE, FabOut(0, 2, 1), (10 * pe.x + pe.y,))

        b.at(x, y).task("local", 8, send)
        b.at(x, y).state("activate", "local_task_id", 8)
    b.wafer().run_until_quiet()
    assert sorted(got) == ["blue 1", "red 1", "red 10"]


def test_both_swap_flags_extend_to_what_the_ce_sends(bench: Any) -> None:
    assert swapping(bench, {}, {}) == ["blue 5"]
    assert swapping(bench, {"color_swap_x": True}, {"color_swap_x": True}) == ["blue 5"]
    assert swapping(bench, BOTH, BOTH) == ["red 5"]
    assert sorted(swapping(bench, BOTH, {})) == ["blue 5", "red 5"]


def test_a_pe_of_wse2_has_six_filters(bench: Any) -> None:
    b = bench("wse2", 1)
    for color in range(7):
        kind = Filter("range", {"min_idx": 0, "max_idx": 1})
        b.route(0, 0, color, "RAMP", "RAMP", filter=kind)
    with pytest.raises(MachineFault) as caught:
        b.wafer()
    assert str(caught.value) == (
        "PE(0,0) filters 7 colors (0, 1, 2, 3, 4, 5, 6); a PE of wse2 has 6 filters\n"
        "help: filter fewer colors, or drop wavelets in the tasks that get them"
    )


def test_colors_of_wse3_without_switches(bench: Any) -> None:
    b = bench("wse3", 1)
    moved = SwitchPosition(valid=True, tx=("EAST",))
    switches = Switches((moved, SwitchPosition(), SwitchPosition()))
    b.route(0, 0, 21, "RAMP", "RAMP", switches=switches)
    b.wafer()
    b.route(0, 0, 11, "RAMP", "RAMP", switches=switches)
    with pytest.raises(MachineFault) as caught:
        b.wafer()
    assert str(caught.value) == (
        "PE(0,0) has switch positions on color 11; on wse3 only colors 0, 1, 2, 3, 4, "
        "5, 6, 7, 8, 9, 12, 13, 16, 17, 20, 21 have switches\n"
        "help: give the stream another color"
    )
