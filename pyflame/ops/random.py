"""Random numbers that depend on a seed and a counter, and on nothing else."""

from __future__ import annotations

import jax
import jax.numpy as jnp


def randn(
    seed: jax.Array, counter: jax.Array, *, shape: tuple[int, ...], dtype: str
) -> jax.Array:
    """Standard normal values for the `counter`-th request of `seed`."""
    return jax.random.normal(_key(seed, counter), shape, jnp.dtype(dtype))


def rand(
    seed: jax.Array, counter: jax.Array, *, shape: tuple[int, ...], dtype: str
) -> jax.Array:
    """Uniform values in [0, 1) for the `counter`-th request of `seed`."""
    return jax.random.uniform(_key(seed, counter), shape, jnp.dtype(dtype))


def _key(seed: jax.Array, counter: jax.Array) -> jax.Array:
    return jax.random.fold_in(jax.random.key(seed), counter)
