"""The natives behind builtins on ids and generators of random numbers."""

from __future__ import annotations

from typing import Any, NoReturn, Protocol

from pyflame.wse.errors import MachineFault
from pyflame.wse.machine.natives import register
from pyflame.wse.machine.random_numbers import RandomNumbers

# how many generators a PE has is not documented
GENERATORS = 4


class SeededPe(Protocol):
    """The part of a PE that these natives use; `library` is theirs to fill."""

    x: int
    y: int
    clock: int
    random: RandomNumbers
    library: dict[str, Any]


@register("no_symbol")
def no_symbol(pe: SeededPe, number: int) -> NoReturn:
    """Raises MachineFault: the PE exports no such symbol."""
    raise MachineFault(
        f"PE({pe.x},{pe.y}) at cycle {pe.clock}: it exports no symbol {number} of the "
        "type that is asked for"
    )


@register("checked_id")
def checked_id(pe: SeededPe, number: int, what: str, low: int, high: int) -> int:
    """The number of a color, task or microthread.

    Raises:
        MachineFault: there is none of that number.
    """
    if low <= number <= high:
        return number
    raise MachineFault(
        f"PE({pe.x},{pe.y}) at cycle {pe.clock}: {what} {number} is out of range "
        f"({low} to {high})"
    )


@register("set_active_prng", cost="issue_cycles")
def set_active_prng(pe: SeededPe, number: int) -> None:
    """Makes generator `number` modulo their count the one that numbers come from.

    Each has a state of its own, which starts as that of the first one does.
    """
    generators: dict[int, RandomNumbers]
    generators = pe.library.setdefault("generators", {0: pe.random})
    chosen = number % GENERATORS
    if chosen not in generators:
        generators[chosen] = RandomNumbers()
    pe.random = generators[chosen]
