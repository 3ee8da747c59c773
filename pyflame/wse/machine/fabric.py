"""The routers of the rectangle, wired by the colors' configurations."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pyflame.wse.errors import HostError
from pyflame.wse.language.image import ColorConfig
from pyflame.wse.machine.costs import Costs
from pyflame.wse.machine.limits import (
    DIRECTIONS,
    EAST,
    MAX_SWITCH_POSITION,
    OPPOSITE,
    RAMP,
    STEP_X,
    STEP_Y,
    WEST,
    Semantics,
)
from pyflame.wse.machine.links import Buffer, Link
from pyflame.wse.machine.pe import Pe
from pyflame.wse.machine.router import (
    NO_ROUTE,
    Branch,
    Channel,
    Fork,
    Hop,
    Port,
    PortKind,
    Route,
    effective_sides,
)
from pyflame.wse.machine.timeline import Timeline

Sides = tuple[tuple[str, ...], tuple[str, ...]]  # rx and tx of a switch position
Side = tuple[int, int, int, int]  # x, y, color, direction: one side of one router

_NAMES = {name: number for number, name in enumerate(DIRECTIONS)}


class Fabric:
    """Channels by (x, y, color) and links by (x, y, direction), made at first use.

    A color that leaves the rectangle, or reaches a router where it has no route,
    ends in a channel without routes: its wavelets wait there.
    """

    def __init__(
        self,
        timeline: Timeline,
        costs: Costs,
        semantics: Semantics,
        configs: dict[tuple[int, int], dict[int, ColorConfig]],
        pe_at: Callable[[int, int], Pe],
        port_kind: PortKind | None = None,
    ) -> None:
        self._port_kind = port_kind
        self._timeline = timeline
        self._costs = costs
        self._semantics = semantics
        self._configs = configs
        self.pe = pe_at
        self._channels: dict[tuple[int, int, int], Channel] = {}
        self._links: dict[tuple[int, int, int], Link] = {}
        self._led: dict[Side, tuple[Buffer, int]] = {}
        self._led_from: dict[Side, Side] = {}
        self._host_fed: set[Side] = set()
        hop = costs.router_buffer_wavelets + costs.hop_cycles + costs.turn_cycles
        hop += costs.switch_cycles
        ramp = costs.router_buffer_wavelets + costs.ramp_cycles
        self._capacities = (hop, hop, hop, hop, ramp)

    def connect(self) -> None:
        """Makes the channels of all configured colors and their routes."""
        for (x, y), colors in self._configs.items():
            for color in colors:
                self.set_routes(self.channel(x, y, color))
                self._swap_at_ramp(self.channel(x, y, color))

    def lead(self, side: Side, target: Buffer, latency_cycles: int) -> None:
        """Sends what leaves at `side` to `target` instead of the neighbour; comes
        before `connect`."""
        self._led[side] = (target, latency_cycles)
        if isinstance(target, Port):
            at = target.channel
            self._led_from[at.x, at.y, at.color, target.direction] = side

    def host_entrance(self, side: Side) -> Port:
        """The input that the host feeds at a side of a router."""
        self._host_fed.add(side)
        x, y, color, direction = side
        return self.channel(x, y, color).ports[direction]

    def host_feeds(self, channel: Channel, direction: int) -> bool:
        """Whether what enters a router from a direction comes from the host."""
        return (channel.x, channel.y, channel.color, direction) in self._host_fed

    def feeder(self, channel: Channel, direction: int) -> Channel | None:
        """The router whose current route leads into another from a direction."""
        x, y = channel.x + STEP_X[direction], channel.y + STEP_Y[direction]
        side = (x, y, channel.color, OPPOSITE[direction])
        entrance = (channel.x, channel.y, channel.color, direction)
        if entrance in self._led_from:
            side = self._led_from[entrance]
        elif side in self._led:
            return None
        before = self.channel(*side[:3])
        if before.config is None:
            return None
        tx = effective_sides(before.config, before.position)[1]
        return before if DIRECTIONS[side[3]] in tx else None

    def origin(self, channel: Channel, direction: int) -> tuple[int, int]:
        """The place of the router that a link from a direction comes from."""
        side = self._led_from.get((channel.x, channel.y, channel.color, direction))
        if side is not None:
            return side[0], side[1]
        return channel.x + STEP_X[direction], channel.y + STEP_Y[direction]

    def is_inside(self, x: int, y: int) -> bool:
        """Whether a program runs at a place."""
        try:
            self.pe(x, y)
        except HostError:
            return False
        return True

    def channels(self) -> Iterator[Channel]:
        return iter(self._channels.values())

    def channel(self, x: int, y: int, color: int) -> Channel:
        found = self._channels.get((x, y, color))
        if found is None:
            config = self._configs.get((x, y), {}).get(color)
            found = Channel(
                self._timeline,
                x,
                y,
                color,
                config,
                self._capacities,
                self._semantics,
                self._costs.switch_cycles,
                self._port_kind,
            )
            self._channels[x, y, color] = found
        return found

    def set_routes(self, channel: Channel) -> None:
        """Compiles the routes of every switch position from the configuration.

        Positions of equal sides share one.
        """
        if channel.config is None:
            return
        found: dict[Sides, Route] = {}
        routes: list[Route] = []
        for position in range(MAX_SWITCH_POSITION + 1):
            sides = effective_sides(channel.config, position)
            if sides not in found:
                found[sides] = self._route(channel, *sides)
            routes.append(found[sides])
        channel.set_routes(routes)

    def _route(
        self, channel: Channel, rx: tuple[str, ...], tx: tuple[str, ...]
    ) -> Route:
        if not tx:
            return NO_ROUTE
        return tuple(
            self._branch(channel, direction, tx) if name in rx else None
            for direction, name in enumerate(DIRECTIONS)
        )

    def _branch(self, channel: Channel, rx: int, tx: tuple[str, ...]) -> Branch:
        onward: list[Hop] = []
        up: list[Hop] = []
        for name in tx:
            direction = _NAMES[name]
            if direction == RAMP:
                up.append(self._hop_to_ce(channel))
            else:
                onward += self._hops_to_neighbour(channel, rx, direction)
        return Branch((*up, *onward), tuple(onward))

    def _hop_to_ce(self, channel: Channel) -> Hop:
        pe = self.pe(channel.x, channel.y)
        queue = pe.input_of_color(channel.color)
        return Hop(pe.ramp_up, queue, self._costs.ramp_cycles)

    def _hops_to_neighbour(
        self, channel: Channel, rx: int, direction: int
    ) -> list[Hop]:
        x, y = channel.x + STEP_X[direction], channel.y + STEP_Y[direction]
        entrance = OPPOSITE[direction]
        latency = self._costs.hop_cycles
        if rx != RAMP and (rx in (EAST, WEST)) != (direction in (EAST, WEST)):
            latency += self._costs.turn_cycles
        link = self._link(channel.x, channel.y, direction)
        led = self._led.get((channel.x, channel.y, channel.color, direction))
        if led is not None:
            return [Hop(link, *led)]
        return [
            Hop(link, self._entrance(x, y, color, entrance), latency)
            for color in self._arriving_colors(x, y, channel.color, entrance)
        ]

    def _entrance(self, x: int, y: int, color: int, direction: int) -> Buffer:
        return self.channel(x, y, color).ports[direction]

    def _arriving_colors(
        self, x: int, y: int, color: int, entrance: int
    ) -> tuple[int, ...]:
        """The colors as which a wavelet is received: color swap (WSE-2).

        A pair differs in the lowest bit. The flag on one color makes it receive the
        other's wavelets too; on both, the two exchange.
        """
        own, other = (self._swaps(x, y, c, entrance) for c in (color, color ^ 1))
        received = () if own and other else (color,)
        return (*received, color ^ 1) if other else received

    def _swap_at_ramp(self, channel: Channel) -> None:
        """Color swap of what the CE itself sends: colors with both flags receive it."""
        x, y, color = channel.x, channel.y, channel.color
        received = self._arriving_colors(x, y, color, RAMP)
        if received != (color,):
            ports = tuple(self._entrance(x, y, c, RAMP) for c in received)
            alone = len(ports) == 1
            channel.ramp = ports[0] if alone else Fork(self._timeline, ports)

    def _swaps(self, x: int, y: int, color: int, entrance: int) -> bool:
        config = self._configs.get((x, y), {}).get(color)
        if config is None:
            return False
        if entrance == RAMP:
            return config.color_swap_x and config.color_swap_y
        horizontal = entrance in (EAST, WEST)
        return config.color_swap_x if horizontal else config.color_swap_y

    def _link(self, x: int, y: int, direction: int) -> Link:
        link = self._links.get((x, y, direction))
        if link is None:
            link = Link(self._timeline, self._costs.wavelet_millicycles)
            self._links[x, y, direction] = link
        return link
