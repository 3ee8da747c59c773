"""Layers that Python wrote out one after another, as loops over layers.

The code of a loop is that of one layer. What differs from layer to layer, such as
weights, becomes a sequence of which each pass takes its row; `plan` takes the rows
from where they stand, so the sequence itself need not exist.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from lowering import jaxprs
from lowering.normalise.passes import Pass, Passes
from lowering.normalise.repetition import stretches
from lowering.normalise.wiring import Groups, Wiring

_FEWEST_SAVED = 8  # equations; a loop has steps of its own
_MAX_TRIES = 100  # stretches that are looked at, those that save most first


def rolled(closed: jaxprs.ClosedJaxpr) -> jaxprs.ClosedJaxpr | None:
    """The same program with loops for what repeats; None if too little does."""
    loops = _loops(closed.jaxpr)
    if not loops:
        return None

    def run(*args: Any) -> list[Any]:
        return _Rolling(closed, args).run(loops)

    return jaxprs.drop_dead_equations(jaxprs.trace(run, closed.in_avals))


def _loops(jaxpr: jaxprs.Jaxpr) -> list[Groups]:
    """Groups of equations that become loops, in order; none share an equation."""
    wiring = Wiring(jaxpr)
    chosen: list[Groups] = []
    taken = np.zeros(len(jaxpr.eqns), np.bool_)
    for stretch in stretches(jaxpr.eqns)[:_MAX_TRIES]:
        if stretch.saved < _FEWEST_SAVED or taken[stretch.first : stretch.last].any():
            continue
        groups = wiring.passes(stretch)
        if groups is not None and groups.saved >= _FEWEST_SAVED:
            chosen.append(groups)
            taken[groups.first : groups.last] = True
    return sorted(chosen, key=lambda groups: groups.first)


@dataclass(frozen=True, slots=True)
class _Row:
    """Row `number` of an array that a loop has stacked."""

    stack: Any
    number: int


class _Rolling:
    """Stages a jaxpr again, some groups of its equations as loops."""

    def __init__(self, closed: jaxprs.ClosedJaxpr, args: Sequence[Any]) -> None:
        self._jaxpr = closed.jaxpr
        self._wiring = Wiring(closed.jaxpr)
        self._values: dict[Any, Any] = {
            **dict(zip(closed.jaxpr.constvars, closed.consts, strict=True)),
            **dict(zip(closed.jaxpr.invars, args, strict=True)),
        }
        self._rows: dict[Any, _Row] = {}

    def run(self, loops: Sequence[Groups]) -> list[Any]:
        number = 0
        for groups in loops:
            self._equations(number, groups.first)
            self._loop(groups)
            number = groups.last
        self._equations(number, len(self._jaxpr.eqns))
        return [self._read(atom) for atom in self._jaxpr.outvars]

    def _equations(self, first: int, last: int) -> None:
        for eqn in self._jaxpr.eqns[first:last]:
            with jaxprs.from_source_of(eqn):
                results = jaxprs.bind(eqn, [self._read(atom) for atom in eqn.invars])
            self._values.update(zip(eqn.outvars, results, strict=True))

    def _read(self, atom: Any) -> Any:
        if jaxprs.is_literal(atom):
            return jaxprs.literal_value(atom)
        if atom not in self._values:
            row = self._rows[atom]
            part = lax.slice_in_dim(row.stack, row.number, row.number + 1)
            self._values[atom] = lax.squeeze(part, (0,))
        return self._values[atom]

    def _loop(self, groups: Groups) -> None:
        passes = Passes(self._wiring, groups, self._read_later(groups), self._read)
        is_reversed = any(self._order(atoms) == -1 for atoms in passes.rows)

        def turn(state: Any, rows: Sequence[Any]) -> Any:
            following, counts, stacked = passes.run(Pass(state, rows))
            return (following, counts), stacked

        with jaxprs.from_source_of(passes.eqns[0]):
            start = [self._start(passes, *each) for each in passes.carried]
            counts = [np.int32(number) for number in passes.counted]
            rows = [self._stack(atoms, is_reversed) for atoms in passes.rows]
            (last, _), stacks = lax.scan(
                turn,
                (start, counts),
                rows,
                length=groups.count,
                reverse=is_reversed,
            )
        for local, stack in zip(passes.stacked, stacks, strict=True):
            for pass_ in range(groups.count):
                number = groups.count - 1 - pass_ if is_reversed else pass_
                self._rows[passes.variable(pass_, local)] = _Row(stack, number)
        for (local, _), value in zip(passes.carried, last, strict=True):
            self._values[passes.variable(groups.count - 1, local)] = value

    def _read_later(self, groups: Groups) -> set[Any]:
        """Variables that equations behind the groups, or callers, read."""
        behind = self._jaxpr.eqns[groups.last :]
        atoms = [atom for eqn in behind for atom in eqn.invars]
        return {a for a in (*atoms, *self._jaxpr.outvars) if not jaxprs.is_literal(a)}

    def _start(self, passes: Passes, local: tuple[int, int], first: Any) -> Any:
        """What the first pass finds in place of a result of the pass before it."""
        if first is not None:
            return self._read(first)
        aval: Any = passes.variable(0, local).aval
        return jnp.zeros(aval.shape, aval.dtype)

    def _order(self, atoms: Sequence[Any]) -> int:
        """1 if the atoms are rows of one array one after another, -1 if backwards."""
        rows = [self._rows.get(a) for a in atoms if isinstance(a, jaxprs.Var)]
        known = [row for row in rows if row is not None]
        if len(known) < len(atoms) or any(r.stack is not known[0].stack for r in known):
            return 0
        steps = {b.number - a.number for a, b in pairwise(known)}
        return next(iter(steps)) if steps in ({1}, {-1}) else 0

    def _stack(self, atoms: Sequence[Any], is_reversed: bool) -> Any:
        """The sequence whose row the loop takes in each pass."""
        ordered = atoms[::-1] if is_reversed else atoms
        if self._order(ordered) == 1:
            row = self._rows[ordered[0]]
            return lax.slice_in_dim(row.stack, row.number, row.number + len(ordered))
        if not isinstance(ordered[0], jaxprs.Var):
            return np.stack(ordered)
        rows = [lax.expand_dims(self._read(atom), (0,)) for atom in ordered]
        return lax.concatenate(rows, 0)
