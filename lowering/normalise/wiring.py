"""What repeated groups of equations read and leave: which of them are passes of a loop.

A group may read what it computes itself, what the group before it computed (the loop
carries that), and values from before all groups: the same in each (the loop reads them
from outside) or another in each (rows of a sequence, such as the weights of layers).
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from lowering import jaxprs
from lowering.normalise.repetition import Stretch
from lowering.placement import storage_size_bytes

# Equation and result of a group, both counted from 0.
Local = tuple[int, int]
# How many groups before the reader, and what of it; None for what is from outside.
_Source = tuple[int, Local] | None


@dataclass(frozen=True, slots=True)
class Groups:
    """`count` groups of `period` equations, from equation `first` on: the passes."""

    first: int
    period: int
    count: int

    @property
    def last(self) -> int:
        """The number of the first equation behind them."""
        return self.first + self.count * self.period

    @property
    def saved(self) -> int:
        return (self.count - 1) * self.period


class Wiring:
    """Where the variables of a jaxpr come from and which equations read them."""

    def __init__(self, jaxpr: jaxprs.Jaxpr) -> None:
        self.eqns: Sequence[jaxprs.JaxprEqn] = jaxpr.eqns
        self._makers: dict[Any, Local] = {
            var: (number, result)
            for number, eqn in enumerate(jaxpr.eqns)
            for result, var in enumerate(eqn.outvars)
        }

    def source(self, atom: Any, groups: Groups, group: int) -> _Source:
        """Where equations of a group find an operand that is no literal."""
        number, result = self._makers.get(atom, (-1, 0))
        if number < groups.first:
            return None
        made_by, equation = divmod(number - groups.first, groups.period)
        return group - made_by, (equation, result)

    def passes(self, stretch: Stretch) -> Groups | None:
        """The most groups of a stretch that are passes of one loop; None without two.

        Groups begin where fewest bytes go from one to the next.
        """
        crossing = self._crossing_bytes(stretch)
        start = min(range(stretch.period), key=lambda n: (crossing[n], n))
        tries = [self._longest(stretch, shift) for shift in dict.fromkeys((start, 0))]
        found = [groups for groups in tries if groups is not None]
        return max(found, key=lambda groups: groups.saved, default=None)

    def _longest(self, stretch: Stretch, shift: int) -> Groups | None:
        period, first = stretch.period, stretch.first + shift
        count = (stretch.last - first) // period
        best: Groups | None = None
        start = 0
        while count - start > (best.count if best else 1):
            groups = Groups(first + start * period, period, count - start)
            fitting = self._fitting(groups)
            if fitting > (best.count if best else 1):
                best = Groups(groups.first, period, fitting)
            start += max(1, fitting - 1)
        return best

    def _fitting(self, groups: Groups) -> int:
        """How many groups, from the first on, are passes of one loop."""
        head = self._sources(groups, 0)
        pattern = self._sources(groups, 1)
        if not all(map(_may_begin, head, pattern)):
            return 1
        count = 2
        while count < groups.count and self._sources(groups, count) == pattern:
            count += 1
        return count

    def _sources(self, groups: Groups, group: int) -> list[_Source]:
        start = groups.first + group * groups.period
        return [
            self.source(atom, groups, group)
            for eqn in self.eqns[start : start + groups.period]
            for atom in eqn.invars
            if not jaxprs.is_literal(atom)
        ]

    def _crossing_bytes(self, stretch: Stretch) -> list[int]:
        """Bytes made before each equation of the second group and read from it on.

        Those that are read more than a group later cross all places alike.
        """
        period, first = stretch.period, stretch.first
        readers: dict[Any, int] = {}
        for number in range(first, min(first + 3 * period, stretch.last)):
            for atom in self.eqns[number].invars:
                if not jaxprs.is_literal(atom):
                    readers[atom] = number
        changes = [0] * (2 * period + 1)
        for number in range(2 * period):
            for var in self.eqns[first + number].outvars:
                end = min(readers.get(var, first), first + number + period) - first
                if end > number:
                    changes[number + 1] += _size_bytes(var)
                    changes[min(end, 2 * period - 1) + 1] -= _size_bytes(var)
        return list(accumulate(changes))[period : 2 * period]


def _may_begin(first: _Source, later: _Source) -> bool:
    """Whether the first group may read this, where the later ones read that."""
    if later is None:
        return first is None
    return first == later if later[0] == 0 else later[0] == 1 and first is None


def _size_bytes(var: Any) -> int:
    return math.prod(jaxprs.shape_of(var)) * storage_size_bytes(jaxprs.dtype_of(var))
