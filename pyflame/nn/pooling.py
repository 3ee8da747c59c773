"""Pooling layers."""

from __future__ import annotations

from typing import Any

from pyflame.nn import functional as F
from pyflame.nn.arguments import check_positive, per_dim
from pyflame.nn.functional.pooling import adaptive_sizes, pool_arguments
from pyflame.nn.module import Module


class _Pool(Module):
    def __init__(self, kernel_size: Any, stride: Any, padding: Any) -> None:
        arguments = pool_arguments(type(self).__name__, kernel_size, stride, padding)
        self.kernel_size = arguments["kernel_size"]
        self.stride = arguments["stride"]
        self.padding = arguments["padding"]

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, "
            f"padding={self.padding}"
        )


class MaxPool2d(_Pool):
    """The largest value of each window; see `functional.max_pool2d`."""

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
        *,
        return_indices: bool = False,
    ) -> None:
        super().__init__(kernel_size, stride, padding)
        self.dilation = per_dim("MaxPool2d", "dilation", dilation, 2, 1)
        self.ceil_mode = ceil_mode
        self.return_indices = return_indices

    def forward(self, input: Any) -> Any:
        return F.max_pool2d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            self.ceil_mode,
            return_indices=self.return_indices,
        )

    def extra_repr(self) -> str:
        return (
            f"{super().extra_repr()}, dilation={self.dilation}, "
            f"ceil_mode={self.ceil_mode}"
        )


class AvgPool2d(_Pool):
    """The mean of each window; see `functional.avg_pool2d`."""

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        *,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__(kernel_size, stride, padding)
        if divisor_override is not None:
            check_positive("AvgPool2d", divisor_override=divisor_override)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Any) -> Any:
        return F.avg_pool2d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            divisor_override=self.divisor_override,
        )

    def extra_repr(self) -> str:
        return (
            f"{super().extra_repr()}, ceil_mode={self.ceil_mode}, "
            f"count_include_pad={self.count_include_pad}"
        )


class AdaptiveAvgPool2d(Module):
    """Means over windows chosen so that the result is [..., *output_size]."""

    def __init__(self, output_size: Any) -> None:
        self.output_size = adaptive_sizes("AdaptiveAvgPool2d", output_size)

    def forward(self, input: Any) -> Any:
        return F.adaptive_avg_pool2d(input, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class GlobalAvgPool2d(Module):
    """The mean of each image: [N, C, H, W] to [N, C, 1, 1]."""

    def forward(self, input: Any) -> Any:
        return F.adaptive_avg_pool2d(input, 1)
