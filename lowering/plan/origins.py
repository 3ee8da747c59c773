"""Where a step comes from: its equation, and the user's line."""

from __future__ import annotations

from dataclasses import dataclass

from lowering.errors import Place
from lowering.plan.values import Value


@dataclass(frozen=True, slots=True)
class Origin:
    """The equation a step comes from, as text, and the user's line behind it."""

    equation: str
    place: Place | None = None


class OneEquation:
    """What every step that comes from a single equation says of itself.

    By default it reads and writes nothing.
    """

    __slots__ = ()
    origin: Origin

    @property
    def origins(self) -> list[Origin]:
        return [self.origin]

    def reads(self) -> list[Value]:
        """Values whose elements the step reads, in this pass or while in flight."""
        return []

    def writes(self) -> list[Value]:
        """Values that the step changes, all or part of them."""
        return []
