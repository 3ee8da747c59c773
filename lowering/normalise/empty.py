"""Equations with operands or results of no elements, staged without them.

What gives nothing is left out, and what takes nothing gives what JAX says it does:
concatenations lose pieces, updates of nothing change nothing, what pads an empty array
fills the result, and totals of nothing are neutral.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.core import Tracer

from lowering import jaxprs
from lowering.normalise.core_set import SCATTERS

Whole = Callable[[jaxprs.JaxprEqn, list[Any]], list[Any] | None]


def is_empty(atom: Any) -> bool:
    """Whether a variable or literal has no elements."""
    return 0 in jaxprs.shape_of(atom)


def touches_empty(eqn: jaxprs.JaxprEqn) -> bool:
    """Whether an operand or a result has no elements."""
    return any(map(is_empty, [*eqn.invars, *eqn.outvars]))


def nothing(atom: Any) -> np.ndarray[Any, Any]:
    """The only array of the variable's type, which has no elements."""
    return np.zeros(jaxprs.shape_of(atom), jaxprs.dtype_of(atom))


def without_empty(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any] | None:
    """What the equation gives, staged without what is empty; None if it stays.

    Parts of a split are cut one by one, so that those without elements fall away.
    """
    if not touches_empty(eqn) or _has_keys(eqn):
        return None
    if all(map(is_empty, eqn.outvars)):
        return [nothing(var) for var in eqn.outvars]
    if eqn.primitive.name == "split":
        return _parts(eqn, args[0])
    if any(map(is_empty, eqn.outvars)):
        return None
    whole = _WHOLE.get(eqn.primitive.name, _computed)
    return whole(eqn, args)


def _has_keys(eqn: jaxprs.JaxprEqn) -> bool:
    """Whether it is of random keys, which become words first."""
    dtypes = map(jaxprs.dtype_of, [*eqn.invars, *eqn.outvars])
    return any(jnp.issubdtype(dtype, jax.dtypes.extended) for dtype in dtypes)


def _computed(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any] | None:
    """What JAX gives for constants and nothing: it is known before the program runs."""
    known = [
        nothing(atom) if is_empty(atom) else arg
        for atom, arg in zip(eqn.invars, args, strict=True)
    ]
    if any(isinstance(arg, Tracer) for arg in known):
        return None
    with jax.ensure_compile_time_eval():
        results = jaxprs.bind(eqn, known)
    return [_short(np.asarray(result)) for result in results]


def _short(array: np.ndarray[Any, Any]) -> Any:
    """A constant, as one number if it has no other."""
    if np.all((array == array.flat[0]) | (array != array)):
        return jnp.full(array.shape, array.flat[0])
    return array


def _pieces(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    pairs = zip(eqn.invars, args, strict=True)
    pieces = [arg for atom, arg in pairs if not is_empty(atom)]
    return [lax.concatenate(pieces, eqn.params["dimension"])]


def _unchanged(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    """What there was before the update."""
    del eqn
    return [args[0]]


def _border(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    return [lax.broadcast(args[1], jaxprs.shape_of(eqn.outvars[0]))]


def _zeros(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    """Sums of nothing, wherever the other operand comes from."""
    del args
    out = eqn.outvars[0]
    return [jnp.zeros(jaxprs.shape_of(out), jaxprs.dtype_of(out))]


def _starts(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    """Reductions by a computation of nothing: the initial values."""
    starts = args[len(args) // 2 :]
    pairs = zip(starts, eqn.outvars, strict=True)
    return [jnp.broadcast_to(start, jaxprs.shape_of(out)) for start, out in pairs]


def _parts(eqn: jaxprs.JaxprEqn, x: Any) -> list[Any]:
    ends = np.cumsum(eqn.params["sizes"])
    return [
        lax.slice_in_dim(x, int(end) - size, int(end), axis=eqn.params["axis"])
        if size
        else nothing(var)
        for end, size, var in zip(ends, eqn.params["sizes"], eqn.outvars, strict=True)
    ]


_WHOLE: dict[str, Whole] = {
    "concatenate": _pieces,
    "pad": _border,
    **dict.fromkeys(("dynamic_update_slice", *SCATTERS), _unchanged),
    **dict.fromkeys(("dot_general", "conv_general_dilated"), _zeros),
    "select_and_scatter_add": _zeros,
    **dict.fromkeys(("reduce", "reduce_window"), _starts),
}
