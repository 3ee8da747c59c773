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


def wrong_count(what: str, wanted: str, given: int) -> str:
    """The message of a call with too few or too many arguments."""
    plural = "" if wanted == "1" else "s"
    verb = "is" if given == 1 else "are"
    return f"{what} takes {wanted} argument{plural}, but {given} {verb} given"
