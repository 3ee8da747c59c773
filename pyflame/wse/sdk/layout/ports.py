"""Ports: where a color crosses an edge of a code region, one lane per PE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pyflame.wse.errors import HostError
from pyflame.wse.sdk.enums import Edge
from pyflame.wse.sdk.layout.colors import Color
from pyflame.wse.sdk.layout.routing import ACROSS, Position

Direction = Literal["input", "output"]


@dataclass(frozen=True, eq=False, slots=True)
class PortHandle:
    """A port of a code region.

    Args:
        places: (x, y) in the region of its PEs, in order: the lanes.
        positions: its routes, with the side across the edge filled in.
        data_size: wavelets over all lanes together.
    """

    name: str
    region: str
    color: Color
    edge: Edge
    direction: Direction
    places: tuple[tuple[int, int], ...]
    positions: tuple[Position, ...]
    data_size: int

    @property
    def across(self) -> str:
        """The direction from the port's PEs to the outside."""
        return ACROSS[self.edge].name


def edge_places(edge: Edge, width: int, height: int) -> tuple[tuple[int, int], ...]:
    """The PEs of an edge, from left to right or from top to bottom."""
    if edge is Edge.TOP:
        return tuple((x, 0) for x in range(width))
    if edge is Edge.BOTTOM:
        return tuple((x, height - 1) for x in range(width))
    x = 0 if edge is Edge.LEFT else width - 1
    return tuple((x, y) for y in range(height))


def across_edge(
    positions: Sequence[Position], edge: Edge, direction: Direction, name: str
) -> tuple[Position, ...]:
    """Routes with the side that a port fills in.

    Raises:
        HostError: the side is given already.
    """
    outside = (ACROSS[edge].name,)
    filled: list[Position] = []
    for position in positions:
        given = position.rx if direction == "input" else position.tx
        if given:
            raise HostError(
                f"port '{name}': routes of an {direction} port must have no "
                f"{direction}, got {', '.join(given)}; the port sets {outside[0]}"
            )
        if direction == "input":
            filled.append(Position(outside, position.tx))
        else:
            filled.append(Position(position.rx, outside))
    return tuple(filled)


def completed(
    port: Sequence[Position], painted: Sequence[Position]
) -> tuple[Position, ...]:
    """A port's routes; sides they leave open are those painted there before."""
    found: list[Position] = []
    for number, position in enumerate(port):
        below = painted[number] if number < len(painted) else Position()
        found.append(Position(position.rx or below.rx, position.tx or below.tx))
    return tuple(found)


def check_data_size(name: str, data_size: int, lanes: int) -> None:
    """Raises HostError unless the lanes share a positive number of wavelets."""
    if not isinstance(data_size, int) or data_size < 1:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise HostError(
            f"port '{name}': data_size must be a positive number, not {data_size!r}"
        )
    if data_size % lanes:
        raise HostError(
            f"port '{name}': data_size {data_size} is no multiple of its {lanes} PEs"
        )
