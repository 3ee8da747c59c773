"""Random switches and control wavelets on a row of routers, beside a model that is
written down from the documents: who gets which payload, and where switches stand."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import pytest

from pyflame.wse.language.image import Switches, SwitchPosition
from pyflame.wse.language.types import U32
from pyflame.wse.machine.dsd import FabOut
from pyflame.wse.machine.operations import OPERATIONS, Operation

COLOR, WIDTH, ENTRY = 3, 4, 40
POP_MODES = ("no_pop", "always_pop", "pop_on_advance", "pop_on_advance_nop")
NOP, ADVANCE, RESET = range(3)
# Of each command, the bits of its opcode and of what keeps the wavelet from the CE.
SLOTS = [(22, 24), (25, 27), (28, 0), (1, 3), (4, 6), (7, 9), (10, 12), (13, 15)]

Command = tuple[int, bool]
Word = tuple[int, bool]  # payload, and whether it is a control wavelet
Place = tuple[int, int]


def encoded(commands: list[Command]) -> int:
    payload = ENTRY << 16
    for (opcode, ignored), (at, ignore_at) in zip(commands, SLOTS, strict=True):
        payload |= opcode << at | ignored << ignore_at
    return payload


def decoded(payload: int) -> list[Command]:
    return [(payload >> at & 3, bool(payload >> i & 1)) for at, i in SLOTS]


@dataclass
class Model:
    """The row: routers send east, to their CE, or south to a PE that only receives."""

    tx: list[tuple[str, ...]]
    switches: list[Switches | None]
    positions: list[int] = field(init=False)
    got: dict[Place, list[Word]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.positions = [s.current if s else 0 for s in self.switches]

    def arrive(self, x: int, word: Word) -> None:
        payload, is_control = word
        directions = self._directions(x)
        if is_control:
            (opcode, ignored), *rest = decoded(payload)
            directions = [d for d in directions if d != "RAMP" or not ignored]
            advanced = opcode == ADVANCE and self._advance(x)
            if opcode == RESET and self.switches[x]:
                self.positions[x] = 0
            if self._pops(x, opcode, advanced):
                word = encoded([*rest, (NOP, True)]), True
        for direction in directions:
            self._leave(x, direction, word)

    def _directions(self, x: int) -> list[str]:
        switches, tx = self.switches[x], self.tx[x]
        for step in switches.positions[: self.positions[x]] if switches else ():
            tx = step.tx or tx
        return list(tx)

    def _advance(self, x: int) -> bool:
        switches, old = self.switches[x], self.positions[x]
        if switches is None:
            return False
        if old < 3 and switches.positions[old].valid:
            self.positions[x] = old + 1
        elif switches.ring_mode:
            self.positions[x] = 0
        return self.positions[x] != old

    def _pops(self, x: int, opcode: int, advanced: bool) -> bool:
        switches = self.switches[x]
        mode = switches.pop_mode if switches else "no_pop"
        if mode == "pop_on_advance_nop":
            return advanced or opcode == NOP
        return mode == "always_pop" or (mode == "pop_on_advance" and advanced)

    def _leave(self, x: int, direction: str, word: Word) -> None:
        if direction == "EAST":
            self.arrive(x + 1, word)
            return
        south = direction == "SOUTH"
        if south and word[1] and decoded(word[0])[0][1]:
            return  # kept from the CE by the router there
        self.got.setdefault((x, int(south)), []).append(word)


def random_model(r: random.Random) -> Model:
    def sides(x: int) -> tuple[str, ...]:
        names = ["RAMP", "SOUTH", *(["EAST"] * 2 if x < WIDTH - 1 else [])]
        return tuple(sorted(set(r.choices(names, k=r.randint(1, 3)))))

    def position(x: int) -> SwitchPosition:
        if r.random() < 0.25:
            return SwitchPosition()
        return SwitchPosition(tx=sides(x), valid=True)

    def switches(x: int) -> Switches | None:
        if r.random() < 0.2:
            return None
        steps = position(x), position(x), position(x)
        ring, start = r.random() < 0.5, r.choice([0, 0, 1, 2, 3])
        mode = r.choice(POP_MODES)
        return Switches(steps, ring_mode=ring, pop_mode=mode, current=start)

    row = range(WIDTH)
    return Model([sides(x) for x in row], [switches(x) for x in row])


def random_words(r: random.Random) -> list[Word]:
    def word(number: int) -> Word:
        if r.random() < 0.5:
            return 1000 + number, False
        commands = [
            (r.choice([NOP, ADVANCE, ADVANCE, RESET]), r.random() < 0.5) for _ in SLOTS
        ]
        return encoded(commands), True

    return [word(number) for number in range(12)]


def on_the_machine(bench: Any, arch: str, model: Model, words: list[Word]) -> Any:
    b, got = bench(arch, WIDTH, 2), {}

    def notes(place: Place, is_control: bool) -> Any:
        def task(pe: Any, payload: int) -> None:
            got.setdefault(place, []).append((payload, is_control))

        return task

    def send(pe: Any) -> Any:
        for payload, is_control in words:
            dest = FabOut(COLOR, 2, 1, control=is_control)
            yield Operation(OPERATIONS["@mov32"], dest, (payload,))

    for x in range(WIDTH):
        rx, tx = "WEST" if x else "RAMP", " ".join(model.tx[x])
        b.route(x, 0, COLOR, rx, tx, switches=model.switches[x])
        b.route(x, 1, COLOR, "NORTH", "RAMP")
        for place in ((x, 0), (x, 1)):
            program = b.at(*place)
            channel = COLOR if arch == "wse2" else 2
            program.task("data", channel, notes(place, False), U32)
            program.task("control", ENTRY, notes(place, True), U32)
            program.queue("in", 2, COLOR)
    b.at(0).task("local", 12, send)
    b.at(0).state("activate", "local_task_id", 12)
    b.at(0).queue("out", 2, COLOR)
    wafer = b.wafer()
    wafer.run_until_quiet()
    routers = [wafer.fabric.channel(x, 0, COLOR) for x in range(WIDTH)]
    return got, [router.position for router in routers]


@pytest.mark.parametrize("seed", range(40))
def test_routers_do_what_the_documents_say(bench: Any, arch: str, seed: int) -> None:
    r = random.Random(seed)
    model, words = random_model(r), random_words(r)
    got, positions = on_the_machine(bench, arch, model, words)
    for word in words:
        model.arrive(0, word)
    assert got == model.got
    assert positions == model.positions
