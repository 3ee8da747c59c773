"""Pooling as functions."""

from __future__ import annotations

from typing import Any

from pyflame.errors import ArgumentError
from pyflame.nn.arguments import per_dim
from pyflame.ops import pooling as ops
from pyflame.tensors import apply


def max_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest value of each window: [N, C, H, W] to [N, C, H', W']; N may miss.

    `stride` None is the kernel size. `ceil_mode` keeps windows that overhang the end.
    With `return_indices` a pair: the values, and where each was found, as an int32
    row * W + column.
    """
    arguments = {
        **pool_arguments("max_pool2d", kernel_size, stride, padding),
        "dilation": per_dim("max_pool2d", "dilation", dilation, 2, 1),
        "ceil_mode": bool(ceil_mode),
    }
    values = apply(ops.max_pool2d, input, **arguments)
    if not return_indices:
        return values
    return values, apply(ops.max_pool2d_indices, input, **arguments)


def avg_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """The mean of each window, with its padding unless `count_include_pad` is off.

    `divisor_override` is what the sums are divided by instead.

    Raises: ArgumentError, if that is 0, or no integer.
    """
    if divisor_override is not None:
        divisor_override = nonzero_divisor("avg_pool2d", divisor_override)
    return apply(
        ops.avg_pool2d,
        input,
        **pool_arguments("avg_pool2d", kernel_size, stride, padding),
        ceil_mode=bool(ceil_mode),
        count_include_pad=bool(count_include_pad),
        divisor_override=divisor_override,
    )


def adaptive_avg_pool2d(input: Any, output_size: Any) -> Any:
    """Means over windows chosen so that the result is [..., *output_size].

    One integer stands for both sizes; None keeps a size.
    """
    sizes = adaptive_sizes("adaptive_avg_pool2d", output_size)
    return apply(ops.adaptive_avg_pool2d, input, output_size=sizes)


def pool_arguments(
    name: str, kernel_size: Any, stride: Any, padding: Any
) -> dict[str, Any]:
    """Kernel size, stride and padding as pairs.

    Raises: ArgumentError, also for a padding of more than half the kernel.
    """
    kernel = per_dim(name, "kernel_size", kernel_size, 2, 1)
    pads = per_dim(name, "padding", padding, 2, 0)
    if any(2 * p > k for p, k in zip(pads, kernel, strict=True)):
        raise ArgumentError(
            f"{name}: padding={padding} with kernel_size={kernel_size}",
            rule="padding is at most half the kernel size",
        )
    no_stride = stride is None or (isinstance(stride, (list, tuple)) and not stride)
    strides = kernel if no_stride else per_dim(name, "stride", stride, 2, 1)
    return {"kernel_size": kernel, "stride": strides, "padding": pads}


def nonzero_divisor(name: str, divisor: Any) -> int:
    """A divisor in the place of the number of elements; it may be negative."""
    if type(divisor) is not int or divisor == 0:
        raise ArgumentError(
            f"{name}: divisor_override={divisor!r}",
            rule="divisor_override is an integer other than 0, or None",
        )
    return divisor


def adaptive_sizes(name: str, output_size: Any) -> tuple[int | None, int | None]:
    """Two sizes, None where the size stays."""
    pair = output_size if isinstance(output_size, (list, tuple)) else [output_size] * 2
    numbers = [1 if n is None else n for n in pair]
    per_dim(name, "output_size", numbers, 2, 1)
    return (pair[0], pair[1])
