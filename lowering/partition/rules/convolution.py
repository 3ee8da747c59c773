"""Convolutions: batch, features, channels or space are split over the mesh.

A scheme names the mesh axes that split the batch, the features of the result, the
channels that are summed, and dimensions of space. Partial sums are added along their
axis; windows reach into the neighbours' tiles of split space. Feature groups are split
as such, where they divide evenly. The scheme with the fewest predicted cycles is taken.
Padding of the operand and holes in it are a pad on each PE.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from lowering import jaxprs
from lowering.cases import Case
from lowering.mesh import AXES, Axis
from lowering.partition import mesh_primitives as prims
from lowering.partition.halo import Halo, Window, halo_of
from lowering.partition.registry import Context, partitions
from lowering.partition.reshard import WHOLE_LIMIT_BYTES
from lowering.partition.rules.elementwise import fill_padding
from lowering.partition.tiles import AnyTile
from lowering.placement import Placement

# Cycles that a byte is worth where the equation exceeds its budget of SRAM.
_DISCOMFORT = 1_000_000
# Cycles of a multiply-add of vectors beside its elements: set-up, loop, offsets.
_VECTOR_CYCLES = 30
# Cycles of an exchange with a neighbour beside its words and the copies around it.
_EXCHANGE_CYCLES = 100


@dataclass(frozen=True, slots=True)
class _Scheme:
    """Placements of operands and result; `partial` is the axis of partial sums.

    `groups` is how many feature groups a PE has; `halos` are those of split space, by
    dimension of the left operand.
    """

    left: Placement
    right: Placement
    result: Placement
    partial: Axis | None
    groups: int
    halos: dict[int, Halo]


@partitions("conv_general_dilated")
def convolution(ctx: Context, left: AnyTile, right: AnyTile, **_: Any) -> AnyTile:
    """What lies in padding of summed channels is zero in both operands."""
    best = min(
        _schemes(ctx, left.shape, right.shape),
        key=lambda scheme: _cycles(ctx, left, right, scheme),
    )
    numbers = ctx.eqn.params["dimension_numbers"]
    x, kernel = left.at(best.left), right.at(best.right)
    if best.partial is not None:
        x = fill_padding(ctx, x, best.left, numbers.lhs_spec[1], 0)
        kernel = fill_padding(ctx, kernel, best.right, numbers.rhs_spec[1], 0)
    for dim, halo in best.halos.items():
        x = halo.joined(fill_padding(ctx, x, best.left, dim, 0), 0)
    local = _local(ctx, x, kernel, best)
    if best.partial is not None:
        size = ctx.mesh.size(best.partial)
        local = prims.mesh_all_reduce(local, axis=best.partial, size=size, op="sum")
    return ctx.settled(local, best.result)


def _local(ctx: Context, x: Any, kernel: Any, scheme: _Scheme) -> Any:
    params: Any = ctx.eqn.params
    spatial = params["dimension_numbers"].lhs_spec[2:]
    widths = [(0, 0, 0)] * x.ndim
    for dim, (low, high), dilation in zip(
        spatial, params["padding"], params["lhs_dilation"], strict=True
    ):
        if dim not in scheme.halos:
            widths[dim] = (low, high, dilation - 1)
    if any(map(any, widths)):
        x = lax.pad(x, np.zeros((), x.dtype), widths)
    local: Any = {
        **params,
        "padding": ((0, 0),) * len(spatial),
        "lhs_dilation": (1,) * len(spatial),
        "feature_group_count": scheme.groups,
    }
    return jaxprs.bind(ctx.eqn, [x, kernel], local)[0]


def _schemes(
    ctx: Context, left: tuple[int, ...], right: tuple[int, ...]
) -> Iterator[_Scheme]:
    """Every way to give batch, features, channels and space different axes."""
    params: Any = ctx.eqn.params
    usable: list[Axis | None] = [axis for axis in AXES if ctx.mesh.size(axis) > 1]
    none: list[Axis | None] = [None]
    has_groups = params["feature_group_count"] > 1
    has_batches = params["batch_group_count"] > 1
    can_sum = not (has_groups or has_batches) and ctx.out_dtype == np.float32
    ways = [
        none if has_batches else usable + none,  # the batch
        none if has_batches else usable + none,  # features
        usable + none if can_sum else none,  # channels
        *(usable + none if holes == 1 else none for holes in params["lhs_dilation"]),
    ]
    for split in product(*ways):
        named = [axis for axis in split if axis is not None]
        if len(set(named)) == len(named):
            scheme = _scheme(ctx, left, right, split)
            if scheme is not None:
                yield scheme


def _scheme(
    ctx: Context,
    left: tuple[int, ...],
    right: tuple[int, ...],
    split: tuple[Axis | None, ...],
) -> _Scheme | None:
    """The scheme of one axis each for batch, features, channels and space, or None if
    groups do not divide or windows reach too far."""
    numbers = ctx.eqn.params["dimension_numbers"]
    batch, feature, channel, *space = split
    groups, dtype = _groups_per_pe(ctx, feature), ctx.out_dtype
    if groups is None:
        return None
    has_groups = ctx.eqn.params["feature_group_count"] > 1
    cut = feature if has_groups else channel
    lhs = ctx.place(left, dtype, _axes(numbers.lhs_spec, batch, cut, *space))
    rhs = ctx.place(right, dtype, _axes(numbers.rhs_spec, feature, channel))
    result = ctx.placement(_axes(numbers.out_spec, batch, feature, *space))
    halos: dict[int, Halo] = {}
    for number, axis in enumerate(space):
        if axis is not None:
            window = _window(ctx, right, number)
            dim = numbers.lhs_spec[2 + number]
            halo = halo_of(lhs, dim, window, ctx.mesh)
            if halo is None:
                return None
            halos[dim] = halo
    return _Scheme(lhs, rhs, result, channel, groups, halos)


def _groups_per_pe(ctx: Context, feature: Axis | None) -> int | None:
    """How many feature groups a PE has; None if they do not divide evenly."""
    groups: int = ctx.eqn.params["feature_group_count"]
    if groups == 1 or feature is None:
        return groups
    count = ctx.mesh.size(feature)
    return groups // count if groups % count == 0 else None


def _window(ctx: Context, right: tuple[int, ...], number: int) -> Window:
    """What the kernel does along one dimension of space."""
    params: Any = ctx.eqn.params
    numbers = params["dimension_numbers"]
    return Window(
        right[numbers.rhs_spec[2 + number]],
        params["window_strides"][number],
        params["rhs_dilation"][number],
        params["padding"][number][0],
        ctx.out_shape[numbers.out_spec[2 + number]],
    )


def _axes(spec: tuple[int, ...], *split: Axis | None) -> tuple[Axis | None, ...]:
    """The axes of an operand whose dimensions are split in the order of `spec`."""
    axes: list[Axis | None] = [None] * len(spec)
    for dim, axis in zip(spec, split, strict=False):
        axes[dim] = axis
    return tuple(axes)


def _cycles(ctx: Context, left: AnyTile, right: AnyTile, scheme: _Scheme) -> float:
    """Multiply-adds of one PE, what its vectors cost beside them, and what it receives.

    Vectors run along batch and space, or along features.
    """
    numbers = ctx.eqn.params["dimension_numbers"]
    kernel, result = scheme.right.tile_shape, scheme.result.tile_shape
    products = math.prod(result) * math.prod(
        kernel[dim] for dim in numbers.rhs_spec[1:]
    )
    features = result[numbers.out_spec[1]] // scheme.groups
    length = max(math.prod(result) // result[numbers.out_spec[1]], features)
    cycles = products * (1 + _VECTOR_CYCLES / length)
    size_bytes = scheme.result.tile_size_bytes
    peaks = 0
    for tile, placement in ((left, scheme.left), (right, scheme.right)):
        words = tile.words_to(placement)
        cycles += words + (ctx.mesh.rows + ctx.mesh.cols if words else 0)
        peak = tile.peak_bytes_to(placement)
        size_bytes += max(placement.tile_size_bytes, peak)
        peaks = max(peaks, peak)
    for halo in scheme.halos.values():
        row = math.prod(scheme.left.tile_shape) // halo.tile
        cycles += row * (halo.left + halo.right) + 2 * _EXCHANGE_CYCLES
        size_bytes += row * halo.span * scheme.left.dtype.itemsize
    if scheme.partial is not None:  # a chain there, a broadcast back
        cycles += 2 * (math.prod(result) + ctx.mesh.size(scheme.partial))
    if size_bytes > ctx.budget_bytes:
        cycles += _DISCOMFORT * size_bytes
    largest = max(scheme.left.tile_size_bytes, scheme.right.tile_size_bytes)
    return math.inf if peaks > max(WHOLE_LIMIT_BYTES, largest) else cycles


def _conv(**options: Any) -> Any:
    params: dict[str, Any] = {"window_strides": (1, 1), "padding": "SAME", **options}
    return lambda x, w: lax.conv_general_dilated(x, w, **params)


def _gradients(x: Any, w: Any) -> Any:
    def loss(x: Any, w: Any) -> Any:
        return jnp.sum(_conv(window_strides=(2, 1))(x, w) ** 2)

    return jax.grad(loss, argnums=(0, 1))(x, w)


CASES = [
    Case("gradients", _gradients, ("f32[2,3,6,8]", "f32[4,3,3,3]")),
    Case("same", _conv(), ("f32[2,3,7,6]", "f32[4,3,3,3]")),
    Case("valid", _conv(padding="VALID"), ("f32[5,3,7,6]", "f32[2,3,3,2]")),
    Case("strides", _conv(window_strides=(2, 3)), ("f32[2,3,7,9]", "f32[4,3,3,3]")),
    Case("holes", _conv(rhs_dilation=(2, 1)), ("f32[2,3,7,6]", "f32[4,3,3,3]")),
    Case(
        "spread",
        _conv(lhs_dilation=(2, 3), padding=((1, 2), (-1, 0))),
        ("f32[2,3,4,5]", "f32[4,3,3,3]"),
    ),
    Case("groups", _conv(feature_group_count=4), ("f32[2,8,5,6]", "f32[4,2,3,3]")),
    Case("depthwise", _conv(feature_group_count=6), ("f32[2,6,5,6]", "f32[6,1,3,3]")),
    Case("batch groups", _conv(batch_group_count=2), ("f32[4,3,5,6]", "f32[6,3,3,3]")),
    Case(
        "channels last",
        _conv(dimension_numbers=("NHWC", "HWIO", "NHWC")),
        ("f32[2,7,6,3]", "f32[3,3,3,4]"),
    ),
    Case("one image", _conv(), ("f32[1,2,16,21]", "f32[1,2,3,3]")),
    Case(
        "one image, strides",
        _conv(window_strides=(2, 3), padding="VALID", rhs_dilation=(1, 2)),
        ("f32[1,1,33,40]", "f32[1,1,3,3]"),
    ),
    Case("of integers", _conv(), ("i32[2,3,7,6]", "i32[4,3,3,3]")),
    Case(
        "one dimension",
        lambda x, w: lax.conv_general_dilated(x, w, (2,), "SAME"),
        ("f32[n,3,m]", "f32[k,3,3]"),
    ),
    Case(
        "three dimensions",
        lambda x, w: lax.conv_general_dilated(x, w, (1, 2, 1), "VALID"),
        ("f32[2,2,4,5,4]", "f32[3,2,2,2,3]"),
    ),
]
