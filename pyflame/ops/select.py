"""Ops that pick elements by arrays of indices or booleans, and sort them.

An index out of range cannot be refused when an op is recorded, for its value is not
known yet: it gives NaN, or the smallest integer, and True of booleans.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pyflame.errors import DTypeError, ShapeError
from pyflame.ops import shape
from pyflame.ops.elementwise import check_broadcast
from pyflame.ops.scatter_product import multiplied
from pyflame.ops.shapes import one_dim, text

ARRAY = "array"  # stands for the next index array in a static key


def array_index(x: jax.Array, *arrays: jax.Array, key: tuple[Any, ...]) -> jax.Array:
    """x[key], where each `ARRAY` of the key is one of the `arrays`.

    Integers, slices and scalar indices are applied first, then the other arrays
    together: of arrays that stand apart, the dimensions come in front (PyTorch).
    """
    check_index_arrays(x, arrays, key)
    return _taken(x, arrays, key)


def set_index(
    x: jax.Array, value: jax.Array, *arrays: jax.Array, key: tuple[Any, ...]
) -> jax.Array:
    """`x` with `value` at x[key], in the dtype of `x`."""
    check_index_arrays(x, arrays, key)
    value = jnp.asarray(value).astype(x.dtype)
    chosen = jax.eval_shape(lambda x, *arrays: _taken(x, arrays, key), x, *arrays)
    _check_fits(x, value, chosen, key, arrays)
    value = value.reshape(value.shape[max(0, value.ndim - chosen.ndim) :])
    if not arrays:
        return x.at[shape.basic_index(x, key)].set(value)
    places = _taken(jnp.arange(x.size, dtype=jnp.int32).reshape(x.shape), arrays, key)
    places = jnp.where(places < 0, x.size, places)  # out of range: nowhere
    values = jnp.broadcast_to(value, places.shape)
    return x.reshape(-1).at[places].set(values, mode="drop").reshape(x.shape)


def _taken(
    x: jax.Array, arrays: tuple[jax.Array, ...], key: tuple[Any, ...]
) -> jax.Array:
    slices, indices = _split(x, arrays, key)
    scalars = tuple(slice(None) if np.ndim(i) else i for i in indices)
    others = tuple(i for i in indices if isinstance(i, slice) or i.ndim)
    return _get(_get(shape.index(x, key=slices), scalars), others)


def _get(x: jax.Array, indices: tuple[Any, ...]) -> jax.Array:
    if all(isinstance(i, slice) for i in indices):
        return x
    return x.at[indices].get(mode="fill")


def _split(
    x: jax.Array, arrays: tuple[jax.Array, ...], key: tuple[Any, ...]
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The key with full slices for arrays; and the arrays by dimension of the rest."""
    given, found = iter(arrays), list[Any]()
    for k in key:
        if k is Ellipsis:
            found += [slice(None)] * (x.ndim - shape.named_dims(key))
        elif k == ARRAY:
            found.append(next(given))
        elif k is None or isinstance(k, tuple):
            found.append(slice(None))
    slices = tuple(("slice", None, None, None) if k == ARRAY else k for k in key)
    return slices, tuple(found)


def check_index_arrays(
    x: jax.Array, arrays: tuple[jax.Array, ...], key: tuple[Any, ...]
) -> None:
    """Raises: DTypeError for indices that are no integers; ShapeError for shapes that
    do not broadcast.
    """
    for array in arrays:
        _check_indices(f"index of {text(x)}", array)
    try:
        np.broadcast_shapes(*[array.shape for array in arrays])
    except ValueError:
        raise ShapeError(
            f"index of {text(x)} by {_key_text(key, arrays)}: the arrays do not "
            "broadcast",
            rule="from the last dimension backwards, sizes are equal or one is 1",
        ) from None


def _check_fits(
    x: jax.Array,
    value: jax.Array,
    chosen: Any,
    key: tuple[Any, ...],
    arrays: tuple[jax.Array, ...],
) -> None:
    shape_of_value = value.shape
    while len(shape_of_value) > chosen.ndim and shape_of_value[0] == 1:
        shape_of_value = shape_of_value[1:]
    pairs = zip(reversed(shape_of_value), reversed(chosen.shape), strict=False)
    if len(shape_of_value) > chosen.ndim or any(m not in (1, n) for m, n in pairs):
        raise ShapeError(
            f"{text(x)}{_key_text(key, arrays)} = {text(value)}: "
            f"there are {list(chosen.shape)} places",
            rule="the value broadcasts to the shape of the places",
        )


def _key_text(key: tuple[Any, ...], arrays: tuple[jax.Array, ...]) -> str:
    """A key with arrays as it is written: `[:, int32[3]]`."""
    given = iter(arrays)
    return shape.index_text(tuple(text(next(given)) if k == ARRAY else k for k in key))


def masked_fill(x: jax.Array, mask: jax.Array, value: jax.Array) -> jax.Array:
    """`value` where the mask holds, in the dtype of `x`."""
    check_broadcast("masked_fill", x, mask)
    _check_mask("masked_fill", mask)
    return jnp.where(mask, jnp.asarray(value).astype(x.dtype), x)


def set_where(x: jax.Array, mask: jax.Array, value: jax.Array) -> jax.Array:
    """`value` where a mask over the first dimensions holds, in the dtype of `x`."""
    spread = mask.reshape(*mask.shape, *[1] * (x.ndim - mask.ndim))
    return jnp.where(spread, jnp.asarray(value).astype(x.dtype), x)


def gather(x: jax.Array, index: jax.Array, *, dim: int) -> jax.Array:
    """out[i, j] = x[index[i, j], j] for dim 0, and so on: the shape of `index`."""
    axis = one_dim("gather", x, dim, max(x.ndim, 1))
    _check_indices("gather", index)
    _check_same_rank("gather", x, index, axis)
    if not x.ndim:
        return jnp.broadcast_to(x, index.shape)
    return _get_or_nan(x, _places(index, axis))


def _get_or_nan(x: jax.Array, key: tuple[Any, ...]) -> jax.Array:
    """x[key]; NaN (the smallest integer, True) for indices below 0 or too large."""
    return x.at[key].get(mode="fill", wrap_negative_indices=False)


def scatter(
    x: jax.Array, index: jax.Array, source: jax.Array, *, dim: int, reduce: str | None
) -> jax.Array:
    """`x` with x[index[i, j], j] = source[i, j] for dim 0, and so on.

    With `reduce`, it is added to or multiplied instead. Of several values for one
    place any may stay; indices out of range are left out.
    """
    op = "scatter" if reduce is None else f"scatter_{reduce}"
    axis = one_dim(op, x, dim, max(x.ndim, 1))
    _check_indices(op, index)
    _check_same_rank(op, x, index, axis)
    source = jnp.asarray(source).astype(x.dtype)
    if not x.ndim:
        args = {"dim": 0, "reduce": reduce}
        vector = scatter(x[None], index.reshape(-1), source.reshape(-1)[:1], **args)
        return vector[0]
    if source.ndim:
        _check_covers(op, index, source)
        source = source[tuple(slice(n) for n in index.shape)]
    key = _places(index, axis)
    if reduce == "multiply" and jnp.issubdtype(x.dtype, jnp.floating):
        return multiplied(x, jnp.broadcast_to(source, index.shape), key)
    places = x.at[key]
    change = {None: places.set, "add": places.add, "multiply": places.multiply}
    if x.dtype == jnp.bool_:  # a sum or product of booleans is "or" or "and"
        change |= {"add": places.max, "multiply": places.min}
    return change[reduce](source, mode="drop", wrap_negative_indices=False)


def index_select(x: jax.Array, index: jax.Array, *, dim: int) -> jax.Array:
    """The elements along `dim` that a vector of indices names."""
    axis = one_dim("index_select", x, dim, max(x.ndim, 1))
    _check_indices("index_select", index)
    if index.ndim > 1 or (not x.ndim and index.size != 1):
        raise ShapeError(
            f"index_select of {text(x)} by {text(index)}: the index is no vector",
            rule="one vector of indices selects along one dim"
            if x.ndim
            else "one index selects of a scalar",
            help="use x[..., index], or take_along_dim for an index per element",
        )
    if not x.ndim:
        return _get_or_nan(x[None], (index.reshape(-1),)).reshape(())
    return _get_or_nan(x, (slice(None),) * axis + (index.reshape(-1),))


def index_add(
    x: jax.Array, index: jax.Array, source: jax.Array, *, dim: int
) -> jax.Array:
    """`x` with the slices of `source` along `dim` added at the indices."""
    axis = one_dim("index_add", x, dim, max(x.ndim, 1))
    _check_indices("index_add", index)
    if not x.ndim:
        return index_add(x[None], index.reshape(-1), source.reshape(-1), dim=0)[0]
    expected = (*x.shape[:axis], index.size, *x.shape[axis + 1 :])
    if index.ndim != 1 or source.shape != expected:
        raise ShapeError(
            f"index_add of {text(x)} at {text(index)} with {text(source)} along dim "
            f"{dim}: the shapes do not fit",
            rule="the source has a slice like those of x for each index of a vector",
        )
    key = (slice(None),) * axis + (index,)
    places = x.at[key]
    add = places.max if x.dtype == jnp.bool_ else places.add
    return add(source.astype(x.dtype), mode="drop", wrap_negative_indices=False)


def take_along_dim(x: jax.Array, indices: jax.Array, *, dim: int | None) -> jax.Array:
    """As `gather`, but other dimensions broadcast; without `dim`, of the flat array.

    Negative indices count from the back.
    """
    _check_indices("take_along_dim", indices)
    if dim is None:
        indices = jnp.where(indices < 0, indices + x.size, indices)
        return _get_or_nan(x.reshape(-1), (indices.reshape(-1),))
    axis = one_dim("take_along_dim", x, dim)
    _check_same_rank("take_along_dim", x, indices, None)
    for d, (m, n) in enumerate(zip(x.shape, indices.shape, strict=True)):
        if d != axis and m != n and 1 not in (m, n):
            raise ShapeError(
                f"take_along_dim of {text(x)} by {text(indices)} along dim {dim}: "
                f"sizes {m} and {n} do not broadcast",
                rule="sizes beside the dim are equal or one is 1",
            )
    pairs = zip(x.shape, indices.shape, strict=True)
    sizes = [max(m, n) if m and n else 0 for m, n in pairs]
    sizes[axis] = x.shape[axis]
    indices = jnp.where(indices < 0, indices + x.shape[axis], indices)
    whole = jnp.broadcast_to(x, sizes)
    sizes[axis] = indices.shape[axis]
    return _get_or_nan(whole, _places(jnp.broadcast_to(indices, sizes), axis))


def argsort(
    x: jax.Array, *, dim: int, descending: bool, stable: bool = True
) -> jax.Array:
    """Where the elements in order are; of equal ones the first comes first."""
    axis = one_dim("argsort", x, dim, max(x.ndim, 1))
    if not x.ndim:
        return jnp.zeros((), jnp.int32)
    return jnp.argsort(x, axis, stable=stable, descending=descending).astype(jnp.int32)


def sort(x: jax.Array, *, dim: int, descending: bool) -> jax.Array:
    """The elements in order along `dim`; NaN counts as the largest."""
    one_dim("sort", x, dim, max(x.ndim, 1))
    return jnp.sort(x, dim, descending=descending) if x.ndim else x


def top_indices(x: jax.Array, *, k: int, dim: int, largest: bool) -> jax.Array:
    """Where the `k` largest (or smallest) along `dim` are, in order."""
    axis = one_dim("topk", x, dim, max(x.ndim, 1))
    size = x.shape[axis] if x.ndim else 1
    if not 0 <= k <= size:
        raise ShapeError(
            f"topk of {text(x)} along dim {dim}: k={k} is out of range",
            rule=f"there are {size} elements to choose from",
        )
    order = argsort(x, dim=dim, descending=largest)
    return jax.lax.slice_in_dim(order, 0, k, axis=axis) if x.ndim else order


def _places(index: jax.Array, axis: int) -> tuple[jax.Array, ...]:
    """Coordinates of every element of `index`, with the index itself along `axis`."""
    own = jnp.ogrid[tuple(slice(n) for n in index.shape)]
    return tuple(index if d == axis else jnp.asarray(g) for d, g in enumerate(own))


def _check_indices(op: str, index: jax.Array) -> None:
    if not jnp.issubdtype(index.dtype, jnp.integer):
        raise DTypeError(
            f"{op} by {text(index)}: indices are integers",
            help="convert first: index.to(pf.int32)",
        )


def _check_mask(op: str, mask: jax.Array) -> None:
    if jnp.result_type(mask) != jnp.bool_:
        raise DTypeError(
            f"{op} by {text(mask)}: a mask is boolean",
            help="compare to get one: mask != 0",
        )


def _check_same_rank(op: str, x: jax.Array, index: jax.Array, axis: int | None) -> None:
    """Raises: ShapeError, unless ranks agree and sizes beside `axis` fit."""
    small = (
        axis is None
        or not x.ndim
        or all(
            d == axis or n <= m
            for d, (m, n) in enumerate(zip(x.shape, index.shape, strict=False))
        )
    )
    if max(x.ndim, 1) != max(index.ndim, 1) or not small:
        raise ShapeError(
            f"{op} of {text(x)} by {text(index)}: the shapes do not fit",
            rule="x and the index have as many dimensions, and beside the dim the "
            "index is not larger than x",
        )


def _check_covers(op: str, index: jax.Array, source: jax.Array) -> None:
    covers = source.ndim == index.ndim and all(
        n <= m for m, n in zip(source.shape, index.shape, strict=True)
    )
    if not covers:
        raise ShapeError(
            f"{op} of {text(source)} by {text(index)}: the source is smaller than the "
            "index",
            rule="there is a value for each index",
        )
