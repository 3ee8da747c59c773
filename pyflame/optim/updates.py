"""The arithmetic of the optimizers, on arrays: one function per value it computes.

Each rounds where PyTorch's CPU kernels do: a step such as `x + alpha * y` is computed
in float32 and rounded once to the dtype of `x`. Numbers such as the learning rate are
float32 inputs, derived from Python's doubles beforehand; only flags are structural.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

Number = jax.Array  # weakly typed float32 scalar


def sgd_momentum(
    buffer: jax.Array,
    param: jax.Array,
    grad: jax.Array,
    momentum: Number,
    weight: Number,
    decay: Number,
    *,
    maximize: bool,
    decays: bool,
) -> jax.Array:
    """momentum * buffer + weight * gradient."""
    grad = _gradient(param, grad, decay, maximize, decays)
    return _plus(_times(buffer, momentum), grad, weight)


def sgd_step(
    param: jax.Array,
    grad: jax.Array,
    lr: Number,
    decay: Number,
    *,
    maximize: bool,
    decays: bool,
) -> jax.Array:
    """The parameter without momentum."""
    return _plus(param, _gradient(param, grad, decay, maximize, decays), -lr)


def sgd_momentum_step(
    param: jax.Array,
    grad: jax.Array,
    buffer: jax.Array,
    lr: Number,
    momentum: Number,
    decay: Number,
    *,
    maximize: bool,
    decays: bool,
    nesterov: bool,
) -> jax.Array:
    """The parameter with the new momentum buffer."""
    direction = buffer
    if nesterov:
        grad = _gradient(param, grad, decay, maximize, decays)
        direction = _plus(grad, buffer, momentum)
    return _plus(param, direction, -lr)


def first_moment(
    average: jax.Array,
    param: jax.Array,
    grad: jax.Array,
    weight: Number,
    decay: Number,
    *,
    maximize: bool,
    decays: bool,
    near: bool,
) -> jax.Array:
    """The running average of the gradient, moved towards it by `weight`.

    `near` tells whether the weight is below 1/2: the form that loses nothing.
    """
    grad = _gradient(param, grad, decay, maximize, decays)
    start, end = _wide(average), _wide(grad)
    if near:
        return _like(average, start + weight * (end - start))
    return _like(average, end - (end - start) * (1 - weight))


def second_moment(
    average: jax.Array,
    param: jax.Array,
    grad: jax.Array,
    beta: Number,
    weight: Number,
    decay: Number,
    *,
    maximize: bool,
    decays: bool,
) -> jax.Array:
    """beta * average + weight * gradient ** 2."""
    grad = _gradient(param, grad, decay, maximize, decays)
    kept = _wide(_times(average, beta))
    return _like(average, kept + weight * _wide(grad) * _wide(grad))


def largest(a: jax.Array, b: jax.Array) -> jax.Array:
    """The larger of each pair; NaN if one is."""
    return jnp.maximum(a, b)


def adam_step(
    param: jax.Array,
    average: jax.Array,
    square: jax.Array,
    step_size: Number,
    root_correction: Number,
    eps: Number,
    shrink: Number,
    *,
    shrinks: bool,
) -> jax.Array:
    """The parameter from both moments; `shrink` is AdamW's decay as a factor."""
    if shrinks:
        param = _times(param, shrink)
    root = _like(square, _wide(_root(square)) / root_correction)
    return _plus_ratio(param, average, _shifted(root, eps), -step_size)


def rms_ratio(
    buffer: jax.Array,
    param: jax.Array,
    grad: jax.Array,
    square: jax.Array,
    *rest: jax.Array,
    centered: bool,
    maximize: bool,
    decays: bool,
) -> jax.Array:
    """RMSprop's momentum: momentum * buffer + gradient / its scale.

    `rest`: the average gradient if centered, then eps, decay, momentum.
    """
    eps, decay, momentum = rest[-3:]
    grad = _gradient(param, grad, decay, maximize, decays)
    scale = _scale(square, rest[:-3], eps, centered)
    return _plus_ratio(_times(buffer, momentum), grad, scale, 1.0)


def rms_step(
    param: jax.Array,
    grad: jax.Array,
    square: jax.Array,
    *rest: jax.Array,
    centered: bool,
    maximize: bool,
    decays: bool,
) -> jax.Array:
    """The parameter without momentum. `rest`: as above, with lr for momentum."""
    eps, decay, lr = rest[-3:]
    grad = _gradient(param, grad, decay, maximize, decays)
    return _plus_ratio(param, grad, _scale(square, rest[:-3], eps, centered), -lr)


def minus_scaled(param: jax.Array, direction: jax.Array, lr: Number) -> jax.Array:
    """param - lr * direction."""
    return _plus(param, direction, -lr)


def _scale(
    square: jax.Array, averages: tuple[jax.Array, ...], eps: Number, centered: bool
) -> jax.Array:
    if centered:
        (average,) = averages
        mean = _wide(average)
        square = _like(square, _wide(square) - mean * mean)
    return _shifted(_root(square), eps)


def _gradient(
    param: jax.Array, grad: jax.Array, decay: Number, maximize: bool, decays: bool
) -> jax.Array:
    """The gradient of what is minimised, with weight decay as a part of it."""
    grad = -grad if maximize else grad
    return _plus(grad, param, decay) if decays else grad


def _wide(x: jax.Array) -> jax.Array:
    return x.astype(jnp.float32)


def _rounded(dtype: jnp.dtype, value: jax.Array) -> jax.Array:
    """`value`, float32, rounded to what `dtype` can hold.

    XLA may leave out a conversion there and back, but not `reduce_precision`.
    """
    if dtype == jnp.float32:
        return value
    info = jnp.finfo(dtype)
    return jax.lax.reduce_precision(value, info.nexp, info.nmant)


def _like(x: jax.Array, value: jax.Array) -> jax.Array:
    return _rounded(x.dtype, value).astype(x.dtype)


def _plus(x: jax.Array, y: jax.Array, alpha: Number) -> jax.Array:
    """x + alpha * y; PyTorch rounds alpha too (but not the factors of a product)."""
    return _like(x, _wide(x) + _rounded(x.dtype, alpha) * _wide(y))


def _plus_ratio(
    x: jax.Array, top: jax.Array, bottom: jax.Array, factor: Number | float
) -> jax.Array:
    return _like(x, _wide(x) + factor * _wide(top) / _wide(bottom))


def _times(x: jax.Array, factor: Number) -> jax.Array:
    return _like(x, _wide(x) * factor)


def _shifted(x: jax.Array, number: Number) -> jax.Array:
    return _like(x, _wide(x) + number)


def _root(x: jax.Array) -> jax.Array:
    return _like(x, jnp.sqrt(_wide(x)))
