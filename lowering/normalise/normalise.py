"""jaxpr -> jaxpr: calls inlined, derived primitives rewritten, dead code gone.

The result computes the same values from core primitives only (`core_set`), whose
element-wise operands have the result's shape or rank 0, in the forms that
`conditional` rewrites leave as they are.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax import lax
from jax.core import Tracer

from lowering import jaxprs
from lowering.normalise.batched_loops import has_batched_test, with_one_test
from lowering.normalise.check import can_inline, check_supported
from lowering.normalise.complex_pairs import without_complex
from lowering.normalise.conditional import conditional_rewrite
from lowering.normalise.core_set import CORE, ELEMENTWISE, MESH, NESTING
from lowering.normalise.empty import touches_empty, without_empty
from lowering.normalise.empty_carries import without_empty_carries
from lowering.normalise.fold import fold
from lowering.normalise.random_keys import without_keys
from lowering.normalise.registry import REWRITES
from lowering.normalise.signed_zeros import with_signs_of_zeros


def normalise(closed: jaxprs.ClosedJaxpr) -> jaxprs.ClosedJaxpr:
    """The program in core primitives.

    Raises: UnsupportedPrimitiveError, UnsupportedDtypeError or SeveralErrors, listing
    all that cannot be compiled.
    """
    closed = jaxprs.drop_dead_equations(closed)
    if not can_inline(closed):
        check_supported(closed)
    closed = _plain(without_keys(_inlined(closed)))
    check_supported(closed)
    real = without_complex(closed)
    if real is not closed:  # its rules have staged calls
        closed = _plain(_inlined(real))
    return _in_core(with_signs_of_zeros(_in_core(closed)))


def _in_core(closed: jaxprs.ClosedJaxpr) -> jaxprs.ClosedJaxpr:
    """A supported program in core primitives, with all jaxprs inside it.

    Raises: UnsupportedPrimitiveError, if a rewrite staged what has no rule itself.
    """
    is_new = any(eqn.primitive.name in NESTING for eqn in closed.jaxpr.eqns)
    while is_new or not all(map(_is_core, closed.jaxpr.eqns)):
        closed = _plain(_retrace(closed, _evaluate))
        check_supported(closed)
        is_new = False
    return _folded(jaxprs.drop_dead_equations(closed))


def _folded(closed: jaxprs.ClosedJaxpr) -> jaxprs.ClosedJaxpr:
    """Folds until nothing folds: what one fold gives, another may take further."""
    while True:
        after = jaxprs.drop_dead_equations(fold(closed))
        if len(after.jaxpr.eqns) == len(closed.jaxpr.eqns):
            return after
        closed = after


def _is_core(eqn: jaxprs.JaxprEqn) -> bool:
    name = eqn.primitive.name
    if name in NESTING:
        nested = [inner for sub in jaxprs.sub_jaxprs(eqn) for inner in sub.eqns]
        return all(map(_is_core, nested))
    if conditional_rewrite(eqn) is not None or touches_empty(eqn):
        return False
    return name in CORE | MESH and not (name in ELEMENTWISE and _spread_dims(eqn))


def _retrace(
    closed: jaxprs.ClosedJaxpr, evaluate: jaxprs.EvaluateEquation
) -> jaxprs.ClosedJaxpr:
    def run(*args: Any) -> list[Any]:
        return jaxprs.interpret(closed.jaxpr, closed.consts, args, evaluate)

    return jaxprs.trace(run, closed.jaxpr.in_avals)


def _inline(eqn: jaxprs.JaxprEqn, args: list[Any]) -> Sequence[Any]:
    """Calls become their equations; nothing else changes before it is checked."""
    called = jaxprs.called_jaxpr(eqn)
    if called is not None:
        return jaxprs.interpret(called.jaxpr, called.consts, args, _inline)
    simpler = without_empty(eqn, args)
    if simpler is not None:
        return simpler
    staged = without_empty_carries(eqn, args, _inline)
    if staged is not None:
        return staged
    if has_batched_test(eqn):
        return with_one_test(eqn, args, _inline)
    if eqn.primitive.name in NESTING:
        return jaxprs.bind(eqn, args, jaxprs.with_sub_jaxprs(eqn, _inlined))
    return jaxprs.bind(eqn, args)


def _plain(closed: jaxprs.ClosedJaxpr) -> jaxprs.ClosedJaxpr:
    """The program without what only staging again takes out, and rewrites may stage:
    values of no elements, loops with several tests."""
    if any(map(_is_staged_again, closed.jaxpr.eqns)):
        return _inlined(closed)
    return jaxprs.drop_dead_equations(closed)


def _is_staged_again(eqn: jaxprs.JaxprEqn) -> bool:
    nested = [inner for sub in jaxprs.sub_jaxprs(eqn) for inner in sub.eqns]
    is_new = touches_empty(eqn) or has_batched_test(eqn)
    return is_new or any(map(_is_staged_again, nested))


def _inlined(closed: jaxprs.ClosedJaxpr) -> jaxprs.ClosedJaxpr:
    return jaxprs.drop_dead_equations(_retrace(closed, _inline))


def _evaluate(eqn: jaxprs.JaxprEqn, args: list[Any]) -> Sequence[Any]:
    called = jaxprs.called_jaxpr(eqn)
    if called is not None:
        return jaxprs.interpret(called.jaxpr, called.consts, args, _evaluate)
    if _is_foldable(eqn, args):
        return _constants(eqn, args)
    name = eqn.primitive.name
    if name in NESTING:
        return jaxprs.bind(eqn, args, jaxprs.with_sub_jaxprs(eqn, _in_core))
    rewrite = conditional_rewrite(eqn)
    if rewrite is not None:
        return rewrite(eqn, args)
    if name in REWRITES:
        results = REWRITES[name](*args, **eqn.params)
        return results if eqn.primitive.multiple_results else [results]
    if name in ELEMENTWISE:
        return jaxprs.bind(eqn, _spread(eqn, args))
    return jaxprs.bind(eqn, args)


def _spread_dims(eqn: jaxprs.JaxprEqn) -> list[int]:
    """Positions of operands that the primitive would stretch along unit dimensions."""
    shape = jaxprs.shape_of(eqn.outvars[0])
    return [
        position
        for position, atom in enumerate(eqn.invars)
        if jaxprs.shape_of(atom) not in ((), shape)
    ]


def _spread(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    shape = jaxprs.shape_of(eqn.outvars[0])
    spread = list(args)
    for position in _spread_dims(eqn):
        spread[position] = lax.broadcast_in_dim(
            args[position], shape, tuple(range(len(shape)))
        )
    return spread


def _is_foldable(eqn: jaxprs.JaxprEqn, args: list[Any]) -> bool:
    """Whether the equation has constant operands and takes no more room than they."""
    if eqn.effects or not args or eqn.primitive.name not in CORE | set(REWRITES):
        return False
    if any(isinstance(arg, Tracer) for arg in args):
        return False
    size_before = sum(math.prod(jaxprs.shape_of(atom)) for atom in eqn.invars)
    return sum(math.prod(jaxprs.shape_of(var)) for var in eqn.outvars) <= size_before


def _constants(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    with jax.ensure_compile_time_eval():
        results = jaxprs.bind(eqn, args)
    return [np.asarray(result)[()] for result in results]
