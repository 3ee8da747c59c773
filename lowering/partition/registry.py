"""Partition rules: how one primitive of the core set runs on tiles.

A rule is `rule(ctx, *tiles, **params) -> tile`, with the equation's operands by
position and its parameters by keyword, as the primitive takes them itself. It works on
local arrays with `jax.lax` and mesh primitives; being traced, it writes the PE jaxpr.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lowering import jaxprs
from lowering.mesh import AXES, Axis, Mesh
from lowering.partition.tiles import MAX_PENDING_DEPTH, AnyTile, Pending, Tile
from lowering.placement import Placement
from lowering.registering import registering

Rule = Callable[..., Any]  # a tile, or a list of tiles if there are several results
RULES: dict[str, Rule] = {}

COMFORTABLE_BYTES = 32 * 1024  # leaves a PE a third for code and other values


@dataclass(frozen=True, slots=True)
class Context:
    """What a rule knows besides its operands: the mesh and the global equation.

    `budget_bytes` is the SRAM that the operands and result of one equation may take
    before a rule prefers a slower way that takes less.
    """

    mesh: Mesh
    eqn: jaxprs.JaxprEqn
    budget_bytes: int = COMFORTABLE_BYTES

    @property
    def out_shape(self) -> tuple[int, ...]:
        return jaxprs.shape_of(self.eqn.outvars[0])

    @property
    def out_dtype(self) -> np.dtype[Any]:
        return jaxprs.dtype_of(self.eqn.outvars[0])

    def placement(
        self, axes: tuple[Axis | None, ...], extents: dict[Axis, int] | None = None
    ) -> Placement:
        """The canonical placement of the result along `axes`."""
        return self.place(self.out_shape, self.out_dtype, axes, extents)

    def place(
        self,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        axes: tuple[Axis | None, ...],
        extents: dict[Axis, int] | None = None,
    ) -> Placement:
        """A canonical placement; split axes use the whole mesh or `extents`."""
        rows, cols = (
            extents[axis] if extents and axis in axes else self.mesh.size(axis)
            for axis in AXES
        )
        return Placement(shape, np.dtype(dtype), axes, (rows, cols))

    def settled(self, value: Any, placement: Placement) -> Tile:
        """A tile whose local array is `value`."""
        assert np.shape(value) == placement.tile_shape, (
            f"{self.eqn.primitive}: {np.shape(value)} is no tile of {placement}"
        )
        return Tile(value, placement, self.mesh)

    def pending(
        self,
        placement: Placement,
        make: Callable[[Placement], Any],
        cost: Callable[[Placement], int],
        depth: int = 1,
    ) -> AnyTile:
        """A tile computed where it is asked for, under the equation's source line."""

        def make_here(after: Placement) -> Any:
            with jaxprs.from_source_of(self.eqn):
                return make(after)

        if depth > MAX_PENDING_DEPTH:
            return self.settled(make_here(placement), placement)
        return Pending(placement, make_here, cost, depth)


def partitions(*names: str) -> Callable[[Rule], Rule]:
    """Registers the decorated rule for the primitives of these names."""
    return registering(RULES, names)


def extents_of(*placements: Placement) -> dict[Axis, int]:
    """How many PEs each named axis has, for results that keep their operands' axes."""
    return {
        axis: placement.axis_extent(axis)
        for placement in placements
        for axis in placement.axes
        if axis is not None
    }
