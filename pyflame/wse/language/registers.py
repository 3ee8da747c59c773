"""The registers of configuration space whose addresses are public.

Addresses count words. Those of WSE-2 that hold the routes and the switch of each
color and the priority of each input queue are written out by published programs.
"""

from __future__ import annotations

COLOR_CONFIG, SWITCH_CONFIG = 0x7F20, 0x7F40
INPUT_QUEUE_CONFIG = 0x7F58  # right behind the switches
ROUTABLE_COLORS = 24
INPUT_QUEUES = 8


def is_router_register(address: int) -> bool:
    """Whether a word address of WSE-2 is a color's routes or switch, or the settings
    of an input queue."""
    return (
        COLOR_CONFIG <= address < COLOR_CONFIG + ROUTABLE_COLORS
        or SWITCH_CONFIG <= address < INPUT_QUEUE_CONFIG + INPUT_QUEUES
    )
