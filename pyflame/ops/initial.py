"""Initial values beyond what elementwise ops give."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.scipy.special import ndtr


def truncated_normal(
    uniform: jax.Array, mean: jax.Array, std: jax.Array, a: jax.Array, b: jax.Array
) -> jax.Array:
    """Normal values between `a` and `b`, by the inverse distribution function."""
    low, high = ndtr((a - mean) / std), ndtr((b - mean) / std)
    share = low + (high - low) * uniform
    values = mean + std * jnp.sqrt(2.0) * jax.lax.erf_inv(2 * share - 1)
    return jnp.clip(values, a, b).astype(uniform.dtype)


def zero_row(x: jax.Array, *, row: int) -> jax.Array:
    """`x` with zeros in one row."""
    return x.at[row].set(0)
