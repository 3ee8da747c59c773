"""Activation functions, with PyTorch's definitions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp

from pyflame.ops.halves import rounded_once
from pyflame.ops.shapes import one_dim


def relu(x: jax.Array) -> jax.Array:
    """max(x, 0), with gradient 0 at 0."""
    return jax.nn.relu(x)


def sigmoid(x: jax.Array) -> jax.Array:
    """1 / (1 + exp(-x))."""
    return rounded_once(jax.nn.sigmoid, _floating(x))


def gelu(x: jax.Array) -> jax.Array:
    """x times the normal distribution function of x (exact, not the tanh form)."""
    return rounded_once(partial(jax.nn.gelu, approximate=False), _floating(x))


def silu(x: jax.Array) -> jax.Array:
    """x * sigmoid(x)."""
    return jax.nn.silu(_floating(x))


def softmax(x: jax.Array, *, dim: int) -> jax.Array:
    """exp(x) over its sum along `dim`, shifted by the maximum."""
    return _along("softmax", jax.nn.softmax, x, dim)


def log_softmax(x: jax.Array, *, dim: int) -> jax.Array:
    """log(softmax(x)), computed without the quotient."""
    return _along("log_softmax", jax.nn.log_softmax, x, dim)


def _along(
    op: str, function: Callable[[jax.Array, int], jax.Array], x: jax.Array, dim: int
) -> jax.Array:
    """The function along `dim`, computed in float32 of halves, as PyTorch does.

    A scalar takes the dim 0 or -1.
    """
    axis = one_dim(op, x, dim, max(x.ndim, 1))
    wide = x.astype(jnp.promote_types(x.dtype, jnp.float32))
    result = function(wide if x.ndim else wide[None], axis)
    return result.reshape(x.shape).astype(_floating(x).dtype)


def _floating(x: jax.Array) -> jax.Array:
    """Integers and booleans as float32, as PyTorch takes them."""
    x = jnp.asarray(x)
    return x if jnp.issubdtype(x.dtype, jnp.floating) else x.astype(jnp.float32)
