"""Tensors from shapes, values, random numbers and data."""

from __future__ import annotations

import math
import threading
from functools import partial
from typing import Any

import numpy as np
from jax.extend import source_info_util

from pyflame import node as nodes
from pyflame import tracing
from pyflame.arguments import shape_arg
from pyflame.convert import to_array, to_literal
from pyflame.dtypes import as_dtype, float32
from pyflame.errors import ArgumentError, DTypeError, ShapeError
from pyflame.layout import MeshLayout, check_layout
from pyflame.node import Op
from pyflame.ops import filled, random
from pyflame.tensors import Tensor, apply

Shape = list[int] | tuple[int, ...] | int
Layout = MeshLayout | None


class _Generator:
    """The seed, and how many random tensors were asked for since it was set."""

    def __init__(self, seed: int, taken: int = 0) -> None:
        self.seed = seed
        self.taken = taken
        self._lock = threading.Lock()

    def take(self, count: int) -> int:
        """The number of the first of so many requests."""
        with self._lock:
            first, self.taken = self.taken, self.taken + count
        return first


_generator = _Generator(0)


def manual_seed(seed: int) -> None:
    """Starts the sequence of random tensors anew.

    The k-th random tensor after a seed always has the same values, whenever and in
    whatever order it is computed.

    Raises: ArgumentError, unless `seed` is an integer that fits 32 bits.
    """
    global _generator
    if not isinstance(seed, int) or not -(2**31) <= seed < 2**31:
        raise ArgumentError(
            f"manual_seed: {seed!r} is no seed",
            rule="a seed is an integer from -2147483648 to 2147483647",
        )
    if (trace := tracing.current()) is not None:
        trace.reseeded(partial(set_random_state, *random_state()))
    _generator = _Generator(seed)


def random_state() -> tuple[int, int]:
    """The seed, and how many random tensors were asked for since."""
    return _generator.seed, _generator.taken


def set_random_state(seed: int, taken: int) -> None:
    """Goes on from what `random_state` gave."""
    global _generator
    _generator = _Generator(seed, taken)


def take_random(count: int) -> tuple[int, int]:
    """The seed, and the number of the first of so many random requests."""
    generator = _generator
    return generator.seed, generator.take(count)


def zeros(shape: Shape, dtype: object = float32, layout: Layout = None) -> Tensor:
    """All zero."""
    return _filled("zeros", filled.zeros, (), shape, dtype, layout)


def ones(shape: Shape, dtype: object = float32, layout: Layout = None) -> Tensor:
    """All one."""
    return _filled("ones", filled.ones, (), shape, dtype, layout)


def full(
    shape: Shape, value: float, dtype: object = float32, layout: Layout = None
) -> Tensor:
    """All `value`."""
    number = value.item() if isinstance(value, (Tensor, np.generic)) else value
    if not isinstance(number, (bool, int, float)):
        raise ArgumentError(
            f"full: {value!r} is no number", rule="the fill value is one number"
        )
    return _filled("full", filled.full, (to_literal(number),), shape, dtype, layout)


def randn(shape: Shape, dtype: object = float32, layout: Layout = None) -> Tensor:
    """Standard normal values; see `manual_seed`."""
    return _random("randn", random.randn, shape, dtype, layout)


def rand(shape: Shape, dtype: object = float32, layout: Layout = None) -> Tensor:
    """Uniform values in [0, 1); see `manual_seed`."""
    return _random("rand", random.rand, shape, dtype, layout)


def arange(
    start: float, end: float | None = None, step: float = 1, dtype: object = float32
) -> Tensor:
    """`start`, `start + step`, ... below `end` (above it, if `step` is negative).

    With one argument, from 0. Values are computed in float64, then rounded.

    Raises: ArgumentError, if a bound is not finite or the step leads away from `end`.
    """
    first, last = (0, start) if end is None else (start, end)
    if not all(map(math.isfinite, (first, last, step))) or step == 0:
        raise ArgumentError(
            f"arange from {first} to {last} by {step}: there is no such range",
            rule="bounds and step are finite, and the step is not 0",
        )
    if (last - first) * step < 0:
        raise ArgumentError(
            f"arange from {first} to {last} by {step}: the step leads away from "
            "the end",
            rule="a positive step goes up, a negative one down",
        )
    steps = np.arange(math.ceil((last - first) / step))
    return tensor(first + steps * step, dtype=dtype)


def tensor(data: Any, dtype: object = None, layout: Layout = None) -> Tensor:
    """A tensor with a copy of `data`: a number, nested lists, an array or a Tensor.

    Numbers and lists become float32 (booleans stay boolean); arrays keep their kind,
    with float64 as float32 and int64 as int32.

    Raises: DTypeError, if the dtype has no counterpart; ArgumentError, if the data is
    ragged or an integer does not fit.
    """
    if isinstance(data, Tensor):
        cast = data if dtype is None else data.to(dtype)
        return cast if layout is None else _laid_out(cast, layout)
    node = nodes.data(to_array(data, dtype), source_info_util.current().traceback)
    node.layout = check_layout("tensor", layout)
    return Tensor(node)


def from_numpy(arr: np.ndarray[Any, Any], layout: Layout = None) -> Tensor:
    """A tensor with a copy of a NumPy array; float64 and int64 become 32 bits wide.

    Raises: DTypeError, if `arr` is no NumPy array or its dtype has no counterpart.
    """
    if not isinstance(arr, np.ndarray):
        raise DTypeError(
            f"from_numpy: {type(arr).__name__} is no NumPy array",
            help="use pf.tensor for lists and numbers",
        )
    return tensor(arr, layout=layout)


def _laid_out(x: Tensor, layout: Any) -> Tensor:
    """The values of `x` as data with a layout of its own."""
    node = nodes.data(x.__jax_array__(), source_info_util.current().traceback)
    node.layout = check_layout("tensor", layout)
    return Tensor(node)


def _filled(
    name: str, op: Op, values: tuple[Any, ...], shape: Any, dtype: object, layout: Any
) -> Tensor:
    static = {"shape": _shape(name, shape), "dtype": as_dtype(dtype).value}
    result = apply(op, *values, **static)
    result._node.layout = check_layout(name, layout)
    return result


def _random(name: str, op: Op, shape: Any, dtype: object, layout: Any) -> Tensor:
    target = as_dtype(dtype)
    if not target.is_floating:
        raise DTypeError(
            f"{name}: random values of {target.name} are not defined",
            rule=f"{name} gives float32, float16 or bfloat16",
        )
    key: tuple[Any, Any] = take_random(1)
    if (trace := tracing.current()) is not None:
        key = trace.random_key(*key)
    return _filled(name, op, key, shape, target, layout)


def _shape(name: str, shape: Any) -> tuple[int, ...]:
    sizes = shape_arg(name, shape)
    if min(sizes, default=0) < 0:
        raise ShapeError(
            f"{name}: {list(sizes)} is no shape", rule="sizes are 0 or more"
        )
    return sizes
