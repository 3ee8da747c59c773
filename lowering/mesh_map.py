"""`mesh_map`: a program that the user wrote for one PE, as an equation among others.

What a `jax.shard_map` becomes. Its jaxpr computes one PE's tiles from its tiles, with
collectives of `mesh_primitives`; every PE of the mesh runs it.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.core import ShapedArray
from jax.extend.core import ClosedJaxpr, Primitive, jaxpr_as_fun
from jax.interpreters import mlir

from lowering.mesh import AXES, Axis, Mesh

# Per dimension the mesh axis that splits it, evenly, or None.
Axes = tuple[Axis | None, ...]

mesh_map_p = Primitive("mesh_map")
mesh_map_p.multiple_results = True


def mesh_map(
    operands: Sequence[Any],
    *,
    jaxpr: ClosedJaxpr,
    mesh: Mesh,
    in_axes: tuple[Axes, ...],
    out_axes: tuple[Axes, ...],
) -> list[Any]:
    """The arrays whose tiles `jaxpr` computes from the tiles of `operands`.

    A value that no axis splits is the same on all PEs of it, or taken from the first.
    """
    return mesh_map_p.bind(
        *operands, jaxpr=jaxpr, mesh=mesh, in_axes=in_axes, out_axes=out_axes
    )


def _avals(*_: Any, jaxpr: ClosedJaxpr, mesh: Mesh, out_axes: Any, **__: Any) -> Any:
    return [
        ShapedArray(_whole(aval.shape, axes, mesh), aval.dtype)
        for aval, axes in zip(jaxpr.out_avals, out_axes, strict=True)
    ]


def _whole(tile: tuple[int, ...], axes: Axes, mesh: Mesh) -> tuple[int, ...]:
    return tuple(
        size * (mesh.size(axis) if axis else 1)
        for size, axis in zip(tile, axes, strict=True)
    )


def _evaluate(
    *operands: Any, jaxpr: ClosedJaxpr, mesh: Mesh, in_axes: Any, out_axes: Any
) -> list[jax.Array]:
    """All PEs side by side, under `jax.vmap` over the names of the mesh axes."""
    run: Callable[..., Any] = jaxpr_as_fun(jaxpr)
    for axis in AXES[::-1]:
        run = jax.vmap(run, axis_name=axis, axis_size=mesh.size(axis))
    tiles = [
        _tiles(jnp.asarray(operand), axes, mesh)
        for operand, axes in zip(operands, in_axes, strict=True)
    ]
    results = run(*tiles)
    return [
        _joined(result, axes, mesh)
        for result, axes in zip(results, out_axes, strict=True)
    ]


def _tiles(x: jax.Array, axes: Axes, mesh: Mesh) -> jax.Array:
    """T[...] -> T[rows, cols, *tile]."""
    shape = [
        part
        for size, axis in zip(x.shape, axes, strict=True)
        for part in ((mesh.size(axis), size // mesh.size(axis)) if axis else (1, size))
    ]
    x = x.reshape(shape)
    tile_dims = list(range(1, len(shape), 2))
    split = [2 * axes.index(axis) for axis in AXES if axis in axes]
    rest = [dim for dim in range(0, len(shape), 2) if dim not in split]
    tile = [shape[dim] for dim in tile_dims]
    counts = [mesh.size(axis) if axis in axes else 1 for axis in AXES]
    cut = x.transpose(*split, *rest, *tile_dims).reshape(*counts, *tile)
    return jnp.broadcast_to(cut, (*mesh.extent, *tile))


def _joined(x: jax.Array, axes: Axes, mesh: Mesh) -> jax.Array:
    """T[rows, cols, *tile] -> T[...]."""
    for number, axis in enumerate(AXES):
        if axis not in axes:
            x = jax.lax.slice_in_dim(x, 0, 1, axis=number)
    tile = x.shape[2:]
    order: list[int] = []
    for dim, axis in enumerate(axes):
        order += [*([AXES.index(axis)] if axis else []), dim + 2]
    order = [n for n, axis in enumerate(AXES) if axis not in axes] + order
    return x.transpose(order).reshape(_whole(tile, axes, mesh))


mesh_map_p.def_impl(_evaluate)
mesh_map_p.def_abstract_eval(_avals)
mlir.register_lowering(mesh_map_p, mlir.lower_fun(_evaluate, multiple_results=True))
