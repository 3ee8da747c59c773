"""A router's treatment of one color: inputs, routes by switch position, commands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pyflame.wse.language.image import ColorConfig, Switches
from pyflame.wse.machine import wavelet
from pyflame.wse.machine.filters import WaveletFilter
from pyflame.wse.machine.limits import DIRECTIONS, MAX_SWITCH_POSITION, RAMP, Semantics
from pyflame.wse.machine.links import Buffer, Link
from pyflame.wse.machine.timeline import Event, Timeline


@dataclass(frozen=True, slots=True)
class Hop:
    """One copy of a wavelet: over `link` into `target`, `latency_cycles` later."""

    link: Link
    target: Buffer
    latency_cycles: int


@dataclass(frozen=True, slots=True)
class Branch:
    """The copies of what one input accepts; `past_ce` without that up the ramp."""

    hops: tuple[Hop, ...]
    past_ce: tuple[Hop, ...]


# Of one switch position: the branch of each input, None for inputs that wait.
Route = tuple[Branch | None, ...]
NO_ROUTE: Route = (None,) * 5


def effective_sides(
    config: ColorConfig, position: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """rx and tx of a switch position: each overrides sides of the one before."""
    rx, tx = config.rx, config.tx
    if config.switches is not None:
        for step in config.switches.positions[:position]:
            rx = rx if step.rx is None else step.rx
            tx = tx if step.tx is None else step.tx
    return rx, tx


# Makes a port from timeline, channel, direction and capacity.
PortKind = Callable[[Timeline, "Channel", int, int], "Port"]


class Channel:
    """One color at one router, on the rectangle or just outside it.

    `ports[d]` buffers what comes from direction d; `parked` are ports whose head
    finds no route now. `ramp` takes what the CE sends; it is the port from there, or
    those of swapped colors. `wavelets_sent` counts what the CE has sent.
    """

    __slots__ = (
        "color",
        "config",
        "filter",
        "hop_count",
        "on_teardown",
        "parked",
        "ports",
        "position",
        "ramp",
        "route",
        "routes",
        "semantics",
        "switch_cycles",
        "teardown",
        "timeline",
        "wavelets_sent",
        "x",
        "y",
    )

    def __init__(
        self,
        timeline: Timeline,
        x: int,
        y: int,
        color: int,
        config: ColorConfig | None,
        capacities: tuple[int, ...],
        semantics: Semantics,
        switch_cycles: int,
        port_kind: PortKind | None = None,
    ) -> None:
        self.timeline = timeline
        self.x, self.y, self.color = x, y, color
        self.config = config
        self.semantics = semantics
        self.switch_cycles = switch_cycles
        make = port_kind or Port
        self.ports = [make(timeline, self, d, capacities[d]) for d in range(5)]
        self.ramp: Buffer = self.ports[RAMP]
        self.position = config.switches.current if config and config.switches else 0
        self.routes: list[Route] = [NO_ROUTE] * (MAX_SWITCH_POSITION + 1)
        self.route = NO_ROUTE
        self.filter = WaveletFilter.of(config.filter) if config else None
        self.teardown = config.teardown if config else False
        self.on_teardown: Callable[[int, int], None] | None = None
        self.parked: list[Port] = []
        self.wavelets_sent = self.hop_count = 0

    @property
    def switches(self) -> Switches | None:
        return self.config.switches if self.config else None

    def set_routes(self, routes: list[Route]) -> None:
        self.routes = routes
        self.route = routes[self.position]

    def move_to(self, position: int, now: int) -> None:
        """Makes a switch position current for the wavelets after this cycle."""
        self.position = position
        self.route = self.routes[position]
        self.release(now)

    def release(self, now: int) -> None:
        """Lets wavelets that found no route try again."""
        for port in self.parked:
            self.timeline.at(now + 1, port)
        self.parked.clear()

    def enter_teardown(self, now: int) -> None:
        self.teardown = True
        if self.on_teardown is not None:
            self.on_teardown(self.color, now)

    def exit_teardown(self, now: int) -> None:
        self.teardown = False
        self.release(now)

    def advance(self, now: int) -> bool:
        """SWITCH_ADV: the next valid position, or round the ring; whether it moved."""
        switches = self.switches
        if switches is None:
            return False
        following = self.position + 1
        valid = following <= MAX_SWITCH_POSITION and (
            switches.positions[following - 1].valid
        )
        if not valid and not switches.ring_mode:
            return False
        target = following if valid else 0
        moved = target != self.position
        self.move_to(target, now)
        return moved

    def execute(self, payload: int, now: int) -> int:
        """Acts on the first command of a control wavelet that has just been
        forwarded; gives the payload that its copies carry on."""
        opcode = wavelet.opcode(payload)
        advanced = False
        if opcode == wavelet.SWITCH_ADVANCE:
            advanced = self.advance(now)
        elif opcode == wavelet.SWITCH_RESET and self.switches is not None:
            self.move_to(self.semantics.switch_reset_position, now)
        elif opcode == wavelet.TEARDOWN:
            self.enter_teardown(now)
        return wavelet.popped(payload) if self._pops(opcode, advanced) else payload

    def _pops(self, opcode: int, advanced: bool) -> bool:
        mode = self.switches.pop_mode if self.switches else "no_pop"
        if mode == "pop_on_advance_nop":
            return advanced or opcode == wavelet.NOP
        return mode == "always_pop" or (mode == "pop_on_advance" and advanced)

    def __str__(self) -> str:
        return f"color {self.color} at PE({self.x},{self.y})"


class Port(Buffer):
    """One input of one color at a router; its `run` forwards the head wavelet."""

    __slots__ = ("channel", "direction")

    def __init__(
        self, timeline: Timeline, channel: Channel, direction: int, capacity: int
    ) -> None:
        super().__init__(timeline, capacity)
        self.channel = channel
        self.direction = direction

    def run(self, now: int) -> None:
        channel = self.channel
        branch = channel.route[self.direction]
        if branch is None or channel.teardown:
            channel.parked.append(self)
            return
        word = self.words[0]
        hops = branch.hops
        if word >= wavelet.CONTROL or channel.filter is not None:
            hops = self._selected_hops(word, branch)
        # Buffers and links are asked only where something may be in the way: asking
        # arranges for another try.
        for hop in hops:
            target = hop.target
            room = target.capacity - len(target.words)
            tight = room < 1 or (room == 1 and target.popped_at == now)
            if tight and not target.has_room(now, self):
                return
        for hop in hops:
            link = hop.link
            taken = link.free_at > now or link.waiting
            if taken and not link.is_free(now, self):
                return
        self.pop(now)
        self._send(word, hops, now)
        if self.words:
            ahead = self.times[0]
            self.timeline.at(ahead if ahead > now else now + 1, self)

    def _send(self, word: int, hops: tuple[Hop, ...], now: int) -> None:
        channel = self.channel
        leaves_at = now
        if word >= wavelet.CONTROL:
            word = self._execute(word, now)
            leaves_at += channel.switch_cycles
        for hop in hops:
            link = hop.link
            if link.at_full_rate:
                link.free_at = now + 1
            else:
                link.take(now)
            hop.target.push(word, leaves_at + hop.latency_cycles)
        channel.hop_count += len(hops)
        if channel.filter is not None:
            channel.filter.count(word)

    def _selected_hops(self, word: int, branch: Branch) -> tuple[Hop, ...]:
        """The copies of a control wavelet, or of one that a filter may reject."""
        filter_ = self.channel.filter
        if filter_ is not None and not filter_.passes(word):
            return branch.past_ce
        if word & wavelet.CONTROL and wavelet.not_for_ce(word):
            return branch.past_ce
        return branch.hops

    def _execute(self, word: int, now: int) -> int:
        if word & wavelet.ADVANCE_LOCAL:
            self.channel.advance(now)
            word &= ~wavelet.ADVANCE_LOCAL
        if word & wavelet.CONTROL:
            payload = word & wavelet.PAYLOAD_MASK
            word = wavelet.CONTROL | self.channel.execute(payload, now)
        return word

    def __str__(self) -> str:
        return f"{self.channel} from {DIRECTIONS[self.direction]}"


class Fork(Buffer):
    """What one sender fills stands for several inputs, which all get each wavelet."""

    __slots__ = ("_targets",)

    def __init__(self, timeline: Timeline, targets: tuple[Buffer, ...]) -> None:
        super().__init__(timeline, capacity=0)
        self._targets = targets

    def has_room(self, now: int, sender: Event) -> bool:
        return all(target.has_room(now, sender) for target in self._targets)

    def push(self, word: int, seen_from: int) -> None:
        for target in self._targets:
            target.push(word, seen_from)
