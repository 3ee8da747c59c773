"""The jitted function of a structure, with inputs that are given once each."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from operator import eq
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
        self._state: tuple[list[float], list[Any]] = ([], [])
        self._settled = False

    def given(self, numbers: list[float]) -> list[Any]:
        """What to pass for the numbers, which are as many at every call."""
        last, held = self._state
        if len(numbers) != len(last):
            held = numbers
        elif numbers != last or not self._settled:
            same = list(map(eq, numbers, last))
            held = [
                (on_device(now) if type(before) is float else before) if one else now
                for one, now, before in zip(same, numbers, held, strict=True)
            ]
            self._settled = all(same)
        self._state = numbers, held
        return held
