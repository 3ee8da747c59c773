"""What the mesh primitives mean to JAX: batching rules over the two axis names.

Under `jax.vmap(jax.vmap(f, axis_name="cols"), axis_name="rows")` a line of PEs is a
batch dimension, so a collective along it is an ordinary array operation. Importing this
module registers the rules. It is version-sensitive: it relies on the batching registry
that JAX keeps for primitives with an axis name.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import Primitive
from jax.interpreters import batching

from lowering.partition import mesh_primitives as prims

_REDUCTIONS: dict[str, Callable[..., jax.Array]] = {
    "sum": jnp.sum,
    "max": jnp.max,
    "min": jnp.min,
}

# A meaning takes the line's values T[size, ...] to its results: T[size, ...], or T[...]
# where all PEs of the line get the same (`_UNIFORM`).
Meaning = Callable[..., jax.Array]


def _broadcast(line: jax.Array, *, size: int, root: int) -> jax.Array:
    return line[root]


def _traced_broadcast(
    axis_data: Any,
    values: Any,
    dims: Any,
    *,
    axis: str,
    size: int,
    root: None,
    first_only: bool,
) -> tuple[Any, int | None]:
    """A broadcast whose root is an operand; lines side by side may have their own."""
    x, where = (
        value if dim is None else jnp.moveaxis(value, dim, 0)
        for value, dim in zip(values, dims, strict=True)
    )
    x_dim, root_dim = dims
    if axis_data.name == axis:
        if root_dim is not None:  # the same on the whole line, as `check_uniform` says
            where = where[0]
        if x_dim is None:
            return x, None
        rows = where.reshape((1, *where.shape, *(1,) * (x.ndim - 1 - where.ndim)))
        chosen = jnp.take_along_axis(x, rows, axis=0)[0]
        if first_only:
            return _lost_elsewhere(chosen, size), 0
        return jax.lax.optimization_barrier(chosen), None
    if root_dim is not None and x_dim is None:
        x = jnp.broadcast_to(x, (axis_data.size, *x.shape))
    if root_dim is None and x_dim is not None and where.ndim:
        where = jnp.broadcast_to(where, (axis_data.size, *where.shape))
    moved = prims.mesh_broadcast_p.bind(
        x, where, axis=axis, size=size, root=root, first_only=first_only
    )
    return moved, None if x_dim is None and root_dim is None else 0


def _all_reduce(line: jax.Array, *, size: int, op: str) -> jax.Array:
    return _reduced(line, op)


def _reduce(line: jax.Array, *, size: int, op: str, root: int) -> jax.Array:
    return jnp.zeros_like(line).at[root].set(_reduced(line, op))


def _all_gather(line: jax.Array, *, size: int, dim: int) -> jax.Array:
    moved = jnp.moveaxis(line, 0, dim)
    shape = line.shape[1:]
    return moved.reshape(*shape[:dim], size * shape[dim], *shape[dim + 1 :])


def _shift(line: jax.Array, *, size: int, offset: int) -> jax.Array:
    sources = [index - offset for index in range(size)]
    present = jnp.array([0 <= source < size for source in sources])
    moved = line[jnp.array([source % size for source in sources])]
    kept = present.reshape((size,) + (1,) * (line.ndim - 1))
    return jnp.where(kept, moved, jnp.zeros_like(moved))


def _slice(line: jax.Array, *, size: int, dim: int, tile: int) -> jax.Array:
    missing = size * tile - line.shape[dim + 1]
    padded = jnp.pad(line, _pad_widths(line.ndim, dim + 1, missing))
    tiles = [
        jax.lax.slice_in_dim(padded[index], index * tile, (index + 1) * tile, axis=dim)
        for index in range(size)
    ]
    return jnp.stack(tiles)


def _pad_widths(rank: int, dim: int, missing: int) -> list[tuple[int, int]]:
    return [(0, missing if position == dim else 0) for position in range(rank)]


def _fill_padding(
    line: jax.Array, *, size: int, dim: int, length: int, value: float
) -> jax.Array:
    tile = line.shape[dim + 1]
    inside = jnp.arange(size * tile).reshape(size, tile) < length
    shape = [size] + [tile if d == dim else 1 for d in range(line.ndim - 1)]
    return jnp.where(inside.reshape(shape), line, jnp.asarray(value, line.dtype))


def _reduced(line: jax.Array, op: str) -> jax.Array:
    return _REDUCTIONS[op](line, axis=0).astype(line.dtype)


def _lost_elsewhere(value: jax.Array, size: int) -> jax.Array:
    """The value on the first PE, and on the others what shows if anybody reads it."""
    lost = jnp.nan if jnp.issubdtype(value.dtype, jnp.floating) else 77
    line = jnp.full((size, *value.shape), lost, value.dtype).at[0].set(value)
    return jax.lax.optimization_barrier(line)


_UNIFORM = (_broadcast, _all_reduce, _all_gather)


def _batcher(primitive: Primitive, meaning: Meaning) -> Callable[..., Any]:
    def batch(
        axis_data: Any, values: Any, dims: Any, *, axis: str, size: int, **params: Any
    ) -> tuple[Any, int | None]:
        if len(values) == 2:
            return _traced_broadcast(
                axis_data, values, dims, axis=axis, size=size, **params
            )
        (value,), (dim,) = values, dims
        if axis_data.name != axis:
            return _other_axis(primitive, value, dim, axis=axis, size=size, **params)
        assert axis_data.size == size, f"{axis} has {axis_data.size} PEs, not {size}"
        if dim is None:  # the same value on the whole line
            line = jnp.broadcast_to(value, (size, *jnp.shape(value)))
        else:
            line = jnp.moveaxis(value, dim, 0)
        stops = params.pop("first_only", False)
        results = meaning(line, size=size, **params)
        if stops:
            return _lost_elsewhere(results, size), 0
        # XLA for CPUs has given wrong values when it could fold what a collective
        # gives into the products around it.
        results = jax.lax.optimization_barrier(results)
        return results, None if meaning in _UNIFORM else 0

    return batch


def _other_axis(
    primitive: Primitive, value: Any, dim: int | None, /, **params: Any
) -> tuple[Any, int | None]:
    """Keeps the collective of each line, for all lines side by side."""
    if dim is None:
        return primitive.bind(value, **params), None
    if "dim" in params:
        params["dim"] += 1
    return primitive.bind(jnp.moveaxis(value, dim, 0), **params), 0


def _index_batcher(
    axis_data: Any, values: Any, dims: Any, *, axis: str
) -> tuple[jax.Array, int | None]:
    if axis_data.name != axis:
        return prims.mesh_index_p.bind(axis=axis), None
    return jnp.arange(axis_data.size, dtype=jnp.int32), 0


def register() -> None:
    """Registers the batching rules; repeating it changes nothing."""
    rules = batching.fancy_primitive_batchers
    rules[prims.mesh_index_p] = _index_batcher
    meanings: list[tuple[Primitive, Meaning]] = [
        (prims.mesh_broadcast_p, _broadcast),
        (prims.mesh_reduce_p, _reduce),
        (prims.mesh_all_reduce_p, _all_reduce),
        (prims.mesh_all_gather_p, _all_gather),
        (prims.mesh_shift_p, _shift),
        (prims.mesh_slice_p, _slice),
        (prims.mesh_fill_padding_p, _fill_padding),
    ]
    for primitive, meaning in meanings:
        rules[primitive] = _batcher(primitive, meaning)


register()
