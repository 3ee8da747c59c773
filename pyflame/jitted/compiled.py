"""The jitted function of a structure, with inputs that are given once each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import jax

from pyflame import staging
from pyflame.structure import MAX_CACHED_STRUCTURES, Structure, replay

Feed = tuple[tuple[int, int], ...]  # input of each datum, and what is added to it


@lru_cache(maxsize=MAX_CACHED_STRUCTURES)
def compiled(
    structure: Structure, feed: Feed, name: str, donated: tuple[int, ...] = ()
) -> Callable[..., list[Any]]:
    """Inputs in the order of their first use -> the outputs of the structure."""

    def run(*values: Any) -> list[Any]:
        staging.counts.traces += 1
        data = [values[i] + add if add else values[i] for i, add in feed]
        return replay(structure, data)

    run.__name__ = run.__qualname__ = name
    return jax.jit(run, donate_argnums=donated)


@jax.jit
def on_device(number: Any) -> jax.Array:
    """A Python number as an array, as weakly typed as it is."""
    return number


class Numbers:
    """Numbers that are inputs: once one stays the same, it stays on the device."""

    def __init__(self) -> None:
        self._last: list[float] = []
        self._given: list[Any] = []

    def given(self, numbers: Sequence[float]) -> list[Any]:
        """What to pass for the numbers, which are as many at every call."""
        if numbers == self._last:
            if self._given is not self._last:
                return self._given
        elif not self._last:
            self._last = self._given = list(numbers)
            return self._given
        self._given = [
            (on_device(now) if type(given) is float else given)
            if now == last
            else float(now)
            for now, last, given in zip(numbers, self._last, self._given, strict=True)
        ]
        self._last = list(numbers)
        return self._given
