"""Primitives that move no data: each gives another window on the same elements."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from lowering.plan.values import (
    Constant,
    Operand,
    Shape,
    View,
    collapse,
    strides_of,
    with_dims,
)


def broadcast(operand: Operand, shape: Shape, dims: Sequence[int]) -> Operand:
    """`broadcast_in_dim`: dimension n of the operand is `dims[n]` of the result."""
    strides = [0] * len(shape)
    sizes = operand.shape
    for source, (target, stride) in enumerate(
        zip(dims, strides_of(operand), strict=True)
    ):
        strides[target] = stride if sizes[source] == shape[target] else 0
    return with_dims(operand, shape, tuple(strides))


def fitted(operand: Operand, shape: tuple[int, ...]) -> Operand:
    """An operand in the result's shape: JAX lets scalars and sizes of 1 stretch."""
    if operand.shape == shape:
        return operand
    assert len(operand.shape) in (0, len(shape)), f"{operand.shape} as {shape}"
    return broadcast(operand, shape, range(len(operand.shape)))


def transpose(operand: Operand, permutation: Sequence[int]) -> Operand:
    strides = strides_of(operand)
    return with_dims(
        operand,
        tuple(operand.shape[dim] for dim in permutation),
        tuple(strides[dim] for dim in permutation),
    )


def reverse(operand: Operand, dims: Sequence[int]) -> Operand:
    """`rev`: each of these dimensions from its last element to its first.

    The operand is no ramp, whose offset is always 0.
    """
    if not isinstance(operand, View):
        return operand
    strides = list(operand.strides)
    offset = operand.offset
    for dim in dims:
        offset += (operand.shape[dim] - 1) * strides[dim]
        strides[dim] = -strides[dim]
    return replace(operand, strides=tuple(strides), offset=offset)


def window(
    operand: Operand, starts: Sequence[int], limits: Sequence[int], steps: Sequence[int]
) -> Operand | None:
    """`slice`; None if the operand is a ramp, whose offset is always 0."""
    shape = tuple(
        -(-(limit - start) // step)
        for start, limit, step in zip(starts, limits, steps, strict=True)
    )
    strides = strides_of(operand)
    taken = with_dims(
        operand, shape, tuple(s * step for s, step in zip(strides, steps, strict=True))
    )
    shift = sum(start * stride for start, stride in zip(starts, strides, strict=True))
    if isinstance(taken, View):
        return replace(taken, offset=taken.offset + shift)
    return taken if isinstance(taken, Constant) or shift == 0 else None


def reshape(operand: Operand, shape: Shape) -> Operand | None:
    """The same elements in row-major order under `shape`; None if no strides do that.

    Every run of dimensions walked in one stride may be cut anew; dimensions of size 1
    come and go freely.
    """
    sizes, (strides,) = collapse(operand.shape, [strides_of(operand)])
    runs = list(zip(sizes, strides, strict=True))
    taken: list[int] = []
    left, stride = runs.pop() if runs else (1, 0)
    for size in reversed(shape):
        if left == 1 and size > 1 and runs:
            left, stride = runs.pop()
        if left % size:
            return None
        taken.append(stride if size > 1 else 0)
        left, stride = left // size, stride * size
    assert left == 1, "a reshape keeps the number of elements"
    assert not runs or math.prod(size for size, _ in runs) == 1
    return with_dims(operand, shape, tuple(reversed(taken)))
