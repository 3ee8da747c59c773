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


def huber_loss(
    x: jax.Array, target: jax.Array, delta: jax.Array, *, reduction: str
) -> jax.Array:
    """d² / 2 where d = |x - target| is below delta, delta (d - delta / 2) elsewhere."""
    check_broadcast("huber_loss", x, target)
    distance = jnp.abs(x - target)
    far = delta * (distance - 0.5 * delta)
    loss = jnp.where(distance < delta, 0.5 * jnp.square(distance), far)
    return reduced(loss, reduction).astype(distance.dtype)


def bce_loss(
    x: jax.Array, target: jax.Array, *weight: jax.Array, reduction: str
) -> jax.Array:
    """-(t log x + (1 - t) log(1 - x)), each logarithm at least -100; times a weight."""
    _check_same("bce_loss", x, target)
    loss = _binary_cross_entropy(x, target)
    return reduced(_weighted("bce_loss", loss, weight), reduction)


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


def bce_with_logits(
    x: jax.Array,
    target: jax.Array,
    *weights: jax.Array,
    reduction: str,
    has_pos_weight: bool = False,
) -> jax.Array:
    """bce_loss of sigmoid(x), stable for logits of any size.

    `weights`: the factor of the positive term if there is one, then that of all.
    """
    _check_same("bce_with_logits", x, target)
    single = x.astype(jnp.promote_types(x.dtype, jnp.float32))
    surprise = jax.nn.softplus(-single)
    if has_pos_weight:
        positive = _fitting("bce_with_logits", "pos_weight", x, weights[0])
        surprise = surprise * ((positive - 1) * target + 1)
    loss = ((1 - target) * single + surprise).astype(jnp.result_type(x, target))
    rest = weights[1:] if has_pos_weight else weights
    return reduced(_weighted("bce_with_logits", loss, rest), reduction)


def _weighted(op: str, loss: jax.Array, weight: tuple[jax.Array, ...]) -> jax.Array:
    return loss * _fitting(op, "weight", loss, weight[0]) if weight else loss


def _fitting(op: str, name: str, x: jax.Array, weight: jax.Array) -> jax.Array:
    """`weight` as it is, in the dtype of `x`.

    Raises: ShapeError, if it does not broadcast to the shape of `x`.
    """
    sizes = (1,) * (x.ndim - weight.ndim) + weight.shape
    if len(sizes) > x.ndim or any(
        w not in (1, n) for w, n in zip(sizes, x.shape, strict=True)
    ):
        raise ShapeError(
            f"{op} of {text(x)} with {name} {text(weight)}: the shapes do not fit",
            rule=f"{name} broadcasts to the shape of the input",
        )
    return weight.astype(x.dtype)


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
        return jnp.sum(loss) / (loss.shape[0] if loss.ndim else 1)
    return reduced(loss, reduction)


def nll_loss(
    x: jax.Array,
    target: jax.Array,
    *weight: jax.Array,
    reduction: str,
    ignore_index: int,
) -> jax.Array:
    """-x at the target class, for x [N, C, ...] or [C] and classes [N, ...] or [].

    With a weight [C], times that of the class. The mean is over targets that are not
    `ignore_index`, by their weights. Another class that is out of range gives NaN,
    because values are not known when the op is recorded.

    Raises: ShapeError, DTypeError, for targets that are no classes for `x`.
    """
    axis = _class_axis("nll_loss", x, target)
    chosen, shares = _choice("nll_loss", x, target, axis, ignore_index, weight)
    losses = _picked(-x, target, chosen, axis, ignore_index) * shares
    return _mean_of_used(losses, shares, reduction)


def cross_entropy(
    x: jax.Array,
    target: jax.Array,
    *options: jax.Array,
    reduction: str,
    ignore_index: int,
    smoothed: bool = False,
) -> jax.Array:
    """nll_loss of log_softmax(x); floating targets are class probabilities.

    `options`: if `smoothed`, the share of a uniform distribution that is mixed into the
    target; then the weights of the classes, if they differ. The mean over probabilities
    is over their number, whatever the weights.

    Raises: ShapeError, DTypeError, for targets that are neither.
    """
    smoothing, weight = (options[:1], options[1:]) if smoothed else ((), options)
    if jnp.issubdtype(target.dtype, jnp.floating):
        _check_no_class_is_ignored(x, target, ignore_index)
        return _soft_cross_entropy(x, target, smoothing, weight, reduction)
    op = "cross_entropy"
    axis = _class_axis(op, x, target)
    surprise = -jax.nn.log_softmax(x, axis)
    chosen, shares = _choice(op, x, target, axis, ignore_index, weight)
    losses = _picked(surprise, target, chosen, axis, ignore_index) * shares
    if smoothing:
        scaled = surprise * _per_class(op, x, axis, weight[0]) if weight else surprise
        uniform = jnp.where(target != ignore_index, jnp.mean(scaled, axis), 0)
        losses = (1 - smoothing[0]) * losses + smoothing[0] * uniform
    return _mean_of_used(losses.astype(x.dtype), shares, reduction)


def reduced(loss: jax.Array, reduction: str) -> jax.Array:
    """The losses, their mean, or their sum."""
    if reduction == "none":
        return loss
    return jnp.mean(loss) if reduction == "mean" else jnp.sum(loss)


def _soft_cross_entropy(
    x: jax.Array,
    target: jax.Array,
    smoothing: tuple[jax.Array, ...],
    weight: tuple[jax.Array, ...],
    reduction: str,
) -> jax.Array:
    _check_same("cross_entropy", x, target)
    axis = 0 if x.ndim == 1 else 1
    smooth = target
    if smoothing:
        smooth = target * (1 - smoothing[0]) + smoothing[0] / x.shape[axis]
    if weight:
        smooth = smooth * _per_class("cross_entropy", x, axis, weight[0])
    losses = -jnp.sum(smooth * jax.nn.log_softmax(x, axis), axis).astype(x.dtype)
    if reduction == "mean":
        return jnp.sum(losses) / losses.size
    return reduced(losses, reduction)


def _choice(
    op: str,
    x: jax.Array,
    target: jax.Array,
    axis: int,
    ignore_index: int,
    weight: tuple[jax.Array, ...],
) -> tuple[jax.Array, jax.Array]:
    """Where each class is the target's, and the share of each target in the mean."""
    classes = jax.lax.broadcasted_iota(target.dtype, x.shape, axis)
    chosen = classes == jnp.expand_dims(target, axis)
    used = target != ignore_index
    if not weight:
        return chosen, used.astype(x.dtype)
    own = jnp.where(chosen, _per_class(op, x, axis, weight[0]), 0)
    return chosen, jnp.where(used, jnp.sum(own, axis), 0)


def _per_class(op: str, x: jax.Array, axis: int, weight: jax.Array) -> jax.Array:
    if weight.shape != (x.shape[axis],):
        raise ShapeError(
            f"{op} of {text(x)} with weight {text(weight)}: there are "
            f"{x.shape[axis]} classes",
            rule="weight is [C], one for each class",
        )
    return weight.astype(x.dtype).reshape(-1, *(1,) * (x.ndim - axis - 1))


def _picked(
    values: jax.Array,
    target: jax.Array,
    chosen: jax.Array,
    axis: int,
    ignore_index: int,
) -> jax.Array:
    """The value of each target class; 0 where ignored, NaN where there is none.

    Picks by comparing with every class: unlike a gather, its gradient is no scatter.
    """
    picked = jnp.sum(jnp.where(chosen, values, 0), axis)
    known = (target >= 0) & (target < values.shape[axis])
    return jnp.where(target == ignore_index, 0, jnp.where(known, picked, jnp.nan))


def _mean_of_used(losses: jax.Array, shares: jax.Array, reduction: str) -> jax.Array:
    if reduction == "mean":
        return jnp.sum(losses) / jnp.sum(shares)
    return reduced(losses, reduction)


def _check_no_class_is_ignored(
    x: jax.Array, target: jax.Array, ignore_index: int
) -> None:
    if ignore_index >= 0:
        raise DTypeError(
            f"cross_entropy of {text(x)} and target {text(target)} with "
            f"ignore_index={ignore_index}: probabilities name no class to ignore",
            rule="ignore_index goes with classes",
            help="give the ignored rows the target 0 everywhere",
        )


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
