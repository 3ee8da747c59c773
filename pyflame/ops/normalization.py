"""Normalization over batches, layers and groups; halves are computed in float32."""

from __future__ import annotations

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp

from pyflame.errors import ShapeError
from pyflame.ops.shapes import text


def batch_mean(x: jax.Array) -> jax.Array:
    """Mean of each channel of x [N, C, ...], as [C]."""
    return jnp.mean(_single(x), _all_but_channels(x))


def batch_variance(x: jax.Array, *, unbiased: bool) -> jax.Array:
    """Variance of each channel of x [N, C, ...], as [C]."""
    return jnp.var(_single(x), _all_but_channels(x), ddof=int(unbiased))


def batch_norm(
    x: jax.Array,
    mean: jax.Array,
    variance: jax.Array,
    eps: jax.Array,
    *affine: jax.Array,
) -> jax.Array:
    """(x - mean) / sqrt(variance + eps) * weight + bias, channel by channel."""
    scale = jax.lax.rsqrt(_single(variance) + eps)
    centred = _single(x) - _per_channel(_single(mean), x)
    result = centred * _per_channel(scale, x)
    return _affine(result, x, affine, _per_channel)


def running(old: jax.Array, batch: jax.Array, momentum: jax.Array) -> jax.Array:
    """(1 - momentum) * old + momentum * batch, without a gradient."""
    old, batch = jax.lax.stop_gradient((old, batch))
    return ((1 - momentum) * old + momentum * batch).astype(old.dtype)


def layer_norm(
    x: jax.Array, eps: jax.Array, *affine: jax.Array, shape: tuple[int, ...]
) -> jax.Array:
    """Normalizes over the last dimensions, whose sizes are `shape`.

    Raises: ShapeError, if they are not.
    """
    if len(shape) > x.ndim or x.shape[x.ndim - len(shape) :] != shape:
        raise ShapeError(
            f"layer_norm of {text(x)} over {list(shape)}: the last sizes differ",
            rule="the input ends with the sizes of normalized_shape",
        )
    axes = tuple(range(x.ndim - len(shape), x.ndim))
    result = _standardized(_single(x), axes, eps)
    return _affine(result, x, affine, lambda parameter, _: parameter)


def group_norm(
    x: jax.Array, eps: jax.Array, *affine: jax.Array, num_groups: int
) -> jax.Array:
    """Normalizes x [N, C, ...] over each group of channels and all positions.

    Raises: ShapeError, if the channels do not divide into the groups.
    """
    if x.ndim < 2 or x.shape[1] % num_groups:
        raise ShapeError(
            f"group_norm of {text(x)} in {num_groups} groups: the channels do not "
            "divide",
            rule="the input is [N, C, ...] with C a multiple of num_groups",
        )
    of_group = math.prod(x.shape[1:]) // num_groups
    groups = _single(x).reshape(x.shape[0], num_groups, of_group)
    result = _standardized(groups, (2,), eps).reshape(x.shape)
    return _affine(result, x, affine, _per_channel)


def _standardized(x: jax.Array, axes: tuple[int, ...], eps: jax.Array) -> jax.Array:
    mean = jnp.mean(x, axes, keepdims=True)
    centred = x - mean
    variance = jnp.mean(jnp.square(centred), axes, keepdims=True)
    return centred * jax.lax.rsqrt(variance + eps)


def _affine(
    result: jax.Array,
    x: jax.Array,
    affine: tuple[jax.Array, ...],
    placed: Callable[[jax.Array, jax.Array], jax.Array],
) -> jax.Array:
    if affine:
        weight = affine[0]
        result = result * placed(_single(weight), x)
    if len(affine) > 1:
        result = result + placed(_single(affine[1]), x)
    return result.astype(x.dtype)


def _single(x: jax.Array) -> jax.Array:
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))


def _per_channel(parameter: jax.Array, x: jax.Array) -> jax.Array:
    return parameter.reshape(-1, *(1,) * (x.ndim - 2))


def _all_but_channels(x: jax.Array) -> tuple[int, ...]:
    return (0, *range(2, x.ndim))
