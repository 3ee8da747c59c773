"""Proof that no PE waits for a collective that another one has not entered.

`jax.vmap` cannot show a deadlock: it runs both branches of a divergent cond. So every
value is followed with the mesh axes along which it may differ between PEs. A collective
along an axis may stand under a predicate only if that predicate is the same along it.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lowering import jaxprs
from lowering.errors import DivergentCollectiveError
from lowering.mesh import AXES, Mesh
from lowering.partition import mesh_primitives as prims
from lowering.placement import Placement

Varying = frozenset[str]  # the axes along which a value may differ

_UNIFORM: Varying = frozenset()
_EVERYWHERE: Varying = frozenset(AXES)
_MAKES_UNIFORM = {
    prims.mesh_broadcast_p,
    prims.mesh_all_reduce_p,
    prims.mesh_all_gather_p,
}
_MAKES_VARYING = {
    prims.mesh_index_p,
    prims.mesh_reduce_p,
    prims.mesh_shift_p,
    prims.mesh_slice_p,
    prims.mesh_fill_padding_p,
}
_OF_THE_MESH = _MAKES_UNIFORM | _MAKES_VARYING


def check_uniform(
    closed: jaxprs.ClosedJaxpr, inputs: Sequence[Varying] | None = None
) -> None:
    """Raises: DivergentCollectiveError, if PEs of one line may disagree on entering a
    collective along it, or on its root. `inputs` are the axes along which each input
    differs; without them, all differ everywhere."""
    known = inputs or [_EVERYWHERE] * len(closed.jaxpr.invars)
    _follow(closed, known, _UNIFORM)


def varying(placement: Placement, mesh: Mesh) -> Varying:
    """The axes along which PEs hold different tiles, or may hold anything."""
    return frozenset(
        axis
        for axis in AXES
        if axis in placement.axes or placement.axis_extent(axis) < mesh.size(axis)
    )


def _follow(
    closed: jaxprs.ClosedJaxpr, inputs: Sequence[Varying], divergent: Varying
) -> list[Varying]:
    """Axes of the outputs; `divergent` are those of the predicates around."""

    def evaluate(eqn: jaxprs.JaxprEqn, operands: list[Varying]) -> list[Varying]:
        return _equation(eqn, operands, divergent)

    consts = [_UNIFORM] * len(closed.consts)
    return jaxprs.interpret(
        closed.jaxpr, consts, inputs, evaluate, lambda literal: _UNIFORM
    )


def _equation(
    eqn: jaxprs.JaxprEqn, operands: list[Varying], divergent: Varying
) -> list[Varying]:
    name = eqn.primitive.name
    if eqn.primitive in prims.COLLECTIVES:
        _check_collective(eqn, divergent)
        _check_root(eqn, operands[1:])
    called = jaxprs.called_jaxpr(eqn)
    if called is not None:
        return _follow(called, operands, divergent)
    if name in _CONTROL_FLOW:
        return _CONTROL_FLOW[name](eqn, operands, divergent)
    if any(map(_asks_the_mesh, jaxprs.sub_jaxprs(eqn))):
        return _unknown(eqn, operands, divergent)
    varying: Varying = _UNIFORM.union(*operands)
    axis: str = eqn.params.get("axis", "")
    if eqn.params.get("first_only"):
        varying |= {axis}
    elif eqn.primitive in _MAKES_UNIFORM:
        varying -= {axis}
    elif eqn.primitive in _MAKES_VARYING:
        varying |= {axis}
    return [varying] * len(eqn.outvars)


def _check_collective(eqn: jaxprs.JaxprEqn, divergent: Varying) -> None:
    axis = eqn.params["axis"]
    if axis in divergent:
        raise DivergentCollectiveError(
            f"{eqn.primitive.name} along {axis} stands under a predicate that differs "
            f"between the PEs of one line of {axis}",
            rule="all PEs of a line enter a collective, or none does",
            help="move the collective out of the branch or loop, or make the predicate "
            "the same on all PEs, for example by a sum or maximum over the whole array",
        )


def _check_root(eqn: jaxprs.JaxprEqn, roots: Sequence[Varying]) -> None:
    axis = eqn.params["axis"]
    if axis in _UNIFORM.union(*roots):
        raise DivergentCollectiveError(
            f"the root of {eqn.primitive.name} along {axis} differs between the PEs of "
            f"one line of {axis}",
            rule="all PEs of a line agree on who sends",
            help="make the root the same on all PEs, for example the number of a pass",
        )


def _cond(
    eqn: jaxprs.JaxprEqn, operands: list[Varying], divergent: Varying
) -> list[Varying]:
    predicate, *inputs = operands
    branches = [
        _follow(branch, inputs, divergent | predicate)
        for branch in eqn.params["branches"]
    ]
    return [predicate.union(*outs) for outs in zip(*branches, strict=True)]


def _while(
    eqn: jaxprs.JaxprEqn, operands: list[Varying], divergent: Varying
) -> list[Varying]:
    cond_count, body_count = eqn.params["cond_nconsts"], eqn.params["body_nconsts"]
    cond_consts = operands[:cond_count]
    body_consts = operands[cond_count : cond_count + body_count]
    start = operands[cond_count + body_count :]
    condition, body = eqn.params["cond_jaxpr"], eqn.params["body_jaxpr"]

    def turn(carry: list[Varying]) -> list[Varying]:
        # Nothing is reported on the way to the fixed point, only in the last round.
        (predicate,) = _follow_quietly(condition, [*cond_consts, *carry])
        after = _follow_quietly(body, [*body_consts, *carry])
        return [old | new | predicate for old, new in zip(carry, after, strict=True)]

    carry = _fixed_point(turn, start)
    (predicate,) = _follow_quietly(condition, [*cond_consts, *carry])
    _follow(condition, [*cond_consts, *carry], divergent | predicate)
    _follow(body, [*body_consts, *carry], divergent | predicate)
    return carry


def _scan(
    eqn: jaxprs.JaxprEqn, operands: list[Varying], divergent: Varying
) -> list[Varying]:
    """The trip count is a number of the program: only the carry is followed."""
    const_count, carry_count = eqn.params["num_consts"], eqn.params["num_carry"]
    consts = operands[:const_count]
    start = operands[const_count : const_count + carry_count]
    sequences = operands[const_count + carry_count :]
    body = eqn.params["jaxpr"]

    def turn(carry: list[Varying]) -> list[Varying]:
        after = _follow_quietly(body, [*consts, *carry, *sequences])
        return [old | new for old, new in zip(carry, after, strict=False)]

    carry = _fixed_point(turn, start)
    results = _follow(body, [*consts, *carry, *sequences], divergent)
    return [*carry, *results[carry_count:]]


def _asks_the_mesh(closed: jaxprs.ClosedJaxpr) -> bool:
    """Whether more decides its results than its inputs: what other PEs hold, or where
    a PE stands. An element's function, a reduction's or a scatter's is none of those.
    """
    return any(
        eqn.primitive in _OF_THE_MESH
        or any(map(_asks_the_mesh, jaxprs.sub_jaxprs(eqn)))
        for eqn in closed.jaxpr.eqns
    )


def _unknown(
    eqn: jaxprs.JaxprEqn, operands: list[Varying], divergent: Varying
) -> list[Varying]:
    """A primitive whose use of its jaxprs is not known, and they ask the mesh: the
    worst is assumed."""
    del operands, divergent
    for closed in jaxprs.sub_jaxprs(eqn):
        _follow(closed, [_EVERYWHERE] * len(closed.jaxpr.invars), _EVERYWHERE)
    return [_EVERYWHERE] * len(eqn.outvars)


def _follow_quietly(
    closed: jaxprs.ClosedJaxpr, inputs: Sequence[Varying]
) -> list[Varying]:
    """Axes of the outputs, without a word on collectives."""

    def evaluate(eqn: jaxprs.JaxprEqn, operands: list[Varying]) -> list[Varying]:
        try:
            return _equation(eqn, operands, _UNIFORM)
        except DivergentCollectiveError:
            return [_EVERYWHERE] * len(eqn.outvars)

    consts = [_UNIFORM] * len(closed.consts)
    return jaxprs.interpret(
        closed.jaxpr, consts, inputs, evaluate, lambda literal: _UNIFORM
    )


def _fixed_point(
    turn: Callable[[list[Varying]], list[Varying]], start: list[Varying]
) -> list[Varying]:
    """Sets only grow and there are two axes, so this ends after a few rounds."""
    carry = start
    while (after := turn(carry)) != carry:
        carry = after
    return carry


_CONTROL_FLOW: dict[str, Any] = {"cond": _cond, "while": _while, "scan": _scan}
