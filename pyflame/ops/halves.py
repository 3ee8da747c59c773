"""Half precision as PyTorch computes it: in float32, rounded once at the end."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

from pyflame.ops.wafer import is_for_wafer

_HALVES = (jnp.float16, jnp.bfloat16)


def in_single(function: Callable[..., jax.Array], *arrays: jax.Array) -> jax.Array:
    """function(*arrays); if they promote to a half, computed in float32.

    The result then has the dtype of the half, and so have the gradients.
    """
    dtype = jnp.result_type(*arrays)
    if dtype not in _HALVES:
        return function(*arrays)
    wide = [jnp.asarray(x).astype(jnp.float32) for x in arrays]
    return function(*wide).astype(dtype)


def rounded_once(function: Callable[..., jax.Array], *arrays: jax.Array) -> jax.Array:
    """As `in_single`, but for a wafer, where it is a half like all around it."""
    return function(*arrays) if is_for_wafer() else in_single(function, *arrays)
