"""A loop over groups of equations: how a pass finds its operands, and what is kept."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jax import lax

from lowering import jaxprs
from lowering.normalise.repetition import is_window
from lowering.normalise.wiring import Groups, Local, Wiring


@dataclass(slots=True)
class Pass:
    """One pass of a loop, while it is staged: what it was given, and results so far.

    `state` are what it carries and its counts.
    """

    state: tuple[Sequence[Any], Sequence[Any]]
    rows: Sequence[Any]
    made: dict[Local, Any] = field(default_factory=dict[Local, Any])


Read = Callable[[Pass], Any]


class Passes:
    """What a loop over `groups` carries, counts, takes a row of, and stacks.

    `carried` are results of a pass, with the variable that the first pass finds (None
    for zeros); `counted` the numbers that counters start at; `rows` the atoms or
    numbers of all passes, in their order; `stacked` the results of which all are kept.
    `read_later` are variables that are read behind the groups, `outer` gives the value
    of those from before them.
    """

    def __init__(
        self,
        wiring: Wiring,
        groups: Groups,
        read_later: set[Any],
        outer: Callable[[Any], Any],
    ) -> None:
        self._wiring = wiring
        self._groups = groups
        self._outer = outer
        self.eqns = wiring.eqns[groups.first : groups.first + groups.period]
        self.carried: list[tuple[Local, Any]] = []
        self.counted: list[int] = []
        self.rows: list[tuple[Any, ...]] = []
        self.stacked: list[Local] = []
        self._reads = [self._operands(number) for number in range(groups.period)]
        self._starts = [self._window_starts(n) for n in range(groups.period)]
        self._keep(read_later)

    def variable(self, pass_: int, local: Local) -> Any:
        """What a result of a group is called in one of the passes."""
        return self._equation(pass_, local[0]).outvars[local[1]]

    def run(self, turn: Pass) -> tuple[list[Any], list[Any], list[Any]]:
        """Stages one pass; gives the next carry and counts, and what is stacked."""
        for number, eqn in enumerate(self.eqns):
            operands = [read(turn) for read in self._reads[number]]
            with jaxprs.from_source_of(eqn):
                results = self._evaluated(number, operands, turn)
            turn.made.update({(number, n): value for n, value in enumerate(results)})
        following = [turn.made[local] for local, _ in self.carried]
        counts = [count + np.int32(1) for count in turn.state[1]]
        return following, counts, [turn.made[local] for local in self.stacked]

    def _evaluated(self, number: int, operands: list[Any], turn: Pass) -> Sequence[Any]:
        starts, eqn = self._starts[number], self.eqns[number]
        if starts is None:
            return jaxprs.bind(eqn, operands)
        places = [read(turn) for read in starts]
        sizes = jaxprs.shape_of(eqn.outvars[0])
        whole, inside = operands[0], False  # so nothing counts from the end
        return [lax.dynamic_slice(whole, places, sizes, allow_negative_indices=inside)]

    def _equation(self, pass_: int, number: int) -> jaxprs.JaxprEqn:
        groups = self._groups
        return self._wiring.eqns[groups.first + pass_ * groups.period + number]

    def _everywhere(self, number: int) -> list[jaxprs.JaxprEqn]:
        """An equation of the group in each of the passes."""
        return [self._equation(pass_, number) for pass_ in range(self._groups.count)]

    def _operands(self, number: int) -> list[Read]:
        atoms = zip(*(eqn.invars for eqn in self._everywhere(number)), strict=True)
        return [self._reader(each) for each in atoms]

    def _reader(self, atoms: tuple[Any, ...]) -> Read:
        """What gives the operand that is called so in the passes."""
        if jaxprs.is_literal(atoms[0]):
            return self._number([jaxprs.literal_value(atom) for atom in atoms])
        source = self._wiring.source(atoms[1], self._groups, 1)
        if source is None:
            return self._from_outside(atoms)
        back, local = source
        if back == 0:
            return lambda turn: turn.made[local]
        place = _place(self.carried, (local, atoms[0]))
        return lambda turn: turn.state[0][place]

    def _from_outside(self, atoms: tuple[Any, ...]) -> Read:
        if all(atom is atoms[0] for atom in atoms):
            value = self._outer(atoms[0])
            return lambda turn: value
        row = _place(self.rows, atoms)
        return lambda turn: turn.rows[row]

    def _number(self, values: Sequence[Any]) -> Read:
        """What gives the number of each pass: one for all, a count, or a row."""
        first = values[0]
        if all(value.tobytes() == first.tobytes() for value in values):
            return lambda turn: first
        if first.dtype == np.int32 and np.all(np.diff(values) == 1):
            counter = _place(self.counted, int(first))
            return lambda turn: turn.state[1][counter]
        row = len(self.rows)
        self.rows.append(tuple(values))
        return lambda turn: turn.rows[row]

    def _window_starts(self, number: int) -> list[Read] | None:
        """Where a window begins that moves from pass to pass; None for all others."""
        if not is_window(self.eqns[number]):
            return None
        starts = [eqn.params["start_indices"] for eqn in self._everywhere(number)]
        if all(start == starts[0] for start in starts):
            return None
        dims = zip(*starts, strict=True)
        return [self._number([np.int32(start) for start in dim]) for dim in dims]

    def _keep(self, read_later: set[Any]) -> None:
        """Notes what is read behind the loop: the last of a result, or more of them."""
        last = self._groups.count - 1
        carried = {local for local, _ in self.carried}
        for local in self._locals():
            kept = {n for n in range(last + 1) if self.variable(n, local) in read_later}
            if kept - {last}:
                self.stacked.append(local)
            elif kept and local not in carried:
                self.carried.append((local, None))

    def _locals(self) -> list[Local]:
        return [
            (number, result)
            for number, eqn in enumerate(self.eqns)
            for result in range(len(eqn.outvars))
        ]


def _place(places: list[Any], item: Any) -> int:
    """The number of an item in a list, which it joins if it is new."""
    if item not in places:
        places.append(item)
    return places.index(item)
