"""Routes as layouts in Python write them: lists of switch positions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pyflame.wse.errors import HostError
from pyflame.wse.language.image import ColorConfig, Switches, SwitchPosition
from pyflame.wse.machine.limits import MAX_SWITCH_POSITION
from pyflame.wse.sdk.enums import Edge, Route

# what lies across each edge of a region
ACROSS = {
    Edge.TOP: Route.NORTH,
    Edge.BOTTOM: Route.SOUTH,
    Edge.LEFT: Route.WEST,
    Edge.RIGHT: Route.EAST,
}


class RoutingPosition:
    """Where a color comes from and where it goes, in one switch position."""

    def __init__(self) -> None:
        self._input: list[Route] = []
        self._output: list[Route] = []

    def set_input(self, routes: Iterable[Route]) -> RoutingPosition:
        """Replaces the directions that wavelets are taken from."""
        self._input = _routes(routes, "set_input")
        return self

    def set_output(self, routes: Iterable[Route]) -> RoutingPosition:
        """Replaces the directions that wavelets are sent to."""
        self._output = _routes(routes, "set_output")
        return self

    def add_input(self, route: Route) -> RoutingPosition:
        return self.set_input([*self._input, route])

    def add_output(self, route: Route) -> RoutingPosition:
        return self.set_output([*self._output, route])

    def get_input(self) -> list[Route]:
        return list(self._input)

    def get_output(self) -> list[Route]:
        return list(self._output)


def _routes(routes: Iterable[Route], what: str) -> list[Route]:
    found = list(routes) if isinstance(routes, (list, tuple, set)) else [routes]
    for route in found:
        if not isinstance(route, Route):
            raise HostError(
                f"{what} takes a list of Route members, not {type(route).__name__}"
            )
    if len(set(found)) != len(found):
        names = ", ".join(route.name for route in found if isinstance(route, Route))
        raise HostError(f"{what}: a direction occurs twice: {names}")
    return [route for route in found if isinstance(route, Route)]


@dataclass(frozen=True, slots=True)
class Position:
    """A RoutingPosition as it was when it was used; () is a side left open."""

    rx: tuple[str, ...] = ()
    tx: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EdgeRouteInfo:
    """Routes that replace those of a whole region on one edge."""

    edge: Edge
    positions: tuple[Position, ...]


def get_edge_routing(edge: Edge, routes: Sequence[RoutingPosition]) -> EdgeRouteInfo:
    """Routes for the PEs of an edge, for `paint_all`."""
    return EdgeRouteInfo(need_edge(edge), positions_of(routes, "get_edge_routing"))


def need_edge(edge: object) -> Edge:
    """Raises HostError unless a value is a member of Edge."""
    if not isinstance(edge, Edge):
        raise HostError(f"{edge!r} is no Edge: TOP, BOTTOM, LEFT or RIGHT")
    return edge


def positions_of(routes: Sequence[RoutingPosition], what: str) -> tuple[Position, ...]:
    """A list of one to four RoutingPositions: the base route, then the switch's.

    Raises:
        HostError: anything else.
    """
    listed = list(routes) if isinstance(routes, (list, tuple)) else [routes]
    for route in listed:
        if not isinstance(route, RoutingPosition):
            raise HostError(
                f"{what}: routes must be a list of RoutingPosition, "
                f"not of {type(route).__name__}"
            )
    if not 1 <= len(listed) <= MAX_SWITCH_POSITION + 1:
        raise HostError(
            f"{what}: a color has 1 to {MAX_SWITCH_POSITION + 1} routing positions, "
            f"{len(listed)} were given"
        )
    return tuple(_position(r) for r in listed if isinstance(r, RoutingPosition))


def _position(route: RoutingPosition) -> Position:
    return Position(
        tuple(r.name for r in route.get_input()),
        tuple(r.name for r in route.get_output()),
    )


def color_config(positions: Sequence[Position], arch: str, where: str) -> ColorConfig:
    """The router configuration of a list of positions.

    Args:
        where: "color 'c' on PE(0,0) of code region 'r'", for messages.
    Raises:
        HostError: the base route is open, or a position that the hardware lacks.
    """
    base = positions[0]
    if not base.rx or not base.tx:
        side = "output" if base.rx else "input"
        raise HostError(f"{where} has no {side}: set_{side}([...]) of its route")
    if len(positions) == 1:
        return ColorConfig(base.rx, base.tx)
    steps: list[SwitchPosition] = []
    before = base
    for number, position in enumerate(positions[1:], 1):
        after = Position(position.rx or before.rx, position.tx or before.tx)
        steps.append(_step(before, after, arch, f"position {number} of {where}"))
        before = after
    steps += [SwitchPosition()] * (MAX_SWITCH_POSITION - len(steps))
    return ColorConfig(base.rx, base.tx, Switches((steps[0], steps[1], steps[2])))


def _step(before: Position, after: Position, arch: str, what: str) -> SwitchPosition:
    rx = None if set(after.rx) == set(before.rx) else after.rx
    tx = None if set(after.tx) == set(before.tx) else after.tx
    if rx is not None and tx is not None and arch == "wse2":
        raise HostError(
            f"{what} changes both sides of the route; a switch position of wse2 "
            "changes one side"
        )
    return SwitchPosition(rx, tx, valid=True)
