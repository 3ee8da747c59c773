"""The elements of `@map` in strict mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyflame.wse.machine.dsd import Memory1or4, element_addresses
from pyflame.wse.machine.guard import Guard

Load = Callable[[int], Any]
Store = Callable[[int, Any], None]


def guarded_elements(
    guard: Guard,
    dsd: Memory1or4,
    size: int,
    load: Load,
    store: Store,
    places: list[int],
) -> tuple[Load, Store, list[int]]:
    """Load and store by the number of an element, with checks, and all numbers."""
    addresses = element_addresses(dsd, size, dsd.extent)
    origin = dsd.base if dsd.origin is None else dsd.origin
    guard.check_vector(None, "a DSD of @map", origin, addresses, size)
    listed = addresses.tolist()

    def checked_load(number: int) -> Any:
        guard.check_read(None, "@map", listed[number], size)
        return load(places[number])

    def checked_store(number: int, value: Any) -> None:
        guard.check_write(None, "@map", listed[number], size)
        store(places[number], value)

    return checked_load, checked_store, list(range(len(places)))
