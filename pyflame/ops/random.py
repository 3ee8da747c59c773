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


def randint(
    seed: jax.Array,
    counter: jax.Array,
    low: jax.Array,
    high: jax.Array,
    *,
    shape: tuple[int, ...],
    dtype: str,
) -> jax.Array:
    """Integers from `low` to `high - 1`, each as likely."""
    drawn = jax.random.randint(_key(seed, counter), shape, low, high, jnp.int32)
    return drawn.astype(jnp.dtype(dtype))


def randperm(
    seed: jax.Array, counter: jax.Array, *, shape: tuple[int], dtype: str
) -> jax.Array:
    """The integers below the size in a random order."""
    order = jax.random.permutation(_key(seed, counter), shape[0])
    return order.astype(jnp.dtype(dtype))


def bernoulli(
    seed: jax.Array, counter: jax.Array, p: jax.Array, *, shape: tuple[int, ...]
) -> jax.Array:
    """1 with probability `p`, else 0, as float32; the gradient is 0."""
    uniform = jax.random.uniform(_key(seed, counter), shape, jnp.float32)
    return (uniform < p).astype(jnp.float32)


def _key(seed: jax.Array, counter: jax.Array) -> jax.Array:
    if seed.ndim:  # the words of a key that was passed
        key = jax.random.wrap_key_data(seed, impl="threefry2x32")
    else:
        key = jax.random.key(seed)
    return jax.random.fold_in(key, counter)
