"""From code regions to a placement: numbers for colors, a configuration per router."""

from __future__ import annotations

from collections.abc import Sequence

from pyflame.wse.errors import HostError
from pyflame.wse.language.image import (
    ColorConfig,
    HostPort,
    InitialData,
    Pipe,
    RouterSide,
    Wiring,
)
from pyflame.wse.language.placement import PlacedCode, Placement
from pyflame.wse.sdk.layout.colors import Color, allocate
from pyflame.wse.sdk.layout.ports import PortHandle, completed
from pyflame.wse.sdk.layout.region import CodeRegion, Value
from pyflame.wse.sdk.layout.routing import Position, color_config
from pyflame.wse.sdk.layout.streams import Links, Stream
from pyflame.wse.sdk.layout.vectors import rectangle

# columns and rows of a wafer
FABRIC = {"wse2": (757, 996), "wse3": (762, 1172)}

Place = tuple[int, int]
Routes = dict[tuple[Place, str], tuple[Position, ...]]
_Key = tuple[tuple[tuple[str, int], ...], tuple[tuple[str, int], ...]]


class Builder:
    """The placement of a list of regions on one architecture.

    Raises:
        HostError: regions overlap or leave the wafer, routes contradict each other
            or the hardware, or there are too many colors.
    """

    def __init__(self, regions: Sequence[CodeRegion], links: Links, arch: str) -> None:
        _check_places(regions, arch)
        self._regions = {region.name: region for region in regions}
        self._links = links
        self._arch = arch
        self._routes = {region.name: _routes(region) for region in regions}
        self._numbers = self._allocate()

    def placement(self) -> Placement:
        regions = self._regions.values()
        return Placement(
            width=max(region.area.b.x for region in regions),
            height=max(region.area.b.y for region in regions),
            code=tuple(code for region in regions for code in self._code(region)),
            color_configs=self._color_configs(),
            wiring=self._wiring(),
        )

    def colors(self) -> dict[str, int]:
        """The number of every color by its global name."""
        return dict(self._numbers)

    def _allocate(self) -> dict[str, int]:
        regions = list(self._regions.values())
        switched = {
            name
            for routes in self._routes.values()
            for (_, name), positions in routes.items()
            if len(positions) > 1
        }
        colors = [color for region in regions for color in region.colors()]
        return allocate(colors, _clashes(regions), switched, self._arch)

    def _number(self, color: Color) -> int:
        return self._numbers[color.get_global_name()]

    # --- code ---------------------------------------------------------------------

    def _code(self, region: CodeRegion) -> list[PlacedCode]:
        """One entry per different set of params."""
        groups: dict[_Key, list[Place]] = {}
        for place, params in region.params().items():
            groups.setdefault(self._key(params), []).append(_absolute(region, place))
        path = region.source.path
        return [
            PlacedCode(path, dict(ints), dict(colors), tuple(places))
            for (ints, colors), places in groups.items()
        ]

    def _key(self, params: dict[str, Value]) -> _Key:
        """The values of a PE's params, integers and colors apart."""
        ints = [(n, v) for n, v in params.items() if isinstance(v, int)]
        colors = [
            (n, self._number(v)) for n, v in params.items() if isinstance(v, Color)
        ]
        return tuple(sorted(ints)), tuple(sorted(colors))

    # --- routes -------------------------------------------------------------------

    def _color_configs(self) -> dict[Place, dict[int, ColorConfig]]:
        configs: dict[Place, dict[int, ColorConfig]] = {}
        for region in self._regions.values():
            for (place, name), positions in self._routes[region.name].items():
                at = _absolute(region, place)
                where = _where(region, place, name)
                config = color_config(positions, self._arch, where)
                self._add(configs.setdefault(at, {}), name, config, where)
        return configs

    def _add(
        self,
        configs: dict[int, ColorConfig],
        name: str,
        config: ColorConfig,
        where: str,
    ) -> None:
        number = self._numbers[name]
        if number in configs:
            raise HostError(
                f"{where} has the value {number}, which another color has there too"
            )
        configs[number] = config

    # --- wiring -------------------------------------------------------------------

    def _wiring(self) -> Wiring:
        pipes = [
            Pipe(source, target)
            for tx, rx in self._links.connections
            for source, target in zip(self._sides(tx), self._sides(rx), strict=True)
        ]
        ports = [self._host_port(stream) for stream in self._links.streams]
        return Wiring(tuple(pipes), tuple(ports), self._initial_data())

    def _sides(self, port: PortHandle) -> list[RouterSide]:
        region = self._regions[port.region]
        number = self._number(port.color)
        return [
            RouterSide(*_absolute(region, place), number, port.across)
            for place in port.places
        ]

    def _host_port(self, stream: Stream) -> HostPort:
        (side,) = self._sides(stream.port)
        at, hops = stream.io_place, 1
        if at is not None:
            hops = max(1, abs(at.x - side.x) + abs(at.y - side.y))
        direction = "in" if stream.port.direction == "input" else "out"
        return HostPort(stream.port.name, direction, side, stream.buffer_wavelets, hops)

    def _initial_data(self) -> tuple[InitialData, ...]:
        return tuple(
            InitialData(*_absolute(region, (x, y)), data.name, data.block(x, y))
            for region in self._regions.values()
            for data in region.symbols.values()
            for x, y in rectangle(0, 0, region.width, region.height).places()
        )


def _absolute(region: CodeRegion, place: Place) -> Place:
    return region.origin.x + place[0], region.origin.y + place[1]


def _where(region: CodeRegion, place: Place, name: str) -> str:
    x, y = place
    return f"color '{name}' on PE({x},{y}) of code region '{region.name}'"


def _routes(region: CodeRegion) -> Routes:
    """What is painted, with the ports' routes on the edges."""
    routes = region.painted()
    owners: dict[tuple[Place, str], str] = {}
    for port in region.ports:
        name = port.color.get_global_name()
        for place in port.places:
            key = (place, name)
            if key in owners:
                raise HostError(
                    f"{_where(region, place, name)} belongs to two ports, "
                    f"'{owners[key]}' and '{port.name}'"
                )
            owners[key] = port.name
            routes[key] = completed(port.positions, routes.get(key, ()))
    return routes


def _clashes(regions: Sequence[CodeRegion]) -> dict[str, set[str]]:
    """For each color those that occur in the same region or a neighbouring one."""
    # dictionaries and not sets: the numbers follow the order of first use
    names = {
        region: dict.fromkeys(color.get_global_name() for color in region.colors())
        for region in regions
    }
    clashes: dict[str, set[str]] = {}
    for region, mine in names.items():
        met = {n for other in regions if _near(region, other) for n in names[other]}
        for name in mine:
            clashes.setdefault(name, set()).update(met - {name})
    return clashes


def _near(first: CodeRegion, second: CodeRegion) -> bool:
    """Whether a wavelet can step from one region into the other, or they are one."""
    at = first.area
    grown = rectangle(at.a.x - 1, at.a.y - 1, at.width + 2, at.height + 2)
    return grown.overlap(second.area) is not None


def _check_places(regions: Sequence[CodeRegion], arch: str) -> None:
    width, height = FABRIC[arch]
    for number, region in enumerate(regions):
        area = region.area
        if area.b.x > width or area.b.y > height:
            raise HostError(
                f"code region '{region.name}' of {region.width} x {region.height} PEs "
                f"at ({area.a.x}, {area.a.y}) leaves the {width} x {height} PEs of "
                f"{arch}"
            )
        for other in regions[:number]:
            _check_apart(other, region)


def _check_apart(first: CodeRegion, second: CodeRegion) -> None:
    common = first.area.overlap(second.area)
    if common is not None:
        raise HostError(
            f"code regions '{first.name}' and '{second.name}' overlap at "
            f"PE({common[0]},{common[1]}); place() them apart"
        )
