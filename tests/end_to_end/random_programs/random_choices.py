"""Where decisions come from: a seeded generator, or hypothesis, which shrinks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Protocol, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


class Choices(Protocol):
    """Draws whole numbers and elements."""

    def whole(self, low: int, high: int) -> int: ...

    def pick(self, items: Sequence[T]) -> T: ...


class Seeded:
    """Decisions of a seeded generator."""

    def __init__(self, seed: int | str) -> None:
        self._random = Random(seed)

    def whole(self, low: int, high: int) -> int:
        return self._random.randint(low, high)

    def pick(self, items: Sequence[T]) -> T:
        return self._random.choice(items)


class Drawn:
    """Decisions that hypothesis makes, by the `draw` of st.data()."""

    def __init__(self, draw: Callable[..., Any]) -> None:
        self._draw = draw

    def whole(self, low: int, high: int) -> int:
        return self._draw(st.integers(low, high))

    def pick(self, items: Sequence[T]) -> T:
        return items[self._draw(st.integers(0, len(items) - 1))]
