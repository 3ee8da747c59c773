"""How the front end refuses: one function that raises with rule and way out."""

from __future__ import annotations

from typing import NoReturn

from pyflame.wse.errors import CslError
from pyflame.wse.language.source import Span


def fail(
    message: str,
    span: Span | None,
    *,
    note: str = "",
    note_span: Span | None = None,
    help: str = "",
) -> NoReturn:
    """Raises the CslError of one broken rule."""
    notes = ((note, note_span),) if note else ()
    raise CslError(message, span, notes, help)
