"""Elements chosen by conditions, indices and order.

Masks are computed when they are used, because the shape of the result depends on them.
Indices that are known when an op is recorded are checked; of those still to be
computed, one out of range gives NaN, the smallest integer, or True.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from pyflame.arguments import frozen_dim, integer_arg
from pyflame.errors import ArgumentError, DTypeError, ShapeError
from pyflame.ops import elementwise, select
from pyflame.ops.shapes import one_dim
from pyflame.recorded import apply, as_tensor
from pyflame.surface.indexing import (
    as_text,
    first_outside,
    getitem,
    kind_of,
    known_mask,
    values_if_known,
)
from pyflame.surface.shapes import axis_of, expand


class Sorted(NamedTuple):
    """Values in order, and where they were, as int32."""

    values: Any
    indices: Any


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
    if kind_of(mask) != "b":
        raise DTypeError(
            f"masked_select by {as_text(mask)}: a mask is boolean",
            help="compare to get one: mask != 0",
        )
    sizes = _broadcast_shape(x, mask)
    sizes = sizes or (1,)
    known = np.broadcast_to(known_mask("masked_select", mask), sizes)
    return getitem(expand(x, sizes), known)


def _broadcast_shape(x: Any, mask: Any) -> tuple[int, ...]:
    try:
        return np.broadcast_shapes(*[tuple(as_tensor(y).shape) for y in (x, mask)])
    except ValueError:
        raise ShapeError(
            f"masked_select of {as_text(x)} by {as_text(mask)}: sizes do not broadcast",
            rule="from the last dimension backwards, sizes are equal or one is 1",
        ) from None


def nonzero(x: Any, *, as_tuple: bool = False) -> Any:
    """Where elements are not 0: int32 of a row of indices for each. Computes `x`.

    With `as_tuple`, a vector of indices for each dimension: what `x[...]` takes.

    Raises: ArgumentError inside a JAX transformation.
    """
    values = known_mask("nonzero", x if hasattr(x, "shape") else as_tensor(x))
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
    index = _indices("gather", x, index, dim)
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
    op = "scatter" if reduce is None else f"scatter_{reduce}"
    index = _indices(op, x, index, dim)
    return apply(select.scatter, x, index, source, dim=frozen_dim(dim), reduce=reduce)


def scatter_add(x: Any, dim: int, index: Any, source: Any) -> Any:
    """`x` with the elements of `source` added at the indices; see `scatter`."""
    return scatter(x, dim, index, source, reduce="add")


def index_select(x: Any, dim: int, index: Any) -> Any:
    """The slices along `dim` that a vector of indices names.

    Raises: ShapeError, if the index is no vector; DTypeError, unless it is of integers.
    """
    return apply(
        select.index_select,
        x,
        _indices("index_select", x, index, dim),
        dim=frozen_dim(dim),
    )


def index_add(x: Any, dim: int, index: Any, source: Any, *, alpha: Any = 1) -> Any:
    """`x` with the slices of `source`, times `alpha`, added where the indices say.

    Raises: ShapeError, if the shapes do not fit; DTypeError, unless `index` is of
    integers.
    """
    scaled = source if alpha == 1 else apply(elementwise.mul, source, alpha)
    return apply(
        select.index_add,
        x,
        _indices("index_add", x, index, dim),
        scaled,
        dim=frozen_dim(dim),
    )


def take_along_dim(x: Any, indices: Any, dim: int | None = None) -> Any:
    """As `gather`, but sizes beside the dim broadcast; without one, of the flat array.

    Raises: ShapeError, if the shapes do not fit; DTypeError, unless `indices` are
    integers.
    """
    axis = None if dim is None else frozen_dim(dim)
    return apply(
        select.take_along_dim, x, _indices("take_along_dim", x, indices, dim), dim=axis
    )


def _indices(op: str, x: Any, index: Any, dim: Any) -> Any:
    """Indices along `dim`, of which lists are integers: elsewhere lists become float32.

    Raises: ShapeError, if one is known to be out of range.
    """
    index = np.asarray(index) if isinstance(index, (list, tuple)) else index
    known = values_if_known(index)
    if known is None or known.dtype.kind != "i":
        return index
    shape = as_tensor(x).shape or [1]
    whole = as_tensor(x)._aval()
    axis = None if dim is None else one_dim(op, whole, frozen_dim(dim), len(shape))
    size = math.prod(shape) if axis is None else shape[axis]
    from_the_back = op == "take_along_dim"  # alone among them, as in PyTorch
    wrong = first_outside(known, -size if from_the_back else 0, size)
    if wrong is not None:
        where = "x" if axis is None else f"dimension {axis}"
        raise ShapeError(
            f"{op} of {as_text(x)} by {as_text(index)}: {wrong} is out of range",
            rule=f"{where} has size {size}"
            + ("" if from_the_back else ", and indices count from the front"),
        )
    return index


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
    if as_tensor(x).ndim:
        axis_of("sort", x, dim)
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
