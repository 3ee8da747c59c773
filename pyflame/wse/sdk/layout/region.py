"""Code regions: rectangles of PEs that run one file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyflame.wse.errors import HostError
from pyflame.wse.language.source import Source
from pyflame.wse.sdk.enums import Edge
from pyflame.wse.sdk.layout.colors import Color, need_color
from pyflame.wse.sdk.layout.ports import (
    Direction,
    PortHandle,
    across_edge,
    check_data_size,
    edge_places,
)
from pyflame.wse.sdk.layout.routing import (
    EdgeRouteInfo,
    Position,
    RoutingPosition,
    need_edge,
    positions_of,
)
from pyflame.wse.sdk.layout.symbols import SymbolData, symbol_data
from pyflame.wse.sdk.layout.vectors import (
    IntRectangle,
    IntVector,
    need_rectangle,
    need_vector,
    rectangle,
)

Value = int | Color


@dataclass(frozen=True, slots=True)
class _Setting:
    area: IntRectangle
    param: str
    value: Value


@dataclass(frozen=True, slots=True)
class _Paint:
    places: tuple[tuple[int, int], ...]
    color: Color
    positions: tuple[Position, ...]


class CodeRegion:
    """A rectangle of PEs with one program; made by `SdkLayout.create_code_region`.

    Coordinates in its methods count from the region's upper left PE. What is set
    later replaces what was set before on the same PE. Until it is placed, a region
    stands at (0, 0).

    Args:
        params: the names of the params that its file declares.
    """

    def __init__(
        self, source: Source, params: set[str], name: str, width: int, height: int
    ) -> None:
        self.name = name
        self.width, self.height = width, height
        self.source = source
        self.origin = IntVector(0, 0)
        self.ports: list[PortHandle] = []
        self.symbols: dict[str, SymbolData] = {}
        self._declared = params
        self._settings: list[_Setting] = []
        self._paints: list[_Paint] = []

    def place(self, x: int, y: int) -> None:
        """Moves the region's upper left PE to a place of the layout.

        Raises:
            HostError: a negative coordinate.
        """
        if x < 0 or y < 0:
            raise HostError(
                f"code region '{self.name}' cannot be placed at ({x}, {y}): "
                "coordinates start at (0, 0)"
            )
        self.origin = IntVector(x, y)

    @property
    def area(self) -> IntRectangle:
        """The PEs it covers in the layout."""
        return rectangle(self.origin.x, self.origin.y, self.width, self.height)

    # --- params -------------------------------------------------------------------

    def set_param(
        self, coord: IntVector, param: str | Color, value: Value | None = None
    ) -> None:
        """Sets a param of one PE: (coord, name, int), (coord, name, color), or
        (coord, color) for the param that is called as the color.

        Raises:
            HostError: no such PE or param, or a value of another type.
        """
        place = need_vector(coord, "set_param: the coordinate")
        self._check_inside("set_param", place.x, place.y)
        area = rectangle(place.x, place.y, 1, 1)
        self._set("set_param", area, param, value)

    def set_param_range(
        self, rect: IntRectangle, param: str | Color, value: Value | None = None
    ) -> None:
        """Sets a param of the PEs of a rectangle, as `set_param` does."""
        area = self._inner(rect, "set_param_range")
        self._set("set_param_range", area, param, value)

    def set_param_all(self, param: str | Color, value: Value | None = None) -> None:
        """Sets a param of all PEs, as `set_param` does."""
        area = rectangle(0, 0, self.width, self.height)
        self._set("set_param_all", area, param, value)

    def _set(
        self, what: str, area: IntRectangle, param: str | Color, value: Value | None
    ) -> None:
        if isinstance(param, Color) and value is None:
            param, value = param.get_local_param_name(), param
        if not isinstance(param, str):
            raise HostError(
                f"{what}: a param's name is text, not {type(param).__name__}"
            )
        if param not in self._declared:
            known = ", ".join(sorted(self._declared)) or "none"
            raise HostError(
                f"{what}: '{self.source.path}' has no param '{param}'; its params: "
                f"{known}"
            )
        self._settings.append(_Setting(area, param, _value(what, param, value)))

    def params(self) -> dict[tuple[int, int], dict[str, Value]]:
        """The values of the params of every PE."""
        found: dict[tuple[int, int], dict[str, Value]] = {
            place: {} for place in rectangle(0, 0, self.width, self.height).places()
        }
        for setting in self._settings:
            for place in setting.area.places():
                found[place][setting.param] = setting.value
        return found

    # --- colors and routes --------------------------------------------------------

    def color(self, name: str, value: int | None = None) -> Color:
        """A color of this region: no other region's color of that name is the same."""
        return Color.of_region(self.name, name, value)

    def paint(
        self, coord: IntVector, color: Color, routes: Sequence[RoutingPosition]
    ) -> None:
        """Routes a color on one PE: the base route, then up to three switch positions.

        Raises:
            HostError: no such PE, or no list of RoutingPositions.
        """
        place = need_vector(coord, "paint: the coordinate")
        self._check_inside("paint", place.x, place.y)
        self._paint("paint", ((place.x, place.y),), color, routes)

    def paint_range(
        self, rect: IntRectangle, color: Color, routes: Sequence[RoutingPosition]
    ) -> None:
        """Routes a color on the PEs of a rectangle, as `paint` does."""
        area = self._inner(rect, "paint_range")
        self._paint("paint_range", tuple(area.places()), color, routes)

    def paint_all(
        self,
        color: Color,
        routes: Sequence[RoutingPosition],
        edge_routes: Sequence[EdgeRouteInfo] | EdgeRouteInfo = (),
    ) -> None:
        """Routes a color on all PEs; on the edges given as `edge_routes` says."""
        everywhere = rectangle(0, 0, self.width, self.height)
        self._paint("paint_all", tuple(everywhere.places()), color, routes)
        if isinstance(edge_routes, EdgeRouteInfo):
            edge_routes = [edge_routes]
        for info in edge_routes:
            if not isinstance(info, EdgeRouteInfo):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise HostError(
                    "paint_all: edge routes come from get_edge_routing(), not "
                    f"{type(info).__name__}"
                )
            places = edge_places(info.edge, self.width, self.height)
            self._paints.append(_Paint(places, color, info.positions))

    def _paint(
        self,
        what: str,
        places: tuple[tuple[int, int], ...],
        color: Color,
        routes: Sequence[RoutingPosition],
    ) -> None:
        positions = positions_of(routes, what)
        self._paints.append(_Paint(places, need_color(color, what), positions))

    def painted(self) -> dict[tuple[tuple[int, int], str], tuple[Position, ...]]:
        """Routes by place and global color name."""
        return {
            (place, paint.color.get_global_name()): paint.positions
            for paint in self._paints
            for place in paint.places
        }

    def colors(self) -> Iterator[Color]:
        """Every use of a color."""
        for setting in self._settings:
            if isinstance(setting.value, Color):
                yield setting.value
        yield from (paint.color for paint in self._paints)
        yield from (port.color for port in self.ports)

    # --- ports --------------------------------------------------------------------

    def create_input_port(
        self,
        color: Color,
        edge: Edge,
        routes: Sequence[RoutingPosition],
        data_size: int,
        prefix: str = "",
    ) -> PortHandle:
        """Takes wavelets in across an edge; its PEs are the port's lanes.

        Args:
            routes: without inputs, which the port sets; sides they leave open are
                those painted there.
            data_size: wavelets over all lanes together.
            prefix: goes into the port's name, to tell ports of one color apart.
        Raises:
            HostError: routes with an input, or sizes that do not fit.
        """
        return self._port("input", color, edge, routes, data_size, prefix)

    def create_output_port(
        self,
        color: Color,
        edge: Edge,
        routes: Sequence[RoutingPosition],
        data_size: int,
        prefix: str = "",
    ) -> PortHandle:
        """Gives wavelets out across an edge: `create_input_port` reversed."""
        return self._port("output", color, edge, routes, data_size, prefix)

    def _port(
        self,
        direction: Direction,
        color: Color,
        edge: Edge,
        routes: Sequence[RoutingPosition],
        data_size: int,
        prefix: str,
    ) -> PortHandle:
        what = f"create_{direction}_port"
        local = need_color(color, what).get_local_param_name()
        name = f"{self.name}{prefix}_{local}"
        if any(port.name == name for port in self.ports):
            raise HostError(
                f"port '{name}' exists already; give one of them a prefix of its own"
            )
        places = edge_places(need_edge(edge), self.width, self.height)
        positions = positions_of(routes, what)
        filled = across_edge(positions, edge, direction, name)
        check_data_size(name, data_size, len(places))
        port = PortHandle(
            name, self.name, color, edge, direction, places, filled, data_size
        )
        self.ports.append(port)
        return port

    # --- data ---------------------------------------------------------------------

    def set_symbol_all(
        self, name: str, data: NDArray[Any], width: int, height: int
    ) -> None:
        """Cuts a matrix [height, width] into blocks, the initial values of a symbol.

        PE (x, y) gets block column x and block row y, flattened row by row.

        Raises:
            HostError: another dtype, or a size that cannot be cut evenly.
        """
        self.symbols[name] = symbol_data(
            name, data, width, height, self.width, self.height
        )

    # --- checks -------------------------------------------------------------------

    def _inner(self, rect: IntRectangle, what: str) -> IntRectangle:
        area = need_rectangle(rect, f"{what}: the range")
        if area.width < 1 or area.height < 1:
            raise HostError(
                f"{what}: the rectangle from ({area.a.x}, {area.a.y}) to before "
                f"({area.b.x}, {area.b.y}) is empty; the second corner is exclusive"
            )
        self._check_inside(what, area.a.x, area.a.y)
        self._check_inside(what, area.b.x - 1, area.b.y - 1)
        return area

    def _check_inside(self, what: str, x: int, y: int) -> None:
        if not (0 <= x < self.width and 0 <= y < self.height):
            raise HostError(
                f"{what}: PE({x},{y}) is outside code region '{self.name}' of "
                f"{self.width} x {self.height} PEs"
            )


def _value(what: str, param: str, value: object) -> Value:
    if isinstance(value, Color):
        return value
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return int(value)  # pyright: ignore[reportUnknownArgumentType]
    raise HostError(
        f"{what}: param '{param}' takes an int or a Color, not {type(value).__name__}"
    )
