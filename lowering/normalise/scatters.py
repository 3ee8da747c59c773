"""What a scatter does to an element: one of six combinations, or a user's function."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from lowering import jaxprs

Combination = Literal["set", "add", "sub", "mul", "min", "max"]

_OF_NAME: dict[str, Combination] = {
    "scatter-add": "add",
    "scatter-sub": "sub",
    "scatter-mul": "mul",
    "scatter-min": "min",
    "scatter-max": "max",
}


def combination(eqn: jaxprs.JaxprEqn) -> Combination | None:
    """How an update changes an element; None if a function of the user's says it."""
    if eqn.primitive.name != "scatter":
        return _OF_NAME[eqn.primitive.name]
    function = eqn.params["update_jaxpr"]
    if function is None or function.outvars == function.invars[1:]:
        return "set"
    return None


def window_shape(
    numbers: Any, rank: int, updates_shape: Sequence[int]
) -> tuple[int, ...]:
    """The sizes of one update's window along all dimensions of the operand."""
    missing = {*numbers.inserted_window_dims, *numbers.operand_batching_dims}
    sizes = iter(updates_shape[dim] for dim in numbers.update_window_dims)
    return tuple(1 if dim in missing else next(sizes) for dim in range(rank))


def one_by_one(operand: Any, indices: Any, updates: Any, params: dict[str, Any]) -> Any:
    """A scatter with a function of the user's, applied to one window after another.

    Points come in the order of `indices`, as in XLA. What lies beyond the end is
    dropped.
    """
    numbers, vectors = params["dimension_numbers"], _vectors(params, indices)
    windows = _windows(numbers, updates)
    inserted = (*numbers.inserted_window_dims, *numbers.operand_batching_dims)
    dims = (*numbers.scatter_dims_to_operand_dims, *numbers.operand_batching_dims)
    kept = tuple(range(windows.ndim - 1))
    read = lax.GatherDimensionNumbers(kept, tuple(sorted(inserted)), dims)
    write = lax.ScatterDimensionNumbers(kept, tuple(sorted(inserted)), dims)
    sizes = window_shape(numbers, operand.ndim, updates.shape)
    function = _elementwise(params)

    def point(number: Any, value: Any) -> Any:
        place = lax.dynamic_index_in_dim(vectors, number, keepdims=False)
        update = lax.dynamic_index_in_dim(windows, number, keepdims=False)
        before = lax.gather(value, place, read, sizes, mode="clip")
        return lax.scatter(value, place, function(before, update), write, mode="drop")

    return lax.fori_loop(0, vectors.shape[0], point, operand)


def _vectors(params: dict[str, Any], indices: Any) -> Any:
    """[points, dims]: where each window begins, batching dimensions behind."""
    numbers = params["dimension_numbers"]
    batch = [
        lax.broadcasted_iota(np.int32, (*indices.shape[:-1], 1), dim)
        for dim in numbers.scatter_indices_batching_dims
    ]
    joined = lax.concatenate([indices, *batch], indices.ndim - 1)
    return lax.reshape(joined, (math.prod(joined.shape[:-1]), joined.shape[-1]))


def _windows(numbers: Any, updates: Any) -> Any:
    """[points, *window]: the updates in the order of their points."""
    window = tuple(numbers.update_window_dims)
    points = tuple(dim for dim in range(updates.ndim) if dim not in window)
    sizes = [updates.shape[dim] for dim in window]
    ordered = lax.transpose(updates, (*points, *window))
    return lax.reshape(
        ordered, (math.prod(updates.shape[dim] for dim in points), *sizes)
    )


def _elementwise(params: dict[str, Any]) -> Any:
    """The user's function of two numbers, for arrays of one shape."""
    closed = jaxprs.ClosedJaxpr(params["update_jaxpr"], params["update_consts"])
    function = jaxprs.jaxpr_as_fun(closed)

    def apply(old: jax.Array, new: jax.Array) -> jax.Array:
        flat = jax.vmap(lambda a, b: function(a, b)[0])(old.ravel(), new.ravel())
        return jnp.reshape(flat, old.shape)

    return apply
