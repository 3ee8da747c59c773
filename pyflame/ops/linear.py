"""Affine maps and table look-ups."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from pyflame.errors import DTypeError, ShapeError
from pyflame.ops.shapes import text


def linear(x: jax.Array, weight: jax.Array, *bias: jax.Array) -> jax.Array:
    """x @ weight.T + bias: [..., I], [O, I] and [O] give [..., O].

    Raises: ShapeError, if the last size of `x` is not that of `weight`.
    """
    if not x.ndim or weight.ndim != 2 or x.shape[-1] != weight.shape[1]:
        raise ShapeError(
            f"linear of {text(x)} and weight {text(weight)}: the last sizes differ",
            rule="[..., in_features] and [out_features, in_features] give "
            "[..., out_features]",
        )
    a, b = _promoted(x, weight)
    product = jax.lax.dot_general(a, b, (((x.ndim - 1,), (1,)), ((), ())))
    return product + bias[0] if bias else product


def embedding(
    index: jax.Array, weight: jax.Array, *, padding_idx: int | None
) -> jax.Array:
    """Rows of `weight` [V, E] by `index` [...]: [..., E].

    The row `padding_idx` gets no gradient. An index out of range gives NaN, because
    values are not known when the op is recorded.

    Raises: DTypeError, unless the indices are integers.
    """
    if not jnp.issubdtype(index.dtype, jnp.integer):
        raise DTypeError(
            f"embedding by {text(index)}: indices are integers",
            help="convert first: x.to(pf.int32)",
        )
    rows = weight.at[index].get(mode="clip", wrap_negative_indices=False)
    if padding_idx is not None:
        padding = (index == padding_idx)[..., None]
        rows = jnp.where(padding, jax.lax.stop_gradient(rows), rows)
    known = (index >= 0) & (index < weight.shape[0])
    return jnp.where(known[..., None], rows, jnp.nan)


def _promoted(a: jax.Array, b: jax.Array) -> tuple[jax.Array, jax.Array]:
    dtype = jnp.result_type(a, b)
    return a.astype(dtype), b.astype(dtype)
