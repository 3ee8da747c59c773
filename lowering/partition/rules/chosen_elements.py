"""select_and_scatter_add and select_and_gather_add: one element of each window counts.

They are the gradients of pooling by the largest (or smallest) element. Both go through
the places of a window in order, all windows side by side: the element that has won so
far is compared with the next one.
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
import numpy as np
from jax import lax

from lowering.cases import Case
from lowering.partition.registry import Context, extents_of, partitions
from lowering.partition.rules.elementwise import fill_padding
from lowering.partition.rules.reduction import neutral
from lowering.partition.rules.windows import pad_widths, placed_windows, surrounded
from lowering.partition.tiles import AnyTile

_UNROLLED = 12  # places of a window; more of them are a loop


@dataclass(frozen=True, slots=True)
class _Windows:
    """All windows of a padded operand, of `shape` in number.

    `exists` tells elements from padding; it has size 1 where there is no padding.
    """

    size: tuple[int, ...]
    strides: tuple[int, ...]
    dilation: tuple[int, ...]
    shape: tuple[int, ...]
    padded: tuple[int, ...]
    exists: np.ndarray[Any, Any]

    def each(self, turn: Callable[[Any, Any], Any], carry: Any) -> Any:
        """`carry = turn(place, carry)` for all places of a window, row-major."""
        count = math.prod(self.size)
        if count > _UNROLLED:
            return lax.fori_loop(0, count, turn, carry)
        for place in range(count):
            carry = turn(place, carry)
        return carry

    def starts(self, place: Any) -> list[Any]:
        """Where the first window has this place, in the padded operand."""
        found: list[Any] = []
        for size, dilation in zip(self.size[::-1], self.dilation[::-1], strict=True):
            if isinstance(place, int):
                place, number = divmod(place, size)
            else:
                rest = lax.div(place, np.int32(size))
                place, number = rest, place - rest * np.int32(size)
            found.append(number * dilation if size > 1 else 0)
        return found[::-1]

    def taken(self, x: Any, place: Any) -> Any:
        """T[shape]: the elements at this place of all windows."""
        starts = self.starts(place)
        spans = [
            (count - 1) * stride + 1 if n > 1 else 1
            for count, stride, n in zip(self.shape, self.strides, x.shape, strict=True)
        ]
        starts = [
            start if n > 1 else 0 for start, n in zip(starts, x.shape, strict=True)
        ]
        strides = [
            s if n > 1 else 1 for s, n in zip(self.strides, x.shape, strict=True)
        ]
        if isinstance(place, int):
            limits = [a + b for a, b in zip(starts, spans, strict=True)]
            return lax.slice(x, starts, limits, strides)
        part = lax.dynamic_slice(x, [np.int32(0) + s for s in starts], spans)
        return lax.slice(part, [0] * len(spans), spans, strides)

    def counts(self, place: Any) -> Any:
        """bool[shape]: which windows have an element at this place; None if all do."""
        if self.exists.all():
            return None
        if not isinstance(place, int):
            return jnp.broadcast_to(
                self.taken(jnp.asarray(self.exists), place), self.shape
            )
        with jax.ensure_compile_time_eval():
            counts = np.asarray(self.taken(jnp.asarray(self.exists), place))
        return None if counts.all() else jnp.broadcast_to(counts, self.shape)

    def spread(self, x: Any, place: Any, total: Any) -> Any:
        """`total`, a padded operand, with `x` added at this place of all windows."""
        starts, zero = self.starts(place), np.zeros((), x.dtype)
        spans = [
            (count - 1) * stride + 1
            for count, stride in zip(self.shape, self.strides, strict=True)
        ]
        if isinstance(place, int):
            widths = [
                (start, size - start - span, stride - 1)
                for start, size, span, stride in zip(
                    starts, self.padded, spans, self.strides, strict=True
                )
            ]
            return total + lax.pad(x, zero, widths)
        part = lax.pad(x, zero, [(0, 0, stride - 1) for stride in self.strides])
        starts = [np.int32(0) + start for start in starts]
        kept = lax.dynamic_slice(total, starts, spans)
        return lax.dynamic_update_slice(total, kept + part, starts)


def _windows(
    padded: Sequence[int], out: Sequence[int], params: Any, exists: Any = True
) -> _Windows:
    """The windows of a padded tile; all of its elements count, unless `exists` says."""
    return _Windows(
        tuple(params["window_dimensions"]),
        tuple(params["window_strides"]),
        tuple(params.get("window_dilation", (1,) * len(padded))),
        tuple(out),
        tuple(padded),
        np.asarray(exists),
    )


def _existing(
    shape: Sequence[int], widths: Sequence[tuple[int, int, int]]
) -> np.ndarray[Any, Any]:
    """bool: which elements of a padded array are its own; size 1 where all are."""
    sizes = [n if any(width) else 1 for n, width in zip(shape, widths, strict=True)]
    with jax.ensure_compile_time_eval():
        return np.asarray(lax.pad(np.ones(sizes, bool), False, widths))


@partitions("select_and_scatter_add")
def select_and_scatter_add(
    ctx: Context, source: AnyTile, operand: AnyTile, *, select_prim: Any, **params: Any
) -> AnyTile:
    """Each window adds its element of `source` to the place that won in it.

    As in JAX, padding takes part with the worst value there is: it may win.
    """
    placement, halos = placed_windows(ctx, operand, params)
    here = replace(placement, shape=source.shape, dtype=source.placement.dtype)
    worst = _worst(select_prim, placement.dtype)
    x = surrounded(ctx, operand.at(placement), placement, halos, params, worst)
    added = source.at(here)
    for dim in halos:
        added = fill_padding(ctx, added, here, dim, 0)
    widths = pad_widths(params, halos)
    windows = _windows(x.shape, here.tile_shape, params)

    def compare(place: Any, carry: Any) -> Any:
        new = windows.taken(x, place)
        if isinstance(place, int) and place == 0:
            return new, jnp.zeros(windows.shape, jnp.int32)
        best, won_at = carry
        stays = select_prim.bind(best, new)
        if not isinstance(place, int):
            stays = stays & (place > 0)
        return _where(stays, best, new), _where(stays, won_at, place)

    none = jnp.zeros(windows.shape, jnp.int32)
    _, won_at = windows.each(compare, (jnp.zeros(windows.shape, x.dtype), none))

    def add(place: Any, total: Any) -> Any:
        won = _where(won_at == place, added, jnp.zeros_like(added))
        return windows.spread(won, place, total)

    total = windows.each(add, jnp.zeros(windows.padded, added.dtype))
    if _has(widths):
        back = [(-low, -high, 0) for low, high, _ in widths]
        total = lax.pad(total, np.zeros((), total.dtype), back)
    for halo in halos.values():
        total = halo.given_back(total)
    return ctx.settled(total, replace(placement, dtype=np.dtype(ctx.out_dtype)))


@partitions("select_and_gather_add")
def select_and_gather_add(
    ctx: Context,
    tangents: AnyTile,
    operand: AnyTile,
    *,
    select_prim: Any,
    **params: Any,
) -> AnyTile:
    """Each window gives the tangent of the place that won in it.

    It is 0 where no element is better than the worst value there is.
    """
    placement, _ = placed_windows(ctx, operand, params, can_join=False)
    after = ctx.placement(placement.axes, extents_of(placement))
    widths = pad_widths(params, {})
    x, tangent = (
        lax.pad(y, np.zeros((), y.dtype), widths) if _has(widths) else y
        for y in (
            operand.at(placement),
            tangents.at(replace(placement, dtype=tangents.placement.dtype)),
        )
    )

    exists = _existing(operand.shape, widths)
    windows = _windows(x.shape, after.tile_shape, params, exists)

    def compare(place: Any, carry: Any) -> Any:
        best, chosen = carry
        new, counts = windows.taken(x, place), windows.counts(place)
        stays = select_prim.bind(best, new)
        if counts is not None:
            stays = stays | ~counts
        following = windows.taken(tangent, place)
        return _where(stays, best, new), _where(stays, chosen, following)

    start = (
        jnp.full(windows.shape, _worst(select_prim, x.dtype), x.dtype),
        jnp.zeros(windows.shape, tangent.dtype),
    )
    return ctx.settled(windows.each(compare, start)[1], after)


def _where(condition: Any, x: Any, y: Any) -> Any:
    """`x` where the condition holds, else `y`, which may be a number."""
    return lax.select(condition, x, jnp.broadcast_to(jnp.asarray(y, x.dtype), x.shape))


def _worst(select_prim: Any, dtype: Any) -> Any:
    """What loses to every element: nothing is less, or nothing is greater."""
    return neutral("max" if select_prim.name == "ge" else "min", dtype)


def _has(widths: Sequence[tuple[int, int, int]]) -> bool:
    return any(map(any, widths))


def _pool(combine: Any, *window: Any) -> Any:
    start = np.float32(-np.inf if combine is lax.max else np.inf)
    return lambda x: lax.reduce_window(x, start, combine, *window)


def _gradient(combine: Any, *window: Any) -> Any:
    pool = _pool(combine, *window)
    return jax.grad(lambda x: jnp.sum(pool(x) ** 2))


def _tangent(combine: Any, *window: Any) -> Any:
    pool = _pool(combine, *window)
    return lambda x, t: jax.jvp(pool, (x,), (t,))[1]


def _ties(x: jax.Array) -> jax.Array:
    x = jnp.where(x > 0.5, np.float32(np.nan), jnp.sign(x))
    x = jnp.where(x < 0, np.float32(-np.inf), x)
    return _gradient_of_sum(x)


def _gradient_of_sum(x: jax.Array) -> jax.Array:
    pool = _pool(lax.max, (1, 2), (1, 2), ((0, 0), (1, 1)))
    weights = jnp.arange(pool(x).size, dtype=x.dtype).reshape(pool(x).shape)
    return jax.vjp(pool, x)[1](weights)[0]


_IMAGES = "f32[2,3,7,6]"
_SQUARES = ((1, 1, 2, 2), (1, 1, 2, 2), "VALID")
_OVERLAPPING = ((1, 1, 3, 3), (1, 1, 2, 1), "SAME")

CASES = [
    Case("gradient", _gradient(lax.max, *_SQUARES), (_IMAGES,)),
    Case("gradient, overlapping", _gradient(lax.min, *_OVERLAPPING), (_IMAGES,)),
    Case("ties", _ties, ("f32[n,9]",)),
    Case("large windows", _gradient(lax.max, (5, 3), (2, 3), "SAME"), ("f32[9,8]",)),
    Case("of a plane", _gradient(lax.max, (3, 3), (2, 1), "SAME"), ("f32[16,21]",)),
    Case("of squares", _gradient(lax.max, (2, 3), (2, 2), "VALID"), ("f32[65,80]",)),
    Case("tangent", _tangent(lax.max, *_SQUARES), (_IMAGES, _IMAGES)),
    Case("tangent, overlapping", _tangent(lax.min, *_OVERLAPPING), (_IMAGES, _IMAGES)),
]
