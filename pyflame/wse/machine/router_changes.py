"""Changes that a PE's code makes to its own router.

Code runs ahead of the routers, so a change takes effect when their time has come to
the cycle of the call, in the order of the calls.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from pyflame.wse.language.image import ColorConfig, Switches, SwitchPosition
from pyflame.wse.machine.router import Channel
from pyflame.wse.machine.timeline import Timeline

POP_MODES = ("no_pop", "always_pop", "pop_on_advance", "pop_on_advance_nop")
NO_SWITCHES = Switches((SwitchPosition(), SwitchPosition(), SwitchPosition()))


class RouterPe(Protocol):
    """The part of a PE whose router is changed."""

    x: int
    y: int
    clock: int
    library: dict[str, Any]
    timeline: Timeline
    channel: Callable[[int], Channel]
    rewire: Callable[[Channel], None]
    config_words: dict[int, int]
    microthreads: list[Any]


class PendingChanges:
    """Changes to a PE's router that its code has asked for, in order."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._changes: deque[tuple[int, Callable[[int], None]]] = deque()

    def add(self, cycle: int, change: Callable[[int], None]) -> None:
        self._changes.append((cycle, change))
        self._timeline.at(cycle, self)

    def run(self, now: int) -> None:
        while self._changes and self._changes[0][0] <= now:
            self._changes.popleft()[1](now)


def when_due(pe: RouterPe, change: Callable[[int], None]) -> None:
    pending = pe.library.get("router")
    if pending is None:
        pending = pe.library["router"] = PendingChanges(pe.timeline)
    pending.add(pe.clock, change)


def reconfigure(
    pe: RouterPe, color: int, change: Callable[[ColorConfig], ColorConfig], now: int
) -> Channel:
    """Changes a color's configuration in this cycle."""
    channel = pe.channel(color)
    channel.config = change(channel.config or ColorConfig((), ()))
    pe.rewire(channel)
    channel.release(now)
    return channel
