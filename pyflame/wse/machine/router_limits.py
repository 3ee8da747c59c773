"""What the routers of an architecture cannot hold, refused at load."""

from __future__ import annotations

from pyflame.wse.errors import MachineFault
from pyflame.wse.language.image import ColorConfig
from pyflame.wse.machine.limits import FILTERS_PER_PE, SWITCH_COLORS_WSE3


def check_routers(
    configs: dict[tuple[int, int], dict[int, ColorConfig]], arch: str
) -> None:
    """Checks every PE's color configurations.

    Raises:
        MachineFault: too many filters, or a switch on a color that has none.
    """
    for (x, y), colors in configs.items():
        place = f"PE({x},{y})"
        if arch == "wse2":
            _check_filters(place, colors)
        else:
            _check_switches(place, colors)


def _check_filters(place: str, colors: dict[int, ColorConfig]) -> None:
    filtered = [color for color, config in sorted(colors.items()) if config.filter]
    if len(filtered) > FILTERS_PER_PE:
        raise MachineFault(
            f"{place} filters {len(filtered)} colors "
            f"({', '.join(map(str, filtered))}); a PE of wse2 has {FILTERS_PER_PE} "
            "filters",
            help="filter fewer colors, or drop wavelets in the tasks that get them",
        )


def _check_switches(place: str, colors: dict[int, ColorConfig]) -> None:
    for color, config in sorted(colors.items()):
        moves = config.switches is not None and any(
            position.valid for position in config.switches.positions
        )
        if moves:
            check_switch(place, color, "wse3")


def check_switch(place: str, color: int, arch: str) -> None:
    """Raises MachineFault if a color has no switch positions on an architecture."""
    if arch == "wse3" and color not in SWITCH_COLORS_WSE3:
        allowed = ", ".join(map(str, sorted(SWITCH_COLORS_WSE3)))
        raise MachineFault(
            f"{place} has switch positions on color {color}; on wse3 only colors "
            f"{allowed} have switches",
            help="give the stream another color",
        )
