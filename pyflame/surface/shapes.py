"""Functions that move, join, split and repeat dimensions: values stay as they are.

Nothing is a view: results share no memory with `x` that could be written to.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from pyflame.arguments import (
    dims_arg,
    frozen_dim,
    frozen_dims,
    integer_arg,
    shape_arg,
)
from pyflame.errors import ArgumentError, ShapeError
from pyflame.ops import arrange, shape
from pyflame.ops import select as select_ops
from pyflame.ops.shapes import Dims, one_dim, text
from pyflame.recorded import apply, as_node


def reshape(x: Any, *sizes: Any, new_shape: Any = None) -> Any:
    """Same elements in row-major order: `reshape(x, [3, -1])` or `reshape(x, 3, -1)`.

    One size may be -1.

    Raises: ShapeError, if the counts of elements differ.
    """
    given = sizes if new_shape is None else new_shape
    return apply(shape.reshape, x, shape=shape_arg("reshape", given))


def reshape_as(x: Any, other: Any) -> Any:
    """`x` in the shape of another Tensor; see `reshape`."""
    return reshape(x, _shape(other))


def expand_as(x: Any, other: Any) -> Any:
    """`x` expanded to the shape of another Tensor; see `expand`."""
    return expand(x, _shape(other))


def flatten(x: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Joins the dimensions from `start_dim` to `end_dim` into one.

    Raises: ShapeError, if a dim is out of range or the first comes after the last.
    """
    first, last = frozen_dim(start_dim), frozen_dim(end_dim)
    return apply(shape.flatten, x, start_dim=first, end_dim=last)


def ravel(x: Any) -> Any:
    """All elements as a vector, in row-major order."""
    return apply(shape.reshape, x, shape=(-1,))


def unflatten(x: Any, dim: int, sizes: Sequence[int]) -> Any:
    """One dimension split into several; one of the sizes may be -1.

    Raises: ShapeError, if the sizes do not multiply to that of the dimension.
    """
    whole = shape_arg("unflatten", sizes)
    return apply(arrange.unflatten, x, dim=frozen_dim(dim), sizes=whole)


def transpose(x: Any, dim0: int, dim1: int) -> Any:
    """Swaps two dimensions.

    Raises: ShapeError, if one is out of range.
    """
    return apply(shape.transpose, x, dim0=frozen_dim(dim0), dim1=frozen_dim(dim1))


def t(x: Any) -> Any:
    """The transpose of a matrix; vectors and scalars stay.

    Raises: ShapeError for more than two dimensions.
    """
    rank = len(_shape(x))
    if rank > 2:
        raise ShapeError(
            f"t of {text(as_node(x).aval)}: there are {rank} dimensions",
            rule="t takes at most two",
            help="use x.mT for the last two, or x.permute(...)",
        )
    return reverse_dims(x)


def reverse_dims(x: Any) -> Any:
    """All dimensions in reverse order; of a matrix the transpose."""
    return apply(arrange.permute, x, dims=tuple(reversed(range(len(_shape(x))))))


def matrix_transpose(x: Any) -> Any:
    """The last two dimensions swapped.

    Raises: ShapeError for less than two dimensions.
    """
    return apply(arrange.matrix_transpose, x)


def permute(x: Any, *dims: Any) -> Any:
    """The dimensions in another order: `permute(x, 2, 0, 1)`, or one list of them.

    Raises: ShapeError, unless each dimension is named once.
    """
    return apply(arrange.permute, x, dims=dims_arg("permute", dims))


def movedim(x: Any, source: Any, destination: Any) -> Any:
    """Moves one or more dims to other places; the others keep their order.

    Raises: ShapeError, if the counts differ, or a dim is out of range or twice.
    """
    where = {
        "source": dims_arg("movedim", source),
        "destination": dims_arg("movedim", destination),
    }
    return apply(arrange.movedim, x, **where)


def squeeze(x: Any, dim: Dims = None) -> Any:
    """Removes dimensions of size 1: all of them, or those of `dim` that have it.

    Raises: ShapeError, if a dim is out of range.
    """
    return apply(shape.squeeze, x, dim=frozen_dims(dim))


def unsqueeze(x: Any, dim: int) -> Any:
    """Adds a dimension of size 1 at `dim`.

    Raises: ShapeError, if it is out of range.
    """
    return apply(shape.unsqueeze, x, dim=frozen_dim(dim))


def expand(x: Any, *sizes: Any) -> Any:
    """`x` repeated along dimensions of size 1 and new ones in front; -1 keeps a size.

    Raises: ShapeError, if another size would change.
    """
    return apply(arrange.expand, x, shape=shape_arg("expand", sizes))


def broadcast_to(x: Any, shape: Any) -> Any:
    """`x` in a shape that it broadcasts to: `expand` by another name."""
    return apply(arrange.expand, x, shape=shape_arg("broadcast_to", shape))


def repeat(x: Any, *counts: Any) -> Any:
    """`x` laid side by side, a count for each dimension; new ones come in front.

    Raises: ShapeError, if there are fewer counts than dimensions.
    """
    return apply(arrange.repeat, x, counts=shape_arg("repeat", counts))


def tile(x: Any, *counts: Any) -> Any:
    """As `repeat`; with fewer counts than dimensions, those in front are kept.

    Raises: ShapeError, if a count is negative.
    """
    given = shape_arg("tile", counts)
    missing = len(_shape(x)) - len(given)
    return apply(arrange.repeat, x, counts=(1,) * missing + given)


def repeat_interleave(
    x: Any, repeats: Any, dim: int | None = None, *, output_size: int | None = None
) -> Any:
    """Each element `repeats` times in a row, along `dim` or of the flat array.

    `repeats` may also be a list or Tensor with a count for each; it is computed now.
    `output_size` is their sum, if the caller knows it.

    Raises: ArgumentError, unless `repeats` are integers of 0 or more, one or as many
    as there are elements, that add up to `output_size`.
    """
    if np.ndim(repeats) or hasattr(repeats, "_node"):
        return _repeat_each(x, repeats, dim, output_size)
    count = integer_arg("repeat_interleave", "repeats", repeats, least=0)
    axis = None if dim is None else frozen_dim(dim)
    return apply(arrange.repeat_interleave, x, repeats=count, dim=axis)


def _repeat_each(x: Any, repeats: Any, dim: Any, output_size: int | None) -> Any:
    x = ravel(x) if dim is None else x
    axis = axis_of("repeat_interleave", x, 0 if dim is None else dim)
    size = _shape(x)[axis]
    counts = np.asarray(repeats).reshape(-1)
    if counts.dtype.kind != "i" or counts.size not in (1, size) or (counts < 0).any():
        raise ArgumentError(
            f"repeat_interleave of {text(as_node(x).aval)} along dim {axis}: "
            f"repeats={counts.tolist()}",
            rule=f"repeats are one integer of 0 or more, or {size} of them",
        )
    places = np.repeat(np.arange(size, dtype=np.int32), counts)
    if output_size is not None and output_size != places.size:
        raise ArgumentError(
            f"repeat_interleave: output_size={output_size!r}, and the repeats add up "
            f"to {places.size}",
            rule="output_size is the sum of the repeats, or None",
        )
    return apply(select_ops.index_select, x, places, dim=axis)


def flip(x: Any, *args: Any, dims: Any = None) -> Any:
    """The order of elements along the dims turned round: `flip(x, [0, 1])`.

    Raises: ShapeError, if a dim is out of range or twice.
    """
    given = args if dims is None else dims
    return apply(arrange.flip, x, dim=dims_arg("flip", given))


def roll(x: Any, shifts: Any, dims: Any = None) -> Any:
    """Elements moved on by `shifts`; those beyond the end come in at the front.

    Without `dims`, of the flat array.

    Raises: ShapeError, unless there is one shift for each dim.
    """
    steps = dims_arg("roll", shifts)
    axes = None if dims is None else dims_arg("roll", dims)
    return apply(arrange.roll, x, shifts=steps, dim=axes)


def narrow(x: Any, dim: int, start: int, length: int) -> Any:
    """`length` elements along `dim` from `start`.

    Raises: ShapeError, if they are not all there.
    """
    first = integer_arg("narrow", "start", start)
    count = integer_arg("narrow", "length", length, least=0)
    return apply(arrange.narrow, x, dim=frozen_dim(dim), start=first, length=count)


def select(x: Any, dim: int, index: int) -> Any:
    """The slice at one index of `dim`, without that dimension.

    Raises: ShapeError, if the dim or the index is out of range.
    """
    axis = axis_of("select", x, dim)
    whole = ("slice", None, None, None)
    place = integer_arg("select", "index", index)
    return apply(shape.index, x, key=(whole,) * axis + (place,))


def unbind(x: Any, dim: int = 0) -> tuple[Any, ...]:
    """The slices along `dim`, without that dimension.

    Raises: ShapeError, if `dim` is out of range.
    """
    axis = axis_of("unbind", x, dim)
    return tuple(select(x, axis, i) for i in range(_shape(x)[axis]))


def split(x: Any, split_size: int | Sequence[int], dim: int = 0) -> tuple[Any, ...]:
    """Parts along `dim`: of `split_size` elements (the last may have less), or of the
    sizes listed.

    Raises: ShapeError, if `dim` is out of range or the sizes do not add up;
    ArgumentError, if a size is no integer of 0 or more.
    """
    axis = axis_of("split", x, dim)
    total = _shape(x)[axis]
    if isinstance(split_size, (list, tuple)):
        sizes = [integer_arg("split", "split_size", s, least=0) for s in split_size]
        if builtins.sum(sizes) != total:
            raise ShapeError(
                f"split of {text(as_node(x).aval)} along dim {dim} into {sizes}: the "
                f"sizes add up to {builtins.sum(sizes)}",
                rule=f"they add up to {total}, the size of the dimension",
            )
    else:
        part = integer_arg("split", "split_size", split_size, least=1)
        sizes = [min(part, total - i) for i in range(0, total, part)] or [0]
    return _parts(x, axis, sizes)


def chunk(x: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    """At most `chunks` parts along `dim`, all of one size but perhaps the last.

    Raises: ShapeError, if `dim` is out of range; ArgumentError for less than one chunk.
    """
    axis = axis_of("chunk", x, dim)
    count = integer_arg("chunk", "chunks", chunks, least=1)
    return split(x, max(math.ceil(_shape(x)[axis] / count), 1), axis)


def cat(tensors: Sequence[Any], dim: int = 0) -> Any:
    """Joins tensors of one dtype along a dimension there is.

    Raises: ShapeError, if other dimensions differ; DTypeError, if dtypes do;
    ArgumentError, if there are none.
    """
    return apply(shape.cat, *_some("cat", tensors), dim=frozen_dim(dim))


def stack(tensors: Sequence[Any], dim: int = 0) -> Any:
    """Joins tensors of one dtype and shape along a new dimension.

    Raises: ShapeError, if shapes differ; DTypeError, if dtypes do; ArgumentError, if
    there are none.
    """
    return apply(shape.stack, *_some("stack", tensors), dim=frozen_dim(dim))


def vstack(tensors: Sequence[Any]) -> Any:
    """Joins tensors along the first dimension; vectors and scalars as rows."""
    rows = [_at_least_matrix(x) for x in _some("vstack", tensors)]
    return cat(rows, dim=0)


def hstack(tensors: Sequence[Any]) -> Any:
    """Joins tensors along the second dimension; vectors along the only one."""
    vectors = [ravel(x) if not _shape(x) else x for x in _some("hstack", tensors)]
    return cat(vectors, dim=0 if len(_shape(vectors[0])) == 1 else 1)


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Any, ...]:
    """Of n vectors, n arrays of n dimensions: the i-th varies along dim i.

    With `indexing` "xy" the first two dims are swapped.

    Raises: ShapeError for more than a vector; ArgumentError for another `indexing`.
    """
    match tensors:
        case ([*_] as inner,):
            tensors = tuple(inner)
    if indexing not in ("ij", "xy"):
        raise ArgumentError(
            f"meshgrid: indexing={indexing!r} is not known",
            rule="indexing is 'ij' or 'xy'",
        )
    for x in _some("meshgrid", tensors):
        if len(_shape(x)) > 1:
            raise ShapeError(
                f"meshgrid of {text(as_node(x).aval)}: there is more than a vector",
                rule="a grid is made of vectors and scalars",
            )
    axes = list(range(len(tensors)))
    if indexing == "xy":
        axes[:2] = reversed(axes[:2])
    sizes = [math.prod(_shape(tensors[axis])) for axis in axes]
    spread = zip(tensors, axes, strict=True)
    return tuple(
        apply(arrange.grid_of, x, shape=tuple(sizes), axis=axis) for x, axis in spread
    )


def diagonal(x: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """The diagonal of two dimensions, as a new last one; `offset` counts upwards.

    Raises: ShapeError, if the dims are out of range or the same.
    """
    where = {"dim1": frozen_dim(dim1), "dim2": frozen_dim(dim2)}
    offset = integer_arg("diagonal", "offset", offset)
    return apply(arrange.diagonal, x, offset=offset, **where)


def diag(x: Any, diagonal: int = 0) -> Any:
    """A matrix with the vector `x` on a diagonal; or a diagonal of the matrix `x`.

    Raises: ShapeError for other ranks.
    """
    place = integer_arg("diag", "diagonal", diagonal)
    return apply(arrange.diag, x, diagonal=place)


def tril(x: Any, diagonal: int = 0) -> Any:
    """0 above a diagonal of the last two dimensions; a positive one lies further up.

    Raises: ShapeError for less than two dimensions.
    """
    place = integer_arg("tril", "diagonal", diagonal)
    return apply(arrange.tril, x, diagonal=place)


def triu(x: Any, diagonal: int = 0) -> Any:
    """0 below a diagonal of the last two dimensions; a positive one lies further up.

    Raises: ShapeError for less than two dimensions.
    """
    place = integer_arg("triu", "diagonal", diagonal)
    return apply(arrange.triu, x, diagonal=place)


# other names of the same

swapaxes = transpose
swapdims = transpose
moveaxis = movedim
concat = cat


def axis_of(op: str, x: Any, dim: Any) -> int:
    """A dim counted from the front.

    Raises: ShapeError, if it is out of range.
    """
    return one_dim(op, as_node(x).aval, frozen_dim(dim), len(_shape(x)))


def _shape(x: Any) -> tuple[int, ...]:
    return tuple(x.shape) if hasattr(x, "shape") else _aval_shape(x)


def _aval_shape(x: Any) -> tuple[int, ...]:
    aval = as_node(x).aval
    assert aval is not None, "operands have a shape"
    return aval.shape


def _at_least_matrix(x: Any) -> Any:
    return x if len(_shape(x)) > 1 else reshape(x, 1, -1)


def _parts(x: Any, axis: int, sizes: Sequence[int]) -> tuple[Any, ...]:
    starts = [0, *accumulate(sizes)][:-1]
    return tuple(
        apply(arrange.narrow, x, dim=axis, start=start, length=size)
        for start, size in zip(starts, sizes, strict=True)
    )


def _some(name: str, tensors: Any) -> Sequence[Any]:
    if not isinstance(tensors, (list, tuple)) or not tensors:
        kind = type(tensors).__name__ if hasattr(tensors, "shape") else repr(tensors)
        raise ArgumentError(
            f"{name}: {kind} is no list of tensors",
            rule=f"{name} joins a list or tuple of at least one tensor",
        )
    if builtins.any(as_node(x).is_literal for x in tensors):
        raise ArgumentError(
            f"{name}: a Python number has no dimensions to join",
            help="write pf.tensor([number])",
        )
    return tensors
