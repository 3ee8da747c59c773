"""Largest and smallest of zeros of both signs, where a result can show the sign.

JAX takes 0.0 for larger than -0.0. The machine's maximum, which works on vectors and on
the fabric, says nothing of it. Most programs never show: sums, products of matrices,
comparisons and `exp` give the same for both zeros. Where a result may show the sign,
`max` becomes the exact machine_op `maximum`, and reductions that come to a zero look
for the sign.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from lowering import jaxprs
from lowering.dtypes import is_float
from lowering.machine_op import machine_op
from lowering.normalise.core_set import NESTING

# What gives the same for zeros of both signs; sums start from 0.0.
_BLIND = frozenset(
    "eq ne lt le gt ge abs exp log argmax argmin dot_general conv_general_dilated "
    "reduce_window_sum".split()
)
# What shows the sign of a zero among its operands only in the sign of a zero result.
_PASSING = frozenset(
    "add sub mul neg max min sign sqrt tanh select_n reshape squeeze transpose slice "
    "broadcast_in_dim concatenate pad rev dynamic_slice dynamic_update_slice gather "
    "reduce_max reduce_min cummax cummin cumsum reduce_window_max reduce_window_min "
    "mesh_fill_padding replicate".split()
)
# The reductions that vectors or the fabric compute, and whether 0.0 wins over -0.0.
_WINS_POSITIVE = {
    "reduce_max": True,
    "reduce_min": False,
    "cummax": True,
    "reduce_window_max": True,
}
# What gives elements of its operands.
_SELECTING = frozenset("reshape squeeze transpose slice broadcast_in_dim rev".split())
_VECTOR_DTYPES = ("float32", "float16")
_INTEGERS = {4: np.int32, 2: np.int16}


def with_signs_of_zeros(closed: jaxprs.ClosedJaxpr) -> jaxprs.ClosedJaxpr:
    """The program with JAX's signs of zero in all that it shows."""
    shown = _shown(closed.jaxpr)
    shown -= _of_positive_zeros(closed.jaxpr)

    def evaluate(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
        if _has_loops_or_branches(eqn):
            return jaxprs.bind(
                eqn, args, jaxprs.with_sub_jaxprs(eqn, with_signs_of_zeros)
            )
        if not _is_inexact(eqn, shown):
            return jaxprs.bind(eqn, args)
        if eqn.primitive.name == "max":
            return [machine_op("maximum", *args)]
        return [_reduced(eqn, args[0])]

    def run(*args: Any) -> list[Any]:
        return jaxprs.interpret(closed.jaxpr, closed.consts, args, evaluate)

    return jaxprs.trace(run, closed.jaxpr.in_avals)


def _has_loops_or_branches(eqn: jaxprs.JaxprEqn) -> bool:
    """Whether it has programs of arrays inside, not functions of scalars."""
    return eqn.primitive.name in NESTING - {"element_call"}


def _shown(jaxpr: jaxprs.Jaxpr) -> set[Any]:
    """The variables whose signs of zero may come to show in an output."""
    shown = set(filter(_is_variable, jaxpr.outvars))
    for eqn in reversed(jaxpr.eqns):
        shown.update(filter(_is_variable, _showing(eqn, shown)))
    return shown


def _of_positive_zeros(jaxpr: jaxprs.Jaxpr) -> set[Any]:
    """The largest or smallest of what has no -0.0, such as of absolute values."""
    positive: set[Any] = set()
    for eqn in jaxpr.eqns:
        atoms = [atom for atom in eqn.invars if not jaxprs.is_literal(atom)]
        name = eqn.primitive.name
        is_extreme = name == "max" or name in _WINS_POSITIVE or name in _SELECTING
        if name in ("abs", "exp") or (is_extreme and positive.issuperset(atoms)):
            if len(atoms) == len(eqn.invars):
                positive.update(eqn.outvars)
        elif name == "mul" and len(atoms) == 2 and atoms[0] is atoms[1]:
            positive.update(eqn.outvars)
    return positive


def _showing(eqn: jaxprs.JaxprEqn, shown: set[Any]) -> list[Any]:
    """The operands of which the equation shows the signs of zero."""
    name = eqn.primitive.name
    if name in _BLIND or (name == "reduce_sum" and _adds_several(eqn)):
        return []
    is_shown = any(var in shown for var in eqn.outvars)
    if name == "div":  # 1 / 0.0 is not 1 / -0.0
        return list(eqn.invars) if is_shown else [eqn.invars[1]]
    if name in _PASSING or name == "reduce_sum":
        return list(eqn.invars) if is_shown else []
    return list(eqn.invars)


def _adds_several(eqn: jaxprs.JaxprEqn) -> bool:
    shape = jaxprs.shape_of(eqn.invars[0])
    return math.prod(shape[dim] for dim in eqn.params["axes"]) > 1


def _is_variable(atom: Any) -> bool:
    return not jaxprs.is_literal(atom) and is_float(str(jaxprs.dtype_of(atom)))


def _is_inexact(eqn: jaxprs.JaxprEqn, shown: set[Any]) -> bool:
    """Whether the machine may give a zero of another sign, which shows."""
    out, name = eqn.outvars[0], eqn.primitive.name
    if out not in shown:
        return False
    if name == "max":
        return str(jaxprs.dtype_of(out)) in _VECTOR_DTYPES
    return name in _WINS_POSITIVE


def _reduced(eqn: jaxprs.JaxprEqn, x: Any) -> Any:
    """The reduction; if a result is zero, of the sign that was there to win."""
    (found,) = jaxprs.bind(eqn, [x])
    zeros = _flags(lax.eq(found, lax.full_like(found, 0)))
    is_any = lax.gt(lax.reduce_max(zeros, tuple(range(zeros.ndim))), np.float32(0))

    def signed(x: Any, found: Any) -> Any:
        return _with_signs(eqn, x, found)

    return lax.cond(is_any, signed, lambda x, found: found, x, found)


def _with_signs(eqn: jaxprs.JaxprEqn, x: Any, found: Any) -> Any:
    """Zeros of the winning sign where the reduction saw such a one.

    It sees them by its like over flags: 1.0, or -1.0 where the smallest wins.
    """
    is_positive = _WINS_POSITIVE[eqn.primitive.name]
    flag, winner = (1.0, 0.0) if is_positive else (-1.0, -0.0)
    bits = lax.bitcast_convert_type(x, _INTEGERS[x.dtype.itemsize])
    wanted = lax.bitcast_convert_type(np.asarray(winner, x.dtype), bits.dtype)
    has_sign = _flags(lax.eq(bits, lax.full_like(bits, wanted)))
    (seen,) = jaxprs.bind(eqn, [lax.mul(has_sign, np.float32(flag))])
    won, lost = (lax.full_like(found, zero) for zero in (winner, -winner))
    signed = lax.select(lax.eq(seen, lax.full_like(seen, flag)), won, lost)
    return lax.select(lax.eq(found, lax.full_like(found, 0)), signed, found)


def _flags(x: Any) -> Any:
    """bool[...] -> f32[...]: what PEs reduce on the fabric."""
    return x.astype(jnp.float32)
