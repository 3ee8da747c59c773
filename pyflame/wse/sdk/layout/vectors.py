"""Places and rectangles, as layouts in Python name them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pyflame.wse.errors import HostError


@dataclass(frozen=True, slots=True)
class IntVector:
    """Column and row of a PE, or a width and height in PEs."""

    x: int
    y: int


@dataclass(frozen=True, slots=True)
class IntRectangle:
    """The PEs from `a` to before `b` in both directions.

    The vendor's page calls `b` the dimensions; its own example passes the exclusive
    lower right corner, and examples decide.
    """

    a: IntVector
    b: IntVector

    @property
    def width(self) -> int:
        return self.b.x - self.a.x

    @property
    def height(self) -> int:
        return self.b.y - self.a.y

    def places(self) -> Iterator[tuple[int, int]]:
        """All (x, y), row by row."""
        for y in range(self.a.y, self.b.y):
            for x in range(self.a.x, self.b.x):
                yield x, y

    def overlap(self, other: IntRectangle) -> tuple[int, int] | None:
        """The upper left PE that both have, None if there is none."""
        x, y = max(self.a.x, other.a.x), max(self.a.y, other.a.y)
        right, bottom = min(self.b.x, other.b.x), min(self.b.y, other.b.y)
        return (x, y) if x < right and y < bottom else None


def rectangle(x: int, y: int, width: int, height: int) -> IntRectangle:
    """The rectangle of a size whose upper left PE is at (x, y)."""
    return IntRectangle(IntVector(x, y), IntVector(x + width, y + height))


def need_vector(value: object, what: str) -> IntVector:
    """Raises HostError unless a value is an IntVector."""
    if not isinstance(value, IntVector):
        raise HostError(f"{what} must be an IntVector, not {type(value).__name__}")
    return value


def need_rectangle(value: object, what: str) -> IntRectangle:
    """Raises HostError unless a value is an IntRectangle."""
    if not isinstance(value, IntRectangle):
        raise HostError(f"{what} must be an IntRectangle, not {type(value).__name__}")
    return value
