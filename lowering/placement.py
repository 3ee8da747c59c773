"""Where each element of an array lives: tiles of a global array on the mesh."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from lowering.errors import LayoutError
from lowering.mesh import AXES, COLS, ROWS, Axis, Layout, Mesh

_WORD_BYTES = 2  # the wafer holds bool, i8 and u8 in 16-bit words


@dataclass(frozen=True, slots=True)
class Placement:
    """A global array cut into one tile per PE.

    Dimension d of `shape` is split over mesh axis `axes[d]`; None leaves it whole. An
    axis of P PEs gives tiles of ceil(n / P), the last ones padded or empty. PEs inside
    the `extent` (rows, cols; the top left of the mesh) along an axis that splits
    nothing hold replicas; what PEs outside the extent hold, nobody reads.

    Raises: LayoutError, if `axes` names an axis twice or does not match the rank.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    axes: tuple[Axis | None, ...]
    extent: tuple[int, int]

    def __post_init__(self) -> None:
        named = [axis for axis in self.axes if axis is not None]
        if len(self.axes) != len(self.shape) or len(set(named)) != len(named):
            raise LayoutError(
                f"axes {self.axes} do not place an array of shape {self.shape}",
                rule="one entry per dimension, each mesh axis at most once",
            )

    def __str__(self) -> str:
        """`f32[7,33] rows,-,cols on 3x5`-like text for messages and comments."""
        axes = ",".join(axis or "-" for axis in self.axes)
        where = f"{self.extent[0]}x{self.extent[1]}"
        return f"{type_text(self.shape, self.dtype)} split ({axes}) on {where} PEs"

    def count(self, dim: int) -> int:
        """The number of PEs that dimension `dim` is split over (1 when whole)."""
        axis = self.axes[dim]
        return 1 if axis is None else self.extent[AXES.index(axis)]

    def axis_extent(self, axis: Axis) -> int:
        """The number of PEs along `axis` that hold the value, split or replicated."""
        return self.extent[AXES.index(axis)]

    def dim_of(self, axis: Axis) -> int | None:
        """The dimension that `axis` splits, or None if it holds replicas."""
        return self.axes.index(axis) if axis in self.axes else None

    @property
    def tile_shape(self) -> tuple[int, ...]:
        return tuple(-(-size // self.count(dim)) for dim, size in enumerate(self.shape))

    @property
    def tile_size_bytes(self) -> int:
        """SRAM of one tile, in the wafer's own storage of the dtype."""
        return math.prod(self.tile_shape) * storage_size_bytes(self.dtype)

    def is_padded(self, dim: int) -> bool:
        """Whether some tile along `dim` holds elements beyond the array."""
        return self.tile_shape[dim] * self.count(dim) != self.shape[dim]

    def tile(self, array: np.ndarray[Any, Any], mesh: Mesh) -> np.ndarray[Any, Any]:
        """Cuts `array` into dtype[mesh.rows, mesh.cols, *tile_shape].

        Padding, and tiles of PEs outside the extent, are zero.
        Raises: LayoutError, if the array's shape is not the placement's.
        """
        if array.shape != self.shape:
            raise LayoutError(
                f"an array of shape {array.shape} for a placement of {self}"
            )
        padded = np.zeros(self._padded_shape, self.dtype)
        padded[tuple(slice(0, size) for size in self.shape)] = array
        tiles = np.zeros((mesh.rows, mesh.cols, *self.tile_shape), self.dtype)
        rows, cols = self.extent
        tiles[:rows, :cols] = self._blocks(padded)[self._blocks_of_pes]
        return tiles

    def untile(self, tiles: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Puts dtype[rows, cols, *tile_shape] together again, without the padding."""
        padded = np.zeros(self._padded_shape, tiles.dtype)
        rows = self.extent[0] if ROWS in self.axes else 1
        cols = self.extent[1] if COLS in self.axes else 1
        self._blocks(padded)[self._blocks_of_pes] = tiles[:rows, :cols]
        return padded[tuple(slice(0, size) for size in self.shape)]

    @property
    def _padded_shape(self) -> tuple[int, ...]:
        return tuple(t * self.count(d) for d, t in enumerate(self.tile_shape))

    def _blocks(self, padded: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """A view of the padded array: a block number per dimension, then the tile.

        In front stands a dimension of size 1, for arrays without any.
        """
        pairs = [(self.count(d), tile) for d, tile in enumerate(self.tile_shape)]
        rank = len(pairs)
        cut = padded.reshape([1, *(size for pair in pairs for size in pair)])
        return cut.transpose([0, *range(1, 2 * rank, 2), *range(2, 2 * rank + 1, 2)])

    @property
    def _blocks_of_pes(self) -> tuple[np.ndarray[Any, Any], ...]:
        """The index into `_blocks` that gives [rows, cols, *tile_shape]."""
        along = {
            ROWS: np.arange(self.extent[0])[:, None],
            COLS: np.arange(self.extent[1])[None, :],
        }
        same = np.zeros((1, 1), np.intp)
        return (same, *(same if axis is None else along[axis] for axis in self.axes))


def place(
    layout: Layout, shape: tuple[int, ...], dtype: np.dtype[Any], mesh: Mesh
) -> Placement:
    """The placement of an array in a user's layout.

    Raises: LayoutError, if the layout is larger than the mesh.
    """
    if layout.rows > mesh.rows or layout.cols > mesh.cols:
        raise LayoutError(
            f"layout {layout} does not fit a mesh of {mesh} PEs",
            rule="a layout may be smaller than the mesh, not larger",
            help=f"use a mesh of at least {max(layout.rows, mesh.rows)}x"
            f"{max(layout.cols, mesh.cols)}",
        )
    axes = _layout_axes(layout, len(shape))
    return Placement(shape, np.dtype(dtype), axes, (layout.rows, layout.cols))


def replicated(shape: tuple[int, ...], dtype: np.dtype[Any], mesh: Mesh) -> Placement:
    """The placement that gives every PE of the mesh the whole array."""
    return Placement(shape, np.dtype(dtype), (None,) * len(shape), mesh.extent)


def storage_size_bytes(dtype: np.dtype[Any]) -> int:
    """Bytes that one element takes in a PE's memory."""
    return max(np.dtype(dtype).itemsize, _WORD_BYTES)


def type_text(shape: tuple[int, ...], dtype: np.dtype[Any]) -> str:
    """JAX's short form: `f32[784,256]`; dtypes of JAX's own (keys) by their name."""
    return f"{short_name(dtype)}[{','.join(map(str, shape))}]"


def short_name(dtype: Any) -> str:
    """JAX's short form: `bf16`."""
    name = str(dtype)
    for long, short in (("bfloat", "bf"), ("float", "f"), ("uint", "u"), ("int", "i")):
        if name.startswith(long):
            return short + name[len(long) :]
    return name


def _layout_axes(layout: Layout, rank: int) -> tuple[Axis | None, ...]:
    axes: list[Axis | None] = [None] * rank
    if rank and layout.kind == "row_partition":
        axes[0] = ROWS
    if rank and layout.kind in ("col_partition", "grid"):
        axes[-1] = COLS
    if rank > 1 and layout.kind == "grid":
        axes[-2] = ROWS
    return tuple(axes)
