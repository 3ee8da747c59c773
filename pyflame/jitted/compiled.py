"""The jitted function of a structure, with inputs that are given once each."""

from __future__ import annotations

from collections.abc import Callable
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
