"""Places in the source that run-time objects carry, so that faults can name them."""

from __future__ import annotations

from dataclasses import dataclass

from pyflame.wse.language.source import Span


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """Where generated code may fault.

    Args:
        name: what is accessed there, as the source calls it.
        size: elements of that, where a fault tells them.
    """

    span: Span
    name: str = ""
    size: int = 0


def short_place(span: Span) -> str:
    """`pe.csl:12`, or `<time>:3` in a library: enough for one line of text."""
    line, _ = span.line_column()
    path = span.source.path
    name = path if path.startswith("<") else path.rpartition("/")[2]
    return f"{name}:{line}"
