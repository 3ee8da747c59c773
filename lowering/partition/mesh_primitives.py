"""Collectives of the PE jaxpr: what one PE says to the PEs of its row or column.

Each primitive works along one mesh axis ("rows": the PEs of one column, index growing
southward; "cols": the PEs of one row, index growing eastward). `size` is the number of
PEs of the mesh along that axis. Their meaning under `jax.vmap` over the axis names,
which is how a PE jaxpr runs on the CPU, is in `mesh_batching`. What goes to all PEs of
a line stops at the first one if `first_only`; the others have anything then.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

from typing import Any, Literal

import jax
import jax.numpy as jnp
from jax.core import ShapedArray
from jax.extend.core import Primitive

from lowering.mesh import Axis

ReduceOp = Literal["sum", "max", "min"]

mesh_index_p = Primitive("mesh_index")
mesh_broadcast_p = Primitive("mesh_broadcast")
mesh_reduce_p = Primitive("mesh_reduce")
mesh_all_reduce_p = Primitive("mesh_all_reduce")
mesh_all_gather_p = Primitive("mesh_all_gather")
mesh_shift_p = Primitive("mesh_shift")
mesh_slice_p = Primitive("mesh_slice")
mesh_fill_padding_p = Primitive("mesh_fill_padding")

# Primitives that exchange data; the others only read a PE's own coordinate.
COLLECTIVES = (
    mesh_broadcast_p,
    mesh_reduce_p,
    mesh_all_reduce_p,
    mesh_all_gather_p,
    mesh_shift_p,
)


def mesh_index(*, axis: Axis) -> jax.Array:
    """i32[]: this PE's coordinate along `axis`."""
    return mesh_index_p.bind(axis=axis)


def mesh_broadcast(x: Any, *, axis: Axis, size: int, root: Any) -> jax.Array:
    """T[...] -> T[...]: the value of the PE at `root`, on every PE of the line.

    The root is a number, or an i32[] on which all PEs of the line agree: then it is
    an operand, and the parameter `root` is None.
    """
    roots = () if isinstance(root, int) else (root,)
    return mesh_broadcast_p.bind(
        jnp.asarray(x),
        *roots,
        axis=axis,
        size=size,
        root=None if roots else root,
        first_only=False,
    )


def mesh_reduce(x: Any, *, axis: Axis, size: int, op: ReduceOp, root: int) -> jax.Array:
    """T[...] -> T[...]: sum, max or min over the line at `root`; zeros elsewhere."""
    return mesh_reduce_p.bind(jnp.asarray(x), axis=axis, size=size, op=op, root=root)


def mesh_all_reduce(x: Any, *, axis: Axis, size: int, op: ReduceOp) -> jax.Array:
    """T[...] -> T[...]: sum, max or min over the line, on every PE of it."""
    return mesh_all_reduce_p.bind(
        jnp.asarray(x), axis=axis, size=size, op=op, first_only=False
    )


def mesh_all_gather(x: Any, *, axis: Axis, size: int, dim: int) -> jax.Array:
    """T[..., t, ...] -> T[..., size*t, ...]: the line's tiles, joined along `dim`."""
    return mesh_all_gather_p.bind(
        jnp.asarray(x), axis=axis, size=size, dim=dim, first_only=False
    )


def mesh_shift(x: Any, *, axis: Axis, size: int, offset: int) -> jax.Array:
    """T[...] -> T[...]: the value of the PE at index - offset, or zeros if none is."""
    return mesh_shift_p.bind(jnp.asarray(x), axis=axis, size=size, offset=offset)


def mesh_slice(x: Any, *, axis: Axis, size: int, dim: int, tile: int) -> jax.Array:
    """T[..., n, ...] -> T[..., tile, ...]: elements from index * tile on along `dim`.

    Local: each PE cuts its own tile out of a value that it holds whole. Elements
    beyond n are zero. `size * tile` is at least n.
    """
    return mesh_slice_p.bind(jnp.asarray(x), axis=axis, size=size, dim=dim, tile=tile)


def mesh_fill_padding(
    x: Any, *, axis: Axis, size: int, dim: int, length: int, value: float
) -> jax.Array:
    """T[..., t, ...] -> T[..., t, ...]: padding along `dim` replaced by `value`.

    Local: element i of a tile is padding if index * t + i >= `length`, the size of the
    global dimension. `value` is the neutral value of what consumes the tile.
    """
    return mesh_fill_padding_p.bind(
        jnp.asarray(x), axis=axis, size=size, dim=dim, length=length, value=value
    )


def _index_aval(*, axis: Axis) -> ShapedArray:
    return ShapedArray((), jnp.dtype("int32"))


def _same_aval(aval: Any, *_: Any, **__: Any) -> ShapedArray:
    return ShapedArray(aval.shape, aval.dtype)


def _gathered_aval(
    aval: Any, *, axis: Axis, size: int, dim: int, first_only: bool
) -> ShapedArray:
    return _with_dim(aval, dim, size * aval.shape[dim])


def _sliced_aval(
    aval: Any, *, axis: Axis, size: int, dim: int, tile: int
) -> ShapedArray:
    return _with_dim(aval, dim, tile)


def _with_dim(aval: Any, dim: int, length: int) -> ShapedArray:
    shape = (*aval.shape[:dim], length, *aval.shape[dim + 1 :])
    return ShapedArray(shape, aval.dtype)


mesh_index_p.def_abstract_eval(_index_aval)
for _primitive in (*COLLECTIVES, mesh_fill_padding_p):
    _primitive.def_abstract_eval(_same_aval)
mesh_all_gather_p.def_abstract_eval(_gathered_aval)
mesh_slice_p.def_abstract_eval(_sliced_aval)
