"""Everything that CSL text, a host script or a running program can do wrong.

WseError
 ├── CslError        the text of a program breaks a rule of the language
 ├── MachineFault    a program broke a rule of the machine while it ran
 │    └── Deadlock   PEs wait for each other and nothing is in flight
 └── HostError       the host side asked for something that cannot be done

`HostWarning` is for what is carried out although it looks like a mistake.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyflame.wse.language.source import Span


class WseError(Exception):
    """Root of every error that a user of the simulator can cause."""


class _PlacedError(WseError):
    """An error that may know its place in the source, with notes and a way out."""

    def __init__(
        self,
        message: str,
        span: Span | None = None,
        notes: tuple[tuple[str, Span | None], ...] = (),
        help: str = "",
    ) -> None:
        self.message = message
        self.span = span
        self.notes = notes
        self.help = help
        super().__init__(message)

    def _rendered(self, head: str) -> str:
        parts = [head, *(_located("note", text, span) for text, span in self.notes)]
        if self.help:
            parts.append(f"help: {self.help}")
        return "\n".join(parts)


class CslError(_PlacedError):
    """A program breaks a rule of CSL.

    Args:
        message: what is wrong, with the offending values.
        span: where; None only for errors without a place (a missing file).
        notes: further `(text, span)` remarks: the rule, an earlier declaration.
        help: a way out, if there is one to name.
    """

    def __str__(self) -> str:
        return self.render()

    def render(self) -> str:
        """`file:line:column: error: ...`, the source line, carets, notes and help."""
        return self._rendered(_located("error", self.message, self.span))


def _located(kind: str, text: str, span: Span | None) -> str:
    if span is None:
        return f"{kind}: {text}"
    return f"{span.location()}: {kind}: {text}\n{span.excerpt()}"


class MachineFault(_PlacedError):
    """A running program broke a rule of the machine: a bad access, a spent budget.

    Args:
        message: what happened, on which PE.
        span: the code that did it, as far as it is known.
        notes: further `(text, span)` remarks: the rule, the call that led there.
        help: a way out, if there is one to name.
    """

    def __str__(self) -> str:
        """As a `CslError` is rendered; without a place, the message alone."""
        head = self.message
        if self.span is not None:
            head = _located("fault", self.message, self.span)
        return self._rendered(head)


class Deadlock(MachineFault):
    """PEs wait and no wavelet is in flight, so nothing can ever happen again."""


class HostError(WseError):
    """A host call that the runtime refuses, or a compile option that makes no sense."""


class HostWarning(UserWarning):
    """A host call that is carried out although it looks like a mistake."""
