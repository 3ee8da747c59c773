"""Affine maps, look-ups and shapes as functions."""

from __future__ import annotations

import math
from typing import Any

from pyflame.arguments import shape_arg
from pyflame.errors import ShapeError
from pyflame.ops import linear as ops
from pyflame.ops import shape as shape_ops
from pyflame.ops.shapes import one_dim
from pyflame.tensors import apply


def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """input @ weight.T + bias: [..., I], [O, I] and [O] give [..., O].

    Raises: ShapeError, if the sizes I differ.
    """
    if bias is None:
        return apply(ops.linear, input, weight)
    return apply(ops.linear, input, weight, bias)


def embedding(input: Any, weight: Any, padding_idx: int | None = None) -> Any:
    """Rows of `weight` [V, E] by integers [...]: [..., E]; NaN if out of range.

    The row `padding_idx` gets no gradient.
    """
    if padding_idx is not None and padding_idx < 0:
        padding_idx += weight.shape[0]
    return apply(ops.embedding, input, weight, padding_idx=padding_idx)


def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Joins the dimensions from `start_dim` to `end_dim` into one.

    Raises: ShapeError, if a dim is out of range or the first comes after the last.
    """
    return apply(shape_ops.flatten, input, start_dim=start_dim, end_dim=end_dim)


def unflatten(input: Any, dim: int, sizes: Any) -> Any:
    """Splits the dimension `dim` into `sizes`, where one may be -1.

    Raises: ShapeError, if `dim` is out of range or the counts of elements differ.
    """
    shape = list(input.shape)
    where = one_dim("unflatten", input, dim, len(shape))
    split = shape_arg("unflatten", sizes)
    count = math.prod(size for size in split if size != -1)
    open_sizes = split.count(-1)
    if open_sizes == 1 and count and shape[where] % count == 0:
        split = tuple(shape[where] // count if n == -1 else n for n in split)
    if min(split, default=0) < 0 or math.prod(split) != shape[where]:
        raise ShapeError(
            f"unflatten of {shape}: {shape[where]} elements along dim={dim} are not "
            f"{list(shape_arg('unflatten', sizes))}",
            rule="the sizes multiply to that of the dimension; one may be -1",
        )
    new_shape = (*shape[:where], *split, *shape[where + 1 :])
    return apply(shape_ops.reshape, input, shape=new_shape)
