"""Arrays seen as vectors along one dimension: norms, directions, classes, edges."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from pyflame.errors import DTypeError, ShapeError
from pyflame.ops.shapes import one_dim, text

_PAD_MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def normalize(x: jax.Array, eps: jax.Array, *, p: float, dim: int) -> jax.Array:
    """x over its p-norm along `dim`, which counts as at least `eps`."""
    axis = one_dim("normalize", x, dim)
    size = jnp.abs(x)
    if p == jnp.inf:
        norm = jnp.max(size, axis, keepdims=True)
    elif p == 2:
        squares = jnp.sum(jnp.square(x), axis, keepdims=True)
        some = squares > 0  # the root has no slope at 0; PyTorch takes 0
        norm = jnp.where(some, jnp.sqrt(jnp.where(some, squares, 1)), 0)
    elif p == 1:
        norm = jnp.sum(size, axis, keepdims=True)
    else:
        sums = jnp.sum(size**p, axis, keepdims=True)
        some = sums > 0
        norm = jnp.where(some, jnp.where(some, sums, 1) ** (1 / p), 0)
    return x / jnp.where(norm > eps, norm, jnp.asarray(eps, x.dtype))


def one_hot(x: jax.Array, *, num_classes: int) -> jax.Array:
    """int32 [..., num_classes]: 1 at the class; all 0 for a class out of range.

    Raises: DTypeError, unless classes are integers.
    """
    if not jnp.issubdtype(x.dtype, jnp.integer):
        raise DTypeError(
            f"one_hot of {text(x)}: classes are integers",
            help="convert first: x.to(pf.int32)",
        )
    return (x[..., None] == jnp.arange(num_classes)).astype(jnp.int32)


def pad(
    x: jax.Array, value: jax.Array, *, pads: tuple[tuple[int, int], ...], mode: str
) -> jax.Array:
    """x with more (or, if negative, fewer) elements along its last dimensions.

    `pads`: before and behind, for each of them from the front. `mode` is "constant",
    "reflect", "replicate" or "circular".

    Raises: ShapeError, if there are fewer dimensions, or too few elements to go on.
    """
    if len(pads) > x.ndim:
        raise ShapeError(
            f"pad of {text(x)}: there are pads for {len(pads)} dimensions",
            rule="pads are a pair per dimension, of the last ones",
        )
    edges = ((0, 0),) * (x.ndim - len(pads)) + pads
    if mode == "constant":
        config = [(low, high, 0) for low, high in edges]
        return jax.lax.pad(x, jnp.asarray(value, x.dtype), config)
    most = {"reflect": -1, "circular": 0}.get(mode)
    for size, pair in zip(x.shape, edges, strict=True):
        if min(pair) < 0 or (
            most is not None and max(pair) > size + most and any(pair)
        ):
            raise ShapeError(
                f"pad of {text(x)} by {list(map(list, pads))} in mode {mode!r}: "
                f"{max(pair, key=abs)} beside {size}",
                rule="reflected padding is smaller than the input, circular padding "
                "not larger, neither is negative",
            )
    return jnp.pad(x, edges, mode=_PAD_MODES[mode])


def _goes_on(size: int, pair: tuple[int, int], mode: str) -> bool:
    """Whether `size` elements can be continued so far."""
    if not any(pair):
        return True
    most = {"reflect": size - 1, "circular": size}.get(mode, max(pair))
    return min(pair) >= 0 and max(pair) <= most
