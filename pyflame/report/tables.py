"""Pieces of HTML that several reports are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pyflame.report.markup import MONOSPACE, Markup, element

_LINE = "1px solid rgba(127,127,127,.35)"


def block(*parts: str) -> str:
    """The report itself: one element around its parts."""
    return element("div", *parts, style="line-height:1.5")


def heading(what: str, *facts: str) -> Markup:
    """`what` in bold, then facts about it, with dots between them."""
    parts = [element("b", what)]
    for fact in facts:
        parts += [Markup(" · "), element("span", fact)]
    style = f"font-family:{MONOSPACE};font-size:13px"
    return element("div", *parts, style=style)


def note(text: str) -> Markup:
    """A line in the background."""
    return element("div", text, style="opacity:.7;font-size:12px")


def preformatted(text: str) -> Markup:
    """Text as it is, line by line."""
    style = (
        f"font-family:{MONOSPACE};font-size:12px;margin:4px 0;background:none;"
        "overflow-x:auto"
    )
    return element("pre", text, style=style)


def table(
    rows: Iterable[Sequence[str]],
    header: Sequence[str] = (),
    left: Sequence[int] = (),
) -> Markup:
    """A table of texts; the columns in `left` start at the left, others end right."""
    parts: list[Markup] = []
    if header:
        cells = [_cell("th", text, i in left) for i, text in enumerate(header)]
        parts.append(element("thead", element("tr", *cells)))
    lines = [
        element("tr", *(_cell("td", text, i in left) for i, text in enumerate(row)))
        for row in rows
    ]
    parts.append(element("tbody", *lines))
    style = (
        f"border-collapse:collapse;font-family:{MONOSPACE};font-size:12px;margin:4px 0"
    )
    return element("table", *parts, style=style)


def folded(summary: str, *parts: str) -> Markup:
    """Parts that a click shows."""
    return element("details", element("summary", summary), *parts)


def side_by_side(*parts: str) -> Markup:
    """Parts beside each other, where there is room."""
    boxes = [element("div", part) for part in parts]
    style = "display:flex;flex-wrap:wrap;gap:16px;align-items:flex-start"
    return element("div", *boxes, style=style)


def _cell(kind: str, text: str, left: bool) -> Markup:
    align = "left" if left else "right"
    style = f"padding:1px 8px;text-align:{align};border-bottom:{_LINE};background:none"
    return element(kind, text, style=style)
