"""`jax.shard_map` as `mesh_map`: the user's own program of one PE.

The axes of the user's mesh become rows and columns of PEs: an axis called "rows" or
"cols" is that one; of two others the first goes over the rows; one alone over the
columns, or what is left. Axes of one PE do not count.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
from jax import lax

from lowering import jaxprs
from lowering.errors import LayoutError, UnsupportedPrimitiveError
from lowering.mesh import AXES, COLS, ROWS, Axis, Layout, Mesh
from lowering.mesh_map import Axes, mesh_map
from lowering.normalise.core_set import CONTROL_FLOW
from lowering.normalise.shard_collectives import COLLECTIVES, UserAxes

_NAME = "shard_map"


def without_shard_maps(closed: jaxprs.ClosedJaxpr) -> jaxprs.ClosedJaxpr:
    """The program with every `shard_map` as a `mesh_map`; as it is if it has none.

    Raises: LayoutError, for meshes that are no rows and columns of PEs;
    UnsupportedPrimitiveError, for collectives that PEs do not have.
    """
    if not _has_shard_map(closed):
        return closed

    def run(*args: Any) -> list[Any]:
        return jaxprs.interpret(closed.jaxpr, closed.consts, args, _evaluate)

    return jaxprs.trace(run, closed.in_avals)


def check_mesh_of_maps(
    closed: jaxprs.ClosedJaxpr, asked: Mesh | None, layouts: Sequence[Layout | None]
) -> Mesh | None:
    """The mesh that the program's `mesh_map`s have, or `asked` if it has none.

    Raises: LayoutError, if they, or what was asked for, disagree.
    """
    found = list(dict.fromkeys(_meshes(closed)))
    if not found:
        return asked
    larger = [str(x) for x in layouts if x and not _fits(x, found[0])]
    wanted = [f"shard_map over {mesh} PEs" for mesh in found]
    wanted += [f"a fabric of {asked} PEs"] * (asked is not None and asked != found[0])
    wanted += [f"layout {layout}" for layout in larger]
    if len(wanted) > 1:
        raise LayoutError(
            f"one program with {', '.join(dict.fromkeys(wanted))}",
            rule="a shard_map runs on all PEs of the program's mesh (rows x columns)",
            help="give all of them the same mesh",
        )
    return found[0]


def _fits(layout: Layout, mesh: Mesh) -> bool:
    return layout.rows <= mesh.rows and layout.cols <= mesh.cols


def _meshes(closed: jaxprs.ClosedJaxpr) -> list[Mesh]:
    found: list[Mesh] = []
    for eqn in closed.jaxpr.eqns:
        if eqn.primitive.name == "mesh_map":
            found.append(eqn.params["mesh"])
        for nested in jaxprs.sub_jaxprs(eqn):
            found += _meshes(nested)
    return found


def _has_shard_map(closed: jaxprs.ClosedJaxpr) -> bool:
    return any(
        eqn.primitive.name == _NAME or any(map(_has_shard_map, jaxprs.sub_jaxprs(eqn)))
        for eqn in closed.jaxpr.eqns
    )


def _evaluate(eqn: jaxprs.JaxprEqn, args: list[Any]) -> Sequence[Any]:
    if eqn.primitive.name == _NAME:
        return _mapped(eqn, args)
    called = jaxprs.called_jaxpr(eqn)
    if called is not None and _has_shard_map(called):
        return jaxprs.interpret(called.jaxpr, called.consts, args, _evaluate)
    if eqn.primitive.name in CONTROL_FLOW:
        params = jaxprs.with_sub_jaxprs(eqn, without_shard_maps)
        return jaxprs.bind(eqn, args, params)
    return jaxprs.bind(eqn, args)


def _mapped(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    """The equation on arrays whose dimensions are split over one axis each."""
    user = _user_axes(eqn.params["mesh"])
    ins = [_split(spec, user) for spec in eqn.params["in_specs"]]
    outs = [_split(spec, user) for spec in eqn.params["out_specs"]]
    ins = [_padded(axes, len(arg.shape)) for axes, arg in zip(ins, args, strict=True)]
    outs = [
        _padded(axes, len(jaxprs.shape_of(var)))
        for axes, var in zip(outs, eqn.outvars, strict=True)
    ]
    operands = [
        _apart(arg, axes, user.mesh) for arg, axes in zip(args, ins, strict=True)
    ]
    results = mesh_map(
        operands,
        jaxpr=_body(eqn, user, args, ins, outs),
        mesh=user.mesh,
        in_axes=tuple(map(_flat, ins)),
        out_axes=tuple(map(_flat, outs)),
    )
    return [
        result
        if len(result.shape) == len(axes)
        else result.reshape(jaxprs.shape_of(var))
        for result, axes, var in zip(results, outs, eqn.outvars, strict=True)
    ]


# The axes that split each dimension, the outermost first.
_Split = tuple[tuple[Axis, ...], ...]


def _split(spec: Any, user: UserAxes) -> _Split:
    return tuple(
        () if names is None else tuple(line.axis for line in user.lines(names))
        for names in spec
    )


def _padded(axes: _Split, rank: int) -> _Split:
    return (*axes, *((),) * (rank - len(axes)))


def _flat(axes: _Split) -> Axes:
    """A dimension that two axes split is two dimensions for a `mesh_map`."""
    flat: list[Axis | None] = []
    for split in axes:
        flat += split
        if len(split) != 1:
            flat.append(None)
    return tuple(flat)


def _apart(x: Any, axes: _Split, mesh: Mesh) -> Any:
    """The array with a dimension of its own for each axis of those that share one."""
    shape: list[int] = []
    for size, split in zip(x.shape, axes, strict=True):
        counts = [mesh.size(axis) for axis in split] if len(split) > 1 else []
        for count in counts:
            size //= count
        shape += [*counts, size]
    return x if len(shape) == len(x.shape) else x.reshape(shape)


def _body(
    eqn: jaxprs.JaxprEqn,
    user: UserAxes,
    args: Sequence[Any],
    ins: Sequence[_Split],
    outs: Sequence[_Split],
) -> jaxprs.ClosedJaxpr:
    """The user's program of one PE, with collectives of the mesh."""
    jaxpr = eqn.params["jaxpr"]

    def run(*tiles: Any) -> list[Any]:
        own = [
            tile.reshape(var.aval.shape)
            for tile, var in zip(tiles, jaxpr.invars, strict=True)
        ]
        results = jaxprs.interpret(jaxpr, [], own, _in_body(user))
        return [
            _as_tile(result, axes) for result, axes in zip(results, outs, strict=True)
        ]

    avals = [
        _tile_of(arg, axes, var)
        for arg, axes, var in zip(args, ins, jaxpr.invars, strict=True)
    ]
    return jaxprs.trace(run, avals)


def _tile_of(arg: Any, axes: _Split, var: Any) -> jax.ShapeDtypeStruct:
    shape: list[int] = []
    for size, split in zip(var.aval.shape, axes, strict=True):
        shape += [*(1,) * (len(split) if len(split) > 1 else 0), size]
    return jax.ShapeDtypeStruct(tuple(shape), arg.dtype)


def _as_tile(result: Any, axes: _Split) -> Any:
    """The tile with a dimension of size 1 for each axis of those that share one."""
    places: list[int] = []
    at = 0
    for split in axes:
        extra = len(split) if len(split) > 1 else 0
        places += range(at, at + extra)
        at += extra + 1
    return lax.expand_dims(result, places) if places else result


def _in_body(user: UserAxes) -> jaxprs.EvaluateEquation:
    def evaluate(eqn: jaxprs.JaxprEqn, args: list[Any]) -> Sequence[Any]:
        name = eqn.primitive.name
        if name == _NAME:
            raise UnsupportedPrimitiveError(
                "shard_map inside a shard_map",
                rule="a shard_map is the program of one PE",
                help="write one shard_map over both axes",
            )
        if name in COLLECTIVES:
            if eqn.primitive.multiple_results:
                return [COLLECTIVES[name](user, x, **eqn.params) for x in args]
            return [COLLECTIVES[name](user, *args, **eqn.params)]
        called = jaxprs.called_jaxpr(eqn)
        if called is not None:
            return jaxprs.interpret(called.jaxpr, called.consts, args, evaluate)
        if name in CONTROL_FLOW:
            return jaxprs.bind(eqn, args, jaxprs.with_sub_jaxprs(eqn, nested))
        return jaxprs.bind(eqn, args)

    def nested(closed: jaxprs.ClosedJaxpr) -> jaxprs.ClosedJaxpr:
        def run(*args: Any) -> list[Any]:
            return jaxprs.interpret(closed.jaxpr, closed.consts, args, evaluate)

        return jaxprs.trace(run, closed.in_avals)

    return evaluate


def _user_axes(mesh: Any) -> UserAxes:
    """Raises: LayoutError, if more than two axes have several PEs."""
    sizes: dict[str, int] = dict(mesh.shape)
    large = [name for name, size in sizes.items() if size > 1]
    if len(large) > len(AXES):
        raise LayoutError(
            f"shard_map over {' x '.join(f'{n}={sizes[n]}' for n in large)}",
            rule="a mesh of PEs has two axes, rows and columns",
            help="join axes of the mesh, so that two are left",
        )
    of: dict[str, Axis | None] = dict.fromkeys(sizes)
    of.update({axis: axis for axis in AXES if axis in large})
    left = [name for name in large if of[name] is None]
    free: list[Axis] = [axis for axis in AXES if axis not in of.values()]
    of.update(dict(zip(reversed(left), reversed(free), strict=False)))
    extent = {axis: sizes[name] for name, axis in of.items() if axis is not None}
    return UserAxes(Mesh(extent.get(ROWS, 1), extent.get(COLS, 1)), of)
