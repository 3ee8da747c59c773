"""Ops that move or rename dimensions and leave the values alone."""

from __future__ import annotations

import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp

from pyflame.errors import ShapeError
from pyflame.ops.shapes import Dims, dims, one_dim, text


def reshape(x: jax.Array, *, shape: tuple[int, ...]) -> jax.Array:
    """Same elements in row-major order; one size may be -1.

    Raises: ShapeError, if the counts of elements differ.
    """
    return jnp.reshape(x, _whole_shape(x, shape))


def transpose(x: jax.Array, *, dim0: int, dim1: int) -> jax.Array:
    """Swaps two dimensions."""
    return jnp.swapaxes(x, one_dim("transpose", x, dim0), one_dim("transpose", x, dim1))


def squeeze(x: jax.Array, *, dim: Dims) -> jax.Array:
    """Removes dimensions of size 1; a named one of another size stays (PyTorch)."""
    axes = dims("squeeze", x, dim)
    return jnp.squeeze(x, tuple(axis for axis in axes if x.shape[axis] == 1))


def unsqueeze(x: jax.Array, *, dim: int) -> jax.Array:
    """Adds a dimension of size 1 at `dim`."""
    return jnp.expand_dims(x, one_dim("unsqueeze", x, dim, x.ndim + 1))


def cat(*arrays: jax.Array, dim: int) -> jax.Array:
    """Joins arrays of equal shape except along `dim`."""
    axis = one_dim("cat", arrays[0], dim)
    for other in arrays[1:]:
        _check_joins(arrays[0], other, axis)
    return jnp.concatenate(arrays, axis)


def stack(*arrays: jax.Array, dim: int) -> jax.Array:
    """Joins arrays of one shape along a new dimension."""
    axis = one_dim("stack", arrays[0], dim, arrays[0].ndim + 1)
    for other in arrays[1:]:
        if other.shape != arrays[0].shape:
            raise ShapeError(
                f"stack of {text(arrays[0])} and {text(other)}: the shapes differ",
                rule="all tensors of a stack have the same shape",
                help="use pf.cat to join along a dimension there is",
            )
    return jnp.stack(arrays, axis)


def _check_joins(first: jax.Array, other: jax.Array, axis: int) -> None:
    same = first.ndim == other.ndim and all(
        m == n
        for d, (m, n) in enumerate(zip(first.shape, other.shape, strict=True))
        if d != axis
    )
    if not same:
        raise ShapeError(
            f"cat of {text(first)} and {text(other)} along dim {axis}: the other "
            "dimensions differ",
            rule="sizes agree in every dimension but the one joined along",
        )


def _whole_shape(x: jax.Array, shape: Sequence[int]) -> tuple[int, ...]:
    """`shape` with its -1 worked out."""
    known = math.prod(size for size in shape if size != -1)
    holes = sum(size == -1 for size in shape)
    fits = x.size == known if not holes else known != 0 and x.size % known == 0
    if holes > 1 or min(shape, default=0) < -1 or not fits:
        raise ShapeError(
            f"reshape of {text(x)} to {list(shape)}: {x.size} elements do not fit",
            rule="the sizes multiply to the number of elements; at most one is -1",
        )
    return tuple(x.size // known if size == -1 else size for size in shape)
