"""Primitives that work on 32-bit numbers: narrower ones are widened, and cut off again.

Halves are exact in float32, small integers in int32, so that orders and extremes stay
what they were; sums and products of integers agree in the bits that are kept. Halves
are rounded once, at the end.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from lowering import jaxprs
from lowering.cases import Case
from lowering.dtypes import HALVES
from lowering.normalise.conditional import rewrites_where

_WIDENED = (
    "reduce_prod reduce_and reduce_or reduce_xor argmax argmin cumsum cumprod cummax "
    "cummin sort reduce_window_sum reduce_window_max reduce_window_min "
    "select_and_scatter_add select_and_gather_add"
).split()
_WIDE: dict[str, str] = {
    **dict.fromkeys(("float16", "bfloat16"), "float32"),
    **dict.fromkeys(("int8", "int16", "uint8", "uint16", "bool"), "int32"),
}
# Parameters that name the dtype of the result, which is then that of the wide one.
_RESULT_DTYPES = ("index_dtype", "preferred_element_type")


def is_narrow(eqn: jaxprs.JaxprEqn) -> bool:
    """Whether an operand or result has fewer than 32 bits."""
    atoms = [*eqn.invars, *eqn.outvars]
    return any(str(jaxprs.dtype_of(atom)) in _WIDE for atom in atoms)


@rewrites_where(is_narrow, *_WIDENED)
def widened(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    """The equation's results, in its own dtypes, by its like on 32-bit numbers."""
    params = dict(eqn.params)
    for name in _RESULT_DTYPES:
        if params.get(name) is not None:
            params[name] = np.dtype(wide_dtype(params[name]))
    results = jaxprs.bind(eqn, [x.astype(wide_dtype(x.dtype)) for x in args], params)
    return [
        result.astype(jaxprs.dtype_of(var))
        for result, var in zip(results, eqn.outvars, strict=True)
    ]


def _is_of_halves(eqn: jaxprs.JaxprEqn) -> bool:
    return str(jaxprs.dtype_of(eqn.invars[0])) in HALVES


# A sum of halves is rounded once, also where the sums of several PEs are added.
rewrites_where(_is_of_halves, "reduce_sum")(widened)


def wide_dtype(dtype: Any) -> str:
    """The name of the dtype of 32 bits that holds all numbers of `dtype`."""
    name = str(np.dtype(dtype))
    return _WIDE.get(name, name)


CASES = [
    Case(
        "halves",
        lambda x: [
            *(f(jnp.round(x)) for f in (jnp.sum, jnp.prod, jnp.cumsum)),
            x.argmax(0),
            lax.sort(x),
        ],
        ("f16[n,3]",),
    ),
    Case("small integers", lambda a: [lax.cummax(a, 1), a.argmin(1)], ("i8[n,m]",)),
]
