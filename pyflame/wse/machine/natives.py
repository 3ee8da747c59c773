"""The natives: what library CSL asks the machine to do by `@__native("name", T, ...)`.

A native is `function(pe, *arguments)`; its arguments and result are run-time values
as generated code holds them (ints in range, NumPy float scalars, byte addresses for
pointers, str for comptime strings). The library registers its natives here when
`pyflame.wse.library.natives` is imported; compiled code looks them up once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pyflame.wse.errors import MachineFault

NativeFunction = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Native:
    """A registered native.

    Args:
        cost: the field of `costs.Costs` with its cycles, None if it is free.
    """

    name: str
    function: NativeFunction
    cost: str | None


_registry: dict[str, Native] = {}


def register(
    name: str, cost: str | None = None
) -> Callable[[NativeFunction], NativeFunction]:
    """Decorator: makes a function the native of that name.

    Raises:
        ValueError: if the name is taken by another function.
    """

    def add(function: NativeFunction) -> NativeFunction:
        known = _registry.get(name)
        if known is not None and known.function is not function:
            raise ValueError(f"native '{name}' is registered twice")
        _registry[name] = Native(name, function, cost)
        return function

    return add


def lookup(name: str) -> Native:
    """The native of that name.

    Raises:
        MachineFault: if there is none; names the closest ones.
    """
    native = _registry.get(name)
    if native is not None:
        return native
    close = get_close_matches(name, _registry, n=3)
    hint = f"; did you mean {' or '.join(repr(c) for c in close)}?" if close else ""
    raise MachineFault(f"no native is called '{name}'{hint}")


def names() -> list[str]:
    """All registered names, sorted."""
    return sorted(_registry)
