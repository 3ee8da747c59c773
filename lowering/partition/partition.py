"""jaxpr -> PE jaxpr: the program of one PE, traced from partition rules.

The size of the PE jaxpr and the time to make it do not depend on the number of PEs.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np

from lowering import jaxprs
from lowering.mesh import AXES, Mesh
from lowering.partition import control_flow, mesh_batching, rules
from lowering.partition.first_only import Needed, needed, stopped_at_first
from lowering.partition.mesh_map import mapped
from lowering.partition.registry import COMFORTABLE_BYTES, RULES, Context
from lowering.partition.reshard import canonical, spread_replicas
from lowering.partition.tiles import AnyTile, Tile, conventional_axes
from lowering.partition.uniform import check_uniform, varying
from lowering.placement import Placement, replicated

__all__ = ["Partitioned", "conventional", "evaluate", "partition"]

# Importing these registers the rules, and what mesh primitives mean to vmap.
REGISTERED = (rules, mesh_batching)


@dataclass(frozen=True, slots=True)
class Partitioned:
    """The program of one PE: local tiles in, local tiles out."""

    jaxpr: jaxprs.ClosedJaxpr
    in_placements: tuple[Placement, ...]
    out_placements: tuple[Placement, ...]
    mesh: Mesh


def partition(
    closed: jaxprs.ClosedJaxpr,
    mesh: Mesh,
    in_placements: Sequence[Placement | None],
    out_placements: Sequence[Placement | None],
    budget_bytes: int = COMFORTABLE_BYTES,
) -> Partitioned:
    """The PE program of a normalised jaxpr.

    Where a placement is None the compiler chooses: inputs become a grid, outputs stay
    where they were computed. `budget_bytes` is the SRAM that one equation should do
    with.
    Raises: LayoutError, if a value cannot be brought where it is needed.
    """
    inputs = tuple(
        placement or conventional(jaxprs.shape_of(var), jaxprs.dtype_of(var), mesh)
        for placement, var in zip(in_placements, closed.jaxpr.invars, strict=True)
    )
    outputs: list[Placement] = []
    needs: list[Needed] = []

    def pe_program(*locals_: Any) -> list[Any]:
        tiles = [
            Tile(
                spread_replicas(local, placement, mesh),
                canonical(placement, mesh),
                mesh,
            )
            for local, placement in zip(locals_, inputs, strict=True)
        ]
        results = _run(closed, tiles, mesh, budget_bytes)
        needs[:] = [
            needed(wanted, tile.placement, mesh)
            for wanted, tile in zip(out_placements, results, strict=True)
        ]
        outputs[:] = [
            wanted or _where_needed(tile.placement, need)
            for wanted, tile, need in zip(out_placements, results, needs, strict=True)
        ]
        return [
            tile.at(canonical(placement, mesh))
            for tile, placement in zip(results, outputs, strict=True)
        ]

    avals = [jax.ShapeDtypeStruct(p.tile_shape, p.dtype) for p in inputs]
    pe_jaxpr = jaxprs.drop_dead_equations(jaxprs.trace(pe_program, avals))
    pe_jaxpr = stopped_at_first(pe_jaxpr, needs)
    check_uniform(pe_jaxpr, [varying(p, mesh) for p in inputs])
    return Partitioned(pe_jaxpr, inputs, tuple(outputs), mesh)


def _where_needed(placement: Placement, need: Needed) -> Placement:
    """Tiles where they are, and no copies of them."""
    extents = [placement.axis_extent(axis) if axis in need else 1 for axis in AXES]
    return replace(placement, extent=(extents[0], extents[1]))


def conventional(shape: tuple[int, ...], dtype: Any, mesh: Mesh) -> Placement:
    """Where the compiler puts an input that nobody placed."""
    axes = conventional_axes(shape, mesh)
    return Placement(shape, np.dtype(dtype), axes, mesh.extent)


def evaluate(
    partitioned: Partitioned, *arrays: Any, padding: float = 0
) -> list[np.ndarray[Any, Any]]:
    """Runs the PE program on the CPU, all PEs side by side under `jax.vmap`.

    `padding` is what lies in float tiles beyond the arrays' ends; nothing put there
    changes a result.
    """
    mesh = partitioned.mesh
    run = jaxprs.jaxpr_as_fun(partitioned.jaxpr)
    for axis, size in (("cols", mesh.cols), ("rows", mesh.rows)):
        run = jax.vmap(run, axis_name=axis, axis_size=size)
    tiles = [
        _tiled(placement, np.asarray(array), mesh, padding)
        for placement, array in zip(partitioned.in_placements, arrays, strict=True)
    ]
    outputs = jax.jit(run)(*tiles)
    return [
        placement.untile(np.asarray(output))
        for placement, output in zip(partitioned.out_placements, outputs, strict=True)
    ]


def _tiled(
    placement: Placement, array: np.ndarray[Any, Any], mesh: Mesh, padding: float
) -> np.ndarray[Any, Any]:
    tiles = placement.tile(array, mesh)
    if padding == 0 or not np.issubdtype(tiles.dtype, np.floating):
        return tiles
    inside = placement.tile(np.ones(array.shape, np.bool_), mesh)
    return np.where(inside, tiles, np.asarray(padding).astype(tiles.dtype))


def _run(
    closed: jaxprs.ClosedJaxpr,
    inputs: Sequence[AnyTile],
    mesh: Mesh,
    budget_bytes: int,
) -> list[AnyTile]:
    def whole(value: Any) -> AnyTile:
        placement = replicated(np.shape(value), value.dtype, mesh)
        return Tile(value, placement, mesh)

    def evaluate_equation(eqn: jaxprs.JaxprEqn, tiles: list[Any]) -> list[AnyTile]:
        if eqn.primitive.name in control_flow.RULES:
            nested = control_flow.Context(mesh, run_inside)
            return control_flow.RULES[eqn.primitive.name](nested, eqn, tiles)
        if eqn.primitive.name == "mesh_map":
            return mapped(mesh, eqn, tiles, run_on)
        rule = RULES[eqn.primitive.name]
        results = rule(Context(mesh, eqn, budget_bytes), *tiles, **eqn.params)
        return list(results) if eqn.primitive.multiple_results else [results]

    def run_inside(
        closed: jaxprs.ClosedJaxpr, inputs: Sequence[AnyTile]
    ) -> list[AnyTile]:
        return run_on(closed, inputs, mesh)

    def run_on(
        closed: jaxprs.ClosedJaxpr, inputs: Sequence[AnyTile], mesh: Mesh
    ) -> list[AnyTile]:
        return _run(closed, inputs, mesh, budget_bytes)

    consts = [whole(np.asarray(const)) for const in closed.consts]
    return jaxprs.interpret(
        closed.jaxpr,
        consts,
        inputs,
        evaluate_equation,
        lambda literal: whole(jaxprs.literal_value(literal)),
    )
