"""The natives of <tile_config/filters> that are WSE-3's way to see a counter filter.

A period of `limit + 1` wavelets passes its first `maximum + 1`. In WSE-3's words:
pass count and drop count, in halves of wavelets, and where in which of the two the
filter stands.
"""

from __future__ import annotations

from pyflame.wse.errors import MachineFault
from pyflame.wse.library.router_settings import (
    RouterPe,
    change_filter,
    counter_filter,
)
from pyflame.wse.machine.natives import register

HALVES = 2  # of a wavelet
_DROP, _SAME = 1, 2


@register("filter_read", cost="issue_cycles")
def filter_read(pe: RouterPe, color: int, what: str) -> int:
    """The pass or drop count, the state (0 pass, 1 drop), or the counter in it."""
    filter_ = counter_filter(pe, color)
    passed = min(filter_.maximum, filter_.limit) + 1
    dropping = filter_.counter >= passed
    match what:
        case "pass":
            return HALVES * passed
        case "drop":
            return HALVES * (filter_.limit + 1 - passed)
        case "state":
            return int(dropping)
        case _:
            return HALVES * (filter_.counter - passed * dropping)


@register("filter_count", cost="issue_cycles")
def filter_count(pe: RouterPe, color: int, what: str, halves: int) -> None:
    """Sets how many halves of wavelets of each period pass, or are dropped.

    Raises:
        MachineFault: an odd count, or nothing would pass.
    """
    if halves % HALVES or (what == "pass" and not halves):
        raise MachineFault(
            f"PE({pe.x},{pe.y}) at cycle {pe.clock}: a filter cannot {what} {halves} "
            "halves of wavelets; the number is even, and some wavelets pass"
        )

    def change(now: int) -> None:
        filter_ = counter_filter(pe, color)
        passed = min(filter_.maximum, filter_.limit) + 1
        dropped = filter_.limit + 1 - passed
        if what == "pass":
            passed = halves // HALVES
        else:
            dropped = halves // HALVES
        filter_.set_maximum(passed - 1)
        filter_.set_limit(passed + dropped - 1)

    change_filter(pe, color, change)


@register("filter_place", cost="issue_cycles")
def filter_place(pe: RouterPe, color: int, state: int, counter: int) -> None:
    """Puts the filter at a place of its period; state 2 keeps the state it has."""

    def change(now: int) -> None:
        filter_ = counter_filter(pe, color)
        start = filter_.maximum + 1
        dropping = state == _DROP or (state == _SAME and filter_.counter >= start)
        filter_.set_counter(start * dropping + counter // HALVES)

    change_filter(pe, color, change)
