"""The registers of configuration space whose addresses are public.

Addresses count words. Those of WSE-2 that hold the routes and the switch of each
color are written out by published programs.
"""

from __future__ import annotations

COLOR_CONFIG, SWITCH_CONFIG = 0x7F20, 0x7F40
ROUTABLE_COLORS = 24


def is_router_register(address: int) -> bool:
    """Whether a word address of WSE-2 is a color's routes or switch."""
    return any(
        first <= address < first + ROUTABLE_COLORS
        for first in (COLOR_CONFIG, SWITCH_CONFIG)
    )
