"""What evaluating a layout block records: tiles, routes, exported names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pyflame.wse.language import code, types
from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.image import ColorConfig, ExportedName
from pyflame.wse.language.keys import constant_key
from pyflame.wse.language.source import Source, Span

# no wafer has more processing elements in a row or column
MAX_SIDE = 2000


@dataclass(frozen=True, slots=True)
class TileCode:
    """The program of one PE; `file` None means the layout's own file.

    `key` is equal for PEs that share a program.
    """

    file: str | None
    importer: Source
    given: dict[str, code.Constant]
    span: Span
    key: Any


@dataclass(eq=False, slots=True)
class LayoutRecord:
    size: tuple[int, int] | None = None
    size_span: Span | None = None
    tiles: dict[tuple[int, int], TileCode] = field(
        default_factory=dict[tuple[int, int], TileCode]
    )
    colors: dict[tuple[int, int], dict[int, ColorConfig]] = field(
        default_factory=dict[tuple[int, int], dict[int, ColorConfig]]
    )
    color_spans: dict[tuple[int, int, int], Span] = field(
        default_factory=dict[tuple[int, int, int], Span]
    )
    exports: list[ExportedName] = field(default_factory=list[ExportedName])
    host_streams: dict[int, str] = field(default_factory=dict[int, str])

    def set_size(self, width: int, height: int, span: Span) -> None:
        """Raises CslError for a second rectangle or a side out of range."""
        if self.size is not None:
            fail(
                "'@set_rectangle' is called twice",
                span,
                note="first called here",
                note_span=self.size_span,
            )
        for side, value in (("width", width), ("height", height)):
            if not 1 <= value <= MAX_SIDE:
                fail(f"{side} {value} is out of range (1 to {MAX_SIDE})", span)
        self.size, self.size_span = (width, height), span

    def need_size(self, what: str, span: Span) -> tuple[int, int]:
        if self.size is None:
            fail(f"'{what}' comes before '@set_rectangle'", span)
        return self.size

    def check_inside(self, what: str, x: int, y: int, span: Span) -> None:
        """Raises CslError for coordinates outside of the rectangle."""
        width, height = self.need_size(what, span)
        if not (0 <= x < width and 0 <= y < height):
            fail(
                f"PE({x}, {y}) is outside of the {width} x {height} rectangle",
                span,
                note="the rectangle",
                note_span=self.size_span,
            )

    def add_tile(self, x: int, y: int, tile: TileCode) -> None:
        """Raises CslError if the PE has code already."""
        self.check_inside("@set_tile_code", x, y, tile.span)
        earlier = self.tiles.get((x, y))
        if earlier is not None:
            fail(
                f"the code of PE({x}, {y}) is set twice",
                tile.span,
                note="first set here",
                note_span=earlier.span,
            )
        self.tiles[x, y] = tile

    def add_color(
        self, x: int, y: int, color: int, config: ColorConfig, span: Span
    ) -> None:
        """Raises CslError if the color is configured on that PE already."""
        earlier = self.color_spans.get((x, y, color))
        if earlier is not None:
            fail(
                f"color {color} of PE({x}, {y}) is configured twice",
                span,
                note="first configured here",
                note_span=earlier,
            )
        self.color_spans[x, y, color] = span
        self.colors.setdefault((x, y), {})[color] = config

    def add_export(self, exported: ExportedName, span: Span) -> None:
        """Raises CslError if the name is exported already."""
        if any(e.name == exported.name for e in self.exports):
            fail(f"'{exported.name}' is exported twice", span)
        self.exports.append(exported)

    def check_complete(self, span: Span) -> None:
        """Raises CslError unless every PE of the rectangle has code."""
        if self.size is None:
            fail(
                "the layout block never calls '@set_rectangle'",
                span,
                help="begin it with @set_rectangle(width, height);",
            )
        width, height = self.size
        for y in range(height):
            for x in range(width):
                if (x, y) not in self.tiles:
                    fail(
                        f"PE({x}, {y}) of the {width} x {height} rectangle has no code",
                        span,
                        help="call @set_tile_code for every PE of the rectangle",
                    )


def tile_key(file: str, given: dict[str, code.Constant]) -> Any:
    """Equal for tiles that can share one program."""
    return (file, tuple((n, constant_key(given[n])) for n in sorted(given)))


def check_export_type(type_: types.Type, mutable: bool | None, span: Span) -> None:
    """The rules of `@export_name`.

    Raises:
        CslError: a type the host cannot see, or `mutable` missing or superfluous.
    """
    if isinstance(type_, types.Function):
        if len(type_.params) > 15:
            fail("an exported function takes at most 15 parameters", span)
        return
    if mutable is None:
        fail(
            "'@export_name' of a variable needs a third argument, 'mutable'",
            span,
            help='write @export_name("name", T, true)',
        )
    if type_.comptime_only or isinstance(
        type_, (types.Struct, types.Array, types.Enum)
    ):
        array = isinstance(type_, types.Array)
        fail(
            f"type '{type_}' cannot be exported to the host",
            span,
            help=f"export a pointer: [*]{type_.element}" if array else "",  # pyright: ignore
        )
