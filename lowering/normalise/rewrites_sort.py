"""The largest elements of lines, by sorting whole lines."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from lowering.errors import UnsupportedPrimitiveError
from lowering.normalise.registry import rewrites

_LOWEST = np.int32(-(2**31))


@rewrites("top_k")
def _top_k(x: Any, *, k: int, axis: int, **_: Any) -> list[Any]:
    """The largest first, of equal ones the one of lower index.

    Floats are in their total order, as XLA has them: NaN above inf, 0.0 above -0.0.
    """
    return _first_of_sorted(_descending(x), x, k, axis)


@rewrites("approx_top_k")
def _approx_top_k(
    x: Any, *, k: int, reduction_dimension: int, is_max_k: bool, **params: Any
) -> list[Any]:
    """Exact, which recalls all of them; NaN comes last."""
    if not params["aggregate_to_topk"]:
        raise UnsupportedPrimitiveError(
            "approx_top_k without aggregate_to_topk has no rule",
            rule="all lines give the k best elements that they have",
            help="leave out aggregate_to_topk=False",
        )
    axis = reduction_dimension % x.ndim
    keys = -x if is_max_k else x
    return _first_of_sorted(keys, x, k, axis)


def _first_of_sorted(keys: Any, x: Any, k: int, axis: int) -> list[Any]:
    index = lax.broadcasted_iota(np.dtype("int32"), x.shape, axis)
    _, values, indices = lax.sort((keys, x, index), dimension=axis, num_keys=1)
    return [lax.slice_in_dim(y, 0, k, axis=axis) for y in (values, indices)]


def _descending(x: Any) -> Any:
    """Numbers that grow where `x` falls, each another one for another `x`."""
    if jnp.issubdtype(x.dtype, jnp.floating):
        bits = lax.bitcast_convert_type(x.astype(jnp.float32), jnp.int32)
        return jnp.where(bits < 0, bits - _LOWEST, -1 - bits)
    if x.dtype == jnp.uint32:
        return jnp.uint32(0xFFFFFFFF) - x
    return -1 - x.astype(jnp.int32)
