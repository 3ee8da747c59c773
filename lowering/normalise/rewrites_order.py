"""Comparisons of floats in their total order, which searches in sorted arrays use."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from lowering.cases import Case
from lowering.normalise.registry import rewrites


@rewrites("eq_to")
def _eq_to(x: Any, y: Any) -> Any:
    return lax.eq(_key(x), _key(y))


@rewrites("le_to")
def _le_to(x: Any, y: Any) -> Any:
    return lax.le(_key(x), _key(y))


@rewrites("lt_to")
def _lt_to(x: Any, y: Any) -> Any:
    return lax.lt(_key(x), _key(y))


def _key(x: Any) -> Any:
    """Integers in the order -NaN, -inf, ..., -0.0, 0.0, ..., inf, NaN."""
    if not jnp.issubdtype(x.dtype, jnp.floating):
        return x
    bits = lax.bitcast_convert_type(x.astype(np.float32), np.int32)
    return jnp.where(bits < 0, bits ^ np.int32(0x7FFFFFFF), bits)


CASES = [
    Case(
        "zeros and NaN",
        lambda x, y: [
            compare.bind(_special(x), _special(y))
            for compare in (lax.eq_to_p, lax.le_to_p, lax.lt_to_p)
        ],
        ("f32[n,m]", "f32[n,m]"),
    ),
]


def _special(x: Any) -> Any:
    """-inf, -0.0, 0.0 or NaN in place of numbers of four ranges."""
    zeros = jnp.where(x < 0, np.float32(-0.0), np.float32(0))
    large = jnp.where(x < 0, np.float32(-np.inf), np.float32(np.nan))
    return jnp.where(abs(x) < 1, zeros, large)
