"""Losses as modules."""

from __future__ import annotations

from typing import Any

from pyflame.nn import functional as F
from pyflame.nn.module import Module
from pyflame.nn.reduction import Reduction, reduction_name


class Loss(Module):
    """A loss with a reduction: "mean", "sum", "none" or a Reduction."""

    def __init__(self, reduction: object = "mean", *more: str) -> None:
        self.reduction = reduction_name(type(self).__name__, reduction, *more)

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


class CrossEntropyLoss(Loss):
    """Logits [N, C, ...] against classes [N, ...] or probabilities [N, C, ...]."""

    def __init__(
        self,
        reduction: object = "mean",
        ignore_index: int = -100,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Any, target: Any) -> Any:
        return F.cross_entropy(
            input, target, self.reduction, self.ignore_index, self.label_smoothing
        )

    def extra_repr(self) -> str:
        return (
            f"{super().extra_repr()}, ignore_index={self.ignore_index}, "
            f"label_smoothing={self.label_smoothing}"
        )


class NLLLoss(Loss):
    """Log-probabilities [N, C, ...] against classes [N, ...]."""

    def __init__(self, reduction: object = "mean", ignore_index: int = -100) -> None:
        super().__init__(reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Any, target: Any) -> Any:
        return F.nll_loss(input, target, self.reduction, self.ignore_index)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, ignore_index={self.ignore_index}"


class BCELoss(Loss):
    """Binary cross entropy of probabilities."""

    def forward(self, input: Any, target: Any) -> Any:
        return F.bce_loss(input, target, self.reduction)


class BCEWithLogitsLoss(Loss):
    """Binary cross entropy of logits."""

    def forward(self, input: Any, target: Any) -> Any:
        return F.bce_with_logits(input, target, self.reduction)


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
    "KLDivLoss",
    "L1Loss",
    "MSELoss",
    "NLLLoss",
    "Reduction",
    "SmoothL1Loss",
]
