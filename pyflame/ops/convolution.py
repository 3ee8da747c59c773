"""Convolutions over one or two dimensions, channels first."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from pyflame.errors import ShapeError
from pyflame.ops.shapes import text

Pads = tuple[tuple[int, int], ...]

_LETTERS = {1: "NCL", 2: "NCHW"}


def convolution(
    x: jax.Array,
    weight: jax.Array,
    *bias: jax.Array,
    stride: tuple[int, ...],
    padding: Pads,
    dilation: tuple[int, ...],
    groups: int,
) -> jax.Array:
    """x [N, C, ...] with weight [O, C / groups, ...]: [N, O, ...]; N may be missing.

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
        )
        return batch[0]
    _check_channels(x, weight, groups)
    _check_fits(x, weight, padding, dilation)
    letters = _LETTERS[spatial]
    dtype = jnp.result_type(x, weight)
    result = jax.lax.conv_general_dilated(
        x.astype(dtype),
        weight.astype(dtype),
        stride,
        padding,
        rhs_dilation=dilation,
        dimension_numbers=(letters, letters.replace("NC", "OI"), letters),
        feature_group_count=groups,
    )
    if not bias:
        return result
    # Wide, so that the gradient of the bias is summed in float32 for halves, too.
    wide = jnp.promote_types(dtype, jnp.float32)
    per_channel = bias[0].reshape(-1, *(1,) * spatial)
    return (result.astype(wide) + per_channel.astype(wide)).astype(
        jnp.result_type(result, bias[0])
    )


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
