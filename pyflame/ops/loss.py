"""Loss functions, with PyTorch's definitions; `reduction` is none, mean or sum."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from pyflame.errors import DTypeError, ShapeError
from pyflame.ops.elementwise import check_broadcast
from pyflame.ops.shapes import text

# PyTorch's bounds in binary cross entropy: of the logarithms, and in its derivative.
_LOG_LIMIT = -100.0
_LEAST_VARIANCE = 1e-12


def mse_loss(x: jax.Array, target: jax.Array, *, reduction: str) -> jax.Array:
    """(x - target)²; shapes broadcast."""
    check_broadcast("mse_loss", x, target)
    return reduced(jnp.square(x - target), reduction)


def l1_loss(x: jax.Array, target: jax.Array, *, reduction: str) -> jax.Array:
    """|x - target|; shapes broadcast."""
    check_broadcast("l1_loss", x, target)
    return reduced(jnp.abs(x - target), reduction)


def smooth_l1_loss(
    x: jax.Array, target: jax.Array, beta: jax.Array, *, reduction: str
) -> jax.Array:
    """d² / (2 beta) where d = |x - target| is below beta, d - beta / 2 elsewhere."""
    check_broadcast("smooth_l1_loss", x, target)
    distance = jnp.abs(x - target)
    safe = jnp.where(beta > 0, beta, 1)  # beta 0 takes the other branch everywhere
    near = 0.5 * jnp.square(distance) / safe
    return reduced(
        jnp.where(distance < beta, near, distance - 0.5 * beta), reduction
    ).astype(distance.dtype)


def bce_loss(x: jax.Array, target: jax.Array, *, reduction: str) -> jax.Array:
    """-(t log x + (1 - t) log(1 - x)), each logarithm at least -100."""
    _check_same("bce_loss", x, target)
    return reduced(_binary_cross_entropy(x, target), reduction)


@jax.custom_jvp
def _binary_cross_entropy(x: jax.Array, target: jax.Array) -> jax.Array:
    log_x, log_rest = _bounded_log(x), _bounded_log(1 - x)
    return -(target * log_x + (1 - target) * log_rest)


@_binary_cross_entropy.defjvp
def _binary_cross_entropy_jvp(primals: Any, tangents: Any) -> tuple[Any, Any]:
    """PyTorch's derivative, which stays finite where x is 0 or 1."""
    (x, target), (dx, dtarget) = primals, tangents
    slope = (x - target) / jnp.maximum((1 - x) * x, _LEAST_VARIANCE)
    change = slope * dx + (_bounded_log(1 - x) - _bounded_log(x)) * dtarget
    return _binary_cross_entropy(x, target), change


def _bounded_log(x: jax.Array) -> jax.Array:
    return jnp.maximum(jnp.log(x), _LOG_LIMIT)


def bce_with_logits(x: jax.Array, target: jax.Array, *, reduction: str) -> jax.Array:
    """bce_loss of sigmoid(x), stable for logits of any size."""
    _check_same("bce_with_logits", x, target)
    loss = (1 - target) * x + jax.nn.softplus(-x)
    return reduced(loss, reduction)


def kl_div(
    x: jax.Array, target: jax.Array, *, reduction: str, log_target: bool
) -> jax.Array:
    """target (log target - x) for log-probabilities x; shapes broadcast."""
    check_broadcast("kl_div", x, target)
    if log_target:
        loss = jnp.exp(target) * (target - x)
    else:
        loss = jax.scipy.special.xlogy(target, target) - target * x
    if reduction == "batchmean":
        return jnp.sum(loss) / x.shape[0]
    return reduced(loss, reduction)


def nll_loss(
    x: jax.Array, target: jax.Array, *, reduction: str, ignore_index: int
) -> jax.Array:
    """-x at the target class, for x [N, C, ...] or [C] and classes [N, ...] or [].

    The mean is over targets that are not `ignore_index`. Another class that is out of
    range gives NaN, because values are not known when the op is recorded.

    Raises: ShapeError, DTypeError, for targets that are no classes for `x`.
    """
    axis = _class_axis("nll_loss", x, target)
    losses, used = _picked(-x, target, axis, ignore_index)
    return _mean_of_used(losses, used, reduction)


def cross_entropy(
    x: jax.Array,
    target: jax.Array,
    label_smoothing: jax.Array,
    *,
    reduction: str,
    ignore_index: int,
) -> jax.Array:
    """nll_loss of log_softmax(x); floating targets are class probabilities.

    `label_smoothing` mixes that share of a uniform distribution into the target.

    Raises: ShapeError, DTypeError, for targets that are neither.
    """
    if jnp.issubdtype(target.dtype, jnp.floating):
        return _soft_cross_entropy(x, target, label_smoothing, reduction)
    axis = _class_axis("cross_entropy", x, target)
    surprise = -jax.nn.log_softmax(x, axis)
    losses, used = _picked(surprise, target, axis, ignore_index)
    uniform = jnp.where(used, jnp.mean(surprise, axis), 0)
    mixed = (1 - label_smoothing) * losses + label_smoothing * uniform
    return _mean_of_used(mixed.astype(x.dtype), used, reduction)


def reduced(loss: jax.Array, reduction: str) -> jax.Array:
    """The losses, their mean, or their sum."""
    if reduction == "none":
        return loss
    return jnp.mean(loss) if reduction == "mean" else jnp.sum(loss)


def _soft_cross_entropy(
    x: jax.Array, target: jax.Array, label_smoothing: jax.Array, reduction: str
) -> jax.Array:
    _check_same("cross_entropy", x, target)
    axis = 0 if x.ndim == 1 else 1
    share = label_smoothing / x.shape[axis]
    smooth = target * (1 - label_smoothing) + share
    losses = -jnp.sum(smooth * jax.nn.log_softmax(x, axis), axis).astype(x.dtype)
    if reduction == "mean":
        return jnp.sum(losses) / losses.size
    return reduced(losses, reduction)


def _picked(
    values: jax.Array, target: jax.Array, axis: int, ignore_index: int
) -> tuple[jax.Array, jax.Array]:
    """The value of each target class (0 where ignored), and which are not ignored.

    Picks by comparing with every class: unlike a gather, its gradient is no scatter.
    """
    classes = jax.lax.broadcasted_iota(target.dtype, values.shape, axis)
    chosen = classes == jnp.expand_dims(target, axis)
    picked = jnp.sum(jnp.where(chosen, values, 0), axis)
    used = target != ignore_index
    known = (target >= 0) & (target < values.shape[axis])
    return jnp.where(used, jnp.where(known, picked, jnp.nan), 0), used


def _mean_of_used(losses: jax.Array, used: jax.Array, reduction: str) -> jax.Array:
    if reduction == "mean":
        return jnp.sum(losses) / jnp.sum(used).astype(losses.dtype)
    return reduced(losses, reduction)


def _class_axis(op: str, x: jax.Array, target: jax.Array) -> int:
    if not jnp.issubdtype(target.dtype, jnp.integer):
        raise DTypeError(
            f"{op} of {text(x)} and target {text(target)}: classes are integers",
            help="convert first: target.to(pf.int32)",
        )
    axis = 0 if x.ndim == 1 else 1
    if not x.ndim or target.shape != x.shape[:axis] + x.shape[axis + 1 :]:
        raise ShapeError(
            f"{op} of {text(x)} and target {text(target)}: the shapes do not match",
            rule="[N, C, ...] goes with classes [N, ...], and [C] with one class []",
        )
    return axis


def _check_same(op: str, x: jax.Array, target: jax.Array) -> None:
    if x.shape != target.shape:
        raise ShapeError(
            f"{op} of {text(x)} and target {text(target)}: the shapes differ",
            rule="input and target have the same shape",
        )
