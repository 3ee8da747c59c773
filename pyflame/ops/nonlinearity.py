"""Activation functions beyond the basic ones, with PyTorch's definitions.

Gradients at the corners are PyTorch's, too: what a `where` picks decides them.
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp

from pyflame.errors import ShapeError
from pyflame.ops.halves import rounded_once
from pyflame.ops.shapes import one_dim, text

# Klambauer et al. 2017: the fixed point of mean 0 and variance 1.
_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


def leaky_relu(x: jax.Array, slope: jax.Array) -> jax.Array:
    """x above 0, slope * x elsewhere."""
    x = _floating(x)
    return jnp.where(x > 0, x, (slope * x).astype(x.dtype))


def prelu(x: jax.Array, weight: jax.Array) -> jax.Array:
    """leaky_relu with slopes [1] or [] for all, or [C] for the channels of [N, C, ...].

    Raises: ShapeError, for another number of slopes.
    """
    channels = 1 if x.ndim < 2 else x.shape[1]
    if weight.ndim > 1 or weight.size not in (1, channels):
        raise ShapeError(
            f"prelu of {text(x)} with weight {text(weight)}: the sizes do not fit",
            rule="weight is [1] or [], or [C] for an input [N, C, ...]",
        )
    slopes = weight.reshape(-1, *(1,) * max(x.ndim - 2, 0))
    return leaky_relu(x, slopes[0] if not x.ndim else slopes)


def elu(x: jax.Array, alpha: jax.Array) -> jax.Array:
    """x above 0, alpha (exp(x) - 1) elsewhere."""
    return rounded_once(_elu, _floating(x), alpha)


def _elu(x: jax.Array, alpha: jax.Array | float) -> jax.Array:
    return jnp.where(x > 0, x, (alpha * jnp.expm1(_low(x))).astype(x.dtype))


def celu(x: jax.Array, alpha: jax.Array) -> jax.Array:
    """x above 0, alpha (exp(x / alpha) - 1) elsewhere."""
    return rounded_once(_celu, _floating(x), alpha)


def _celu(x: jax.Array, alpha: jax.Array) -> jax.Array:
    low = alpha * jnp.expm1(_low(x) / alpha)
    return jnp.where(x > 0, x, low.astype(x.dtype))


def selu(x: jax.Array) -> jax.Array:
    """elu, scaled so that layers keep mean 0 and variance 1."""
    return rounded_once(_selu, _floating(x))


def _selu(x: jax.Array) -> jax.Array:
    return _SELU_SCALE * _elu(x, jnp.asarray(_SELU_ALPHA, x.dtype))


def softplus(x: jax.Array, beta: jax.Array, threshold: jax.Array) -> jax.Array:
    """log(1 + exp(beta x)) / beta; x itself where beta x is above the threshold."""
    x = _floating(x)
    steep = beta * x
    linear = steep > threshold
    curve = jnp.log1p(jnp.exp(jnp.where(linear, 0, steep))) / beta
    return jnp.where(linear, x, curve.astype(x.dtype))


def hardtanh(x: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
    """x, held between `low` and `high`; flat from there on."""
    inside = (x > low) & (x < high)
    held = jax.lax.stop_gradient(jnp.clip(x, low, high))
    return jnp.where(inside, x, held.astype(x.dtype))


def hardswish(x: jax.Array) -> jax.Array:
    """x * relu6(x + 3) / 6."""
    x = _floating(x)
    middle = x * (x + 3) / 6
    return jnp.where(x <= -3, 0, jnp.where(x < 3, middle, x))


def hardsigmoid(x: jax.Array) -> jax.Array:
    """relu6(x + 3) / 6."""
    return hardtanh(_floating(x) + 3, jnp.asarray(0.0), jnp.asarray(6.0)) / 6


def hardshrink(x: jax.Array, bound: jax.Array) -> jax.Array:
    """0 from -bound to bound, x elsewhere."""
    return jnp.where((x >= -bound) & (x <= bound), 0, x)


def softshrink(x: jax.Array, bound: jax.Array) -> jax.Array:
    """x moved towards 0 by bound, no further than 0."""
    x = _floating(x)
    moved = jnp.where(x > 0, x - bound, x + bound).astype(x.dtype)
    return jnp.where((x >= -bound) & (x <= bound), 0, moved)


def tanhshrink(x: jax.Array) -> jax.Array:
    """x - tanh(x)."""
    x = _floating(x)
    return x - jnp.tanh(x)


def softsign(x: jax.Array) -> jax.Array:
    """x / (1 + |x|)."""
    return rounded_once(lambda x: x / (1 + jnp.abs(x)), _floating(x))


def logsigmoid(x: jax.Array) -> jax.Array:
    """log(sigmoid(x)), stable for any x."""
    return jax.nn.log_sigmoid(_floating(x))


def mish(x: jax.Array) -> jax.Array:
    """x * tanh(softplus(x)) (Misra 2019)."""
    x = _floating(x)
    return x * jnp.tanh(jax.nn.softplus(x))


def threshold(x: jax.Array, bound: jax.Array, value: jax.Array) -> jax.Array:
    """x above the bound, `value` elsewhere."""
    return jnp.where(x > bound, x, jnp.asarray(value, x.dtype))


def gelu_tanh(x: jax.Array) -> jax.Array:
    """gelu with tanh for the normal distribution function (Hendrycks, Gimpel 2016)."""
    return rounded_once(partial(jax.nn.gelu, approximate=True), _floating(x))


def glu(x: jax.Array, *, dim: int) -> jax.Array:
    """The first half along `dim` times the sigmoid of the second.

    Raises: ShapeError, if the size is odd or `dim` out of range.
    """
    axis = one_dim("glu", x, dim)
    if x.shape[axis] % 2:
        raise ShapeError(
            f"glu of {text(x)} along dim={dim}: {x.shape[axis]} elements have no half",
            rule="the size of the dimension is even",
        )
    first, second = jnp.split(_floating(x), 2, axis)
    return first * jax.nn.sigmoid(second)


def _low(x: jax.Array) -> jax.Array:
    """x where it is not above 0; 0 elsewhere, where exp(x) might overflow."""
    return jnp.where(x > 0, 0, x)


def _floating(x: jax.Array) -> jax.Array:
    x = jnp.asarray(x)
    return x if jnp.issubdtype(x.dtype, jnp.floating) else x.astype(jnp.float32)
