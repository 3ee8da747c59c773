"""Programs whose layout was built elsewhere: code, params and routes place by place.

The counterpart of a layout block. Everything from a PE's file on is compiled by the
same front end.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pyflame.wse.errors import CslError
from pyflame.wse.language import code, types
from pyflame.wse.language.compile import build_image, deep_recursion, parsed
from pyflame.wse.language.image import ColorConfig, Image, Options, Wiring
from pyflame.wse.language.layout import LayoutRecord, TileCode, tile_key
from pyflame.wse.language.reader import Reader
from pyflame.wse.language.source import Source, Span


@dataclass(frozen=True, slots=True)
class PlacedCode:
    """A file with values for its params, on each of `places` (x, y)."""

    file: str
    params: dict[str, int] = field(hash=False)
    colors: dict[str, int] = field(hash=False)
    places: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Placement:
    """A whole layout. PEs that no `code` names stay empty, without color configs."""

    width: int
    height: int
    code: tuple[PlacedCode, ...]
    color_configs: dict[tuple[int, int], dict[int, ColorConfig]] = field(hash=False)
    wiring: Wiring = field(default_factory=Wiring)


def compile_placement(placement: Placement, options: Options, reader: Reader) -> Image:
    """Compiles a layout that is given as data.

    Raises:
        CslError: a program breaks a rule of the language.
    """
    with deep_recursion():
        try:
            return _compile(placement, options, reader)
        except RecursionError:
            raise CslError("the program is nested too deeply to be compiled") from None


def _compile(placement: Placement, options: Options, reader: Reader) -> Image:
    record = LayoutRecord()
    spans: dict[tuple[int, int], Span] = {}
    for placed in placement.code:
        source = reader.read(placed.file)
        start = Span(source, 0, 0)
        if record.size is None:
            record.set_size(placement.width, placement.height, start)
        tile = _tile(placed, source, start)
        for x, y in placed.places:
            record.add_tile(x, y, tile)
            spans[x, y] = start
    for (x, y), colors in placement.color_configs.items():
        for color, config in colors.items():
            record.add_color(x, y, color, config, spans[x, y])
    image = build_image(record, options, reader, {}, [])
    image.wiring = placement.wiring
    return image


def _tile(placed: PlacedCode, source: Source, span: Span) -> TileCode:
    """The values of params have no text: errors point at the declarations."""
    given: dict[str, code.Constant] = {}
    spans = {g.name: g.span for g in parsed(source).globals}
    for values, type_ in (
        (placed.params, types.COMPTIME_INT),
        (placed.colors, types.COLOR),
    ):
        for name, value in values.items():
            given[name] = code.Constant(type_, spans.get(name, span), value)
    return TileCode(None, source, given, span, tile_key(source.path, given))
