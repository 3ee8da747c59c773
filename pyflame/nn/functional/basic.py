"""Affine maps, look-ups and shapes as functions."""

from __future__ import annotations

from typing import Any

from pyflame.ops import linear as ops
from pyflame.ops import shape as shape_ops
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
