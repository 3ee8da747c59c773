"""Convolutions over one or two dimensions, channels first."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from pyflame.errors import ShapeError
from pyflame.ops.few_channels import (
    Pads,
    biased,
    convolution_of_few,
    is_quick_as_product,
)
from pyflame.ops.shapes import text
from pyflame.ops.wafer import is_for_wafer

# PyTorch's names for what lies beyond the edges, and NumPy's.
PADDING_MODES = {
    "zeros": "constant",
    "reflect": "reflect",
    "replicate": "edge",
    "circular": "wrap",
}

_LETTERS = {1: "NCL", 2: "NCHW"}


def convolution(
    x: jax.Array,
    weight: jax.Array,
    *bias: jax.Array,
    stride: tuple[int, ...],
    padding: Pads,
    dilation: tuple[int, ...],
    groups: int,
    padding_mode: str = "zeros",
) -> jax.Array:
    """x [N, C, ...] with weight [O, C / groups, ...]: [N, O, ...]; N may be missing.

    `padding_mode`: what lies beyond the edges, a key of PADDING_MODES.

    Raises: ShapeError, if the channels do not match or the kernel is larger than the
    padded input.
    """
    spatial = weight.ndim - 2
    if x.ndim == spatial + 1:
        batch = convolution(
            x[None],
            weight,
            *bias,
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=groups,
            padding_mode=padding_mode,
        )
        return batch[0]
    _check_channels(x, weight, groups)
    _check_fits(x, weight, padding, dilation)
    if padding_mode != "zeros":
        x = _padded(x, padding, padding_mode)
        padding = ((0, 0),) * spatial
    dtype = jnp.result_type(x, weight)
    x, weight = x.astype(dtype), weight.astype(dtype)
    counts = _counts(x, weight, stride, padding, dilation)
    quick = groups == 1 and is_quick_as_product(x, weight, counts)
    if quick and not is_for_wafer():
        return convolution_of_few(x, weight, bias, stride, padding, dilation, counts)
    letters = _LETTERS[spatial]
    result = jax.lax.conv_general_dilated(
        x,
        weight,
        stride,
        padding,
        rhs_dilation=dilation,
        dimension_numbers=(letters, letters.replace("NC", "OI"), letters),
        feature_group_count=groups,
    )
    return biased(result, bias, 1)


def _padded(x: jax.Array, padding: Pads, mode: str) -> jax.Array:
    """Raises: ShapeError, if the input is too small to be continued so far."""
    most = {"reflect": -1, "circular": 0}.get(mode)
    for size, pads in zip(x.shape[2:], padding, strict=True):
        if most is not None and max(pads) > size + most:
            raise ShapeError(
                f"conv{x.ndim - 2}d of {text(x)}: {max(pads)} elements of "
                f"padding_mode={mode!r} beside {size}",
                rule="reflected padding is smaller than the input, circular padding "
                "not larger",
            )
    return jnp.pad(x, ((0, 0), (0, 0), *padding), mode=PADDING_MODES[mode])


def _counts(
    x: jax.Array,
    weight: jax.Array,
    stride: tuple[int, ...],
    padding: Pads,
    dilation: tuple[int, ...],
) -> list[int]:
    """How many windows there are along each dimension."""
    along = zip(x.shape[2:], weight.shape[2:], stride, padding, dilation, strict=True)
    return [(n + sum(pads) - d * (k - 1) - 1) // s + 1 for n, k, s, pads, d in along]


def _check_channels(x: jax.Array, weight: jax.Array, groups: int) -> None:
    name, spatial = f"conv{weight.ndim - 2}d", weight.ndim - 2
    letters = ", ".join(_LETTERS[spatial])
    if x.ndim != spatial + 2:
        raise ShapeError(
            f"{name} of {text(x)}: {x.ndim} dimensions",
            rule=f"the input is [{letters}], or without N",
        )
    channels = weight.shape[1] * groups
    if x.shape[1] != channels:
        raise ShapeError(
            f"{name} of {text(x)} and weight {text(weight)} in {groups} groups: "
            f"{x.shape[1]} channels instead of {channels}",
            rule=f"the input is [{letters}] with C = groups times the second size of "
            "the weight",
        )
    if weight.shape[0] % groups:
        raise ShapeError(
            f"{name} with weight {text(weight)} in {groups} groups: the output "
            "channels do not divide",
            rule="the first size of the weight is a multiple of groups",
        )


def _check_fits(
    x: jax.Array, weight: jax.Array, padding: Pads, dilation: tuple[int, ...]
) -> None:
    sizes = [
        n + low + high for n, (low, high) in zip(x.shape[2:], padding, strict=True)
    ]
    extents = [d * (k - 1) + 1 for d, k in zip(dilation, weight.shape[2:], strict=True)]
    if any(e > n for e, n in zip(extents, sizes, strict=True)):
        raise ShapeError(
            f"conv{len(sizes)}d of {text(x)}: the kernel reaches over {extents}, the "
            f"padded input has {sizes}",
            rule="the kernel with its dilation fits into the padded input",
        )
