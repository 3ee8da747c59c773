"""Elements of HTML and SVG as text that parses as either; everything else is escaped.

Colors are `currentColor` or mid-tones with opacity, so that a page may be light or
dark; nothing is styled but by the elements' own attributes.
"""

from __future__ import annotations

import html
import unicodedata
from typing import Any

BLUE = "#3b82f6"
AMBER = "#d97706"
GREEN = "#059669"
PURPLE = "#a855f7"
RED = "#dc2626"
INK = "currentColor"

MONOSPACE = "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace"
_CHARACTER_EM = 0.61  # the widest of the usual monospaced fonts, rounded up


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


def element(name: str, *children: str | None, **attributes: Any) -> Markup:
    """`<name attributes>children</name>`; what is no Markup is escaped.

    `fill_opacity` stands for `fill-opacity`, `class_` for `class`; None is left out.
    """
    pairs = [
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for key, value in attributes.items()
        if value is not None
    ]
    inside = "".join(escape(child) for child in children if child is not None)
    return Markup(f"<{name}{''.join(pairs)}>{inside}</{name}>")


def escape(text: str) -> Markup:
    """Text as markup: `<` as `&lt;`, characters that are invisible or may not stand in
    XML as a mark of what they replace."""
    if isinstance(text, Markup):
        return text
    return Markup(html.escape("".join(map(_visible, text))))


def number(value: float) -> str:
    """A length with two decimals at most."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def text_width(text: str, size: float) -> float:
    """At most how wide a monospaced text is, in the unit of its font size."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return (len(text) + wide) * size * _CHARACTER_EM


def _value(value: Any) -> str:
    if isinstance(value, float):
        return number(value)
    return escape(str(value))


def _visible(character: str) -> str:
    if character.isprintable() or character == "\n":
        return character
    return " " if character == "\t" else "\N{REPLACEMENT CHARACTER}"
