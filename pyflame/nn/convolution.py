"""Convolution layers."""

from __future__ import annotations

from typing import Any

from pyflame.creation import zeros
from pyflame.errors import ArgumentError
from pyflame.nn import init
from pyflame.nn.arguments import check_positive, per_dim
from pyflame.nn.functional.convolution import (
    check_padding_mode,
    conv_arguments,
    convolve,
)
from pyflame.nn.module import Module


class _Conv(Module):
    """Weight [O, C / groups, ...] and bias [O], uniform within 1 / sqrt(fan_in).

    Beyond the edges the input goes on as `padding_mode` says: with "zeros", with what
    "reflect"s or "replicate"s it, or from the other side ("circular").
    """

    weight: Any
    bias: Any
    spatial = 2

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
    ) -> None:
        name = type(self).__name__
        check_padding_mode(name, padding_mode)
        check_positive(name, in_channels=in_channels, out_channels=out_channels)
        self._arguments = conv_arguments(
            name, self.spatial, stride, padding, dilation, groups
        )
        self._arguments["padding_mode"] = padding_mode
        _check_groups(name, in_channels, out_channels, groups)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = per_dim(name, "kernel_size", kernel_size, self.spatial, 1)
        self.stride = self._arguments["stride"]
        self.padding = padding
        self.dilation = self._arguments["dilation"]
        self.groups = groups
        self.padding_mode = padding_mode
        self.weight = zeros([out_channels, in_channels // groups, *self.kernel_size])
        self.register_parameter("bias", zeros([out_channels]) if bias else None)
        init.affine_(self.weight, self.bias)

    def forward(self, input: Any) -> Any:
        return convolve(input, self.weight, self.bias, self._arguments)

    def extra_repr(self) -> str:
        return (
            f"{self.in_channels}, {self.out_channels}, "
            f"kernel_size={self.kernel_size}, stride={self.stride}, "
            f"padding={self.padding!r}, dilation={self.dilation}, "
            f"groups={self.groups}, bias={self.bias is not None}"
            + self._padding_mode_text()
        )

    def _padding_mode_text(self) -> str:
        mode = self.padding_mode
        return "" if mode == "zeros" else f", padding_mode={mode!r}"


class Conv2d(_Conv):
    """Convolution over [N, C, H, W]; see `functional.conv2d`."""


class Conv1d(_Conv):
    """Convolution over [N, C, L]; see `functional.conv1d`."""

    spatial = 1


def _check_groups(name: str, inputs: int, outputs: int, groups: int) -> None:
    for argument, channels in (("in_channels", inputs), ("out_channels", outputs)):
        if channels % groups:
            raise ArgumentError(
                f"{name}: {argument}={channels} in groups={groups} does not divide",
                rule=f"{argument} is a multiple of groups",
            )
