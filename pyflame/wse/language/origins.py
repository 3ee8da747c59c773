"""Where an error comes from: the call that led into a function, the importer's line."""

from __future__ import annotations

from pyflame.wse.errors import CslError
from pyflame.wse.language.source import Span

_CALLED = "called here"


def name_call(error: CslError, body: Span, call: Span | None) -> None:
    """Adds to an error from inside of a function the call that led there.

    It is the innermost call that the program itself makes from elsewhere: how the
    library calls itself, or a function itself, says nothing new.
    """
    if call is None or call.source.library or error.span is None:
        return
    if _holds(body, call):
        return
    if any(text == _CALLED for text, _ in error.notes):
        return
    if error.span.source.library or _holds(body, error.span):
        error.notes += ((_CALLED, call),)


def name_import(error: CslError, use: Span | None) -> None:
    """Adds to an error from the top level of a library file who imports it."""
    if use is None or use.source.library or error.span is None:
        return
    if error.span.source.library and not error.notes:
        error.notes += (("imported here", use),)


def _holds(outer: Span, inner: Span) -> bool:
    if outer.source is not inner.source:
        return False
    return outer.start <= inner.start and inner.end <= outer.end
