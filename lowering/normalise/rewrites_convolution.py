"""Convolutions of one 32-bit dtype: what has others is converted before and after."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax

from lowering import jaxprs
from lowering.cases import Case
from lowering.normalise.conditional import rewrites_where
from lowering.normalise.widen import wide_dtype


def _is_mixed(eqn: jaxprs.JaxprEqn) -> bool:
    dtypes = {str(jaxprs.dtype_of(atom)) for atom in (*eqn.invars, *eqn.outvars)}
    return dtypes != {wide_dtype(jaxprs.dtype_of(eqn.outvars[0]))}


@rewrites_where(_is_mixed, "conv_general_dilated")
def _in_wide(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    """Products and sums are formed in the 32 bits that hold the result's dtype."""
    result = jaxprs.dtype_of(eqn.outvars[0])
    dtype = wide_dtype(result)
    params = {**eqn.params, "preferred_element_type": None}
    wide = jaxprs.bind(eqn, [x.astype(dtype) for x in args], params)
    return [x.astype(result) for x in wide]


CASES = [
    Case(
        "sums of small integers",
        lambda x, w: lax.conv_general_dilated(
            x, w, (1, 1), "SAME", preferred_element_type=jnp.int32
        ),
        ("i8[1,2,7,5]", "i8[3,2,3,3]"),
    ),
]
