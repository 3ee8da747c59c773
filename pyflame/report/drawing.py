"""A drawing: SVG with a size, shown in a notebook or kept as a file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pyflame.report.markup import INK, MONOSPACE, Markup, element, number

_DARK = Markup("@media (prefers-color-scheme: dark) { svg { color: #d4d4d8 } }")


@dataclass(frozen=True)
class Drawing:
    """Shapes inside a rectangle from (0, 0) to (width, height), in pixels.

    `title` says in words what is to be seen.
    """

    title: str
    width: float
    height: float
    shapes: tuple[Markup, ...]

    def inline(self) -> Markup:
        """An element for a page, in the page's own text color."""
        return self._svg(self.shapes, style="max-width:100%;height:auto")

    def moved(self, x: float, y: float) -> Markup:
        """The shapes as a part of a larger drawing."""
        place = f"translate({number(x)} {number(y)})"
        return element("g", *self.shapes, transform=place)

    def svg(self) -> str:
        """The text of an SVG file; dark where its viewer is."""
        return self._svg([element("style", _DARK), *self.shapes])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes an SVG file.

        Raises: OSError, if the file cannot be written.
        """
        Path(path).write_text(self.svg() + "\n", encoding="utf-8")

    def _repr_html_(self) -> str:
        return self.inline()

    def _svg(self, shapes: Sequence[Markup], style: str | None = None) -> Markup:
        return element(
            "svg",
            element("title", self.title),
            *shapes,
            xmlns="http://www.w3.org/2000/svg",
            viewBox=f"0 0 {number(self.width)} {number(self.height)}",
            width=self.width,
            height=self.height,
            role="img",
            fill=INK,
            font_family=MONOSPACE,
            font_size=12,
            style=style,
        )


def rectangle(
    x: float,
    y: float,
    width: float,
    height: float,
    color: str,
    *,
    fill: float = 0.0,
    line: float = 0.0,
    class_: str | None = None,
    dashed: bool = False,
    radius: float = 3.0,
) -> Markup:
    """A rectangle of one color; `fill` and `line` are opacities, 0 for none."""
    return element(
        "rect",
        x=float(x),
        y=float(y),
        width=float(width),
        height=float(height),
        rx=radius or None,
        class_=class_,
        fill=color if fill else "none",
        fill_opacity=round(fill, 3) if fill else None,
        stroke=color if line else None,
        stroke_opacity=round(line, 3) if line else None,
        stroke_dasharray="3 3" if dashed else None,
    )


def label(
    text: str,
    x: float,
    y: float,
    *,
    size: float = 12,
    anchor: str = "middle",
    opacity: float = 1.0,
    bold: bool = False,
) -> Markup:
    """A line of text whose base line is at `y`."""
    return element(
        "text",
        text,
        x=float(x),
        y=float(y),
        font_size=size if size != 12 else None,
        text_anchor=anchor if anchor != "start" else None,
        fill_opacity=opacity if opacity != 1 else None,
        font_weight="bold" if bold else None,
    )
