"""Losses as functions; `reduction` is "mean", "sum", "none" or a Reduction."""

from __future__ import annotations

import warnings
from typing import Any

from pyflame.errors import ArgumentError
from pyflame.nn.reduction import reduction_name
from pyflame.ops import loss as ops
from pyflame.tensors import Tensor, apply


def mse_loss(input: Any, target: Any, reduction: object = "mean") -> Any:
    """(input - target)²."""
    how = reduction_name("mse_loss", reduction)
    _warn_of_broadcast("mse_loss", input, target)
    return apply(ops.mse_loss, input, target, reduction=how)


def l1_loss(input: Any, target: Any, reduction: object = "mean") -> Any:
    """|input - target|."""
    how = reduction_name("l1_loss", reduction)
    _warn_of_broadcast("l1_loss", input, target)
    return apply(ops.l1_loss, input, target, reduction=how)


def smooth_l1_loss(
    input: Any, target: Any, reduction: object = "mean", beta: float = 1.0
) -> Any:
    """Quadratic where |input - target| is below `beta`, linear beyond.

    Raises: ArgumentError, if `beta` is negative.
    """
    how = reduction_name("smooth_l1_loss", reduction)
    if not beta >= 0:
        raise ArgumentError(
            f"smooth_l1_loss: beta={beta} is negative", rule="beta is 0 or more"
        )
    _warn_of_broadcast("smooth_l1_loss", input, target)
    return apply(ops.smooth_l1_loss, input, target, float(beta), reduction=how)


def huber_loss(
    input: Any, target: Any, reduction: object = "mean", delta: float = 1.0
) -> Any:
    """Quadratic where |input - target| is below `delta`, `delta` times as steep beyond.

    Raises: ArgumentError, unless `delta` is above 0.
    """
    how = reduction_name("huber_loss", reduction)
    if not delta > 0:
        raise ArgumentError(f"huber_loss: delta={delta}", rule="delta is above 0")
    _warn_of_broadcast("huber_loss", input, target)
    return apply(ops.huber_loss, input, target, float(delta), reduction=how)


def bce_loss(
    input: Any, target: Any, reduction: object = "mean", *, weight: Any = None
) -> Any:
    """Binary cross entropy of probabilities; its logarithms end at -100.

    `weight` is a factor of the losses, which broadcasts.
    """
    how = reduction_name("bce_loss", reduction)
    return apply(ops.bce_loss, input, target, *_given(weight), reduction=how)


def bce_with_logits(
    input: Any,
    target: Any,
    reduction: object = "mean",
    *,
    weight: Any = None,
    pos_weight: Any = None,
) -> Any:
    """Binary cross entropy of sigmoid(input), stable for logits of any size.

    `weight` is a factor of the losses, `pos_weight` one of their part for target 1;
    both broadcast.
    """
    how = reduction_name("bce_with_logits", reduction)
    return apply(
        ops.bce_with_logits,
        input,
        target,
        *_given(pos_weight, weight),
        reduction=how,
        has_pos_weight=pos_weight is not None,
    )


def kl_div(
    input: Any, target: Any, reduction: object = "mean", log_target: bool = False
) -> Any:
    """Kullback-Leibler divergence of log-probabilities `input` from `target`.

    "batchmean" divides the sum by the first size, as the definition asks; "mean" by
    the number of elements, as PyTorch does.
    """
    how = reduction_name("kl_div", reduction, "batchmean")
    return apply(ops.kl_div, input, target, reduction=how, log_target=bool(log_target))


def nll_loss(
    input: Any,
    target: Any,
    reduction: object = "mean",
    ignore_index: int = -100,
    *,
    weight: Any = None,
) -> Any:
    """-input at the target classes: [N, C, ...] and [N, ...]; [C] and [].

    "mean" is over the targets that are not `ignore_index`, each with the `weight` [C]
    of its class. Other classes out of range give NaN.
    """
    how = reduction_name("nll_loss", reduction)
    return apply(
        ops.nll_loss,
        input,
        target,
        *_given(weight),
        reduction=how,
        ignore_index=int(ignore_index),
    )


def cross_entropy(
    input: Any,
    target: Any,
    reduction: object = "mean",
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    *,
    weight: Any = None,
) -> Any:
    """nll_loss of log_softmax(input); a floating target holds class probabilities.

    `weight` [C] has a factor for each class.

    Raises: ArgumentError, unless `label_smoothing` is from 0 to 1.
    """
    how = reduction_name("cross_entropy", reduction)
    if not 0 <= label_smoothing <= 1:
        raise ArgumentError(
            f"cross_entropy: label_smoothing={label_smoothing} is out of range",
            rule="label_smoothing is from 0 to 1",
        )
    share = float(label_smoothing) or None
    smoothed = {} if share is None else {"smoothed": True}
    return apply(
        ops.cross_entropy,
        input,
        target,
        *_given(share, weight),
        reduction=how,
        ignore_index=int(ignore_index),
        **smoothed,
    )


def _given(*operands: Any) -> tuple[Any, ...]:
    return tuple(operand for operand in operands if operand is not None)


def _warn_of_broadcast(op: str, input: Any, target: Any) -> None:
    tensors = isinstance(input, Tensor) and isinstance(target, Tensor)
    if tensors and input.shape != target.shape:
        warnings.warn(
            f"{op}: input {input.shape} and target {target.shape} differ in shape and "
            "broadcast; is that meant?",
            UserWarning,
            stacklevel=3,
        )


binary_cross_entropy = bce_loss
binary_cross_entropy_with_logits = bce_with_logits
