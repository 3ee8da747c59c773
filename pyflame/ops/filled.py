"""Arrays made of nothing but a shape and a value."""

from __future__ import annotations

import jax
import jax.numpy as jnp


def zeros(*, shape: tuple[int, ...], dtype: str) -> jax.Array:
    return jnp.zeros(shape, jnp.dtype(dtype))


def ones(*, shape: tuple[int, ...], dtype: str) -> jax.Array:
    return jnp.ones(shape, jnp.dtype(dtype))


def full(value: jax.Array, *, shape: tuple[int, ...], dtype: str) -> jax.Array:
    return jnp.full(shape, value, jnp.dtype(dtype))


def eye(*, shape: tuple[int, int], dtype: str) -> jax.Array:
    return jnp.eye(*shape, dtype=jnp.dtype(dtype))


OPS = (zeros, ones, full, eye)  # made anew in a trace, not carried in as data
