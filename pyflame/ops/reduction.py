"""Reductions over one, several or all dimensions."""

from __future__ import annotations

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp

from pyflame.errors import ShapeError
from pyflame.ops.shapes import Dims, reduced_dims, text


def sum(x: jax.Array, *, dim: Dims, keepdim: bool) -> jax.Array:
    """Small integers and booleans are summed as int32."""
    return jnp.sum(x, axis=reduced_dims("sum", x, dim), keepdims=keepdim)


def mean(x: jax.Array, *, dim: Dims, keepdim: bool) -> jax.Array:
    """Integers give a float32 mean; the mean of nothing is NaN, as in PyTorch."""
    return jnp.mean(x, axis=reduced_dims("mean", x, dim), keepdims=keepdim)


def max(x: jax.Array, *, dim: Dims, keepdim: bool) -> jax.Array:
    return _extreme("max", jnp.max, x, dim, keepdim)


def min(x: jax.Array, *, dim: Dims, keepdim: bool) -> jax.Array:
    return _extreme("min", jnp.min, x, dim, keepdim)


def _extreme(
    op: str, reduce: Callable[..., jax.Array], x: jax.Array, dim: Dims, keepdim: bool
) -> jax.Array:
    axes = reduced_dims(op, x, dim)
    if math.prod(x.shape[axis] for axis in axes) == 0:
        raise ShapeError(
            f"{op} of {text(x)} over dims {list(axes)}: there are no elements",
            rule=f"{op} has no neutral value, so it needs at least one element",
        )
    return reduce(x, axis=axes, keepdims=keepdim)
