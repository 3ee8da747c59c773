"""Convolutions as functions."""

from __future__ import annotations

from typing import Any

from pyflame.errors import ArgumentError
from pyflame.nn.arguments import check_positive, per_dim
from pyflame.ops import convolution as ops
from pyflame.tensors import apply


def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """input [N, C, H, W] with weight [O, C / groups, KH, KW]: [N, O, H', W'].

    `padding` is zeros on both sides, "valid" (none) or "same" (the size stays).

    Raises: ShapeError, ArgumentError, for what does not fit together.
    """
    arguments = conv_arguments("conv2d", 2, stride, padding, dilation, groups)
    return convolve(input, weight, bias, arguments)


def conv1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """input [N, C, L] with weight [O, C / groups, K]: [N, O, L']; as conv2d."""
    arguments = conv_arguments("conv1d", 1, stride, padding, dilation, groups)
    return convolve(input, weight, bias, arguments)


def conv_arguments(
    name: str, spatial: int, stride: Any, padding: Any, dilation: Any, groups: int
) -> dict[str, Any]:
    """The static arguments, one per dimension; a named padding stays a name.

    Raises: ArgumentError, for values that make no sense.
    """
    check_positive(name, groups=groups)
    strides = per_dim(name, "stride", stride, spatial, 1)
    if padding in ("same", "valid"):
        pads = padding
    else:
        pads = tuple((p, p) for p in per_dim(name, "padding", padding, spatial, 0))
    if pads == "same" and max(strides) > 1:
        raise ArgumentError(
            f"{name}: padding='same' with stride {stride}",
            rule="the size stays the same only with stride 1",
        )
    return {
        "stride": strides,
        "padding": pads,
        "dilation": per_dim(name, "dilation", dilation, spatial, 1),
        "groups": groups,
    }


def check_padding_mode(name: str, mode: Any) -> None:
    """Raises: ArgumentError, for a mode that PyTorch has not, either."""
    if mode not in ops.PADDING_MODES:
        raise ArgumentError(
            f"{name}: padding_mode={mode!r} is not known",
            rule=f"padding_mode is one of {', '.join(map(repr, ops.PADDING_MODES))}",
        )


def convolve(input: Any, weight: Any, bias: Any, arguments: dict[str, Any]) -> Any:
    """The convolution with arguments from `conv_arguments`."""
    if isinstance(arguments["padding"], str):
        pads = _named_padding(arguments, weight.shape[2:])
        arguments = arguments | {"padding": pads}
    operands = (input, weight) if bias is None else (input, weight, bias)
    return apply(ops.convolution, *operands, **arguments)


def _named_padding(arguments: dict[str, Any], kernel: list[int]) -> Any:
    if arguments["padding"] == "valid":
        return ((0, 0),) * len(kernel)
    extra = [d * (k - 1) for d, k in zip(arguments["dilation"], kernel, strict=True)]
    return tuple((n // 2, n - n // 2) for n in extra)
