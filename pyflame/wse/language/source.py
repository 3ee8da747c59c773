"""Source text and places in it. Text travels as a span; only a span draws carets."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True, eq=False)
class Source:
    """One file of CSL text.

    Args:
        path: the name shown in diagnostics and used to resolve relative imports.
        text: the whole file.
        library: True for files that ship with the simulator; only these may use
            the private `@__...` builtins.
    """

    path: str
    text: str = field(repr=False)
    library: bool = False

    @cached_property
    def line_starts(self) -> list[int]:
        starts = [0]
        starts.extend(i + 1 for i, c in enumerate(self.text) if c == "\n")
        return starts

    def line_column(self, offset: int) -> tuple[int, int]:
        """One-based line and column of a character offset."""
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    def line_text(self, line: int) -> str:
        start = self.line_starts[line - 1]
        end = self.text.find("\n", start)
        return self.text[start : len(self.text) if end < 0 else end].rstrip("\r")


@dataclass(frozen=True, slots=True, eq=False)
class Span:
    """The characters `start:end` of a source."""

    source: Source
    start: int
    end: int

    def through(self, other: Span) -> Span:
        """From the start of this span to the end of another."""
        return Span(self.source, self.start, max(self.end, other.end))

    def line_column(self) -> tuple[int, int]:
        return self.source.line_column(self.start)

    def location(self) -> str:
        line, column = self.line_column()
        return f"{self.source.path}:{line}:{column}"

    def excerpt(self) -> str:
        """The source line with its number, and carets under the span."""
        line, column = self.line_column()
        text = self.source.line_text(line)
        margin = f"{line:>5} | "
        length = max(1, min(self.end - self.start, len(text) - column + 1))
        pad = "".join("\t" if c == "\t" else " " for c in text[: column - 1])
        return f"{margin}{text}\n{' ' * 5} | {pad}{'^' * length}"
