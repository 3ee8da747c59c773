"""A `mesh_map` on tiles: its operands go where it wants them, and its program follows.

To that program a PE is alone, with whole values, but for the collectives in it.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lowering import jaxprs
from lowering.mesh import Mesh
from lowering.mesh_map import Axes
from lowering.partition.reshard import canonical
from lowering.partition.tiles import AnyTile, Tile
from lowering.placement import Placement, replicated

# Runs a jaxpr on tiles of a mesh: `partition` hands its own interpreter in.
RunOn = Callable[[jaxprs.ClosedJaxpr, Sequence[AnyTile], Mesh], list[AnyTile]]

ALONE = Mesh(1, 1)


def mapped(
    mesh: Mesh, eqn: jaxprs.JaxprEqn, tiles: Sequence[AnyTile], run: RunOn
) -> list[AnyTile]:
    """The results of a `mesh_map`, each where its axes say."""
    assert eqn.params["mesh"] == mesh, "a mesh_map runs on the program's mesh"
    inside = [
        _alone(tile.at(_placed(tile.placement, axes, mesh)))
        for tile, axes in zip(tiles, eqn.params["in_axes"], strict=True)
    ]
    results = run(eqn.params["jaxpr"], inside, ALONE)
    return [
        _result(tile, var, axes, mesh)
        for tile, var, axes in zip(
            results, eqn.outvars, eqn.params["out_axes"], strict=True
        )
    ]


def _alone(local: Any) -> Tile:
    placement = replicated(np.shape(local), local.dtype, ALONE)
    return Tile(local, placement, ALONE)


def _placed(placement: Placement, axes: Axes, mesh: Mesh) -> Placement:
    wanted = Placement(placement.shape, placement.dtype, axes, mesh.extent)
    return canonical(wanted, mesh)


def _result(tile: AnyTile, var: Any, axes: Axes, mesh: Mesh) -> Tile:
    shape, dtype = jaxprs.shape_of(var), np.dtype(jaxprs.dtype_of(var))
    placement = canonical(Placement(shape, dtype, axes, mesh.extent), mesh)
    return Tile(tile.at(tile.placement), placement, mesh)
