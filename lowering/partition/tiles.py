"""Values of the program while it is partitioned: what each PE holds, or could hold.

A tile answers two questions: what bringing it to a placement would cost, and what the
PE's value in that placement is. A *settled* tile exists in one placement and is moved.
A *pending* one (a broadcast, an iota, element-wise work on such) is computed where it
is asked for, so it never moves and never exists larger than needed.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax.numpy as jnp

from lowering.mesh import AXES, Axis, Mesh
from lowering.partition.reshard import peak_size_bytes, reshard, words_moved
from lowering.placement import Placement

MAX_PENDING_DEPTH = 16  # pending tiles on pending tiles, before one is settled


@dataclass(eq=False, slots=True)
class Tile:
    """A settled tile: `value` is the local array of the canonical `placement`."""

    value: Any
    placement: Placement
    mesh: Mesh
    moved: dict[tuple[Any, ...], Any] = field(default_factory=lambda: {})

    @property
    def depth(self) -> int:
        """Nothing is pending in it."""
        return 0

    @property
    def shape(self) -> tuple[int, ...]:
        """The global shape."""
        return self.placement.shape

    def words_to(self, after: Placement) -> int:
        """Words that each PE receives when this value is brought to `after`."""
        if _key(after) in self.moved:
            return 0
        return words_moved(self.placement, after, self.mesh)

    def peak_bytes_to(self, after: Placement) -> int:
        """The largest tile on the way to `after`."""
        return peak_size_bytes(self.placement, after, self.mesh)

    def at(self, after: Placement) -> Any:
        """The local array in placement `after`; moved there once, then remembered."""
        key = _key(after)
        if key not in self.moved:
            self.moved[key] = reshard(self.value, self.placement, after, self.mesh)
        return self.moved[key]

    def cut_to(self, after: Placement) -> Tile:
        """The same value in `after`, of which every PE holds its part already.

        What it is cut out of is remembered: bringing it back moves nothing.
        """
        part = Tile(self.at(after), after, self.mesh)
        part.moved[_key(self.placement)] = self.value
        return part


def _key(placement: Placement) -> tuple[Any, ...]:
    return (*placement.axes, *placement.tile_shape)


@dataclass(eq=False, slots=True)
class Pending:
    """A tile that `make(placement)` computes; `placement` is where it suits best."""

    placement: Placement
    make: Callable[[Placement], Any]
    cost: Callable[[Placement], int]
    depth: int = 1
    made: dict[tuple[Any, ...], Any] = field(default_factory=lambda: {})

    @property
    def shape(self) -> tuple[int, ...]:
        """The global shape."""
        return self.placement.shape

    def words_to(self, after: Placement) -> int:
        """Words that each PE receives when this value is computed in `after`."""
        return self.cost(after)

    def peak_bytes_to(self, after: Placement) -> int:
        """Nothing larger than the tile itself is ever made."""
        return after.tile_size_bytes

    def at(self, after: Placement) -> Any:
        """The local array in placement `after`; computed there once."""
        key = (*after.axes, *after.tile_shape)
        if key not in self.made:
            self.made[key] = self.make(after)
        return self.made[key]


@dataclass(eq=False, slots=True)
class Outer:
    """A tile from outside a loop or branch, as what runs inside it sees it.

    Whatever is wanted of it inside is noted, and stands for a value of zeros while the
    inside is traced for trial. `bring` then moves it there, outside; from then on it is
    at hand. So inside it never moves, and costs nothing.
    """

    tile: AnyTile
    wanted: dict[tuple[Any, ...], Placement] = field(default_factory=lambda: {})
    brought: dict[tuple[Any, ...], Any] | None = None

    @property
    def placement(self) -> Placement:
        return self.tile.placement

    @property
    def depth(self) -> int:
        """Nothing is pending in it, seen from inside."""
        return 0

    @property
    def shape(self) -> tuple[int, ...]:
        """The global shape."""
        return self.tile.shape

    def words_to(self, after: Placement) -> int:
        """Nothing moves inside."""
        return 0

    def peak_bytes_to(self, after: Placement) -> int:
        """The largest tile on the way to `after`."""
        return self.tile.peak_bytes_to(after)

    def at(self, after: Placement) -> Any:
        """The local array in placement `after`, or zeros in its place."""
        key = (*after.axes, *after.tile_shape)
        if self.brought is not None:
            return self.brought[key]
        self.wanted[key] = after
        return jnp.zeros(after.tile_shape, self.placement.dtype)

    def bring(self) -> None:
        """Moves the tile to where it is wanted."""
        self.brought = {key: self.tile.at(p) for key, p in self.wanted.items()}


AnyTile = Tile | Pending | Outer


def conventional_axes(shape: tuple[int, ...], mesh: Mesh) -> tuple[Axis | None, ...]:
    """How the compiler places what nobody placed: as a grid.

    The last two dimensions are split over rows and columns, a vector over the columns.
    Dimensions of size 1 stay whole, and so do all along axes of one PE.
    """
    return fill_axes(shape, (None,) * len(shape), mesh)


def fill_axes(
    shape: tuple[int, ...], axes: tuple[Axis | None, ...], mesh: Mesh
) -> tuple[Axis | None, ...]:
    """`axes`, with unused mesh axes given to whole dimensions by convention."""
    filled = list(axes)
    for axis, dim in zip(AXES[::-1], (-1, -2), strict=True):
        is_free = axis not in filled and mesh.size(axis) > 1
        if is_free and len(shape) >= -dim and filled[dim] is None and shape[dim] > 1:
            filled[dim] = axis
    return tuple(filled)
