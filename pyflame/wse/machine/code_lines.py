"""From lines of generated code back to the source: where a fault came about.

Generated lines end in a comment with the number of their statement. Nothing reads it
until something goes wrong, so it costs a run nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Any

from pyflame.wse.errors import MachineFault
from pyflame.wse.language.source import Span

TABLE = "__lines__"  # the global of generated code that holds its `LineTable`
MARK = "  #"


class LineTable:
    """The statements that the lines of one generated module belong to."""

    __slots__ = ("_spans", "_text")

    def __init__(self, text: str, spans: list[Span]) -> None:
        self._text = text
        self._spans = spans

    def span(self, line: int) -> Span | None:
        """The statement of a line (from 1), or of the nearest one before it in the
        same function; None where there is none."""
        lines = self._text.split("\n")
        for text in reversed(lines[:line]):
            _, mark, number = text.rpartition(MARK)
            if mark:
                return self._spans[int(number)]
            if text.startswith("def "):
                return None
        return None


def place_fault(fault: MachineFault, pe: str, thread: Any = None) -> None:
    """Gives a fault the PE and the place in the source that it has not got yet.

    A fault inside a library also gets a note where the user's code called it.

    Args:
        thread: the generator that was waiting for what failed, if there was one.
    """
    if pe not in fault.message:
        fault.message = f"{pe}: {fault.message}"
    spans = [*_spans_of_traceback(fault.__traceback__), *_spans_of_thread(thread)]
    if fault.span is None and spans:
        fault.span = spans[-1]
    if fault.span is None or not fault.span.source.library:
        return
    for span in reversed(spans):
        if not span.source.library:
            fault.notes = (*fault.notes, ("called from here", span))
            return


def _spans_of_traceback(trace: TracebackType | None) -> Iterator[Span]:
    """Of the calls of generated code that an exception passed, innermost last."""
    while trace is not None:
        span = _span(trace.tb_frame, trace.tb_lineno)
        if span is not None:
            yield span
        trace = trace.tb_next


def _spans_of_thread(thread: Any) -> Iterator[Span]:
    """Of the calls that stand in a waiting generator, innermost last."""
    while thread is not None:
        frame: FrameType | None = getattr(thread, "gi_frame", None)
        if frame is not None:
            span = _span(frame, frame.f_lineno)
            if span is not None:
                yield span
        thread = getattr(thread, "gi_yieldfrom", None)


def _span(frame: FrameType, line: int) -> Span | None:
    table = frame.f_globals.get(TABLE)
    return table.span(line) if isinstance(table, LineTable) else None
