"""Pooling: windows run along whole dimensions, or reach into the neighbours' tiles.

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

from lowering.cases import Case
from lowering.mesh import AXES, Axis
from lowering.partition.halo import Halo, Window, halo_of
from lowering.partition.registry import Context, extents_of, partitions
from lowering.partition.reshard import WHOLE_LIMIT_BYTES
from lowering.partition.rules.elementwise import fill_padding
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
_SMALL_BYTES = 8 * 1024
_WIDE = 8  # elements of a window from which on it is made by doubling


@partitions(*_OPS)
def reduce_window(ctx: Context, operand: AnyTile, *_: AnyTile, **params: Any) -> Any:
    """Padding and holes are filled with the neutral value."""
    op = _OPS[ctx.eqn.primitive.name]
    placement, halos = placed_windows(ctx, operand, params)
    filling = neutral(op, placement.dtype)
    local = surrounded(ctx, operand.at(placement), placement, halos, params, filling)
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


def surrounded(
    ctx: Context,
    x: Any,
    placement: Placement,
    halos: dict[int, Halo],
    params: Any,
    fill: float,
) -> Any:
    """A tile with padding, or what neighbours have, around and inside it."""
    for dim, halo in halos.items():
        x = halo.joined(fill_padding(ctx, x, placement, dim, fill), fill)
    widths = pad_widths(params, halos)
    if any(map(any, widths)):
        x = lax.pad(x, np.asarray(fill, x.dtype), widths)
    return x


def pad_widths(params: Any, halos: dict[int, Halo]) -> list[tuple[int, int, int]]:
    """Padding of each dimension, and of the holes between its elements.

    Halos have the padding of their dimensions.
    """
    pads: Sequence[tuple[int, int]] = params["padding"]
    holes = params.get("base_dilation", (1,) * len(pads))
    return [
        (0, 0, 0) if dim in halos else (*pad, hole - 1)
        for dim, (pad, hole) in enumerate(zip(pads, holes, strict=True))
    ]


def placed_windows(
    ctx: Context, operand: AnyTile, params: Any, can_join: bool = True
) -> tuple[Placement, dict[int, Halo]]:
    """The operand with what windows run along whole, and the rest split at most.

    With `can_join`, dimensions that are split stay so where neighbours have what the
    windows need; their halos are by dimension.
    Raises: LayoutError, if what is whole is more than a PE can hold.
    """
    before = operand.placement
    halos = _halos(ctx, before, params) if can_join else {}
    windows = zip(
        params["window_dimensions"],
        params["window_strides"],
        pad_widths(params, {}),
        strict=True,
    )
    moving = [dim for dim, each in enumerate(windows) if each != (1, 1, (0, 0, 0))]
    dims = [dim for dim in moving if dim not in halos]
    axes: list[Axis | None] = [
        None if dim in dims else axis for dim, axis in enumerate(before.axes)
    ]
    extents = extents_of(before)
    for axis in AXES:
        largest = max(
            (dim for dim, a in enumerate(axes) if a is None and dim not in moving),
            key=lambda dim: operand.shape[dim],
            default=None,
        )
        unused = axis not in axes and ctx.mesh.size(axis) > 1
        if unused and largest is not None and operand.shape[largest] > 1:
            axes[largest] = axis
            extents[axis] = ctx.mesh.size(axis)
    split = ctx.place(operand.shape, before.dtype, tuple(axes), extents)
    if split.tile_size_bytes > WHOLE_LIMIT_BYTES:
        whole_dims(ctx, operand, dims)  # says so, unless it was as large before
    return split, halos


def _halos(ctx: Context, before: Placement, params: Any) -> dict[int, Halo]:
    """The halos of split dimensions that need no more than one.

    What is small moves as a whole more quickly than windows that begin elsewhere on
    each PE.
    """
    rank = len(before.shape)
    holes = params.get("base_dilation", (1,) * rank)
    dilations = params.get("window_dilation", (1,) * rank)
    found: dict[int, Halo] = {}
    for dim, axis in enumerate(before.axes):
        if axis is None or holes[dim] != 1:
            continue
        low, high = params["padding"][dim]
        size, stride = params["window_dimensions"][dim], params["window_strides"][dim]
        reach = (size - 1) * dilations[dim] + 1
        count = (before.shape[dim] + low + high - reach) // stride + 1
        window = Window(size, stride, dilations[dim], low, count)
        is_still = (size, stride, low, high) == (1, 1, 0, 0)
        halo = None if is_still else halo_of(before, dim, window, ctx.mesh)
        whole_bytes = before.tile_size_bytes * before.count(dim)
        if halo is not None and (halo.step == 0 or whole_bytes > _SMALL_BYTES):
            found[dim] = halo
    return found


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
    Case(
        "of a plane", _pooled(-_INF, lax.max, (3, 3), (1, 1), "SAME"), ("f32[16,21]",)
    ),
    Case("halved", _pooled(0, lax.add, (3, 2), (2, 2), "VALID"), ("f32[65,80]",)),
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
