"""Matrix products."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from pyflame.errors import ShapeError
from pyflame.ops.shapes import text


def matmul(a: jax.Array, b: jax.Array) -> jax.Array:
    """[..., M, K] @ [..., K, N] -> [..., M, N]; vectors as in NumPy.

    Raises: ShapeError, if the inner or the batch dimensions do not match.
    """
    _check_ranks(a, b)
    inner_a, inner_b = a.shape[-1], b.shape[-2] if b.ndim > 1 else b.shape[0]
    if inner_a != inner_b:
        raise ShapeError(
            f"matmul of {text(a)} and {text(b)}: inner sizes {inner_a} and {inner_b} "
            "differ",
            rule="[..., M, K] @ [..., K, N] gives [..., M, N]",
            help="transpose or reshape one of them",
        )
    _check_batch(a, b)
    return jnp.matmul(a, b)


def _check_ranks(a: jax.Array, b: jax.Array) -> None:
    if jnp.ndim(a) == 0 or jnp.ndim(b) == 0:
        raise ShapeError(
            f"matmul of {text(a)} and {text(b)}: a scalar is no matrix",
            rule="both operands have at least one dimension",
            help="use * to scale",
        )


def _check_batch(a: jax.Array, b: jax.Array) -> None:
    for m, n in zip(reversed(a.shape[:-2]), reversed(b.shape[:-2]), strict=False):
        if m != n and m != 1 and n != 1:
            raise ShapeError(
                f"matmul of {text(a)} and {text(b)}: batch sizes {m} and {n} do not "
                "broadcast",
                rule="dimensions before the last two are equal or one is 1",
            )
