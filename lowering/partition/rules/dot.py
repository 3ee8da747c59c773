"""dot_general of two matrices, wherever their tiles lie.

A scheme names the mesh axes that split the result's rows (m), its columns (n) and the
contracted dimension (k). If k is whole, each PE multiplies what it gathered of a row of
A and a column of B. If k is split, each PE multiplies its own part, and the partial
sums are added along that axis. Where a whole row of A or column of B does not fit, a
loop runs over chunks of k: in each pass the PEs that hold a chunk send it to their
lines, and all add its product (SUMMA, van de Geijn & Watts 1997). The scheme with the
fewest predicted cycles is taken; see `_cycles`.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lowering.cases import Case
from lowering.mesh import AXES, Axis
from lowering.partition import mesh_primitives as prims
from lowering.partition.line_reduction import over_line
from lowering.partition.predicted import (
    line_cycles,
    moved_cycles,
    product_cycles,
    sent_cycles,
)
from lowering.partition.products import is_widened, local_product
from lowering.partition.registry import Context, partitions
from lowering.partition.reshard import WHOLE_LIMIT_BYTES
from lowering.partition.rules.batched_dot import batched
from lowering.partition.rules.elementwise import fill_padding
from lowering.partition.tiles import AnyTile, Tile
from lowering.placement import Placement, storage_size_bytes

# Cycles that a byte is worth where an equation exceeds its budget of SRAM.
_DISCOMFORT = 1_000_000
_PASS_CYCLES = 40  # the jump back and the pass's sum; counted on PyFlame's simulator
_WORTH_SPREADING = 24  # elements that a PE need not work on; cutting takes 15 cycles
_SMALLEST_CHUNK = 8  # elements; smaller ones cost more to send than they save


@dataclass(frozen=True, slots=True)
class Chunks:
    """The contracted dimension in `passes` pieces of `size` elements."""

    size: int
    passes: int


@dataclass(frozen=True, slots=True)
class Scheme:
    """Placements of both operands and the result, and the axis of partial sums.

    With `chunks`, a split contracted dimension is sent piece by piece.
    """

    left: Placement
    right: Placement
    result: Placement
    partial: Axis | None
    chunks: Chunks | None = None

    @property
    def size_bytes(self) -> int:
        parts = (self.left, self.right, self.result)
        return sum(part.tile_size_bytes for part in parts) + self._widened_bytes

    @property
    def _widened_bytes(self) -> int:
        if self.chunks is not None or not is_widened(self.left.dtype):
            return 0
        elements = [math.prod(part.tile_shape) for part in (self.left, self.right)]
        return sum(elements) * np.dtype(np.float32).itemsize

    def chunk_elements(self, placement: Placement, k_dim: int) -> int:
        """The elements of an operand that one pass works on."""
        assert self.chunks is not None, "only loops have chunks"
        free = placement.tile_shape[1 - k_dim]
        return free * self.chunks.size


@partitions("dot_general")
def dot_general(
    ctx: Context, left: AnyTile, right: AnyTile, *, dimension_numbers: Any, **_: Any
) -> AnyTile:
    """Gathers or adds up along mesh axes, by predicted cycles.

    Padding of the contracted dimension is zero in both operands, so that what lies
    there (inf or NaN included) never reaches a sum.
    """
    ((left_k,), (right_k,)), batch = dimension_numbers
    if any(map(len, batch)):
        return batched(ctx, left, right, left_k, right_k)
    schemes = _schemes(ctx, left.placement, right.placement, left_k, right_k)
    best = min(
        schemes, key=lambda scheme: _cycles(ctx, left, right, left_k, right_k, scheme)
    )
    a = fill_padding(ctx, left.at(best.left), best.left, left_k, 0)
    b = fill_padding(ctx, right.at(best.right), best.right, right_k, 0)
    if best.chunks is not None:
        local = _in_passes(ctx, best, best.chunks, (a, left_k), (b, right_k))
        return ctx.settled(local, best.result)
    local = local_product(a, b, left_k, right_k, ctx.budget_bytes)
    if best.partial is None:
        return ctx.settled(local, best.result)
    local = over_line(local, ctx.mesh, best.partial, "sum")
    return _spread(ctx, ctx.settled(local, best.result), best.partial)


def _spread(ctx: Context, whole: Tile, axis: Axis) -> Tile:
    """The sums that all PEs of a line hold, split over it along the longest dimension
    that is not split yet, so that each works on with its own part."""
    sizes = [
        0 if split else whole.shape[dim]
        for dim, split in enumerate(whole.placement.axes)
    ]
    longest = sizes.index(max(sizes))
    count = ctx.mesh.size(axis)
    saved = math.prod(whole.placement.tile_shape) * (count - 1) // count
    if sizes[longest] < count or saved < _WORTH_SPREADING:
        return whole
    axes: tuple[Axis | None, ...] = tuple(
        axis if dim == longest else a for dim, a in enumerate(whole.placement.axes)
    )
    return whole.cut_to(ctx.placement(axes))


def _in_passes(
    ctx: Context,
    scheme: Scheme,
    chunks: Chunks,
    left: tuple[Any, int],
    right: tuple[Any, int],
) -> Any:
    """The sum over all chunks of k, each sent along the lines that it is split over."""

    def step(number: Any, total: Any) -> Any:
        a, b = (
            _chunk(ctx, x, placement, k_dim, chunks.size, number)
            for placement, (x, k_dim) in (
                (scheme.left, left),
                (scheme.right, right),
            )
        )
        return total + local_product(a, b, left[1], right[1], ctx.budget_bytes)

    start = jnp.zeros(scheme.result.tile_shape, scheme.result.dtype)
    return jax.lax.fori_loop(0, chunks.passes, step, start)


def _chunk(
    ctx: Context, x: Any, placement: Placement, k_dim: int, size: int, number: Any
) -> Any:
    """Piece `number` of the contracted dimension, on every PE of the line."""
    axis, tile = placement.axes[k_dim], placement.tile_shape[k_dim]
    per_tile = tile // size
    root = number
    if per_tile > 1:
        if axis is not None:
            root = jax.lax.div(number, np.int32(per_tile))
            number = number - root * np.int32(per_tile)
        starts: list[Any] = [np.int32(0), np.int32(0)]
        starts[k_dim] = number * np.int32(size)
        sizes = [size if dim == k_dim else n for dim, n in enumerate(np.shape(x))]
        x = jax.lax.dynamic_slice(x, starts, sizes, allow_negative_indices=False)
    if axis is None:
        return x
    return prims.mesh_broadcast(x, axis=axis, size=ctx.mesh.size(axis), root=root)


def _schemes(
    ctx: Context, left: Placement, right: Placement, left_k: int, right_k: int
) -> list[Scheme]:
    """Every way to give m, n and k different axes; the usual grid comes first."""
    usable: list[Axis] = [axis for axis in AXES if ctx.mesh.size(axis) > 1]
    choices: list[Axis | None] = [*usable, None]
    found: list[Scheme] = []
    for m, n, k in product(choices, choices, choices[::-1]):
        named = [axis for axis in (m, n, k) if axis is not None]
        if len(set(named)) == len(named):
            found.append(_scheme(ctx, (left, left_k, m), (right, right_k, n), k))
    for m, n in product(choices, choices):
        if m is None or m != n:
            found += _loops(ctx, (left, left_k, m), (right, right_k, n))
    return sorted(found, key=lambda scheme: scheme.result.axes != ("rows", "cols"))


def _loops(
    ctx: Context,
    left: tuple[Placement, int, Axis | None],
    right: tuple[Placement, int, Axis | None],
) -> list[Scheme]:
    """Loops over chunks of k: A's are split over the axis of n, B's over that of m.

    Either operand may hold all of k instead.
    """
    length = left[0].shape[left[1]]
    (_, _, m), (_, _, n) = left, right
    found: list[Scheme] = []
    ways: list[tuple[Axis | None, Axis | None]] = [(n, m), (n, None), (None, m)]
    for left_axis, right_axis in ways:
        if left_axis is None and right_axis is None:
            continue
        scheme = Scheme(
            _split(ctx, left, left_axis),
            _split(ctx, right, right_axis),
            ctx.placement((m, n)),
            None,
        )
        tiles = scheme.left.tile_shape[left[1]], scheme.right.tile_shape[right[1]]
        is_whole = left_axis is None or right_axis is None
        for size in _halves(math.gcd(*tiles)):
            chunks = Chunks(size, -(-length // size))
            if chunks.passes > 1 and (length % size == 0 or not is_whole):
                found.append(replace(scheme, chunks=chunks))
    return found


def _halves(size: int) -> Iterator[int]:
    """The size, its half and so on, as long as they are even and not too small."""
    yield size
    while size % 2 == 0 and size > _SMALLEST_CHUNK:
        size //= 2
        yield size


def _split(
    ctx: Context, operand: tuple[Placement, int, Axis | None], k: Axis | None
) -> Placement:
    """The operand with its contracted dimension over axis `k`."""
    placement, k_dim, free = operand
    axes: tuple[Axis | None, ...] = (k, free) if k_dim == 0 else (free, k)
    return ctx.place(placement.shape, placement.dtype, axes)


def _scheme(
    ctx: Context,
    left: tuple[Placement, int, Axis | None],
    right: tuple[Placement, int, Axis | None],
    k: Axis | None,
) -> Scheme:
    return Scheme(
        _split(ctx, left, k),
        _split(ctx, right, k),
        ctx.placement((left[2], right[2])),
        k,
    )


def _cycles(
    ctx: Context,
    left: AnyTile,
    right: AnyTile,
    left_k: int,
    right_k: int,
    scheme: Scheme,
) -> float:
    """Products of one PE, and what brings their operands and takes their sums on."""
    result = math.prod(scheme.result.tile_shape)
    size_bytes = scheme.size_bytes
    cycles = _product_cycles(left_k, right_k, scheme)
    if scheme.chunks is not None:
        for placement, k_dim in ((scheme.left, left_k), (scheme.right, right_k)):
            elements = scheme.chunk_elements(placement, k_dim)
            axis = placement.axes[k_dim]
            if axis is not None:
                words = -(-elements * storage_size_bytes(placement.dtype) // 4)
                sent = sent_cycles(words, ctx.mesh.size(axis))
                cycles += scheme.chunks.passes * sent
            size_bytes += elements * _chunk_element_bytes(placement.dtype)
        cycles += scheme.chunks.passes * _PASS_CYCLES
    for tile, placement in ((left, scheme.left), (right, scheme.right)):
        words = tile.words_to(placement)
        if words:  # what is moved stands beside what it is moved to
            cycles += moved_cycles(words, ctx.mesh)
            size_bytes += tile.placement.tile_size_bytes
    if scheme.partial is not None:
        cycles += line_cycles(
            result, ctx.mesh.size(scheme.partial), left.placement.dtype
        )
    peaks = [left.peak_bytes_to(scheme.left), right.peak_bytes_to(scheme.right)]
    size_bytes = max(size_bytes, *peaks)
    if size_bytes > ctx.budget_bytes:
        cycles += _DISCOMFORT * size_bytes
    is_refused = max(peaks) > max(WHOLE_LIMIT_BYTES, scheme.size_bytes)
    return math.inf if is_refused else cycles


def _product_cycles(left_k: int, right_k: int, scheme: Scheme) -> float:
    """Of one PE's products, of all chunks."""
    m, n = scheme.left.tile_shape[1 - left_k], scheme.right.tile_shape[1 - right_k]
    if scheme.chunks is None:
        k = scheme.left.tile_shape[left_k]
        return product_cycles(m, k, n, scheme.left.dtype)
    one = product_cycles(m, scheme.chunks.size, n, scheme.left.dtype)
    return scheme.chunks.passes * one


def _chunk_element_bytes(dtype: np.dtype[Any]) -> int:
    """Of a chunk as it arrives, and as it is multiplied."""
    widened = np.dtype(np.float32).itemsize if is_widened(dtype) else 0
    return storage_size_bytes(dtype) + widened


CASES = [
    Case("matrix, matrix", lambda a, b: a @ b, ("f32[n,k]", "f32[k,m]")),
    Case("left transposed", lambda a, b: a.T @ b, ("f32[k,n]", "f32[k,m]")),
    Case("right transposed", lambda a, b: a @ b.T, ("f32[n,k]", "f32[m,k]")),
    Case("both transposed", lambda a, b: a.T @ b.T, ("f32[k,n]", "f32[m,k]")),
    Case("result transposed", lambda a, b: (a @ b).T, ("f32[n,k]", "f32[k,m]")),
    Case("matrix, vector", lambda a, b: a @ b, ("f32[n,k]", "f32[k]")),
    Case("vector, matrix", lambda a, b: a @ b, ("f32[k]", "f32[k,m]")),
    Case("vectors", lambda a, b: a @ b, ("f32[k]", "f32[k]")),
    Case("outer product", lambda a, b: a[:, None] @ b[None], ("f32[n]", "f32[m]")),
    Case("of integers", lambda a, b: a @ b, ("i32[n,k]", "i32[k,m]")),
    Case("of bytes", lambda a, b: a @ b, ("i8[n,k]", "i8[k,m]")),
    Case(
        "of halves",
        lambda a, b: jax.lax.dot(a, b, preferred_element_type=np.float32),
        ("f16[n,k]", "f16[k,m]"),
    ),
    Case("of itself", lambda a: a @ a.T, ("f32[n,k]",)),
    Case("batch", lambda a, b: a @ b, ("f32[3,n,k]", "f32[3,k,m]")),
    Case(
        "two batches",
        lambda a, b: jnp.einsum("bmhk,bnhk->bhmn", a, b),
        ("f32[2,n,3,4]", "f32[2,m,3,4]"),
    ),
    Case("batch of vectors", lambda a, b: jnp.vecdot(a, b), ("f32[n,k]", "f32[n,k]")),
    Case("chain", lambda a, b, c: a @ b @ c, ("f32[n,k]", "f32[k,m]", "f32[m,n]")),
    Case(
        "layer",
        lambda a, b, c: jax.nn.relu(a @ b + c),
        ("f32[n,k]", "f32[k,m]", "f32[m]"),
    ),
    Case(
        "gradient of a layer",
        jax.grad(lambda b, a, c: jnp.sum(jax.nn.relu(a @ b + c) ** 2)),
        ("f32[k,m]", "f32[n,k]", "f32[m]"),
    ),
]
