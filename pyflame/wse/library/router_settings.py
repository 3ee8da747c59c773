"""The natives of <tile_config>: routes, switches and teardown of this PE's router."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal, Protocol

from pyflame.wse.errors import MachineFault
from pyflame.wse.language.image import ColorConfig, Switches, SwitchPosition
from pyflame.wse.machine import router_changes
from pyflame.wse.machine.filters import WaveletFilter
from pyflame.wse.machine.limits import ROUTABLE_COLORS, ArchLimits
from pyflame.wse.machine.natives import register
from pyflame.wse.machine.router_changes import (
    NO_SWITCHES,
    reconfigure_when_due,
    when_due,
)
from pyflame.wse.machine.router_limits import check_switch
from pyflame.wse.machine.tasks import TaskTable

Side = Literal["rx", "tx"]
SIDES: tuple[Side, Side] = ("rx", "tx")
# As <tile_config/color_config>.fabric_io lists them.
IO_DIRECTIONS = ("WEST", "EAST", "SOUTH", "NORTH", "RAMP")
POP_MODES = ("no_pop", "always_pop", "pop_on_advance", "no_pop")


class RouterPe(router_changes.RouterPe, Protocol):
    """The part of a PE that these natives use."""

    tasks: TaskTable
    teardown_pending: list[int]

    @property
    def arch(self) -> ArchLimits: ...


def _with_side(
    config: ColorConfig, side: Side, directions: tuple[str, ...]
) -> ColorConfig:
    if side == "rx":
        return replace(config, rx=directions)
    return replace(config, tx=directions)


# --- routes -------------------------------------------------------------------------


@register("route_clear", cost="issue_cycles")
def route_clear(pe: RouterPe, color: int) -> None:
    reconfigure_when_due(pe, color, lambda config: replace(config, rx=(), tx=()))


@register("route_add", cost="issue_cycles")
def route_add(pe: RouterPe, color: int, side: int, direction: str) -> None:
    """Adds a direction to side 0 (rx) or 1 (tx)."""
    _change_side(pe, color, SIDES[side], direction, on=lambda _: True)


@register("route_io", cost="issue_cycles")
def route_io(pe: RouterPe, color: int, io: int, action: int) -> None:
    """Clears (0), sets (1) or toggles (2) one entry of `fabric_io`."""
    side, direction = SIDES[io < 5], IO_DIRECTIONS[io % 5]
    _change_side(
        pe,
        color,
        side,
        direction,
        on=lambda was: not was if action == 2 else bool(action),
    )


def _change_side(
    pe: RouterPe, color: int, side: Side, direction: str, on: Callable[[bool], bool]
) -> None:
    def change(config: ColorConfig) -> ColorConfig:
        directions = config.rx if side == "rx" else config.tx
        others = tuple(d for d in directions if d != direction)
        kept = (direction,) if on(direction in directions) else ()
        return _with_side(config, side, others + kept)

    reconfigure_when_due(pe, color, change)


# --- switches -----------------------------------------------------------------------


def _configure_switches(
    pe: RouterPe, color: int, change: Callable[[Switches], Switches]
) -> None:
    def changed(config: ColorConfig) -> ColorConfig:
        return replace(config, switches=change(config.switches or NO_SWITCHES))

    reconfigure_when_due(pe, color, changed)


@register("switch_move", cost="issue_cycles")
def switch_move(pe: RouterPe, color: int, position: int) -> None:
    """Makes a position current.

    Raises:
        MachineFault: for a position other than 0 to 3.
    """
    if position > 3:
        raise MachineFault(
            f"PE({pe.x},{pe.y}) at cycle {pe.clock}: color {color} cannot go to switch "
            f"position {position}; positions are 0 to 3"
        )
    when_due(
        pe,
        lambda now: pe.channel(color).move_to(position, now),
        color,
        lambda setting: replace(setting, position=position),
    )


@register("switch_clear", cost="issue_cycles")
def switch_clear(pe: RouterPe, color: int) -> None:
    """Makes positions 1 to 3 invalid; ring mode and pop mode stay."""
    _configure_switches(
        pe, color, lambda switches: replace(switches, positions=NO_SWITCHES.positions)
    )


@register("switch_ring", cost="issue_cycles")
def switch_ring(pe: RouterPe, color: int, ring: bool) -> None:
    _configure_switches(pe, color, lambda s: replace(s, ring_mode=ring))


@register("switch_pop", cost="issue_cycles")
def switch_pop(pe: RouterPe, color: int, mode: int) -> None:
    _configure_switches(pe, color, lambda s: replace(s, pop_mode=POP_MODES[mode]))


@register("switch_set", cost="issue_cycles")
def switch_set(
    pe: RouterPe, color: int, position: int, side: int, direction: str
) -> None:
    """Makes a position valid: it changes side 0 (rx) or 1 (tx) to one direction."""
    _change_position(pe, color, position, SwitchPosition(valid=True), side, direction)


@register("switch_add", cost="issue_cycles")
def switch_add(
    pe: RouterPe, color: int, position: int, side: int, direction: str
) -> None:
    """Lets a valid position change its other side too (WSE-3)."""
    _change_position(pe, color, position, None, side, direction)


def _change_position(
    pe: RouterPe,
    color: int,
    position: int,
    base: SwitchPosition | None,
    side: int,
    direction: str,
) -> None:
    place = f"PE({pe.x},{pe.y}) at cycle {pe.clock}"
    check_switch(place, color, pe.arch.name)

    def change(switches: Switches) -> Switches:
        positions = list(switches.positions)
        old = base or positions[position - 1]
        new = (
            replace(old, rx=(direction,))
            if side == 0
            else replace(old, tx=(direction,))
        )
        positions[position - 1] = new
        first, second, third = positions
        return replace(switches, positions=(first, second, third))

    _configure_switches(pe, color, change)


# --- filters ------------------------------------------------------------------------


def counter_filter(pe: RouterPe, color: int) -> WaveletFilter:
    """Raises MachineFault if the color has no filter with a counter on this PE."""
    filter_ = pe.channel(color).filter if color < ROUTABLE_COLORS else None
    if filter_ is None or not filter_.counts:
        raise MachineFault(
            f"PE({pe.x},{pe.y}) at cycle {pe.clock}: {color} is the id of no counter "
            "filter of this PE; @get_filter_id gives that of a color's filter"
        )
    return filter_


def change_filter(pe: RouterPe, color: int, change: Callable[[int], None]) -> None:
    """Changes the filter of a color when the PE's clock has come."""
    counter_filter(pe, color)
    when_due(pe, change)


def _change_filter(
    pe: RouterPe, color: int, change: Callable[[WaveletFilter], None]
) -> None:
    filter_ = counter_filter(pe, color)
    when_due(pe, lambda now: change(filter_))


@register("filter_limit", cost="issue_cycles")
def filter_limit(pe: RouterPe, color: int, value: int) -> None:
    _change_filter(pe, color, lambda filter_: filter_.set_limit(value))


@register("filter_maximum", cost="issue_cycles")
def filter_maximum(pe: RouterPe, color: int, value: int) -> None:
    _change_filter(pe, color, lambda filter_: filter_.set_maximum(value))


@register("filter_counter", cost="issue_cycles")
def filter_counter(pe: RouterPe, color: int, value: int) -> None:
    _change_filter(pe, color, lambda filter_: filter_.set_counter(value))


# --- teardown, priority -------------------------------------------------------------


@register("teardown_exit", cost="issue_cycles")
def teardown_exit(pe: RouterPe, color: int) -> None:
    when_due(
        pe,
        lambda now: pe.channel(color).exit_teardown(now),
        color,
        lambda setting: replace(setting, teardown=False),
    )


@register("teardown_pending", cost="issue_cycles")
def teardown_pending(pe: RouterPe) -> int:
    """A mask of the colors that entered teardown since the last look."""
    pending, pe.teardown_pending = pe.teardown_pending, []
    return sum(1 << color for color in set(pending))


@register("task_priority", cost="issue_cycles")
def task_priority(pe: RouterPe, id_: int, level: int) -> None:
    pe.tasks.high_priority[id_] = bool(level)
