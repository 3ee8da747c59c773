"""The arithmetic of the optimizers, on arrays: what becomes of one parameter.

Each rounds where PyTorch's CPU kernels do: a step such as `x + alpha * y` is computed
in float32 and rounded once to the dtype of `x`. Numbers such as the learning rate are
float32 inputs, derived from Python's doubles beforehand; only flags are structural.
"""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp

Number = jax.Array  # weakly typed float32 scalar
Numbers = Sequence[Number]
State = Sequence[jax.Array]
Updated = tuple[jax.Array, list[jax.Array]]  # the parameter and its new state


def sgd(
    param: jax.Array,
    grad: jax.Array,
    state: State,
    numbers: Numbers,
    *,
    momentum: bool,
    nesterov: bool,
    maximize: bool,
    decays: bool,
) -> Updated:
    """numbers: lr, momentum, what of the gradient enters the momentum, decay."""
    lr, factor, weight, decay = numbers
    grad = _gradient(param, grad, decay, maximize, decays)
    if not momentum:
        return _plus(param, grad, -lr), []
    buffer = _plus(_times(state[0], factor), grad, weight)
    direction = _plus(grad, buffer, factor) if nesterov else buffer
    return _plus(param, direction, -lr), [buffer]


def adam(
    param: jax.Array,
    grad: jax.Array,
    state: State,
    numbers: Numbers,
    *,
    amsgrad: bool,
    near: bool,
    shrinks: bool,
    maximize: bool,
    decays: bool,
) -> Updated:
    """numbers: step size, root of the second correction, eps, shrink, 1 - beta1,
    beta2, 1 - beta2, decay. `shrink` is AdamW's decay as a factor.
    """
    step_size, root_correction, eps, shrink, towards, beta, weight, decay = numbers
    grad = _gradient(param, grad, decay, maximize, decays)
    average = _moved(state[0], grad, towards, near)
    square = scale = _squared(state[1], grad, beta, weight)
    kept = [average, square]
    if amsgrad:
        scale = jnp.maximum(state[2], square)
        kept.append(scale)
    if shrinks:
        param = _times(param, shrink)
    root = _like(scale, _wide(_root(scale)) / root_correction)
    return _plus_ratio(param, average, _shifted(root, eps), -step_size), kept


def rmsprop(
    param: jax.Array,
    grad: jax.Array,
    state: State,
    numbers: Numbers,
    *,
    centered: bool,
    momentum: bool,
    near: bool,
    maximize: bool,
    decays: bool,
) -> Updated:
    """numbers: lr, alpha, 1 - alpha, eps, decay, momentum."""
    lr, alpha, towards, eps, decay, factor = numbers
    grad = _gradient(param, grad, decay, maximize, decays)
    square = spread = _squared(state[0], grad, alpha, towards)
    kept = [square]
    if centered:
        average = _moved(state[1], grad, towards, near)
        kept.append(average)
        mean = _wide(average)
        spread = _like(square, _wide(square) - mean * mean)
    scale = _shifted(_root(spread), eps)
    if not momentum:
        return _plus_ratio(param, grad, scale, -lr), kept
    direction = _plus_ratio(_times(state[-1], factor), grad, scale, 1.0)
    return _plus(param, direction, -lr), [*kept, direction]


def _moved(
    average: jax.Array, grad: jax.Array, weight: Number, near: bool
) -> jax.Array:
    """The average moved towards the gradient by `weight`.

    `near` tells whether the weight is below 1/2: the form that loses nothing.
    """
    start, end = _wide(average), _wide(grad)
    if near:
        return _like(average, start + weight * (end - start))
    return _like(average, end - (end - start) * (1 - weight))


def _squared(
    average: jax.Array, grad: jax.Array, beta: Number, weight: Number
) -> jax.Array:
    """beta * average + weight * gradient ** 2."""
    kept = _wide(_times(average, beta))
    return _like(average, kept + weight * _wide(grad) * _wide(grad))


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
