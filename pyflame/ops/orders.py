"""Orders of the dimensions of images in which XLA computes quickly on a CPU.

Images are [N, C, H, W] wherever ops meet; inside an op they may lie in another order.
XLA leaves out transposes there and back between two ops that agree on it. With the
batch last, a vector instruction works on one place of several images, whereas
neighbours in a row would be in different windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import jax
import jax.numpy as jnp

Order = tuple[int, ...]

BATCH_LAST = (1, 2, 3, 0)
BATCH_SECOND = (1, 0, 2, 3)

# A convolution of so few channels is one product of matrices (see `few_channels`); with
# 16 that is not the faster way. So images of few channels stay in one order. Others
# mostly go to XLA's own convolution: to turn them is quick if the cache of a core holds
# them.
MAX_CHANNELS = 8
MAX_TURNED_ELEMENTS = 2**18


def image_order(shape: Sequence[int]) -> Order:
    """The order for results [N, C, H, W] of a convolution, and for their pooling."""
    last = shape[1] <= MAX_CHANNELS or prod(shape) <= MAX_TURNED_ELEMENTS
    return BATCH_LAST if last else BATCH_SECOND


def ordered(images: jax.Array, order: Order) -> jax.Array:
    """The dimensions of [N, C, H, W] in another order."""
    return jnp.transpose(images, order)


def restored(images: jax.Array, order: Order) -> jax.Array:
    """Images in an order as [N, C, H, W] again."""
    return jnp.transpose(images, [order.index(d) for d in range(len(order))])
