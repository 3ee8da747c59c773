"""Normalization layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyflame.creation import ones, tensor, zeros
from pyflame.errors import ArgumentError, ShapeError
from pyflame.grad_mode import no_grad
from pyflame.nn import functional as F
from pyflame.nn.arguments import check_positive, normalized_sizes
from pyflame.nn.module import Module


class _BatchNorm(Module):
    """Normalizes each channel; see `functional.batch_norm`.

    Running statistics move by `momentum`, or are plain averages if it is None. They
    are computed together with whatever is evaluated next. With `affine` there are a
    weight and, with `bias`, a bias.
    """

    weight: Any
    bias: Any
    running_mean: Any
    running_var: Any
    num_batches_tracked: Any
    ranks = (4,)
    layouts = "[N, C, H, W]"

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        bias: bool = True,
    ) -> None:
        check_positive(type(self).__name__, num_features=num_features)
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        n, tracked = [num_features], track_running_stats
        self.register_parameter("weight", ones(n) if affine else None)
        self.register_parameter("bias", zeros(n) if affine and bias else None)
        # As data, so that the first step is compiled like the second.
        statistics = np.zeros(n, np.float32), np.ones(n, np.float32), np.int32(0)
        names = "running_mean", "running_var", "num_batches_tracked"
        for name, start in zip(names, statistics, strict=True):
            self.register_buffer(name, tensor(start) if tracked else None)

    def forward(self, input: Any) -> Any:
        self._check_rank(input)
        moving = self.training and self.track_running_stats
        return F.batch_norm(
            input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            training=self.training or not self.track_running_stats,
            momentum=self._count_batch() if moving else 0.0,
            eps=self.eps,
        )

    @no_grad()
    def _count_batch(self) -> Any:
        """Counts the batch; the share of it in the running statistics."""
        self.num_batches_tracked._assign(self.num_batches_tracked + 1)
        if self.momentum is None:
            return 1.0 / self.num_batches_tracked
        return float(self.momentum)

    def _check_rank(self, input: Any) -> None:
        shape = list(input.shape)
        if len(shape) not in self.ranks or shape[1] != self.num_features:
            raise ShapeError(
                f"the input has shape {shape}",
                rule=f"the input is {self.layouts} with C = {self.num_features}",
            )

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, track_running_stats={self.track_running_stats}"
        )


class BatchNorm2d(_BatchNorm):
    """Normalizes each channel of [N, C, H, W]; see `functional.batch_norm`."""


class BatchNorm1d(_BatchNorm):
    """Normalizes each channel of [N, C] or [N, C, L]; see `functional.batch_norm`."""

    ranks = (2, 3)
    layouts = "[N, C] or [N, C, L]"


class LayerNorm(Module):
    """Normalizes over the last dimensions, whose sizes are `normalized_shape`.

    With `elementwise_affine` there are a weight and, with `bias`, a bias.
    """

    weight: Any
    bias: Any

    def __init__(
        self,
        normalized_shape: Any,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
    ) -> None:
        self.normalized_shape = normalized_sizes("LayerNorm", normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        sizes = list(self.normalized_shape)
        self.register_parameter("weight", ones(sizes) if elementwise_affine else None)
        has_bias = elementwise_affine and bias
        self.register_parameter("bias", zeros(sizes) if has_bias else None)

    def forward(self, input: Any) -> Any:
        return F.layer_norm(
            input, self.normalized_shape, self.weight, self.bias, self.eps
        )

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}"
        )


class GroupNorm(Module):
    """Normalizes [N, C, ...] over groups of channels and all positions.

    With `affine` there are a weight and, with `bias`, a bias.
    """

    weight: Any
    bias: Any

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        bias: bool = True,
    ) -> None:
        check_positive("GroupNorm", num_groups=num_groups, num_channels=num_channels)
        if num_channels % num_groups:
            raise ArgumentError(
                f"GroupNorm: num_channels={num_channels} in num_groups={num_groups} "
                "does not divide",
                rule="num_channels is a multiple of num_groups",
            )
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        sizes = [num_channels]
        self.register_parameter("weight", ones(sizes) if affine else None)
        self.register_parameter("bias", zeros(sizes) if affine and bias else None)

    def forward(self, input: Any) -> Any:
        shape = list(input.shape)
        if len(shape) < 2 or shape[1] != self.num_channels:
            raise ShapeError(
                f"the input has shape {shape}",
                rule=f"the input is [N, C, ...] with C = {self.num_channels}",
            )
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, "
            f"affine={self.affine}"
        )
