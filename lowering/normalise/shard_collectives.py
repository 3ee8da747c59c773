"""Collectives inside a `jax.shard_map` as those of a mesh of PEs.

Each takes the names of the user's axes in `axes_of`, which gives the mesh axis of a
name, or None for an axis of one PE, along which nothing happens.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from lowering.errors import UnsupportedPrimitiveError
from lowering.mesh import Axis, Mesh
from lowering.partition import exchanges
from lowering.partition import mesh_primitives as prims

_REDUCE: dict[str, Callable[..., Any]] = {
    "sum": jnp.sum,
    "max": jnp.max,
    "min": jnp.min,
}


@dataclass(frozen=True, slots=True)
class Line:
    """The PEs that an axis of the user's runs over."""

    axis: Axis
    size: int

    @property
    def params(self) -> dict[str, Any]:
        return {"axis": self.axis, "size": self.size}


@dataclass(frozen=True, slots=True)
class UserAxes:
    """The axes of a user's mesh: which mesh axis each is; None if it has one PE."""

    mesh: Mesh
    of: dict[str, Axis | None]

    def lines(self, names: Any) -> list[Line]:
        """The lines that one name or several stand for, outermost first."""
        names = names if isinstance(names, (tuple, list)) else (names,)
        axes: list[Axis | None] = [self.of[name] for name in names]
        return [Line(axis, self.mesh.size(axis)) for axis in axes if axis is not None]


Collective = Callable[..., Any]
COLLECTIVES: dict[str, Collective] = {}


def _stands_for(*names: str) -> Callable[[Collective], Collective]:
    def register(collective: Collective) -> Collective:
        COLLECTIVES.update(dict.fromkeys(names, collective))
        return collective

    return register


@_stands_for("pvary", "pbroadcast", "pcast")
def _same(user: UserAxes, x: Any, **_: Any) -> Any:
    """What only changes what JAX knows of a value."""
    return x


@_stands_for("psum", "psum_invariant")
def _psum(user: UserAxes, x: Any, *, axes: Any, axis_index_groups: Any = None) -> Any:
    _check_groups("psum", axis_index_groups)
    return _reduced(user, x, axes, "sum")


@_stands_for("pmax")
def _pmax(user: UserAxes, x: Any, *, axes: Any, axis_index_groups: Any = None) -> Any:
    _check_groups("pmax", axis_index_groups)
    return _reduced(user, x, axes, "max")


@_stands_for("pmin")
def _pmin(user: UserAxes, x: Any, *, axes: Any, axis_index_groups: Any = None) -> Any:
    _check_groups("pmin", axis_index_groups)
    return _reduced(user, x, axes, "min")


def _reduced(user: UserAxes, x: Any, names: Any, op: prims.ReduceOp) -> Any:
    for line in user.lines(names):
        x = _reduced_over(line, x, op)
    return x


def _reduced_over(line: Line, x: Any, op: prims.ReduceOp) -> Any:
    """float32 is reduced while it travels; other numbers are gathered first."""
    if x.dtype == np.float32:
        return prims.mesh_all_reduce(x, op=op, **line.params)
    all_of = prims.mesh_all_gather(lax.expand_dims(x, (0,)), dim=0, **line.params)
    return _REDUCE[op](all_of, axis=0).astype(x.dtype)


@_stands_for("all_gather", "all_gather_invariant")
def _all_gather(
    user: UserAxes,
    x: Any,
    *,
    all_gather_dimension: int,
    axis_name: Any,
    tiled: bool,
    axis_index_groups: Any = None,
    **_: Any,
) -> Any:
    """The innermost axis first: its tiles lie next to each other."""
    _check_groups("all_gather", axis_index_groups)
    dim = all_gather_dimension
    if not tiled:
        x = lax.expand_dims(x, (dim,))
    for line in reversed(user.lines(axis_name)):
        x = prims.mesh_all_gather(x, dim=dim, **line.params)
    return x


@_stands_for("reduce_scatter")
def _reduce_scatter(
    user: UserAxes,
    x: Any,
    *,
    scatter_dimension: int,
    axis_name: Any,
    tiled: bool,
    axis_index_groups: Any = None,
    **_: Any,
) -> Any:
    _check_groups("psum_scatter", axis_index_groups)
    dim = scatter_dimension
    for line in user.lines(axis_name):
        x = _reduced_over(line, x, "sum")
        tile = x.shape[dim] // line.size
        x = prims.mesh_slice(x, dim=dim, tile=tile, **line.params)
    return x if tiled else lax.squeeze(x, (dim,))


@_stands_for("all_to_all")
def _all_to_all(
    user: UserAxes,
    x: Any,
    *,
    split_axis: int,
    concat_axis: int,
    axis_name: Any,
    tiled: bool,
    axis_index_groups: Any = None,
    **_: Any,
) -> Any:
    """Untiled, dimension `split_axis` holds a part for each PE, and stays as size 1."""
    _check_groups("all_to_all", axis_index_groups)
    for line in _one_line("all_to_all", user, axis_name):
        x = exchanges.exchange(
            x,
            whole=concat_axis,
            length=x.shape[concat_axis] * line.size,
            split=split_axis,
            tile=x.shape[split_axis] // line.size,
            **line.params,
        )
    return x


@_stands_for("ppermute")
def _ppermute(
    user: UserAxes, x: Any, *, axis_name: Any, perm: Sequence[tuple[int, int]], **_: Any
) -> Any:
    """One shift for each distance; the PEs that receive keep it, others get zeros."""
    lines = _one_line("ppermute", user, axis_name)
    if not lines:
        return x if perm else jnp.zeros_like(x)
    (line,) = lines
    targets: dict[int, list[int]] = {}
    for source, target in perm:
        targets.setdefault(target - source, []).append(target)
    index = prims.mesh_index(axis=line.axis)
    kept = jnp.zeros_like(x)
    for offset, received in targets.items():
        moved = prims.mesh_shift(x, offset=offset, **line.params)
        kept = lax.select(_is_one_of(index, received, x.shape), moved, kept)
    return kept


def _is_one_of(index: Any, numbers: Sequence[int], shape: tuple[int, ...]) -> Any:
    """bool[*shape]: whether this PE's number is among those, given as few ranges."""
    found: Any = None
    for first, last in _ranges(sorted(numbers)):
        inside = (index >= np.int32(first)) & (index <= np.int32(last))
        found = inside if found is None else found | inside
    return lax.broadcast(found, shape)


def _ranges(numbers: Sequence[int]) -> list[tuple[int, int]]:
    ranges: list[tuple[int, int]] = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return ranges


@_stands_for("axis_index")
def _axis_index(user: UserAxes, *, axis_name: Any) -> Any:
    found: Any = None
    for line in user.lines(axis_name):
        index = prims.mesh_index(axis=line.axis)
        found = index if found is None else found * np.int32(line.size) + index
    return jnp.int32(0) if found is None else found


def _one_line(name: str, user: UserAxes, names: Any) -> list[Line]:
    lines = user.lines(names)
    if len(lines) > 1:
        raise UnsupportedPrimitiveError(
            f"{name} over the axes {', '.join(names)} together",
            rule=f"{name} works along one axis of PEs",
            help=f"write one {name} per axis, one after the other",
        )
    return lines


def _check_groups(name: str, groups: Any) -> None:
    if groups is not None:
        raise UnsupportedPrimitiveError(
            f"{name} with axis_index_groups={groups}",
            rule="a collective works on all PEs of an axis",
            help="give the groups an axis of their own in the mesh",
        )
