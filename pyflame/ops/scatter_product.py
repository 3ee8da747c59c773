"""Elements multiplied at indices, with gradients where indices are named twice."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

_IN_RANGE: dict[str, Any] = {"mode": "drop", "wrap_negative_indices": False}


@jax.custom_jvp
def multiplied(
    x: jax.Array, source: jax.Array, key: tuple[jax.Array, ...]
) -> jax.Array:
    """`x` with x[key] times every value of `source` for this place.

    Indices out of range are left out. JAX has gradients only for unique indices.
    """
    return x.at[key].multiply(source, **_IN_RANGE)


@multiplied.defjvp
def _multiplied_jvp(
    primals: tuple[Any, ...], tangents: tuple[Any, ...]
) -> tuple[jax.Array, jax.Array]:
    """The slope by a factor is the product of the others: of the ones that are not 0,
    unless another one is.
    """
    x, source, key = primals
    rest = multiplied(_nonzero(x), _nonzero(source), key)
    zeros = (x == 0).astype(jnp.int32)
    zeros = zeros.at[key].add((source == 0).astype(jnp.int32), **_IN_RANGE)
    at_key = [y.at[key].get(mode="fill", fill_value=0) for y in (rest, zeros)]
    slope = _without(x, rest, zeros) * tangents[0]
    slope = slope.at[key].add(_without(source, *at_key) * tangents[1], **_IN_RANGE)
    return multiplied(*primals), slope


def _nonzero(x: jax.Array) -> jax.Array:
    return jnp.where(x == 0, 1, x)


def _without(factor: jax.Array, rest: jax.Array, zeros: jax.Array) -> jax.Array:
    """A product, known by its factors beside `zeros` zeros, without one factor."""
    others = zeros - (factor == 0)
    return jnp.where(others == 0, rest / _nonzero(factor), 0)
