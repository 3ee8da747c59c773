"""Changes of placement that make nothing larger: tiles pass by, each PE keeps its part.

Where several tiles pass, a loop runs over the PEs of a line, so that code does not grow
with the mesh. What is sent is sent to the whole line: no route depends on who needs
what.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from lowering.mesh import COLS, ROWS, Axis
from lowering.partition import mesh_primitives as prims


def exchange(
    x: Any, *, axis: Axis, size: int, whole: int, length: int, split: int, tile: int
) -> Any:
    """All-to-all: dimension `whole` was split over the axis, `split` is from now on.

    `length` is that of `whole`, `tile` the new tile of `split`. Cost: a broadcast of
    every tile of the line.
    """
    old_tile = x.shape[whole]
    passes = -(-length // old_tile)
    shape = list(x.shape)
    shape[whole], shape[split] = passes * old_tile, tile

    def keep(number: Any, kept: Any) -> Any:
        passing = prims.mesh_broadcast(x, axis=axis, size=size, root=number)
        part = prims.mesh_slice(passing, axis=axis, size=size, dim=split, tile=tile)
        return _put(kept, part, whole, number * np.int32(old_tile))

    kept = lax.fori_loop(0, passes, keep, jnp.zeros(shape, x.dtype))
    return lax.slice_in_dim(kept, 0, length, axis=whole)


def cross(x: Any, *, axis: Axis, size: int) -> Any:
    """What was split over `axis` is split over the other one, on a square of PEs.

    PE number n of a line along `axis` stands on the diagonal if the line is the n-th:
    it sends its tile to its line.
    """
    line = prims.mesh_index(axis=COLS if axis == ROWS else ROWS)
    return prims.mesh_broadcast(x, axis=axis, size=size, root=line)


def turn(x: Any, *, size: int) -> Any:
    """PE(x, y) gets the tile of PE(y, x), on a square of `size` by `size` PEs.

    In pass n the PEs of row n send along their columns; what arrives at the diagonal
    goes along its row, and column n keeps it.
    """

    def keep(number: Any, kept: Any) -> Any:
        passing = prims.mesh_broadcast(x, axis=ROWS, size=size, root=number)
        row = prims.mesh_index(axis=ROWS)
        turned = prims.mesh_broadcast(passing, axis=COLS, size=size, root=row)
        is_others = lax.ne(prims.mesh_index(axis=COLS), number)
        place = lax.convert_element_type(is_others, np.int32)
        return _put(kept, lax.expand_dims(turned, (0,)), 0, place)

    kept = lax.fori_loop(0, size, keep, jnp.zeros((2, *x.shape), x.dtype))
    return lax.squeeze(lax.slice_in_dim(kept, 0, 1), (0,))


def _put(x: Any, part: Any, dim: int, start: Any) -> Any:
    starts: list[Any] = [np.int32(0)] * x.ndim
    starts[dim] = start
    return lax.dynamic_update_slice(x, part, starts, allow_negative_indices=False)
