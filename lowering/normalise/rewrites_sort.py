"""The largest elements of lines: by sorting, or one by one where that is too large."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from lowering.cases import Case
from lowering.errors import UnsupportedPrimitiveError
from lowering.normalise.registry import rewrites

_FIRST, _LAST = np.int32(-(2**31)), np.int32(2**31 - 1)  # of all keys
_SORTED_BYTES = 24  # of an element while it is sorted: key, number, index; twice
_COMFORTABLE_BYTES = 32 * 1024
_FEW = 8  # elements that are found one after another


@rewrites("top_k")
def _top_k(x: Any, *, k: int, axis: int, **_: Any) -> list[Any]:
    """The largest first, of equal ones the one of lower index.

    Floats are in their total order, as XLA has them: NaN above inf, 0.0 above -0.0.
    """
    return _first_of(_descending(x), x, k, axis)


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
    keys = _descending(x + np.zeros((), x.dtype))  # 0.0 of both signs are equal
    keys = jnp.where(x == x, keys if is_max_k else -1 - keys, _LAST)
    return _first_of(keys, x, k, reduction_dimension % x.ndim)


def _first_of(keys: Any, x: Any, k: int, axis: int) -> list[Any]:
    """The elements with the k smallest keys, and where they are."""
    index = lax.broadcasted_iota(np.dtype("int32"), x.shape, axis)
    is_large = x.size * _SORTED_BYTES > _COMFORTABLE_BYTES
    if is_large and k <= _FEW and keys.dtype == jnp.int32:
        return _one_after_another(keys, x, index, k, axis)
    _, values, indices = lax.sort((keys, x, index), dimension=axis, num_keys=1)
    return [lax.slice_in_dim(y, 0, k, axis=axis) for y in (values, indices)]


def _one_after_another(keys: Any, x: Any, index: Any, k: int, axis: int) -> list[Any]:
    """Each element is the first one behind the one before.

    That takes less memory than sorting, and lines may be split over PEs; but more time
    on a single one.
    """
    length = np.int32(x.shape[axis])

    def behind(last: tuple[Any, Any], _: None) -> Any:
        last_key, last_at = (lax.expand_dims(y, (axis,)) for y in last)
        left = (keys > last_key) | ((keys == last_key) & (index > last_at))
        key = lax.reduce_min(jnp.where(left, keys, _LAST), (axis,))
        is_next = left & (keys == lax.expand_dims(key, (axis,)))
        at = lax.reduce_min(jnp.where(is_next, index, length), (axis,))
        is_it = index == lax.expand_dims(at, (axis,))
        value = lax.reduce_max(jnp.where(is_it, x, _lowest(x.dtype)), (axis,))
        return (key, at), (value, at)

    shape = [n for dim, n in enumerate(x.shape) if dim != axis]
    start = jnp.full(shape, _FIRST), jnp.full(shape, np.int32(-1))
    _, found = lax.scan(behind, start, None, length=k)
    return [jnp.moveaxis(y, 0, axis) for y in found]


def _lowest(dtype: Any) -> Any:
    if jnp.issubdtype(dtype, jnp.floating):
        return np.asarray(-np.inf, dtype)[()]
    lowest = False if dtype == jnp.bool_ else jnp.iinfo(dtype).min
    return np.asarray(lowest, dtype)[()]


def _descending(x: Any) -> Any:
    """Numbers that grow where `x` falls, each another one for another `x`."""
    if jnp.issubdtype(x.dtype, jnp.floating):
        bits = lax.bitcast_convert_type(x.astype(jnp.float32), jnp.int32)
        return jnp.where(bits < 0, bits - _FIRST, -1 - bits)
    if x.dtype == jnp.uint32:
        return jnp.uint32(0xFFFFFFFF) - x
    return -1 - x.astype(jnp.int32)


CASES = [
    Case("largest", lambda x: lax.top_k(x, 3), ("f32[n,5]",)),
    Case("about the smallest", lambda x: lax.approx_min_k(x, 2), ("f32[n,5]",)),
]
