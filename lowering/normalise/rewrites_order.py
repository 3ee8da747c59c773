"""Comparisons of floats in their total order, which searches in sorted arrays use."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

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
