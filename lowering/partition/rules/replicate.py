"""`replicate`: every PE gets the whole array."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from lowering.partition.registry import Context, partitions
from lowering.partition.tiles import AnyTile
from lowering.placement import replicated


@partitions("replicate")
def replicate(ctx: Context, operand: AnyTile) -> AnyTile:
    """Split dimensions are gathered."""
    whole = replicated(ctx.out_shape, ctx.out_dtype, ctx.mesh)
    return ctx.settled(operand.at(whole), whole)
