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


def orthogonal(normal: jax.Array, gain: jax.Array) -> jax.Array:
    """gain times a matrix with orthonormal rows or columns, uniformly distributed.

    `normal` [R, ...] has standard normal values; all but its first dimension are one.
    Source: Mezzadri 2007, "How to generate random matrices from the classical compact
    groups".
    """
    rows = normal.shape[0]
    matrix = normal.reshape(rows, -1).astype(jnp.float32)
    wide = rows < matrix.shape[1]
    q, r = jnp.linalg.qr(matrix.T if wide else matrix)
    q = q * jnp.sign(jnp.diag(r))
    turned = q.T if wide else q
    return (gain * turned).reshape(normal.shape).astype(normal.dtype)


def dirac(*, shape: tuple[int, ...], dtype: str, groups: int) -> jax.Array:
    """A convolution's weight [O, C, ...] that passes channels on, group by group."""
    middle = tuple(size // 2 for size in shape[2:])
    outputs = shape[0] // groups
    passed = jnp.arange(min(outputs, shape[1]))
    weight = jnp.zeros(shape, dtype)
    for group in range(groups):
        weight = weight.at[(group * outputs + passed, passed, *middle)].set(1)
    return weight


def eye(*, shape: tuple[int, int], dtype: str) -> jax.Array:
    """1 on the diagonal, 0 elsewhere."""
    return jnp.eye(*shape, dtype=dtype)


def sparse(normal: jax.Array, uniform: jax.Array, *, zeros: int) -> jax.Array:
    """`normal` [R, C] with 0 in `zeros` rows of each column, chosen by `uniform`."""
    order = jnp.argsort(jnp.argsort(uniform, 0), 0)
    return jnp.where(order < zeros, 0, normal)
