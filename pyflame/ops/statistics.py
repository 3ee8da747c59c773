"""Reductions and running totals beyond sum, mean, max and min."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from pyflame.errors import DTypeError, ShapeError
from pyflame.ops import elementwise
from pyflame.ops.pointwise import floating
from pyflame.ops.shapes import Dims, dims, one_dim, reduced_dims, text


def prod(x: jax.Array, *, dim: Dims, keepdim: bool) -> jax.Array:
    """Small integers and booleans are multiplied as int32."""
    return jnp.prod(x, axis=reduced_dims("prod", x, dim), keepdims=keepdim)


def any(x: jax.Array, *, dim: Dims, keepdim: bool) -> jax.Array:
    """Over no dims, of an empty tuple, each element for itself, as in PyTorch."""
    return jnp.any(x, axis=dims("any", x, dim), keepdims=keepdim)


def all(x: jax.Array, *, dim: Dims, keepdim: bool) -> jax.Array:
    """Over no dims, of an empty tuple, each element for itself, as in PyTorch."""
    return jnp.all(x, axis=dims("all", x, dim), keepdims=keepdim)


def count_nonzero(x: jax.Array, *, dim: Dims, keepdim: bool) -> jax.Array:
    """How many elements are not 0, as int32."""
    axes = reduced_dims("count_nonzero", x, dim)
    return jnp.sum(x != 0, axis=axes, keepdims=keepdim, dtype=jnp.int32)


def argmax(x: jax.Array, *, dim: int | None, keepdim: bool) -> jax.Array:
    """Where the first of the largest is: along `dim`, or in row-major order."""
    axis = _searched("argmax", x, dim)
    return jnp.argmax(x, axis=axis, keepdims=keepdim)


def argmin(x: jax.Array, *, dim: int | None, keepdim: bool) -> jax.Array:
    """Where the first of the smallest is: along `dim`, or in row-major order."""
    axis = _searched("argmin", x, dim)
    return jnp.argmin(x, axis=axis, keepdims=keepdim)


def _searched(op: str, x: jax.Array, dim: int | None) -> int | None:
    axis = None if dim is None else one_dim(op, x, dim, max(x.ndim, 1))
    axis = axis if x.ndim else None
    if (x.size if axis is None else x.shape[axis]) == 0:
        raise ShapeError(
            f"{op} of {text(x)} with dim={dim}: there are no elements",
            rule=f"{op} points at an element, so it needs at least one",
        )
    return axis


def var(
    x: jax.Array, correction: jax.Array | float, *, dim: Dims, keepdim: bool
) -> jax.Array:
    """The sum of squared distances from the mean over `count - correction`.

    NaN, where no more than `correction` elements are left.
    """
    _check_floating("var", x)
    return _variance(x, correction, reduced_dims("var", x, dim), keepdim).astype(
        x.dtype
    )


def _variance(
    x: jax.Array, correction: jax.Array | float, axes: tuple[int, ...], keepdim: bool
) -> jax.Array:
    """In float32, whatever the dtype of `x`."""
    wide = x.astype(jnp.float32)
    centered = wide - jnp.mean(wide, axis=axes, keepdims=True)
    squares = jnp.sum(jnp.square(centered), axis=axes, keepdims=keepdim)
    count = math.prod(x.shape[axis] for axis in axes)
    return squares / jnp.maximum(count - jnp.asarray(correction, jnp.float32), 0.0)


def std(
    x: jax.Array, correction: jax.Array | float, *, dim: Dims, keepdim: bool
) -> jax.Array:
    """The square root of `var`; its gradient is 0 where that is 0."""
    _check_floating("std", x)
    variance = _variance(x, correction, reduced_dims("std", x, dim), keepdim)
    return flat_sqrt(variance).astype(x.dtype)


def norm(x: jax.Array, *, p: float, dim: Dims, keepdim: bool) -> jax.Array:
    """sum(|x| ** p) ** (1 / p); of p = inf the largest |x|, of -inf the smallest."""
    _check_floating("norm", x)
    wide = x.astype(jnp.float32)
    return _norm(wide, p, reduced_dims("norm", x, dim), keepdim).astype(x.dtype)


def _norm(x: jax.Array, p: float, axes: tuple[int, ...], keepdim: bool) -> jax.Array:
    if p == 2:
        return flat_sqrt(jnp.sum(jnp.square(x), axis=axes, keepdims=keepdim))
    size = elementwise.abs(x)
    if p == 0:
        return jnp.sum((size != 0).astype(x.dtype), axis=axes, keepdims=keepdim)
    if math.isinf(p):
        reduce = jnp.max if p > 0 else jnp.min
        return reduce(size, axis=axes, keepdims=keepdim)
    if p == 1:
        return jnp.sum(size, axis=axes, keepdims=keepdim)
    total = jnp.sum(_flat_power(size, p), axis=axes, keepdims=keepdim)
    return _flat_power(total, 1 / p)


def flat_sqrt(x: jax.Array) -> jax.Array:
    """The square root, with gradient 0 at 0."""
    return jnp.where(x == 0, 0, jnp.sqrt(jnp.where(x == 0, 1, x)))


def _flat_power(x: jax.Array, exponent: float) -> jax.Array:
    """x ** exponent, with gradient 0 at 0."""
    at_zero = 0.0 if exponent > 0 else math.inf
    return jnp.where(x == 0, at_zero, jnp.where(x == 0, 1, x) ** exponent)


def cumsum(x: jax.Array, *, dim: int) -> jax.Array:
    """Sums of the elements so far. Small integers and booleans are added as int32."""
    axis = _axis_of_rank_one("cumsum", x, dim)
    return jnp.cumsum(_widened(x), axis=axis).reshape(x.shape)


def cumprod(x: jax.Array, *, dim: int) -> jax.Array:
    """Products of the elements so far; as int32 for small integers and booleans."""
    axis = _axis_of_rank_one("cumprod", x, dim)
    return jnp.cumprod(_widened(x), axis=axis).reshape(x.shape)


def logsumexp(x: jax.Array, *, dim: Dims, keepdim: bool) -> jax.Array:
    """log(sum(exp(x))), which does not overflow on the way."""
    axes = reduced_dims("logsumexp", x, dim)
    return jax.nn.logsumexp(floating(x), axis=axes, keepdims=keepdim)


def _axis_of_rank_one(op: str, x: jax.Array, dim: int) -> int:
    """The dim; a scalar is taken as a vector of one element, as PyTorch does."""
    return one_dim(op, x, dim, max(x.ndim, 1))


def _widened(x: jax.Array) -> jax.Array:
    x = x if x.ndim else x.reshape(1)
    return x if jnp.issubdtype(x.dtype, jnp.floating) else x.astype(jnp.int32)


def _check_floating(op: str, x: jax.Array) -> None:
    if not jnp.issubdtype(x.dtype, jnp.floating):
        raise DTypeError(
            f"{op} of {text(x)}: only floats have a {op} of their dtype",
            help="convert first: x.to(pf.float32)",
        )
