"""What notebooks show of an object: its report, loaded when one is first asked for."""

from __future__ import annotations

from collections.abc import Callable

_html_of: Callable[[object], str]


def reports_come_from(html_of: Callable[[object], str]) -> None:
    """Says who makes reports: called by the package, above both.

    They know all the classes that they show, so these cannot know them.
    """
    global _html_of
    _html_of = html_of


class Shown:
    """An object that `pyflame.report` knows how to show."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return _html_of(self)
