"""Convolutions over one or two dimensions, channels first."""

from __future__ import annotations

from math import prod

import jax
import jax.numpy as jnp

from pyflame.errors import ShapeError
from pyflame.ops.shapes import text
from pyflame.ops.wafer import is_for_wafer

Pads = tuple[tuple[int, int], ...]

# PyTorch's names for what lies beyond the edges, and NumPy's.
PADDING_MODES = {
    "zeros": "constant",
    "reflect": "reflect",
    "replicate": "edge",
    "circular": "wrap",
}

# Where one product of matrices is the faster way; with 16 channels it is not.
MAX_CHANNELS = 8
MAX_MATRIX_ELEMENTS = 2**22

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
    quick = groups == 1 and _is_quick_as_product(x, weight, counts)
    if quick and not is_for_wafer():
        # The bias before the images, so that all of its gradient lies in one order.
        result = _as_product(x, weight, stride, padding, dilation)
        return jnp.swapaxes(_biased(result, bias, 0), 0, 1)
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
    return _biased(result, bias, 1)


def _biased(result: jax.Array, bias: tuple[jax.Array, ...], axis: int) -> jax.Array:
    """With the bias, if there is one, added to each channel along `axis`."""
    if not bias:
        return result
    # Wide, so that the gradient of the bias is summed in float32 for halves, too.
    wide = jnp.promote_types(result.dtype, jnp.float32)
    per_channel = bias[0].reshape(-1, *(1,) * (result.ndim - 1 - axis))
    return (result.astype(wide) + per_channel.astype(wide)).astype(
        jnp.result_type(result, bias[0])
    )


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


def _is_quick_as_product(x: jax.Array, weight: jax.Array, counts: list[int]) -> bool:
    """Whether it is one of images of few channels, and the matrix not too large."""
    elements = prod(weight.shape[1:]) * len(x) * prod(counts)
    images = x.ndim == 4 and x.dtype == jnp.float32
    return images and x.shape[1] <= MAX_CHANNELS and elements <= MAX_MATRIX_ELEMENTS


def _as_product(
    x: jax.Array,
    weight: jax.Array,
    stride: tuple[int, ...],
    padding: Pads,
    dilation: tuple[int, ...],
) -> jax.Array:
    """[O, N, ...]: filters as a matrix times all windows, a row per tap and channel.

    XLA takes twice to six times as long for convolutions of so few channels on a CPU.
    The windows are taken one dimension after the other, so that the gradient adds as
    many arrays as the kernel has rows and columns, and not one for each tap.
    """
    windows = jnp.swapaxes(jnp.pad(x, ((0, 0), (0, 0), *padding)), 0, 1)
    along = list(zip(weight.shape[2:], stride, dilation, strict=True))
    for axis, (taps, step, gap) in zip(range(-1, -3, -1), along[::-1], strict=True):
        windows = _shifted(windows, axis, taps, step, gap)
    filters = jnp.moveaxis(weight, 1, -1).reshape(len(weight), -1)
    product = filters @ windows.reshape(filters.shape[1], -1)
    return product.reshape(len(weight), len(x), *windows.shape[-2:])


def _shifted(x: jax.Array, axis: int, taps: int, step: int, gap: int) -> jax.Array:
    """[taps, ...]: of each window along an axis the first element, the second, ..."""
    last = x.shape[axis] - gap * (taps - 1)
    return jnp.stack(
        [
            jax.lax.slice_in_dim(x, i * gap, last + i * gap, step, axis)
            for i in range(taps)
        ]
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
