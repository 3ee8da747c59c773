"""Losses as modules."""

from __future__ import annotations

from typing import Any

from pyflame.creation import tensor
from pyflame.nn import functional as F
from pyflame.nn.module import Module
from pyflame.nn.reduction import Reduction, reduction_name


class Loss(Module):
    """A loss with a reduction: "mean", "sum", "none" or a Reduction."""

    def __init__(self, reduction: object = "mean", *more: str) -> None:
        self.reduction = reduction_name(type(self).__name__, reduction, *more)

    def _keep(self, name: str, weight: Any) -> None:
        """A weight as a buffer, under PyTorch's name; None keeps the name free."""
        self.register_buffer(name, None if weight is None else tensor(weight))

    def extra_repr(self) -> str:
        return f"reduction={self.reduction!r}"


class MSELoss(Loss):
    """Mean squared error, (input - target)²."""

    def forward(self, input: Any, target: Any) -> Any:
        return F.mse_loss(input, target, self.reduction)


class L1Loss(Loss):
    """Mean absolute error, |input - target|."""

    def forward(self, input: Any, target: Any) -> Any:
        return F.l1_loss(input, target, self.reduction)


class SmoothL1Loss(Loss):
    """Quadratic where |input - target| is below `beta`, linear beyond."""

    def __init__(self, reduction: object = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction)
        self.beta = beta

    def forward(self, input: Any, target: Any) -> Any:
        return F.smooth_l1_loss(input, target, self.reduction, self.beta)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, beta={self.beta}"


class HuberLoss(Loss):
    """Quadratic where |input - target| is below `delta`, linear beyond."""

    def __init__(self, reduction: object = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        self.delta = delta

    def forward(self, input: Any, target: Any) -> Any:
        return F.huber_loss(input, target, self.reduction, self.delta)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, delta={self.delta}"


class CrossEntropyLoss(Loss):
    """Logits [N, C, ...] against classes [N, ...] or probabilities [N, C, ...].

    `weight` [C] has a factor for each class.
    """

    weight: Any

    def __init__(
        self,
        reduction: object = "mean",
        ignore_index: int = -100,
        label_smoothing: float = 0.0,
        *,
        weight: Any = None,
    ) -> None:
        super().__init__(reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing
        self._keep("weight", weight)

    def forward(self, input: Any, target: Any) -> Any:
        return F.cross_entropy(
            input,
            target,
            self.reduction,
            self.ignore_index,
            self.label_smoothing,
            weight=self.weight,
        )

    def extra_repr(self) -> str:
        return (
            f"{super().extra_repr()}, ignore_index={self.ignore_index}, "
            f"label_smoothing={self.label_smoothing}"
        )


class NLLLoss(Loss):
    """Log-probabilities [N, C, ...] against classes [N, ...].

    `weight` [C] has a factor for each class.
    """

    weight: Any

    def __init__(
        self,
        reduction: object = "mean",
        ignore_index: int = -100,
        *,
        weight: Any = None,
    ) -> None:
        super().__init__(reduction)
        self.ignore_index = ignore_index
        self._keep("weight", weight)

    def forward(self, input: Any, target: Any) -> Any:
        return F.nll_loss(
            input, target, self.reduction, self.ignore_index, weight=self.weight
        )

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, ignore_index={self.ignore_index}"


class BCELoss(Loss):
    """Binary cross entropy of probabilities; `weight` is a factor that broadcasts."""

    weight: Any

    def __init__(self, reduction: object = "mean", *, weight: Any = None) -> None:
        super().__init__(reduction)
        self._keep("weight", weight)

    def forward(self, input: Any, target: Any) -> Any:
        return F.bce_loss(input, target, self.reduction, weight=self.weight)


class BCEWithLogitsLoss(Loss):
    """Binary cross entropy of logits.

    `weight` is a factor of the losses, `pos_weight` one of their part for target 1;
    both broadcast.
    """

    weight: Any
    pos_weight: Any

    def __init__(
        self, reduction: object = "mean", *, weight: Any = None, pos_weight: Any = None
    ) -> None:
        super().__init__(reduction)
        self._keep("weight", weight)
        self._keep("pos_weight", pos_weight)

    def forward(self, input: Any, target: Any) -> Any:
        return F.bce_with_logits(
            input,
            target,
            self.reduction,
            weight=self.weight,
            pos_weight=self.pos_weight,
        )


class KLDivLoss(Loss):
    """Kullback-Leibler divergence of log-probabilities from `target`."""

    def __init__(self, reduction: object = "mean", log_target: bool = False) -> None:
        super().__init__(reduction, "batchmean")
        self.log_target = log_target

    def forward(self, input: Any, target: Any) -> Any:
        return F.kl_div(input, target, self.reduction, self.log_target)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, log_target={self.log_target}"


__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "MSELoss",
    "NLLLoss",
    "Reduction",
    "SmoothL1Loss",
]
