"""Convolutions of images of few channels as one product of matrices.

XLA takes twice to six times as long for them on a CPU. What is taken here for quick was
measured with jax 0.10 on two cores: which operand of a product comes first, and along
which dimension its sum runs, decides by which routine and on how many cores XLA
computes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from math import prod
from typing import Any

import jax
import jax.numpy as jnp
from jax.custom_derivatives import SymbolicZero

from pyflame.ops.orders import MAX_CHANNELS, image_order, ordered, restored

Pads = tuple[tuple[int, int], ...]

MAX_MATRIX_ELEMENTS = 2**22


def is_quick_as_product(x: jax.Array, weight: jax.Array, counts: Sequence[int]) -> bool:
    """Whether it is one of images of few channels, and the matrix not too large.

    `counts`: how many windows there are along the rows and the columns.
    """
    elements = prod(weight.shape[1:]) * len(x) * prod(counts)
    images = x.ndim == 4 and x.dtype == jnp.float32
    return images and x.shape[1] <= MAX_CHANNELS and elements <= MAX_MATRIX_ELEMENTS


def convolution_of_few(
    x: jax.Array,
    weight: jax.Array,
    bias: tuple[jax.Array, ...],
    stride: tuple[int, ...],
    padding: Pads,
    dilation: tuple[int, ...],
    counts: Sequence[int],
) -> jax.Array:
    """x f32[N, C, H, W] with weight f32[O, C, ...] and bias [O]: [N, O, H', W'].

    Filters, a column each, times all windows, `counts` along the rows and columns, with
    a row per tap and channel.
    """
    order = image_order([len(x), len(weight), *counts])
    windows = _windows(x, weight.shape[2:], stride, padding, dilation, order)
    filters = jnp.transpose(weight, (2, 3, 1, 0)).reshape(-1, len(weight))
    taps, others = len(filters), windows.shape[3:]
    product = _product(_gathered(filters), windows.reshape(taps, -1))
    result = product.reshape(len(weight), *others)
    # The bias before the order of images, so that its gradient lies in one order, too.
    return restored(_gathered(biased(result, bias, 0)), order)


def biased(result: jax.Array, bias: tuple[jax.Array, ...], axis: int) -> jax.Array:
    """With the bias, if there is one, added to each channel along `axis`."""
    if not bias:
        return result
    # Wide, so that the gradient of the bias is summed in float32 for halves, too.
    wide = jnp.promote_types(result.dtype, jnp.float32)
    per_channel = bias[0].reshape(-1, *(1,) * (result.ndim - 1 - axis))
    return (result.astype(wide) + per_channel.astype(wide)).astype(
        jnp.result_type(result, bias[0])
    )


def _windows(
    x: jax.Array,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    padding: Pads,
    dilation: tuple[int, ...],
    order: tuple[int, ...],
) -> jax.Array:
    """[*kernel, C, ...]: what each tap meets, the dimensions of images in `order`.

    The windows are taken one dimension after the other, so that the gradient adds as
    many arrays as the kernel has rows and columns, and not one for each tap.
    """
    windows = jnp.pad(ordered(x, order), [((0, 0), (0, 0), *padding)[d] for d in order])
    rows = order.index(2) - len(order)
    along = list(zip((rows, rows + 1), kernel, stride, dilation, strict=True))
    for axis, taps, step, gap in reversed(along):
        windows = _shifted(windows, axis, taps, step, gap)
    return windows


def _shifted(x: jax.Array, axis: int, taps: int, step: int, gap: int) -> jax.Array:
    """[taps, ...]: of each window along an axis the first element, the second, ..."""
    last = x.shape[axis] - gap * (taps - 1)
    return jnp.stack(
        [
            jax.lax.slice_in_dim(x, i * gap, last + i * gap, step, axis)
            for i in range(taps)
        ]
    )


@jax.custom_jvp
def _product(filters: jax.Array, windows: jax.Array) -> jax.Array:
    """filters [T, O] and windows [T, K]: [O, K]. Sums along both first dimensions."""
    return _dot(filters, windows)


def _product_jvp(
    primals: tuple[Any, ...], tangents: tuple[Any, ...]
) -> tuple[jax.Array, jax.Array]:
    """So written that the gradient by the windows sums along both first ones, too."""
    (filters, windows), (d_filters, d_windows) = primals, tangents
    terms: list[jax.Array] = []
    if not isinstance(d_filters, SymbolicZero):
        terms.append(_dot(d_filters, windows))
    if not isinstance(d_windows, SymbolicZero):
        terms.append(jax.lax.optimization_barrier(filters.T) @ d_windows)
    return _product(filters, windows), reduce(jnp.add, terms)


_product.defjvp(_product_jvp, symbolic_zeros=True)


def _dot(a: jax.Array, b: jax.Array) -> jax.Array:
    return jax.lax.dot_general(a, b, (((0,), (0,)), ((), ())))


@jax.custom_jvp
def _gathered(x: jax.Array) -> jax.Array:
    """`x`, of which the gradient is there as a whole, in this order, before it is used.

    XLA would rather turn products and sums of it round.
    """
    return x


@_gathered.defjvp
def _gathered_jvp(
    primals: tuple[Any, ...], tangents: tuple[Any, ...]
) -> tuple[jax.Array, jax.Array]:
    return primals[0], jax.lax.optimization_barrier(tangents[0])
