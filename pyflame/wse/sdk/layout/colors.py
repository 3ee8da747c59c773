"""Named colors, and the numbers they get."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pyflame.wse.errors import HostError
from pyflame.wse.machine.limits import ROUTABLE_COLORS

# Low numbers first; then from the top, because programs number their local tasks
# from 8 upwards and these share ids with colors on WSE-2.
_PREFERRED = (*range(8), *range(ROUTABLE_COLORS - 1, 7, -1))
_WSE3_SWITCHED = frozenset((*range(10), 12, 13, 16, 17, 20, 21))


class Color:
    """A color by name. Equal names mean the same color of a layout.

    Args:
        name: what params are called that take the color.
        value: 0 to 23; None lets the compiler choose.
    """

    def __init__(self, name: str, value: int | None = None) -> None:
        if not isinstance(name, str) or not name:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise HostError(f"a color needs a name, not {name!r}")
        if value is not None and not 0 <= value < ROUTABLE_COLORS:
            raise HostError(
                f"color '{name}': value {value} is out of range "
                f"(0 to {ROUTABLE_COLORS - 1})"
            )
        self._local, self._global, self._value = name, name, value

    @classmethod
    def of_region(cls, region: str, name: str, value: int | None) -> Color:
        """A color of one code region: other regions may use its name for others."""
        color = cls(name, value)
        color._global = f"{region}_{name}"
        return color

    def get_global_name(self) -> str:
        return self._global

    def get_local_param_name(self) -> str:
        return self._local

    def get_value(self) -> int | None:
        """The value that was asked for; None if the compiler chooses."""
        return self._value


def need_color(value: object, what: str) -> Color:
    """Raises HostError unless a value is a Color."""
    if not isinstance(value, Color):
        raise HostError(f"{what} takes a Color, not {type(value).__name__}")
    return value


def allocate(
    colors: Iterable[Color],
    clashes: Mapping[str, set[str]],
    switched: set[str],
    arch: str,
) -> dict[str, int]:
    """A number for every global name.

    Names get numbers of their own while there are any; then names that do not clash
    share one.

    Args:
        clashes: for each name those that meet it on some PE.
        switched: names with switch positions, which WSE-3 has on some numbers only.
    Raises:
        HostError: a name with two values, or no number left for one.
    """
    chosen = _asked_for(colors)
    names = sorted(clashes, key=lambda name: name not in switched)
    for name in names:
        if name not in chosen:
            chosen[name] = _free_number(name, chosen, clashes[name], switched, arch)
        elif name in switched and not _can_switch(chosen[name], arch):
            raise HostError(
                f"color '{name}' has switch positions, which color {chosen[name]} of "
                f"{arch} lacks; colors with switches: {_switch_list()}"
            )
    return chosen


def _asked_for(colors: Iterable[Color]) -> dict[str, int]:
    chosen: dict[str, int] = {}
    for color in colors:
        name, value = color.get_global_name(), color.get_value()
        if value is None:
            continue
        if chosen.setdefault(name, value) != value:
            raise HostError(
                f"color '{name}' has two values, {chosen[name]} and {value}"
            )
    return chosen


def _free_number(
    name: str,
    chosen: dict[str, int],
    clashing: set[str],
    switched: set[str],
    arch: str,
) -> int:
    numbers = [n for n in _PREFERRED if name not in switched or _can_switch(n, arch)]
    taken = set(chosen.values())
    meets = {chosen[other] for other in clashing if other in chosen}
    for forbidden in (taken, meets):
        free = [n for n in numbers if n not in forbidden]
        if free:
            return free[0]
    raise HostError(
        f"no color is left for '{name}': {len(clashing)} others meet it, and a PE has "
        f"{len(numbers)} colors for it"
    )


def _can_switch(number: int, arch: str) -> bool:
    return arch == "wse2" or number in _WSE3_SWITCHED


def _switch_list() -> str:
    return ", ".join(map(str, sorted(_WSE3_SWITCHED)))
