"""What waits where: routes, links, teardown and blocked channels hold wavelets back,
and lose none."""

from __future__ import annotations

from typing import Any

import pytest

from pyflame.wse.language.image import ColorConfig, Switches, SwitchPosition
from pyflame.wse.language.types import U32
from pyflame.wse.machine import wavelet
from pyflame.wse.machine.dsd import FabIn, FabOut, Mem1d
from pyflame.wse.machine.operations import ASYNC, OPERATIONS, Operation
from pyflame.wse.machine.router import effective_sides

MOVE = OPERATIONS["@mov32"]
COLOR, OTHER = 3, 4
A, B = 8192, 12288
NOTHING = SwitchPosition()


def command(opcode: int, for_ce: bool = False, entry: int = 31) -> int:
    return entry << 16 | opcode << 22 | (not for_ce) << 24


ADVANCE = command(wavelet.SWITCH_ADVANCE)
TEARDOWN = command(wavelet.TEARDOWN)


def sends(bench: Any, x: int, y: int, *words: int, color: int = COLOR) -> None:
    """A PE that sends words in order; those with the control bit as control."""
    queue = color - 1

    def send(pe: Any) -> Any:
        for word in words:
            is_control = word >= wavelet.CONTROL
            dest = FabOut(color, queue, 1, control=is_control)
            yield Operation(MOVE, dest, (word & wavelet.PAYLOAD_MASK,))

    program = bench.at(x, y)
    program.task("local", 8 + color, send)
    program.state("activate", "local_task_id", 8 + color)
    program.queue("out", queue, color)


def control(payload: int) -> int:
    return wavelet.CONTROL | payload


def takes(bench: Any, x: int, y: int, color: int = COLOR) -> list[int]:
    """What a data task of a PE gets."""
    got: list[int] = []

    def take(pe: Any, word: int) -> None:
        got.append(word)

    program = bench.at(x, y)
    program.task("data", color if bench.arch == "wse2" else color - 1, take, U32)
    program.queue("in", color - 1, color)
    return got


def data_id(arch: str) -> int:
    return COLOR if arch == "wse2" else COLOR - 1


# --- routes -----------------------------------------------------------------------


def test_a_side_that_is_not_received_waits_upstream(bench: Any, arch: str) -> None:
    """East's words come first to a switch that listens to the west until it advances:
    an order by routes, as stencils rely on."""
    b = bench(arch, 3)
    turn = SwitchPosition(rx=("EAST",), valid=True)
    switches = Switches((turn, NOTHING, NOTHING))
    b.route(0, 0, COLOR, "RAMP", "EAST")
    b.route(2, 0, COLOR, "RAMP", "WEST")
    b.route(1, 0, COLOR, "WEST", "RAMP", switches=switches)
    sends(b, 2, 0, 21, 22)
    b.at(0).queue("out", 2, COLOR)

    def late(pe: Any) -> Any:
        pe.clock += 300
        for word, is_control in ((11, False), (ADVANCE, True)):
            dest = FabOut(COLOR, 2, 1, control=is_control)
            yield Operation(MOVE, dest, (word,))

    b.at(0).task("local", 9, late)
    b.at(0).state("activate", "local_task_id", 9)
    got = takes(b, 1, 0)
    b.wafer().run_until_quiet()
    assert got == [11, 21, 22]


def test_several_sides_may_be_received(bench: Any, arch: str) -> None:
    """Who comes first goes first; nothing is lost, and a sender's order is kept."""
    b = bench(arch, 3)
    b.route(0, 0, COLOR, "RAMP", "EAST")
    b.route(2, 0, COLOR, "RAMP", "WEST")
    b.route(1, 0, COLOR, "WEST EAST", "RAMP")
    sends(b, 0, 0, *range(20))
    sends(b, 2, 0, *range(100, 120))
    got = takes(b, 1, 0)
    b.wafer().run_until_quiet()
    assert [word for word in got if word < 100] == list(range(20))
    assert [word for word in got if word >= 100] == list(range(100, 120))


def test_positions_change_one_side_after_another(bench: Any) -> None:
    """Each keeps the other side of the position before; position 0 has both back."""
    west = SwitchPosition(tx=("WEST",), valid=True)
    north = SwitchPosition(rx=("NORTH",), valid=True)
    both = SwitchPosition(rx=("SOUTH",), tx=("RAMP",), valid=True)
    config = ColorConfig(("RAMP",), ("EAST",), Switches((west, north, both)))
    assert [effective_sides(config, position) for position in range(4)] == [
        (("RAMP",), ("EAST",)),
        (("RAMP",), ("WEST",)),
        (("NORTH",), ("WEST",)),
        (("SOUTH",), ("RAMP",)),
    ]


def test_a_control_wavelet_leaves_by_the_route_that_it_ends(
    bench: Any, arch: str
) -> None:
    """Its data goes to the east, what comes behind it to the west."""
    b = bench(arch, 3)
    west = SwitchPosition(tx=("WEST",), valid=True)
    switches = Switches((west, NOTHING, NOTHING))
    b.route(1, 0, COLOR, "RAMP", "EAST", switches=switches)
    got: list[tuple[int, str]] = []

    def note(pe: Any) -> None:
        got.append((pe.x, "control"))

    for x, side in ((0, "EAST"), (2, "WEST")):
        b.route(x, 0, COLOR, side, "RAMP")
        takes(b, x, 0)
        b.at(x).task("control", 40, note)
    sends(b, 1, 0, control(command(wavelet.SWITCH_ADVANCE, True, 40)), 1)
    b.wafer().run_until_quiet()
    assert got == [(2, "control")]


@pytest.mark.parametrize(
    ("opcodes", "moved"),
    [((1, 0), [1, 0, 0]), ((0, 1), [0, 1, 0]), ((2, 1), [0, 0, 0])],
)
def test_popping_on_advances_and_nops(
    bench: Any, arch: str, opcodes: tuple[int, int], moved: list[int]
) -> None:
    """A NOP and an advance are popped; a reset stays in front for the next router."""
    b = bench(arch, 4)
    one = SwitchPosition(rx=("NORTH",), valid=True)
    switches = Switches((one, NOTHING, NOTHING), pop_mode="pop_on_advance_nop")
    for x, side in ((0, "RAMP"), (1, "WEST"), (2, "WEST")):
        b.route(x, 0, COLOR, side, "EAST", switches=switches)
    b.route(3, 0, COLOR, "WEST", "RAMP")
    first, second = opcodes
    word = command(first) | second << 25 | 1 << 27
    sends(b, 0, 0, control(word))
    wafer = b.wafer()
    wafer.run_until_quiet()
    assert [wafer.fabric.channel(x, 0, COLOR).position for x in range(3)] == moved


def test_a_ring_of_one_position_does_not_advance(bench: Any, arch: str) -> None:
    """Going round to the position that it has is no advance, so nothing is popped."""
    b = bench(arch, 3)
    alone = Switches((NOTHING,) * 3, ring_mode=True, pop_mode="pop_on_advance")
    one = SwitchPosition(tx=("NORTH",), valid=True)
    b.route(0, 0, COLOR, "RAMP", "EAST", switches=alone)
    b.route(1, 0, COLOR, "WEST", "EAST", switches=Switches((one, NOTHING, NOTHING)))
    sends(b, 0, 0, control(ADVANCE))
    wafer = b.wafer()
    wafer.run_until_quiet()
    assert wafer.fabric.channel(1, 0, COLOR).position == 1


# --- links ------------------------------------------------------------------------


def test_a_stalled_color_does_not_hold_up_another(bench: Any, arch: str) -> None:
    """Both cross the same two links; nobody takes the first color's wavelets."""
    b = bench(arch, 3)
    for color in (COLOR, OTHER):
        b.route(0, 0, color, "RAMP", "EAST")
        b.route(1, 0, color, "WEST", "EAST")
        b.route(2, 0, color, "WEST", "RAMP")
        b.at(0).queue("out", color, color)
    got = takes(b, 2, 0, OTHER)
    b.at(2).queue("in", 5, COLOR)

    def send(pe: Any) -> None:
        pe.memory.vector(MOVE.dest_dtype, A, 1, 64)[:] = range(64)
        for color in (COLOR, OTHER):
            source = Mem1d(A, 0, 1, 64)
            pe.start_async(Operation(MOVE, FabOut(color, color, 64), (source,), ASYNC))

    b.at(0).task("local", 10, send)
    b.at(0).state("activate", "local_task_id", 10)
    wafer = b.wafer()
    wafer.run_until_quiet()
    assert got == list(range(64))
    assert wafer.pe(0, 0).outputs[COLOR].writer is not None  # still at it


def test_a_wavelet_goes_to_all_its_directions_at_once(bench: Any, arch: str) -> None:
    """Nobody reads in the east, so the copies to the west stop with those to it."""
    b = bench(arch, 3)
    b.route(1, 0, COLOR, "RAMP", "EAST WEST")
    b.route(0, 0, COLOR, "EAST", "RAMP")
    b.route(2, 0, COLOR, "WEST", "RAMP")
    b.at(2).queue("in", 2, COLOR)
    got = takes(b, 0, 0)
    sends(b, 1, 0, *range(64))
    wafer = b.wafer()
    wafer.run_until_quiet()
    east = wafer.pe(2, 0).inputs[COLOR]
    port = wafer.fabric.channel(2, 0, COLOR).ports[3]
    assert len(got) == len(east.words) + len(port.words) < 64


# --- teardown ---------------------------------------------------------------------


def test_a_color_may_start_in_teardown(bench: Any, arch: str) -> None:
    """Nothing moves before it leaves, and no task is told of what it starts in."""
    b = bench(arch, 2)
    b.route(0, 0, COLOR, "RAMP", "EAST")
    b.route(1, 0, COLOR, "WEST", "RAMP", teardown=True)
    got = takes(b, 1, 0)
    sends(b, 0, 0, 7)
    wafer = b.wafer()
    wafer.run_until_quiet()
    assert got == []
    assert wafer.pe(1, 0).teardown_pending == []
    wafer.fabric.channel(1, 0, COLOR).exit_teardown(wafer.now)
    wafer.run_until_quiet()
    assert got == [7]


def test_a_teardown_reaches_a_whole_tree_behind_the_data(bench: Any, arch: str) -> None:
    b = bench(arch, 3, 2)
    b.route(0, 0, COLOR, "RAMP", "EAST SOUTH")
    b.route(0, 1, COLOR, "NORTH", "RAMP")
    b.route(1, 0, COLOR, "WEST", "RAMP EAST")
    b.route(2, 0, COLOR, "WEST", "RAMP")
    tree = [(0, 1), (1, 0), (2, 0)]
    got = {place: takes(b, *place) for place in tree}
    sends(b, 0, 0, 1, 2, control(TEARDOWN), 3)
    wafer = b.wafer()
    wafer.run_until_quiet()
    assert got == {place: [1, 2] for place in tree}
    assert all(wafer.pe(*p).teardown_pending == [COLOR] for p in [(0, 0), *tree])


# --- channels of a CE ---------------------------------------------------------------


def test_a_channel_without_a_data_task_starts_blocked(bench: Any, arch: str) -> None:
    """A control task waits until the program unblocks its color or queue."""
    b = bench(arch, 1)
    b.route(0, 0, COLOR, "RAMP", "RAMP")
    b.at(0).queue("in", COLOR - 1, COLOR)
    got: list[int] = []

    def note(pe: Any) -> None:
        got.append(pe.clock)

    def opens(pe: Any) -> None:
        pe.clock += 500
        pe.unblock("color", data_id(arch))

    b.at(0).task("control", 40, note)
    b.at(0).task("local", 20, opens)
    b.at(0).state("activate", "local_task_id", 20)
    sends(b, 0, 0, control(command(0, True, 40)))
    wafer = b.wafer()
    assert wafer.pe(0, 0).tasks.blocked[data_id(arch)]
    wafer.run_until_quiet()
    assert len(got) == 1
    assert got[0] > 500


def test_blocking_a_channel_stops_its_control_tasks_too(bench: Any, arch: str) -> None:
    b = bench(arch, 1)
    b.route(0, 0, COLOR, "RAMP", "RAMP")
    got: list[str] = []

    def note(pe: Any) -> None:
        got.append("control")

    data = takes(b, 0, 0)
    b.at(0).task("control", 40, note)
    b.at(0).state("block", "data_task_id", data_id(arch))
    sends(b, 0, 0, control(command(0, True, 40)), 5)
    wafer = b.wafer()
    wafer.run_until_quiet()
    assert (got, data) == ([], [])
    wafer.pe(0, 0).unblock_by_hardware("data_task_id", data_id(arch), wafer.now)
    wafer.run_until_quiet()
    assert (got, data) == (["control"], [5])


def test_an_operation_takes_wavelets_before_a_data_task(bench: Any, arch: str) -> None:
    """While one reads the queue, no task starts by its wavelets; then the task goes
    on. On WSE-3 both share a queue; WSE-2 has a buffer per color."""
    b = bench(arch, 1)
    b.route(0, 0, COLOR, "RAMP", "RAMP")
    data = takes(b, 0, 0)

    def reads(pe: Any) -> None:
        source = FabIn(COLOR, COLOR - 1, 2)
        pe.start_async(Operation(MOVE, Mem1d(B, 0, 1, 2), (source,), ASYNC))
        pe.activate(8 + COLOR)

    sends(b, 0, 0, 1, 2, 3, 4)
    b.at(0).source.states.clear()
    b.at(0).task("local", 20, reads)
    b.at(0).state("activate", "local_task_id", 20)
    wafer = b.wafer()
    wafer.run_until_quiet()
    assert wafer.pe(0, 0).memory.vector(MOVE.dest_dtype, B, 1, 2).tolist() == [1, 2]
    assert data == [3, 4]
