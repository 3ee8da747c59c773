"""Equations that need not run: views of what their operands already are.

A fold looks at an equation, its operands, and the equations those came from. It gives
the value to use instead, staging a cheaper equation if need be, or None.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections import Counter
from typing import Any

from lowering import jaxprs
from lowering.normalise import fold_dots, fold_numbers, fold_pads, fold_shapes
from lowering.normalise.core_set import BINARY, CUMULATIVE
from lowering.normalise.origins import Fold, Origins, Repeats


def fold(closed: jaxprs.ClosedJaxpr) -> jaxprs.ClosedJaxpr:
    """The same values by fewer or cheaper equations; dead ones are left in."""
    jaxpr = closed.jaxpr
    uses = Counter(
        atom
        for atoms in [*(eqn.invars for eqn in jaxpr.eqns), jaxpr.outvars]
        for atom in atoms
        if not jaxprs.is_literal(atom)
    )

    def run(*args: Any) -> list[Any]:
        origins, repeats = Origins(uses), Repeats()

        def evaluate(eqn: jaxprs.JaxprEqn, operands: list[Any]) -> list[Any]:
            results = _fold_equation(eqn, operands, origins)
            is_moving = eqn.primitive.name in _MOVING
            if results is None and is_moving:
                results = repeats.before(eqn, operands)
            if results is None:
                results = jaxprs.bind(eqn, operands)
                if is_moving:
                    repeats.note(eqn, operands, results)
                if len(results) == 1:
                    origins.record(results[0], eqn, operands)
            return results

        return jaxprs.interpret(jaxpr, closed.consts, args, evaluate)

    return jaxprs.trace(run, jaxpr.in_avals)


def _fold_equation(
    eqn: jaxprs.JaxprEqn, args: list[Any], origins: Origins
) -> list[Any] | None:
    for applies_to, rule in _FOLDS:
        if eqn.primitive.name in applies_to:
            result = rule(eqn, args, origins)
            if result is not None:
                return [result]
    return None


_SHAPERS = frozenset(
    {"transpose", "reshape", "broadcast_in_dim", "convert_element_type", "slice"}
)
# What is not computed twice: between PEs, it may take long to move.
_MOVING = frozenset({"transpose", "reshape", "broadcast_in_dim", "pad"})
_UNIT_REDUCTIONS = frozenset(
    "reduce_sum reduce_max reduce_min reduce_prod "
    "reduce_and reduce_or reduce_xor".split()
)
_FOLDS: list[tuple[frozenset[str], Fold]] = [
    (_SHAPERS, fold_shapes.drop_no_op),
    (frozenset({"pad"}), fold_shapes.drop_empty_pad),
    (frozenset({"pad"}), fold_pads.pad_of_pad),
    (frozenset({"slice"}), fold_pads.slice_of_pad),
    (CUMULATIVE, fold_shapes.drop_unit_walk),
    (_UNIT_REDUCTIONS, fold_shapes.drop_unit_reduction),
    (frozenset(fold_numbers.NEUTRAL), fold_numbers.drop_neutral),
    (BINARY, fold_numbers.use_scalars),
    (frozenset({"select_n"}), fold_numbers.choose_case),
    (frozenset({"neg"}), fold_numbers.drop_negations),
    (frozenset({"add", "sub"}), fold_numbers.join_negations),
    (frozenset({"broadcast_in_dim"}), fold_shapes.join_broadcasts),
    (frozenset({"reshape", "squeeze"}), fold_shapes.join_reshapes),
    (frozenset({"transpose"}), fold_shapes.join_transposes),
    (frozenset({"transpose"}), fold_dots.transpose_dot),
    (frozenset({"dot_general"}), fold_dots.dot_transposed),
]
