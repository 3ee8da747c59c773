"""Dropout."""

from __future__ import annotations

import jax
import jax.numpy as jnp


def dropout(x: jax.Array, noise: jax.Array, p: jax.Array) -> jax.Array:
    """0 where uniform `noise` (which broadcasts) is below `p`, else x / (1 - p)."""
    scale = jnp.where(p < 1, 1 / jnp.where(p < 1, 1 - p, 1), 0)
    return jnp.where(noise >= p, x * scale.astype(x.dtype), 0)
