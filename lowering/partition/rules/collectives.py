"""Collectives in a program that the user wrote for one PE: they stay what they are."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import Any

from lowering import jaxprs
from lowering.normalise.core_set import MESH
from lowering.partition.registry import Context, partitions
from lowering.partition.tiles import AnyTile


@partitions(*sorted(MESH))
def collective(ctx: Context, *tiles: AnyTile, **_: Any) -> AnyTile:
    """To the rest of the PE's program the result is as local as the operand."""
    assert ctx.mesh.pe_count == 1, "collectives stand inside a mesh_map"
    local = jaxprs.bind(ctx.eqn, [tile.at(tile.placement) for tile in tiles])[0]
    return ctx.settled(local, ctx.placement((None,) * len(ctx.out_shape)))
