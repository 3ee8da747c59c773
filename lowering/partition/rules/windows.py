"""Pooling: dimensions that windows run along are whole, the others split.

A reduction by windows goes dimension by dimension, since its operations may be done in
any order; wide windows are made of narrower ones by doubling.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax import lax

from lowering.mesh import AXES, Axis
from lowering.partition.cases import Case
from lowering.partition.registry import Context, extents_of, partitions
from lowering.partition.rules.reduction import Op, neutral
from lowering.partition.rules.shape import whole_dims
from lowering.partition.tiles import AnyTile
from lowering.placement import Placement

_OPS: dict[str, Op] = {
    "reduce_window_sum": "sum",
    "reduce_window_max": "max",
    "reduce_window_min": "min",
    "reduce_window": "prod",  # normalised to products from 1 on
}
_COMBINE: dict[str, Any] = {
    "sum": lax.add,
    "max": lax.max,
    "min": lax.min,
    "prod": lax.mul,
}
_WIDE = 8  # elements of a window from which on it is made by doubling


@partitions(*_OPS)
def reduce_window(ctx: Context, operand: AnyTile, *_: AnyTile, **params: Any) -> Any:
    """Padding and holes are filled with the neutral value."""
    op = _OPS[ctx.eqn.primitive.name]
    placement = whole_windows(ctx, operand, params)
    local = operand.at(placement)
    widths = pad_widths(params)
    if any(map(any, widths)):
        filling = np.asarray(neutral(op, placement.dtype), placement.dtype)
        local = lax.pad(local, filling, widths)
    for dim, size in enumerate(params["window_dimensions"]):
        stride = params["window_strides"][dim]
        if (size, stride) != (1, 1):
            dilation = params["window_dilation"][dim]
            local = _along(local, dim, size, stride, dilation, op)
    after = ctx.placement(placement.axes, extents_of(placement))
    result = ctx.settled(local, after)
    return [result] if ctx.eqn.primitive.multiple_results else result


def _along(x: Any, dim: int, size: int, stride: int, dilation: int, op: Op) -> Any:
    """Windows of `size` elements, `dilation` apart, along one dimension."""
    length = (x.shape[dim] - (size - 1) * dilation - 1) // stride + 1

    def taken(y: Any, first: int) -> Any:
        return _strided(y, dim, first, length, stride)

    if size < _WIDE:
        result = taken(x, 0)
        for number in range(1, size):
            result = _COMBINE[op](result, taken(x, number * dilation))
        return result
    result, covered, power, doubled = None, 0, 1, x
    while True:
        if size & power:
            part = taken(doubled, covered * dilation)
            result = part if result is None else _COMBINE[op](result, part)
            covered += power
        if covered == size:
            return result
        rest = doubled.shape[dim] - power * dilation
        doubled = _COMBINE[op](
            _strided(doubled, dim, 0, rest, 1),
            _strided(doubled, dim, power * dilation, rest, 1),
        )
        power *= 2


def _strided(x: Any, dim: int, first: int, length: int, stride: int) -> Any:
    last = first + (length - 1) * stride + 1
    return lax.slice_in_dim(x, first, last, stride, dim)


def pad_widths(params: Any) -> list[tuple[int, int, int]]:
    """Padding of each dimension, and of the holes between its elements."""
    pads: Sequence[tuple[int, int]] = params["padding"]
    holes = params.get("base_dilation", (1,) * len(pads))
    return [(*pad, hole - 1) for pad, hole in zip(pads, holes, strict=True)]


def whole_windows(ctx: Context, operand: AnyTile, params: Any) -> Placement:
    """The operand with what windows run along whole, and the rest split at most."""
    windows = zip(
        params["window_dimensions"],
        params["window_strides"],
        pad_widths(params),
        strict=True,
    )
    dims = [dim for dim, each in enumerate(windows) if each != (1, 1, (0, 0, 0))]
    free = [dim for dim in range(len(operand.shape)) if dim not in dims]
    axes: list[Axis | None] = [
        None if dim in dims else axis for dim, axis in enumerate(operand.placement.axes)
    ]
    extents = extents_of(operand.placement)
    for axis in AXES:
        largest = max(
            (dim for dim in free if axes[dim] is None),
            key=lambda dim: operand.shape[dim],
            default=None,
        )
        unused = axis not in axes and ctx.mesh.size(axis) > 1
        if unused and largest is not None and operand.shape[largest] > 1:
            axes[largest] = axis
            extents[axis] = ctx.mesh.size(axis)
    split = ctx.place(operand.shape, operand.placement.dtype, tuple(axes), extents)
    if all(axis is None for axis in axes):
        return whole_dims(ctx, operand, dims)
    return split


def _pooled(start: float, combine: Any, *window: Any) -> Any:
    def function(x: jax.Array) -> jax.Array:
        return lax.reduce_window(x, np.asarray(start, x.dtype), combine, *window)

    return function


_INF = float("inf")
_IMAGES = ("f32[2,3,7,6]",)
_SQUARES = ((1, 1, 2, 2), (1, 1, 2, 2), "VALID")

CASES = [
    Case("largest of squares", _pooled(-_INF, lax.max, *_SQUARES), _IMAGES),
    Case(
        "smallest, overlapping",
        _pooled(_INF, lax.min, (3, 2), (2, 1), "SAME"),
        ("f32[n,m]",),
    ),
    Case("sums", _pooled(0, lax.add, (1, 1, 3, 3), (1, 1, 2, 1), "SAME"), _IMAGES),
    Case("products", _pooled(1, lax.mul, (1, 1, 2, 3), (1, 1, 1, 1), "SAME"), _IMAGES),
    Case("from a start", _pooled(3, lax.add, (2, 3), (1, 2), "VALID"), ("f32[5,7]",)),
    Case("of integers", _pooled(0, lax.add, (2, 2), (1, 1), "SAME"), ("i32[n,m]",)),
    Case("wide", _pooled(0, lax.add, (11,), (3,), ((7, 9),)), ("f32[n]",)),
    Case(
        "wide maxima",
        _pooled(-_INF, lax.max, (13, 1), (1, 1), ((6, 6), (0, 0))),
        ("f32[n,m]",),
    ),
    Case(
        "with holes",
        _pooled(-_INF, lax.max, (2, 3), (2, 1), ((1, 2), (0, 3)), (2, 1), (1, 2)),
        ("f32[5,7]",),
    ),
]
