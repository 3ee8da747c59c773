"""Changes that a PE's code makes to its own router.

Code runs ahead of the routers, so a change takes effect when their time has come to
the cycle of the call, in the order of the calls. What the code reads of its router it
sees as it will be then.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
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


@dataclass(frozen=True, slots=True)
class Setting:
    """A color at a router as registers show it."""

    config: ColorConfig
    position: int
    teardown: bool


# How a change makes one setting of another.
Preview = Callable[[Setting], Setting]


@dataclass(frozen=True, slots=True)
class PendingChange:
    """Takes effect in `cycle`. Changes that registers show have a color and preview."""

    cycle: int
    apply: Callable[[int], None]
    color: int | None
    preview: Preview | None


class PendingChanges:
    """Changes to a PE's router that its code has asked for, in order."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._changes: deque[PendingChange] = deque()

    def add(self, change: PendingChange) -> None:
        self._changes.append(change)
        self._timeline.at(change.cycle, self)

    def run(self, now: int) -> None:
        while self._changes and self._changes[0].cycle <= now:
            self._changes.popleft().apply(now)

    def after(self, color: int, setting: Setting) -> Setting:
        """The setting of a color when all of them have taken effect."""
        for change in self._changes:
            if change.color == color and change.preview is not None:
                setting = change.preview(setting)
        return setting


def when_due(
    pe: RouterPe,
    apply: Callable[[int], None],
    color: int | None = None,
    preview: Preview | None = None,
) -> None:
    pending = pe.library.get("router")
    if pending is None:
        pending = pe.library["router"] = PendingChanges(pe.timeline)
    pending.add(PendingChange(pe.clock, apply, color, preview))


def setting_of(pe: RouterPe, color: int) -> Setting:
    """A color at the PE's router as the PE's code sees it."""
    channel = pe.channel(color)
    config = channel.config or ColorConfig((), ())
    setting = Setting(config, channel.position, channel.teardown)
    pending = pe.library.get("router")
    return setting if pending is None else pending.after(color, setting)


def reconfigure_when_due(
    pe: RouterPe, color: int, change: Callable[[ColorConfig], ColorConfig]
) -> None:
    """Changes a color's configuration in the cycle of the call."""

    def apply(now: int) -> None:
        reconfigure(pe, color, change, now)

    def preview(setting: Setting) -> Setting:
        return replace(setting, config=change(setting.config))

    when_due(pe, apply, color, preview)


def reconfigure(
    pe: RouterPe, color: int, change: Callable[[ColorConfig], ColorConfig], now: int
) -> Channel:
    """Changes a color's configuration in this cycle."""
    channel = pe.channel(color)
    channel.config = change(channel.config or ColorConfig((), ()))
    pe.rewire(channel)
    channel.release(now)
    return channel
