"""Reductions by windows with a computation of their own, in terms of known ones."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from lowering import jaxprs
from lowering.cases import Case
from lowering.errors import UnsupportedPrimitiveError
from lowering.normalise.conditional import rewrites_where
from lowering.normalise.rewrites_reductions import combine, monoids
from lowering.normalise.widen import wide_dtype

_LARGEST_WINDOW = 64  # elements that are combined one after the other
_WINDOW = (
    "window_dimensions",
    "window_strides",
    "padding",
    "base_dilation",
    "window_dilation",
)


def _product_of(x: Any, **window: Any) -> Any:
    wide = x.astype(wide_dtype(x.dtype))
    one = np.ones((), wide.dtype)[()]
    return lax.reduce_window(wide, one, lax.mul, **window).astype(x.dtype)


_BY_WINDOWS: dict[str, Any] = {
    "add": lax.reduce_window_sum_p.bind,
    "max": lax.reduce_window_max_p.bind,
    "min": lax.reduce_window_min_p.bind,
    "mul": _product_of,
}
_OF_FLAGS = {"and": "min", "or": "max", "max": "max", "min": "min"}


def _computation(eqn: jaxprs.JaxprEqn) -> jaxprs.ClosedJaxpr:
    (computation,) = jaxprs.sub_jaxprs(eqn)
    return jaxprs.ClosedJaxpr(computation.jaxpr, list(eqn.params["consts"]))


def _is_not_product(eqn: jaxprs.JaxprEqn) -> bool:
    """Whether it is anything but a product of one 32-bit operand, from 1 on."""
    if len(eqn.outvars) != 1 or monoids(_computation(eqn)) != ["mul"]:
        return True
    start: Any = eqn.invars[1]
    dtype = jaxprs.dtype_of(eqn.outvars[0])
    is_from_one = jaxprs.is_literal(start) and jaxprs.literal_value(start) == 1
    return not is_from_one or wide_dtype(dtype) != str(dtype)


@rewrites_where(_is_not_product, "reduce_window")
def _reduce_window(eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any]:
    """Each known operation on its own, then what the windows start from."""
    count = len(eqn.outvars)
    xs, starts = args[:count], args[count:]
    names = _known_names(eqn)
    if names is None:
        return _one_by_one(eqn, xs, starts)
    window = {name: eqn.params[name] for name in _WINDOW}
    return [
        combine(name, start, _BY_WINDOWS[name](x, **window))
        for name, x, start in zip(names, xs, starts, strict=True)
    ]


def _known_names(eqn: jaxprs.JaxprEqn) -> list[str] | None:
    """The operations that windows are reduced by, if all are known."""
    names = monoids(_computation(eqn)) or [""]
    flags = [str(jaxprs.dtype_of(var)) == "bool" for var in eqn.outvars]
    known = [
        _OF_FLAGS.get(name, "") if is_flag else name
        for name, is_flag in zip(names, flags, strict=False)
    ]
    return known if set(known) <= set(_BY_WINDOWS) else None


def _one_by_one(
    eqn: jaxprs.JaxprEqn, xs: Sequence[Any], starts: Sequence[Any]
) -> list[Any]:
    """The computation on the first elements of all windows, then the second ones."""
    params: Any = eqn.params
    _check_size(eqn, params["window_dimensions"])
    shape = jaxprs.shape_of(eqn.outvars[0])
    step = jaxprs.jaxpr_as_fun(_computation(eqn))
    for _ in shape:
        step = jax.vmap(step)
    widths = [
        (*pad, hole - 1)
        for pad, hole in zip(params["padding"], params["base_dilation"], strict=True)
    ]
    padded = [lax.pad(x, np.zeros((), x.dtype)[()], widths) for x in xs]
    exists = np.asarray(jax.device_get(_existing(xs[0].shape, widths)))
    totals: list[Any] = [jnp.broadcast_to(start, shape) for start in starts]
    for place in product(*map(range, params["window_dimensions"])):
        taken = [_taken(x, place, shape, params) for x in padded]
        counts = exists[_window(place, shape, params)]
        following = step(*totals, *taken)
        totals = [
            new if counts.all() else jnp.where(counts, new, old)
            for new, old in zip(following, totals, strict=True)
        ]
    return totals


def _check_size(eqn: jaxprs.JaxprEqn, window: Sequence[int]) -> None:
    size = math.prod(window)
    if size > _LARGEST_WINDOW:
        raise UnsupportedPrimitiveError(
            f"reduce_window of windows {list(window)} by a computation of its own has "
            "no rule",
            rule=f"such windows have at most {_LARGEST_WINDOW} elements, not {size}",
            help="use smaller windows, or lax.add, lax.mul, lax.max or lax.min",
        )


def _existing(shape: Sequence[int], widths: Sequence[tuple[int, int, int]]) -> Any:
    """bool: which elements of the padded operand are the operand's own."""
    with jax.ensure_compile_time_eval():
        return lax.pad(jnp.ones(shape, bool), False, widths)


def _window(
    place: Sequence[int], shape: Sequence[int], params: Any
) -> tuple[slice, ...]:
    """Where the elements at this place of all windows are."""
    found: list[slice] = []
    for number, size, stride, dilation in zip(
        place, shape, params["window_strides"], params["window_dilation"], strict=True
    ):
        first = number * dilation
        found.append(slice(first, first + (size - 1) * stride + 1, stride))
    return tuple(found)


def _taken(x: Any, place: Sequence[int], shape: Sequence[int], params: Any) -> Any:
    where = _window(place, shape, params)
    starts, limits = [s.start for s in where], [s.stop for s in where]
    return lax.slice(x, starts, limits, [s.step for s in where])


CASES = [
    Case(
        "by a computation",
        lambda x: lax.reduce_window(
            x, np.float32(0), lambda a, b: a + 2 * b, (1, 3), (1, 2), "VALID"
        ),
        ("f32[n,7]",),
    ),
]
