"""Exchanges that end at the first PE of a line, where nobody else needs the result.

Rules bring values to every PE of an axis that does not split them. Of an output the
host reads the first PE of such a line only, unless its layout says otherwise. From the
outputs back, this follows along which axes a value is needed everywhere. Sums, gathers
and broadcasts that are not stop at the first PE: the others keep what they have.

What PEs compute from that is as good as anything else, as long as they neither wait for
it, loop by it nor use it as an address; there, a value is needed everywhere.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lowering import jaxprs
from lowering.mesh import AXES, Axis, Mesh
from lowering.normalise.core_set import (
    CONTROL_FLOW,
    CUMULATIVE,
    ELEMENTWISE,
    MOVES,
    REDUCTIONS,
    SHAPES,
)
from lowering.partition import mesh_primitives as prims
from lowering.partition.reshard import canonical
from lowering.placement import Placement

Needed = frozenset[Axis]  # the axes along which every PE has to have a value

_EVERYWHERE: Needed = frozenset(AXES)
_FIRST: Needed = frozenset()
# What a PE computes from its own values, whatever they are.
_LOCAL = (
    (ELEMENTWISE | REDUCTIONS | CUMULATIVE | SHAPES | MOVES | {"dot_general"})
    | {"mesh_slice", "mesh_fill_padding"}
) - {"sort"}
_MAY_STOP = (prims.mesh_broadcast_p, prims.mesh_all_reduce_p, prims.mesh_all_gather_p)


def needed(wanted: Placement | None, found: Placement, mesh: Mesh) -> Needed:
    """Where an output has to be: where a layout wants it, else where its tiles are."""
    if wanted is None:
        return frozenset(axis for axis in found.axes if axis is not None)
    named = canonical(wanted, mesh).axes
    return frozenset(
        axis for axis in AXES if axis in named or wanted.axis_extent(axis) > 1
    )


def stopped_at_first(
    closed: jaxprs.ClosedJaxpr, outputs: Sequence[Needed]
) -> jaxprs.ClosedJaxpr:
    """The PE program, whose outputs are right where they are needed only."""
    places = _needs(closed.jaxpr, outputs)

    def evaluate(eqn: jaxprs.JaxprEqn, operands: list[Any]) -> list[Any]:
        axis = eqn.params.get("axis")
        if eqn.primitive not in _MAY_STOP or axis in places[eqn.outvars[0]]:
            return jaxprs.bind(eqn, operands)
        if eqn.primitive is prims.mesh_broadcast_p and eqn.params["root"] == 0:
            return [operands[0]]
        params = {**eqn.params, "first_only": True}
        return jaxprs.bind(eqn, operands, params)

    def run(*args: Any) -> list[Any]:
        return jaxprs.interpret(closed.jaxpr, closed.consts, args, evaluate)

    return jaxprs.drop_dead_equations(jaxprs.trace(run, closed.in_avals))


def _needs(jaxpr: jaxprs.Jaxpr, outputs: Sequence[Needed]) -> dict[Any, Needed]:
    """Along which axes each variable is needed everywhere."""
    places: dict[Any, Needed] = {}

    def note(atoms: Sequence[Any], need: Needed) -> None:
        for atom in atoms:
            if not jaxprs.is_literal(atom):
                places[atom] = places.get(atom, _FIRST) | need

    for atom, need in zip(jaxpr.outvars, outputs, strict=True):
        note([atom], need)
    for eqn in reversed(jaxpr.eqns):
        need = _FIRST.union(*(places.get(var, _FIRST) for var in eqn.outvars))
        places.update(dict.fromkeys(eqn.outvars, need))
        note(eqn.invars[:1], _of_first_operand(eqn, need))
        note(eqn.invars[1:], need if _is_local(eqn) else _EVERYWHERE)
    return places


def _of_first_operand(eqn: jaxprs.JaxprEqn, need: Needed) -> Needed:
    """Of an exchange, all PEs of the line take part; a broadcast needs its root's."""
    if eqn.primitive is prims.mesh_broadcast_p and eqn.params["root"] == 0:
        return need - {eqn.params["axis"]}
    if eqn.primitive in prims.COLLECTIVES:
        return need | {eqn.params["axis"]}
    return need if _is_local(eqn) else _EVERYWHERE


def _is_local(eqn: jaxprs.JaxprEqn) -> bool:
    nested = [inner for sub in jaxprs.sub_jaxprs(eqn) for inner in sub.eqns]
    loops = any(e.primitive.name in CONTROL_FLOW or not _is_local(e) for e in nested)
    return eqn.primitive.name in _LOCAL and not loops
