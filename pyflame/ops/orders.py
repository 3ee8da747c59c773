"""Orders of the dimensions of images in which XLA computes quickly on a CPU.

Images are [N, C, H, W] wherever ops meet; inside an op they may lie in another order.
XLA leaves out transposes there and back between two ops that agree on it. With the
batch last, a vector instruction works on one place of several images, whereas
neighbours in a row would be in different windows.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

Order = tuple[int, ...]

BATCH_LAST = (1, 2, 3, 0)
BATCH_SECOND = (1, 0, 2, 3)

# Results of more channels mostly go to or come from XLA's own convolution, which has
# another order: to turn them takes more time than it saves.
MAX_CHANNELS_BATCH_LAST = 32


def image_order(channels: int) -> Order:
    """The order for convolutions with so many results and for their pooling."""
    return BATCH_LAST if channels <= MAX_CHANNELS_BATCH_LAST else BATCH_SECOND


def ordered(images: jax.Array, order: Order) -> jax.Array:
    """The dimensions of [N, C, H, W] in another order."""
    return jnp.transpose(images, order)


def restored(images: jax.Array, order: Order) -> jax.Array:
    """Images in an order as [N, C, H, W] again."""
    return jnp.transpose(images, [order.index(d) for d in range(len(order))])
