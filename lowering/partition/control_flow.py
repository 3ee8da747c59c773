"""Loops and branches on tiles: their jaxprs are partitioned in their turn.

What a loop carries has one placement in every pass. What it only reads is brought to
where the body wants it once, before the loop; so nothing is moved again and again that
never changes. To find out what that is, a body is traced for trial first.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from lowering import jaxprs
from lowering.cases import Case
from lowering.mesh import Axis, Mesh
from lowering.partition import mesh_primitives as prims
from lowering.partition.reshard import canonical, same_tiles, words_moved
from lowering.partition.tiles import AnyTile, Outer, Tile, fill_axes
from lowering.placement import Placement

# Runs a jaxpr on tiles: `partition` hands its own interpreter in.
Run = Callable[[jaxprs.ClosedJaxpr, Sequence[AnyTile]], list[AnyTile]]
Rule = Callable[["Context", jaxprs.JaxprEqn, Sequence[AnyTile]], list[AnyTile]]

_MAX_ROUNDS = 3  # trials until the carries' placements have to be stable


@dataclass(frozen=True, slots=True)
class Context:
    """The mesh, and how a jaxpr runs on tiles."""

    mesh: Mesh
    run: Run

    def tile(self, local: Any, placement: Placement) -> Tile:
        return Tile(local, placement, self.mesh)


@dataclass(frozen=True, slots=True)
class _Trial:
    """What tracing a body with its carries at `carried` showed.

    `results` are where its outputs were computed, `words` what a PE received.
    """

    carried: list[Placement]
    results: list[Placement]
    words: int


@dataclass(frozen=True, slots=True)
class _Body:
    """A jaxpr that repeats: what it reads from outside, then carries, then slices."""

    ctx: Context
    closed: jaxprs.ClosedJaxpr
    outer: list[AnyTile]
    slices: list[Placement]

    def results(
        self, carried: Sequence[Placement], locals_: Sequence[Any]
    ) -> list[AnyTile]:
        placements = [*carried, *self.slices]
        tiles = [
            self.ctx.tile(local, placement)
            for local, placement in zip(locals_, placements, strict=True)
        ]
        return self.ctx.run(self.closed, [*self.outer, *tiles])

    def outputs(
        self, carried: Sequence[Placement], locals_: Sequence[Any]
    ) -> tuple[list[Any], list[AnyTile]]:
        """Local arrays of the next carries, and the tiles of all other outputs."""
        tiles = self.results(carried, locals_)
        count = len(carried)
        following = [
            tile.at(placement) for tile, placement in zip(tiles, carried, strict=False)
        ]
        return following, tiles[count:]

    def trial(self, carried: Sequence[Placement]) -> _Trial:
        found: list[Placement] = []

        def program(*locals_: Any) -> list[Any]:
            tiles = self.results(carried, locals_)
            found[:] = [tile.placement for tile in tiles]
            wanted = [*carried, *found[len(carried) :]]
            return [tile.at(p) for tile, p in zip(tiles, wanted, strict=True)]

        traced = _traced(program, [*carried, *self.slices])
        return _Trial(list(carried), found, collective_words(traced.jaxpr))


def scan(ctx: Context, eqn: jaxprs.JaxprEqn, tiles: Sequence[AnyTile]) -> list[AnyTile]:
    """Sequences are whole along their first dimension, and so are stacked results."""
    const_count, carry_count = eqn.params["num_consts"], eqn.params["num_carry"]
    first = const_count + carry_count
    if eqn.params["length"] == 0:
        return list(tiles[const_count:first])
    outer = [Outer(tile) for tile in tiles[:const_count]]
    sequences = [_sequence(ctx, tile) for tile in tiles[first:]]
    body = _Body(
        ctx, eqn.params["jaxpr"], [*outer], [_row(placement) for placement in sequences]
    )
    start = tiles[const_count:first]
    best = _settled(ctx, body, start)
    for tile in outer:
        tile.bring()
    stacked = best.results[carry_count:]

    def turn(carry: list[Any], rows: list[Any]) -> tuple[list[Any], list[Any]]:
        following, others = body.outputs(best.carried, [*carry, *rows])
        return following, [t.at(p) for t, p in zip(others, stacked, strict=True)]

    locals_ = [tile.at(p) for tile, p in zip(start, best.carried, strict=True)]
    rows = [tile.at(p) for tile, p in zip(tiles[first:], sequences, strict=True)]
    last, ys = lax.scan(
        turn,
        locals_,
        rows,
        length=eqn.params["length"],
        reverse=eqn.params["reverse"],
    )
    whole = [_stack_of(p, eqn.params["length"]) for p in stacked]
    return [
        ctx.tile(local, placement)
        for local, placement in zip([*last, *ys], [*best.carried, *whole], strict=True)
    ]


def while_(
    ctx: Context, eqn: jaxprs.JaxprEqn, tiles: Sequence[AnyTile]
) -> list[AnyTile]:
    """The predicate is a scalar: every PE computes the same."""
    cond_count, body_count = eqn.params["cond_nconsts"], eqn.params["body_nconsts"]
    first = cond_count + body_count
    outer = [Outer(tile) for tile in tiles[:first]]
    body = _Body(ctx, eqn.params["body_jaxpr"], [*outer[cond_count:]], [])
    test = _Body(ctx, eqn.params["cond_jaxpr"], [*outer[:cond_count]], [])
    start = tiles[first:]
    best = _settled(ctx, body, start)

    def goes_on(carry: list[Any]) -> Any:
        (tile,) = test.results(best.carried, carry)
        return tile.at(tile.placement)

    def turn(carry: list[Any]) -> list[Any]:
        return body.outputs(best.carried, carry)[0]

    _traced(lambda *carry: goes_on([*carry]), best.carried)
    for tile in outer:
        tile.bring()
    locals_ = [tile.at(p) for tile, p in zip(start, best.carried, strict=True)]
    last = lax.while_loop(goes_on, turn, locals_)
    return [ctx.tile(x, p) for x, p in zip(last, best.carried, strict=True)]


def cond(ctx: Context, eqn: jaxprs.JaxprEqn, tiles: Sequence[AnyTile]) -> list[AnyTile]:
    """What a branch moves, it moves itself; its results go where most of them are."""
    index, *operands = tiles
    inside = [tile if isinstance(tile, Tile) else Outer(tile) for tile in operands]
    branches: Sequence[jaxprs.ClosedJaxpr] = eqn.params["branches"]
    found = [_placements_of(ctx, c, inside) for c in branches]
    chosen = [_nearest(ctx, list(each)) for each in zip(*found, strict=True)]
    locals_: list[Any] = []
    for tile in inside:
        if isinstance(tile, Outer):
            tile.bring()
        locals_ += _locals_of(tile)

    def local(closed: jaxprs.ClosedJaxpr) -> jaxprs.ClosedJaxpr:
        def program(*given: Any) -> list[Any]:
            results = ctx.run(closed, _with_locals(ctx, inside, given))
            return [t.at(p) for t, p in zip(results, chosen, strict=True)]

        return jaxprs.trace(program, [jax.typeof(x) for x in locals_])

    params = jaxprs.with_sub_jaxprs(eqn, local)
    results = jaxprs.bind(eqn, [index.at(index.placement), *locals_], params)
    return [ctx.tile(x, p) for x, p in zip(results, chosen, strict=True)]


RULES: dict[str, Rule] = {"scan": scan, "while": while_, "cond": cond}


def collective_words(jaxpr: jaxprs.Jaxpr) -> int:
    """32-bit words that a PE receives in one run of the jaxpr."""
    words = 0
    for eqn in jaxpr.eqns:
        if eqn.primitive in prims.COLLECTIVES:
            aval: Any = eqn.outvars[0].aval
            words += math.prod(aval.shape) + eqn.params["size"]
        trips = eqn.params.get("length", 1)
        inner = [collective_words(sub.jaxpr) for sub in jaxprs.sub_jaxprs(eqn)]
        words += trips * sum(inner)
    return words


def _settled(ctx: Context, body: _Body, start: Sequence[AnyTile]) -> _Trial:
    """The trial whose body moves least: carries where they start, or where they end.

    Where they end is tried again, until the body leaves them where it finds them.
    """
    del ctx
    first = body.trial([tile.placement for tile in start])
    trials = [first]
    for _ in range(_MAX_ROUNDS):
        last = trials[-1]
        ends = last.results[: len(start)]
        if all(map(same_tiles, ends, last.carried)):
            break
        trials.append(body.trial(ends))
    best = min(trials, key=lambda trial: trial.words)
    body.trial(best.carried)  # so that what it wants is noted last
    return best


def _traced(
    program: Callable[..., Any], placements: Sequence[Placement]
) -> jaxprs.ClosedJaxpr:
    avals = [jax.ShapeDtypeStruct(p.tile_shape, p.dtype) for p in placements]
    return jaxprs.trace(program, avals)


def _placements_of(
    ctx: Context, closed: jaxprs.ClosedJaxpr, inside: Sequence[AnyTile]
) -> list[Placement]:
    """Where a branch computes its results."""
    found: list[Placement] = []

    def program() -> list[Any]:
        given = [x for tile in inside for x in _locals_of(tile)]
        tiles = ctx.run(closed, _with_locals(ctx, inside, given))
        found[:] = [tile.placement for tile in tiles]
        return [tile.at(p) for tile, p in zip(tiles, found, strict=True)]

    jaxprs.trace(program, [])
    return found


def _locals_of(tile: AnyTile) -> list[Any]:
    """The local arrays that a branch gets as operands for this tile."""
    if isinstance(tile, Outer):
        return list((tile.brought or {}).values())
    assert isinstance(tile, Tile), "pending tiles are brought first"
    return [tile.value]


def _with_locals(
    ctx: Context, tiles: Sequence[AnyTile], given: Sequence[Any]
) -> list[AnyTile]:
    """The tiles, made of a branch's own operands."""
    rest = iter(given)
    made: list[AnyTile] = []
    for tile in tiles:
        if isinstance(tile, Tile):
            made.append(ctx.tile(next(rest), tile.placement))
        elif isinstance(tile, Outer) and tile.brought is not None:
            brought = {key: next(rest) for key in tile.brought}
            made.append(Outer(tile.tile, tile.wanted, brought))
        else:
            made.append(tile)
    return made


def _nearest(ctx: Context, placements: list[Placement]) -> Placement:
    """The placement that the others reach by moving least."""
    return min(
        placements,
        key=lambda after: sum(
            words_moved(before, after, ctx.mesh) for before in placements
        ),
    )


def _sequence(ctx: Context, tile: AnyTile) -> Placement:
    """The placement of a sequence whose every slice lies on the mesh as usual."""
    before = tile.placement
    axes: tuple[Axis | None, ...] = (None, *before.axes[1:])
    kept = canonical(replace(before, axes=axes), ctx.mesh)
    filled = fill_axes(kept.shape[1:], kept.axes[1:], ctx.mesh)
    added = {axis for axis in filled if axis is not None and axis not in kept.axes}
    extent = tuple(
        ctx.mesh.size(axis) if axis in added else kept.axis_extent(axis)
        for axis in ("rows", "cols")
    )
    return replace(kept, axes=(None, *filled), extent=extent)


def _row(sequence: Placement) -> Placement:
    return replace(sequence, shape=sequence.shape[1:], axes=sequence.axes[1:])


def _stack_of(row: Placement, length: int) -> Placement:
    return replace(row, shape=(length, *row.shape), axes=(None, *row.axes))


def _power_iteration(a: jax.Array, v: jax.Array) -> jax.Array:
    def body(_: Any, v: jax.Array) -> jax.Array:
        w = a @ v
        return w / jnp.max(jnp.abs(w))

    return lax.fori_loop(0, 3, body, v)


def _recurrent(xs: jax.Array, w: jax.Array) -> Any:
    def cell(h: jax.Array, x: jax.Array) -> Any:
        h = jnp.tanh(h @ w * 0.1 + x)
        return h, (h.sum(0), h > 0)

    return lax.scan(cell, xs[0] * 0.5, xs)


def _backwards(xs: jax.Array) -> Any:
    return lax.scan(lambda total, x: (total + x, total.max()), xs[0], xs, reverse=True)


def _halved(x: jax.Array, limit: jax.Array) -> jax.Array:
    def goes_on(x: jax.Array) -> jax.Array:
        return jnp.max(jnp.abs(x)) > jnp.abs(limit) + 0.01

    return lax.while_loop(goes_on, lambda x: x * 0.5, x)


def _conjugate_gradients(a: jax.Array, b: jax.Array) -> jax.Array:
    a = a @ a.T / a.shape[0] + 2 * jnp.eye(a.shape[0], dtype=a.dtype)

    def body(carry: Any) -> Any:
        x, r, p, rr, k = carry
        ap = a @ p
        alpha = rr / (p @ ap + 1e-20)
        r = r - alpha * ap
        new = r @ r
        return x + alpha * p, r, r + new / (rr + 1e-20) * p, new, k + 1

    start = (jnp.zeros_like(b), b, b, b @ b, 0)
    return lax.while_loop(lambda carry: carry[4] < 4, body, start)[0]


def _either(x: jax.Array, w: jax.Array, s: jax.Array) -> Any:
    def products(x: jax.Array, w: jax.Array) -> Any:
        return x @ w, x.sum()

    def sums(x: jax.Array, w: jax.Array) -> Any:
        return jnp.broadcast_to(w.sum(0), (x.shape[0], w.shape[1])), x.max()

    return lax.cond(s > 0, products, sums, x, w)


def _one_of(x: jax.Array, y: jax.Array, number: jax.Array) -> Any:
    cases = [lambda x, y: x - y, lambda x, y: y * 2, lambda x, y: x + y.sum()]
    return lax.switch(number, cases, x, y)


def _nested(a: jax.Array, v: jax.Array) -> jax.Array:
    def inner(j: Any, w: jax.Array) -> jax.Array:
        return w + a @ w / (10.0 + j)

    def outer(i: Any, v: jax.Array) -> jax.Array:
        v = lax.fori_loop(0, 2, inner, v + i)
        return lax.cond(jnp.max(v) > 1, lambda v: v / jnp.max(v), lambda v: v * 0.5, v)

    return lax.fori_loop(0, 3, outer, v)


def _branch_inside(a: jax.Array, v: jax.Array) -> jax.Array:
    """The matrix comes from outside the loop, and only a branch inside reads it."""

    def turn(_: Any, v: jax.Array) -> jax.Array:
        return lax.cond(v[0] > 0, lambda v: a @ v * 0.1, lambda v: v - a[0], v)

    return lax.fori_loop(0, 3, turn, v)


def _exchanged(a: jax.Array, b: jax.Array) -> Any:
    def turn(_: Any, carry: Any) -> Any:
        a, b = carry
        return b, a + b

    return lax.fori_loop(0, 4, turn, (a, b))


_SQUARE = ("f32[k,k]", "f32[k]")


def _counted(a: jax.Array) -> jax.Array:
    """What is outside, in other dtypes inside."""

    def body(i: Any, count: jax.Array) -> jax.Array:
        return count + jnp.where(a > 0, i, 1)

    return lax.fori_loop(0, 3, body, jnp.zeros(a.shape, jnp.int32))


CASES = [
    Case("comparison with what is outside", _counted, ("f32[n,m]",)),
    Case("power iteration", _power_iteration, _SQUARE),
    Case("recurrent cell", _recurrent, ("f32[3,n,m]", "f32[m,m]")),
    Case("backwards", _backwards, ("f32[n,m]",)),
    Case("halved until small", _halved, ("f32[n,m]", "f32[]")),
    Case("conjugate gradients", _conjugate_gradients, _SQUARE),
    Case("either", _either, ("f32[n,k]", "f32[k,m]", "f32[]")),
    Case("one of three", _one_of, ("f32[n,m]", "f32[n,m]", "i32[]")),
    Case("nested", _nested, _SQUARE),
    Case("branch on what a loop finds", _branch_inside, _SQUARE),
    Case("exchanged", _exchanged, ("f32[n,m]", "f32[n,m]")),
    Case(
        "transposed each time",
        lambda a: lax.fori_loop(0, 3, lambda _, x: x.T + 1, a),
        ("f32[k,k]",),
    ),
    Case(
        "compared with the pass",
        lambda x, k: lax.fori_loop(0, 3, lambda i, x: jnp.where(k > i, x + 1, x), x),
        ("f32[n,m]", "i32[n,m]"),
    ),
    Case(
        "times given as data",
        lambda x, n: lax.fori_loop(0, jnp.abs(n), lambda i, x: x * 0.9 + i, x),
        ("f32[n]", "i32[]"),
    ),
]
