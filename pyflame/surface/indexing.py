"""Elements by index, mask and order.

Masks are computed when they are used as an index, because the shape of the result
depends on them. Indices of Tensors are not known when an op is recorded: one that is
out of range then gives NaN, the smallest integer, or True.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import numpy as np
from jax.core import Tracer

from pyflame.arguments import frozen_dim, integer_arg
from pyflame.convert import to_array
from pyflame.errors import ArgumentError, DTypeError, ShapeError
from pyflame.ops import elementwise, select, shape
from pyflame.ops.select import ARRAY
from pyflame.ops.shapes import text
from pyflame.recorded import Recorded, apply, as_node, as_tensor
from pyflame.surface.shapes import expand

_RULE = (
    "an index is made of integers, slices, None, ... and arrays of integers or bools"
)
_EVERYTHING = ("slice", None, None, None)


class Sorted(NamedTuple):
    """Values in order, and where they were, as int32."""

    values: Any
    indices: Any


def getitem(x: Any, key: Any) -> Any:
    """x[key] for integers, slices, None, `...`, and arrays of integers or booleans.

    As in PyTorch; slices may also run backwards. A boolean array is computed at once.
    Of Tensors of integers, those out of range give NaN (the smallest integer, True).

    Raises: ShapeError, for an index that is known to be out of range, too many, or of
    another kind; ArgumentError, for a mask inside a JAX transformation.
    """
    basic = basic_key(key)
    if basic is not None:
        return apply(shape.index, x, key=basic)
    static, arrays = parse_key(x, key)
    return apply(select.array_index, x, *arrays, key=static)


def basic_key(key: Any) -> tuple[Any, ...] | None:
    """A key of integers, slices, None and `...`, hashable; None for any other."""
    found = []
    for part in key if type(key) is tuple else (key,):
        if part is None or part is Ellipsis or type(part) is int:
            found.append(part)
        elif type(part) is slice:
            found.append(("slice", *map(_bound, (part.start, part.stop, part.step))))
        elif isinstance(part, np.integer):
            found.append(int(part))
        else:
            return None
    return tuple(found)


def parse_key(x: Any, key: Any) -> tuple[tuple[Any, ...], list[Any]]:
    """A key with `ARRAY` for each array of indices, and these arrays.

    Raises: ShapeError, DTypeError or ArgumentError, as `getitem`.
    """
    parts = [_part(x, key, k) for k in (key if type(key) is tuple else (key,))]
    rank = len(x.shape)
    named = sum(_dims_of(p) for p in parts)
    static, arrays, axis = list[Any](), list[Any](), 0
    for part in parts:
        if part is Ellipsis:
            axis += max(rank - named, 0)
        if _is_array(part):
            found = _index_arrays(x, key, part, axis)
            static += [ARRAY] * len(found)
            arrays += found
        else:
            static.append(part)
        axis += _dims_of(part)
    return tuple(static), arrays


def _part(x: Any, key: Any, part: Any) -> Any:
    """A basic part as in `basic_key`; else an array of integers or booleans."""
    basic = None if isinstance(part, tuple) else basic_key(part)
    if basic is not None:
        return basic[0]
    if isinstance(part, (Recorded, jax.Array, np.ndarray)):
        return part
    if not isinstance(part, (list, tuple)):
        raise ShapeError(
            f"index of {_text(x)} by [{_key_text(key)}]: "
            f"{type(part).__name__} is no index",
            rule=_RULE,
        )
    array = np.asarray(part)
    return array if array.size else array.astype(np.int32)


def _is_array(part: Any) -> bool:
    return isinstance(part, (Recorded, jax.Array, np.ndarray))


def _dims_of(part: Any) -> int:
    """How many dimensions of the array a part of the key stands for."""
    if part is None or part is Ellipsis:
        return 0
    return len(part.shape) if _is_array(part) and _kind(part) == "b" else 1


def _kind(array: Any) -> str:
    dtype = array.dtype
    return np.dtype(getattr(dtype, "numpy", dtype)).kind


def _index_arrays(x: Any, key: Any, part: Any, axis: int) -> list[Any]:
    """A part as arrays of integers, one per dimension that it stands for."""
    if _kind(part) == "b":
        return _of_mask(x, key, part, axis)
    if _kind(part) != "i":
        raise DTypeError(
            f"index of {_text(x)} by [{_key_text(key)}]: indices are integers",
            rule=_RULE,
            help="convert first: index.to(pf.int32)",
        )
    if isinstance(part, np.ndarray):
        _check_range(x, key, part, axis)
        return [to_array(part)]
    return [part]


def _check_range(x: Any, key: Any, indices: np.ndarray[Any, Any], axis: int) -> None:
    if axis >= len(x.shape) or not indices.size:
        return  # too many indices, as the op will say
    size = x.shape[axis]
    for index in (int(indices.min()), int(indices.max())):
        if not -size <= index < size:
            raise ShapeError(
                f"index of {_text(x)} by [{_key_text(key)}]: {index} is out of range",
                rule=f"dimension {axis} has size {size}",
            )


def _of_mask(x: Any, key: Any, mask: Any, axis: int) -> list[Any]:
    """Where a mask holds: the mask is computed now."""
    size = list(x.shape[axis : axis + len(mask.shape)])
    if not mask.shape or list(mask.shape) != size:
        raise ShapeError(
            f"index of {_text(x)} by [{_key_text(key)}]: the mask does not fit",
            rule="a mask has the sizes of the dimensions that it stands for",
        )
    return [to_array(places) for places in np.nonzero(_known("index", mask))]


def _known(op: str, mask: Any) -> np.ndarray[Any, Any]:
    """The values of a mask.

    Raises: ArgumentError, if they are not known inside a JAX transformation.
    """
    value = mask.__jax_array__() if isinstance(mask, Recorded) else mask
    if isinstance(value, Tracer):
        raise ArgumentError(
            f"{op} by the mask {text(value)} inside a JAX transformation",
            rule="the shape of the result depends on values that are not known there",
            help="use pf.where(mask, x, 0) or x.masked_fill(~mask, 0)",
        )
    return np.asarray(value)


def _bound(bound: Any) -> int | None:
    """One end or the step of a slice.

    Raises: ShapeError, if it is no integer.
    """
    if bound is None or type(bound) is int:
        return bound
    if isinstance(bound, (Recorded, np.integer)):
        return int(bound)
    raise ShapeError(
        f"index by a slice with {bound!r}: {type(bound).__name__} is no bound",
        rule="start, stop and step of a slice are integers or None",
    )


def _text(x: Any) -> str:
    return text(as_node(x).aval)


def _key_text(key: Any) -> str:
    return ", ".join(map(_part_text, key if type(key) is tuple else (key,)))


def _part_text(part: Any) -> str:
    if _is_array(part):
        return _text(part) if _kind(part) in "bif" else f"{part.dtype} array"
    basic = None if isinstance(part, (list, tuple)) else basic_key(part)
    return repr(part) if basic is None else shape.index_text(basic)[1:-1]


def where(condition: Any, a: Any, b: Any) -> Any:
    """`a` where the condition holds, `b` elsewhere; all three broadcast.

    Raises: ShapeError, if sizes do not broadcast.
    """
    return apply(elementwise.where, condition, a, b)


def where_of(x: Any, condition: Any, other: Any) -> Any:
    """The elements of `x` where the condition holds, those of `other` elsewhere."""
    return where(condition, x, other)


def masked_fill(x: Any, mask: Any, value: Any) -> Any:
    """`value`, in the dtype of `x`, where the mask holds.

    Raises: DTypeError, unless the mask is boolean; ShapeError, if it does not
    broadcast.
    """
    return apply(select.masked_fill, x, mask, value)


def masked_select(x: Any, mask: Any) -> Any:
    """A vector of the elements where the mask holds; the mask is computed at once.

    Raises: ShapeError, if the shapes do not broadcast; DTypeError, unless the mask is
    boolean; ArgumentError inside a JAX transformation.
    """
    mask = as_tensor(mask)
    if _kind(mask) != "b":
        raise DTypeError(
            f"masked_select by {_text(mask)}: a mask is boolean",
            help="compare to get one: mask != 0",
        )
    sizes = _broadcast_shape(x, mask)
    sizes = sizes or (1,)
    known = np.broadcast_to(_known("masked_select", mask), sizes)
    return getitem(expand(x, sizes), known)


def _broadcast_shape(x: Any, mask: Any) -> tuple[int, ...]:
    try:
        return np.broadcast_shapes(*[tuple(as_tensor(y).shape) for y in (x, mask)])
    except ValueError:
        raise ShapeError(
            f"masked_select of {_text(x)} by {_text(mask)}: sizes do not broadcast",
            rule="from the last dimension backwards, sizes are equal or one is 1",
        ) from None


def nonzero(x: Any, *, as_tuple: bool = False) -> Any:
    """Where elements are not 0: int32 of a row of indices for each. Computes `x`.

    With `as_tuple`, a vector of indices for each dimension: what `x[...]` takes.

    Raises: ArgumentError inside a JAX transformation.
    """
    values = _known("nonzero", x if hasattr(x, "shape") else as_tensor(x))
    if as_tuple:
        places = np.nonzero(np.atleast_1d(values))
        return tuple(as_tensor(one.astype(np.int32)) for one in places)
    return as_tensor(np.argwhere(values).astype(np.int32))


def gather(x: Any, dim: int, index: Any) -> Any:
    """out[i, j] = x[index[i, j], j] for dim 0, out[i, j] = x[i, index[i, j]] for 1...

    The result has the shape of `index`, which beside the dim may be smaller than `x`.

    Raises: ShapeError, if the shapes do not fit; DTypeError, unless `index` is of
    integers.
    """
    return apply(select.gather, x, index, dim=frozen_dim(dim))


def scatter(
    x: Any, dim: int, index: Any, source: Any, *, reduce: str | None = None
) -> Any:
    """`x` with x[index[i, j], j] = source[i, j] for dim 0, and so on.

    `source` is a Tensor or a number. With `reduce` "add" or "multiply" it is added or
    multiplied; else any of several values for one place may stay.

    Raises: ShapeError, DTypeError as `gather`; ArgumentError for another `reduce`.
    """
    if reduce not in (None, "add", "multiply"):
        raise ArgumentError(
            f"scatter: reduce={reduce!r} is not known",
            rule="reduce is None, 'add' or 'multiply'",
        )
    return apply(select.scatter, x, index, source, dim=frozen_dim(dim), reduce=reduce)


def scatter_add(x: Any, dim: int, index: Any, source: Any) -> Any:
    """`x` with the elements of `source` added at the indices; see `scatter`."""
    return scatter(x, dim, index, source, reduce="add")


def index_select(x: Any, dim: int, index: Any) -> Any:
    """The slices along `dim` that a vector of indices names.

    Raises: ShapeError, if the index is no vector; DTypeError, unless it is of integers.
    """
    return apply(select.index_select, x, index, dim=frozen_dim(dim))


def index_add(x: Any, dim: int, index: Any, source: Any, *, alpha: Any = 1) -> Any:
    """`x` with the slices of `source`, times `alpha`, added where the indices say.

    Raises: ShapeError, if the shapes do not fit; DTypeError, unless `index` is of
    integers.
    """
    scaled = source if alpha == 1 else apply(elementwise.mul, source, alpha)
    return apply(select.index_add, x, index, scaled, dim=frozen_dim(dim))


def take_along_dim(x: Any, indices: Any, dim: int | None = None) -> Any:
    """As `gather`, but sizes beside the dim broadcast; without one, of the flat array.

    Raises: ShapeError, if the shapes do not fit; DTypeError, unless `indices` are
    integers.
    """
    axis = None if dim is None else frozen_dim(dim)
    return apply(select.take_along_dim, x, indices, dim=axis)


def argsort(
    x: Any, dim: int = -1, descending: bool = False, stable: bool = False
) -> Any:
    """Where the elements in order along `dim` are, as int32.

    Of equal elements the first comes first, whether that is asked for (`stable`) or
    not. NaN counts as the largest.
    """
    args = {"dim": frozen_dim(dim), "descending": bool(descending)}
    return apply(select.argsort, x, **args)


def sort(
    x: Any, dim: int = -1, descending: bool = False, stable: bool = False
) -> Sorted:
    """The elements in order along `dim`, and where they were; see `argsort`."""
    order = argsort(x, dim, descending, stable)
    if not order.shape:
        return Sorted(x, order)
    return Sorted(take_along_dim(x, order, dim), order)


def topk(
    x: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True
) -> Sorted:
    """The `k` largest (or smallest) elements along `dim`, and where they are.

    They are in order, whether that is asked for (`sorted`) or not.

    Raises: ShapeError, if there are less than `k`.
    """
    count = integer_arg("topk", "k", k)
    args = {"k": count, "dim": frozen_dim(dim), "largest": bool(largest)}
    order = apply(select.top_indices, x, **args)
    if not order.shape:
        return Sorted(x, order)
    return Sorted(take_along_dim(x, order, dim), order)
