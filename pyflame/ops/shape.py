"""Ops that move or rename dimensions and leave the values alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from pyflame.dtypes import dtype_name
from pyflame.errors import DTypeError, ShapeError
from pyflame.ops.shapes import Dims, dims, one_dim, text


def reshape(x: jax.Array, *, shape: tuple[int, ...]) -> jax.Array:
    """Same elements in row-major order; one size may be -1.

    Raises: ShapeError, if the counts of elements differ.
    """
    return jnp.reshape(x, _whole_shape(x, shape))


def transpose(x: jax.Array, *, dim0: int, dim1: int) -> jax.Array:
    """Swaps two dimensions."""
    first, second = (one_dim("transpose", x, d, max(x.ndim, 1)) for d in (dim0, dim1))
    return jnp.swapaxes(x, first, second) if x.ndim else x


def squeeze(x: jax.Array, *, dim: Dims) -> jax.Array:
    """Removes dimensions of size 1; a named one of another size stays (PyTorch)."""
    axes = dims("squeeze", x, dim)
    return jnp.squeeze(x, tuple(axis for axis in axes if x.shape[axis] == 1))


def unsqueeze(x: jax.Array, *, dim: int) -> jax.Array:
    """Adds a dimension of size 1 at `dim`."""
    return jnp.expand_dims(x, one_dim("unsqueeze", x, dim, x.ndim + 1))


def flatten(x: jax.Array, *, start_dim: int, end_dim: int) -> jax.Array:
    """Joins the dimensions from `start_dim` to `end_dim` into one.

    Raises: ShapeError, if a dim is out of range or the first comes after the last.
    """
    rank = max(x.ndim, 1)
    first = one_dim("flatten", x, start_dim, rank)
    last = one_dim("flatten", x, end_dim, rank)
    if first > last:
        raise ShapeError(
            f"flatten of {text(x)}: start_dim={start_dim} comes after "
            f"end_dim={end_dim}",
            rule="dimensions are joined from start_dim to end_dim",
        )
    joined = math.prod(x.shape[first : last + 1])
    return jnp.reshape(x, (*x.shape[:first], joined, *x.shape[last + 1 :]))


AT, FROM = "at", "from"


def index(x: jax.Array, *starts: jax.Array | int, key: tuple[Any, ...]) -> jax.Array:
    """x[key] for integers, slices (as `("slice", start, stop, step)`), None and `...`.

    `AT` stands for an integer that is the next of `starts`, and `(FROM, n)` for a slice
    of n elements from there: programs that differ in them alone are compiled once.

    Raises: ShapeError, for an index out of range, too many, or a step of 0.
    """
    if all(isinstance(start, int) for start in starts):
        return x[basic_index(x, _placed(key, starts))]
    firsts: list[Any] = [0] * x.ndim
    sizes, rest, given, axis = list(x.shape), list[Any](), iter(starts), 0
    for k in key:
        if _is_moving(k):
            firsts[axis] = next(given)
            sizes[axis] = 1 if k == AT else k[1]
            rest.append(0 if k == AT else ("slice", None, None, None))
        else:
            rest.append(k)
        if k is not None:
            axis += x.ndim - named_dims(key) if k is Ellipsis else 1
    part = jax.lax.dynamic_slice(x, firsts, sizes)
    return part[basic_index(part, tuple(rest))]


def _is_moving(part: Any) -> bool:
    return part == AT or (isinstance(part, tuple) and part[0] == FROM)


def _placed(key: tuple[Any, ...], starts: Sequence[Any]) -> tuple[Any, ...]:
    """The key with its starts."""
    given, found = iter(starts), []
    for k in key:
        start = next(given) if _is_moving(k) else 0
        if k == AT:
            found.append(start)
        elif _is_moving(k):
            found.append(("slice", start, start + k[1], None))
        else:
            found.append(k)
    return tuple(found)


def basic_index(x: jax.Array, key: tuple[Any, ...]) -> tuple[Any, ...]:
    """The key as it is written, checked.

    Raises: ShapeError, for an index out of range, too many, or a step of 0.
    """
    if named_dims(key) > x.ndim or sum(k is Ellipsis for k in key) > 1:
        raise ShapeError(
            f"index of {text(x)} by {index_text(key)}: too many indices",
            rule=f"there are {x.ndim} dimensions, and at most one ...",
        )
    axis, parts = 0, []
    for k in key:
        parts.append(_index_part(x, key, k, axis))
        if k is Ellipsis:
            axis += x.ndim - named_dims(key)
        elif k is not None:
            axis += 1
    return tuple(parts)


def named_dims(key: tuple[Any, ...]) -> int:
    """How many dimensions of the array the key speaks of."""
    return sum(k is not None and k is not Ellipsis for k in key)


def index_text(key: tuple[Any, ...]) -> str:
    """An index as it is written: `[0, 1:3, ...]`."""
    return "[" + ", ".join(map(_part_text, key)) + "]"


def _part_text(part: Any) -> str:
    if part == AT:
        return "i"
    if isinstance(part, tuple) and part[0] == FROM:
        return f"i:i+{part[1]}"
    if isinstance(part, tuple):
        start, stop, step = ("" if p is None else str(p) for p in part[1:])
        return f"{start}:{stop}" + (f":{step}" if step else "")
    return "..." if part is Ellipsis else str(part)


def _index_part(x: jax.Array, key: tuple[Any, ...], part: Any, axis: int) -> Any:
    if part is None or part is Ellipsis:
        return part
    if isinstance(part, tuple):
        return _slice_part(x, key, part)
    size = x.shape[axis]
    if not -size <= part < size:
        raise ShapeError(
            f"index of {text(x)} by {index_text(key)}: {part} is out of range",
            rule=f"dimension {axis} has size {size}",
        )
    return part


def _slice_part(x: jax.Array, key: tuple[Any, ...], part: tuple[Any, ...]) -> slice:
    if part[3] == 0:
        raise ShapeError(
            f"index of {text(x)} by {index_text(key)}: a step of 0 leads nowhere",
            rule="the step of a slice is not 0",
        )
    return slice(*part[1:])


def cat(*arrays: jax.Array, dim: int) -> jax.Array:
    """Joins arrays of one dtype, and of equal shape except along `dim`.

    An array [0] adds nothing, whatever the shape of the others (PyTorch).
    """
    arrays = tuple(x for x in arrays if x.shape != (0,)) or arrays[:1]
    axis = one_dim("cat", arrays[0], dim)
    for other in arrays[1:]:
        _check_same_dtype("cat", arrays[0], other)
        _check_joins(arrays[0], other, axis)
    return jnp.concatenate(arrays, axis)


def stack(*arrays: jax.Array, dim: int) -> jax.Array:
    """Joins arrays of one dtype and shape along a new dimension."""
    axis = one_dim("stack", arrays[0], dim, arrays[0].ndim + 1)
    for other in arrays[1:]:
        _check_same_dtype("stack", arrays[0], other)
        if other.shape != arrays[0].shape:
            raise ShapeError(
                f"stack of {text(arrays[0])} and {text(other)}: the shapes differ",
                rule="all tensors of a stack have the same shape",
                help="use pf.cat to join along a dimension there is",
            )
    return jnp.stack(arrays, axis)


def _check_same_dtype(op: str, first: jax.Array, other: jax.Array) -> None:
    if first.dtype != other.dtype:
        raise DTypeError(
            f"{op} of {text(first)} and {text(other)}: the dtypes differ",
            rule=f"all tensors of a {op} have the same dtype",
            help=f"convert one of them first: x.to(pf.{dtype_name(first.dtype)})",
        )


def _check_joins(first: jax.Array, other: jax.Array, axis: int) -> None:
    same = first.ndim == other.ndim and all(
        m == n
        for d, (m, n) in enumerate(zip(first.shape, other.shape, strict=True))
        if d != axis
    )
    if not same:
        raise ShapeError(
            f"cat of {text(first)} and {text(other)} along dim {axis}: the other "
            "dimensions differ",
            rule="sizes agree in every dimension but the one joined along",
        )


def _whole_shape(x: jax.Array, shape: Sequence[int]) -> tuple[int, ...]:
    """`shape` with its -1 worked out."""
    known = math.prod(size for size in shape if size != -1)
    holes = sum(size == -1 for size in shape)
    fits = x.size == known if not holes else known != 0 and x.size % known == 0
    if holes > 1 or min(shape, default=0) < -1 or not fits:
        raise ShapeError(
            f"reshape of {text(x)} to {list(shape)}: {x.size} elements do not fit",
            rule="the sizes multiply to the number of elements; at most one is -1",
        )
    return tuple(x.size // known if size == -1 else size for size in shape)
