"""Placements as JSON: what a program folder holds for a layout built in Python."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, cast

from pyflame.wse.language.image import (
    DIRECTIONS,
    ColorConfig,
    HostPort,
    InitialData,
    Pipe,
    RouterSide,
    Switches,
    SwitchPosition,
    Wiring,
)
from pyflame.wse.language.layout import MAX_SIDE
from pyflame.wse.language.placement import PlacedCode, Placement
from pyflame.wse.machine.limits import ROUTABLE_COLORS

Json = dict[str, Any]


def placement_table(placement: Placement) -> Json:
    """A JSON object for `placement_of`."""
    wiring = placement.wiring
    return {
        "width": placement.width,
        "height": placement.height,
        "code": [asdict(code) for code in placement.code],
        "color_configs": [
            [x, y, color, _config_table(config)]
            for (x, y), colors in placement.color_configs.items()
            for color, config in colors.items()
        ],
        "pipes": [asdict(pipe) for pipe in wiring.pipes],
        "host_ports": [asdict(port) for port in wiring.host_ports],
        "initial_data": [
            [item.x, item.y, item.symbol, item.data.hex()]
            for item in wiring.initial_data
        ],
    }


def _config_table(config: ColorConfig) -> Json:
    positions = config.switches.positions if config.switches else ()
    return {
        "rx": config.rx,
        "tx": config.tx,
        "positions": [asdict(p) for p in positions if p.valid],
    }


# --- reading ------------------------------------------------------------------------


def placement_of(table: Json) -> Placement:
    """The placement of a JSON object.

    Raises:
        ValueError: it holds something else; the text says what.
    """
    width = _number(table, "width", 1, MAX_SIDE)
    height = _number(table, "height", 1, MAX_SIDE)
    reader = _PlacementReader(width, height)
    code = tuple(reader.code(entry) for entry in _list(table, "code"))
    if not code:
        raise ValueError("it has no code")
    configs: dict[tuple[int, int], dict[int, ColorConfig]] = {}
    for x, y, color, config in map(_four, _list(table, "color_configs")):
        place = reader.covered(x, y)
        found = _config(_object(config))
        configs.setdefault(place, {})[_color(color)] = found
    ports = tuple(reader.port(entry) for entry in _list(table, "host_ports"))
    if len({port.name for port in ports}) != len(ports):
        raise ValueError("two host ports have one name")
    wiring = Wiring(
        tuple(reader.pipe(entry) for entry in _list(table, "pipes")),
        ports,
        tuple(reader.data(entry) for entry in _list(table, "initial_data")),
    )
    return Placement(width, height, code, configs, wiring)


class _PlacementReader:
    """Checks against the places that have code, which come first."""

    def __init__(self, width: int, height: int) -> None:
        self._width, self._height = width, height
        self._covered: set[tuple[int, int]] = set()

    def covered(self, x: Any, y: Any) -> tuple[int, int]:
        if not isinstance(x, int) or not isinstance(y, int):
            raise ValueError(f"({x!r}, {y!r}) is no place")
        if (x, y) not in self._covered:
            raise ValueError(f"PE({x},{y}) has no code")
        return x, y

    def code(self, entry: Any) -> PlacedCode:
        table = _object(entry)
        places = tuple(self._place(place) for place in _list(table, "places"))
        return PlacedCode(
            _text(table, "file"),
            _ints(table, "params"),
            {n: _color(v) for n, v in _ints(table, "colors").items()},
            places,
        )

    def _place(self, place: Any) -> tuple[int, int]:
        pair = _items(place)
        if len(pair) != 2:
            raise ValueError(f"{place!r} is no place")
        x = _in_range(pair[0], 0, self._width - 1, "a column")
        y = _in_range(pair[1], 0, self._height - 1, "a row")
        self._covered.add((x, y))
        return x, y

    def pipe(self, entry: Any) -> Pipe:
        table = _object(entry)
        return Pipe(self._side(table.get("source")), self._side(table.get("target")))

    def port(self, entry: Any) -> HostPort:
        table = _object(entry)
        direction = _text(table, "direction")
        if direction not in ("in", "out"):
            raise ValueError(f"a host port cannot go {direction!r}")
        return HostPort(
            _text(table, "name"),
            direction,
            self._side(table.get("side")),
            _number(table, "buffer_wavelets", 1, 1 << 31),
            _number(table, "hops", 1, 2 * MAX_SIDE),
        )

    def data(self, entry: Any) -> InitialData:
        x, y, symbol, text = _four(entry)
        place = self.covered(x, y)
        if not isinstance(symbol, str) or not isinstance(text, str):
            raise ValueError("initial data is damaged")
        return InitialData(*place, symbol, bytes.fromhex(text))

    def _side(self, entry: Any) -> RouterSide:
        table = _object(entry)
        place = self.covered(table.get("x"), table.get("y"))
        (direction,) = _directions([table.get("direction")])
        return RouterSide(*place, _color(table.get("color")), direction)


def _config(table: Json) -> ColorConfig:
    rx, tx = (_directions(table.get(side)) for side in ("rx", "tx"))
    steps = [_step(_object(entry)) for entry in _list(table, "positions")]
    if len(steps) > 3:
        raise ValueError(f"a switch has 3 further positions, not {len(steps)}")
    if not steps:
        return ColorConfig(rx, tx)
    first, second, third = (*steps, *[SwitchPosition()] * (3 - len(steps)))
    return ColorConfig(rx, tx, Switches((first, second, third)))


def _step(table: Json) -> SwitchPosition:
    rx, tx = (
        None if table.get(side) is None else _directions(table.get(side))
        for side in ("rx", "tx")
    )
    return SwitchPosition(rx, tx, valid=True)


def _directions(value: Any) -> tuple[str, ...]:
    found = tuple(_items(value))
    for direction in found:
        if direction not in DIRECTIONS:
            raise ValueError(f"{direction!r} is no direction")
    return found


def _color(value: Any) -> int:
    return _in_range(value, 0, ROUTABLE_COLORS - 1, "a color")


def _number(table: Json, name: str, low: int, high: int) -> int:
    return _in_range(table.get(name), low, high, f"'{name}'")


def _in_range(value: Any, low: int, high: int, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{what} cannot be {value!r}")
    if not low <= value <= high:
        raise ValueError(f"{what} cannot be {value}")
    return value


def _text(table: Json, name: str) -> str:
    value = table.get(name)
    if not isinstance(value, str):
        raise ValueError(f"'{name}' is no text")
    return value


def _ints(table: Json, name: str) -> dict[str, int]:
    found = _object(table.get(name))
    return {n: _in_range(v, -(1 << 63), 1 << 63, f"'{n}'") for n, v in found.items()}


def _object(value: Any) -> Json:
    if not isinstance(value, dict):
        raise ValueError(f"{value!r} is no object")
    return cast("Json", value)


def _list(table: Json, name: str) -> list[Any]:
    return _items(table.get(name))


def _items(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{value!r} is no list")
    return cast("list[Any]", value)


def _four(value: Any) -> list[Any]:
    items = _items(value)
    if len(items) != 4:
        raise ValueError(f"{value!r} has not four parts")
    return items
