"""x[key]: elements by integers, slices, arrays of indices, and masks.

Masks are computed when they are used as an index, because the shape of the result
depends on them. Indices that are known when an op is recorded are checked. Of those
still to be computed, one out of range gives NaN, the smallest integer, or True.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import jax
import numpy as np
from jax.core import Tracer

from pyflame import tracing
from pyflame.convert import to_array
from pyflame.errors import ArgumentError, DTypeError, ShapeError
from pyflame.ops import select, shape
from pyflame.ops.select import ARRAY
from pyflame.ops.shape import AT, FROM
from pyflame.ops.shapes import text
from pyflame.recorded import Recorded, apply, as_node

_RULE = (
    "an index is made of integers, slices, None, ... and arrays of integers or bools"
)
_EVERYTHING = ("slice", None, None, None)


def getitem(x: Any, key: Any) -> Any:
    """x[key] for integers, slices, None, `...`, and arrays of integers or booleans.

    As in PyTorch; slices may also run backwards. A boolean array is computed at once.
    Indices still to be computed give NaN (the smallest integer, True) out of range.

    Raises: ShapeError, for an index that is known to be out of range, too many, or of
    another kind; ArgumentError, for a mask inside a JAX transformation.
    """
    basic = basic_key(key)
    if basic is None:
        static, arrays = parse_key(x, key)
        return apply(select.array_index, x, *arrays, key=static)
    node = as_node(x)
    if node.value is not None or node.is_source:
        sizes = node.aval.shape if node.aval is not None else tuple(x.shape)
        starts, moving = _moving_key(sizes, basic)
        return apply(shape.index, x, *starts, key=moving)
    return apply(shape.index, x, key=basic)


@lru_cache(maxsize=4096)
def _moving_key(
    sizes: tuple[int, ...], key: tuple[Any, ...]
) -> tuple[tuple[int, ...], tuple[Any, ...]]:
    """Where integers and slices of the key begin, and the key without that.

    So programs that differ in them alone are one, such as the steps of a loop over the
    batches of an array. Keys that are wrong stay as they are.
    """
    named = shape.named_dims(key)
    if named > len(sizes):
        return (), key
    starts, parts, axis = list[int](), list[Any](), 0
    for part in key:
        if part is None or part is Ellipsis:
            axis += 0 if part is None else len(sizes) - named
            parts.append(part)
            continue
        start, moving = _moving_part(part, sizes[axis])
        starts += start
        parts.append(moving)
        axis += 1
    wrong = any(type(part) is int for part in parts)
    return ((), key) if wrong else (tuple(starts), tuple(parts))


def _moving_part(part: Any, size: int) -> tuple[list[int], Any]:
    """Where a part begins, if it may move, and what it is without that."""
    if type(part) is int:
        return ([part % size], AT) if -size <= part < size else ([], part)
    first, end, step = slice(*part[1:]).indices(size) if part[3] != 0 else (0, 0, 0)
    if step != 1 or end - first == size:
        return [], part
    return [first], (FROM, max(end - first, 0))


def basic_key(key: Any) -> tuple[Any, ...] | None:
    """A key of integers, slices, None and `...`, hashable; None for any other."""
    found = []
    for part in key if type(key) is tuple else (key,):
        if type(part) is int or part is None or part is Ellipsis:
            found.append(part)
        elif type(part) is slice:
            first, end, step = part.start, part.stop, part.step
            found.append(("slice", _bound(first), _bound(end), _bound(step)))
        elif isinstance(part, np.integer):
            found.append(int(part))
        else:
            return None
    return tuple(found)


def parse_key(x: Any, key: Any) -> tuple[tuple[Any, ...], list[Any]]:
    """A key with `ARRAY` for each array of indices, and these arrays.

    Raises: ShapeError, DTypeError or ArgumentError, as `getitem`.
    """
    parts = [_part(x, key, k) for k in (key if type(key) is tuple else (key,))]
    rank = len(x.shape)
    named = sum(_dims_of(p) for p in parts)
    if named > rank:
        raise ShapeError(
            f"index of {as_text(x)} by [{_key_text(key)}]: too many indices",
            rule=f"there are {rank} dimensions, and at most one ...",
        )
    static, arrays, axis = list[Any](), list[Any](), 0
    for part in parts:
        if part is Ellipsis:
            axis += max(rank - named, 0)
        if _is_array(part):
            found = _index_arrays(x, key, part, axis)
            static += [ARRAY] * len(found)
            arrays += found
        else:
            static.append(part)
        axis += _dims_of(part)
    return tuple(static), arrays


def _part(x: Any, key: Any, part: Any) -> Any:
    """A basic part as in `basic_key`; else an array of integers or booleans."""
    basic = None if isinstance(part, tuple) else basic_key(part)
    if basic is not None:
        return basic[0]
    if isinstance(part, (Recorded, jax.Array, np.ndarray)):
        return part
    if not isinstance(part, (list, tuple)):
        raise ShapeError(
            f"index of {as_text(x)} by [{_key_text(key)}]: "
            f"{type(part).__name__} is no index",
            rule=_RULE,
        )
    array = np.asarray(part)
    return array if array.size else array.astype(np.int32)


def _is_array(part: Any) -> bool:
    return isinstance(part, (Recorded, jax.Array, np.ndarray))


def _dims_of(part: Any) -> int:
    """How many dimensions of the array a part of the key stands for."""
    if part is None or part is Ellipsis:
        return 0
    return len(part.shape) if _is_array(part) and kind_of(part) == "b" else 1


def kind_of(array: Any) -> str:
    """The kind of its dtype, as NumPy calls it: b, i, f or V."""
    dtype = array.dtype
    return np.dtype(getattr(dtype, "numpy", dtype)).kind


def _index_arrays(x: Any, key: Any, part: Any, axis: int) -> list[Any]:
    """A part as arrays of integers, one per dimension that it stands for."""
    if kind_of(part) == "b":
        return _of_mask(x, key, part, axis)
    if kind_of(part) != "i":
        raise DTypeError(
            f"index of {as_text(x)} by [{_key_text(key)}]: indices are integers",
            rule=_RULE,
            help="convert first: index.to(pf.int32)",
        )
    known = values_if_known(part)
    if known is not None:
        _check_range(x, key, known, axis)
    return [to_array(part) if isinstance(part, np.ndarray) else part]


def _check_range(x: Any, key: Any, indices: np.ndarray[Any, Any], axis: int) -> None:
    """Raises: ShapeError, if an index of x[key] is out of range."""
    size = x.shape[axis]
    wrong = first_outside(indices, -size, size)
    if wrong is not None:
        raise ShapeError(
            f"index of {as_text(x)} by [{_key_text(key)}]: {wrong} is out of range",
            rule=f"dimension {axis} has size {size}",
        )


def first_outside(
    indices: np.ndarray[Any, Any] | None, least: int, end: int
) -> int | None:
    """The smallest or largest index, if it is not from `least` up to `end`."""
    if indices is None or not indices.size:
        return None
    low, high = int(indices.min()), int(indices.max())
    if low < least:
        return low
    return high if high >= end else None


def values_if_known(index: Any) -> np.ndarray[Any, Any] | None:
    """The values of indices, unless they must be computed first."""
    if isinstance(index, Recorded):
        index = None if tracing.running else index._node.value
    if index is None or isinstance(index, Tracer):
        return None
    return np.asarray(index)


def _of_mask(x: Any, key: Any, mask: Any, axis: int) -> list[Any]:
    """Where a mask holds: the mask is computed now."""
    size = list(x.shape[axis : axis + len(mask.shape)])
    if not mask.shape or list(mask.shape) != size:
        raise ShapeError(
            f"index of {as_text(x)} by [{_key_text(key)}]: the mask does not fit",
            rule="a mask has the sizes of the dimensions that it stands for",
        )
    return [to_array(places) for places in np.nonzero(known_mask("index", mask))]


def known_mask(op: str, mask: Any) -> np.ndarray[Any, Any]:
    """The values of a mask.

    Raises: ArgumentError, if they are not known inside a JAX transformation.
    """
    value = mask.__jax_array__() if isinstance(mask, Recorded) else mask
    if isinstance(value, Tracer):
        raise ArgumentError(
            f"{op} by the mask {text(value)} inside a JAX transformation",
            rule="the shape of the result depends on values that are not known there",
            help="use pf.where(mask, x, 0) or x.masked_fill(~mask, 0)",
        )
    return np.asarray(value)


def _bound(bound: Any) -> int | None:
    """One end or the step of a slice.

    Raises: ShapeError, if it is no integer.
    """
    if bound is None or type(bound) is int:
        return bound
    if isinstance(bound, (Recorded, np.integer)):
        return int(bound)
    raise ShapeError(
        f"index by a slice with {bound!r}: {type(bound).__name__} is no bound",
        rule="start, stop and step of a slice are integers or None",
    )


def as_text(x: Any) -> str:
    """An operand for a message: `float32[3, 4]`."""
    return text(as_node(x).aval)


def _key_text(key: Any) -> str:
    return ", ".join(map(_part_text, key if type(key) is tuple else (key,)))


def _part_text(part: Any) -> str:
    if _is_array(part):
        return as_text(part) if kind_of(part) in "bif" else f"{part.dtype} array"
    basic = None if isinstance(part, (list, tuple)) else basic_key(part)
    return repr(part) if basic is None else shape.index_text(basic)[1:-1]
