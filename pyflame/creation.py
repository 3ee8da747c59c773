"""Tensors from shapes, values, random numbers and data."""

from __future__ import annotations

import math
import threading
from functools import partial
from typing import Any

import numpy as np
from jax.extend import source_info_util

from pyflame import keys, tracing
from pyflame import node as nodes
from pyflame.arguments import integer_arg, number_arg, shape_arg
from pyflame.convert import to_literal, to_values
from pyflame.dtypes import DType, as_dtype, float32
from pyflame.errors import ArgumentError, DTypeError, ShapeError
from pyflame.layout import MeshLayout, check_layout
from pyflame.node import Op
from pyflame.ops import filled, random
from pyflame.recorded import as_tensor
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


def random_key() -> tuple[Any, Any]:
    """What the next random tensor is made from: the seed and its number."""
    if (source := keys.current()) is not None:
        words, number = source.take()
        return Tensor(nodes.data(words)), number
    key: tuple[Any, Any] = take_random(1)
    if (trace := tracing.current()) is not None:
        key = trace.random_key(*key)
    return key


def zeros(shape: Shape, dtype: object = float32, layout: Layout = None) -> Tensor:
    """All zero."""
    return filled_by("zeros", filled.zeros, (), shape, dtype, layout)


def ones(shape: Shape, dtype: object = float32, layout: Layout = None) -> Tensor:
    """All one."""
    return filled_by("ones", filled.ones, (), shape, dtype, layout)


def empty(shape: Shape, dtype: object = float32, layout: Layout = None) -> Tensor:
    """All zero: what PyTorch leaves undefined has the same values every time here."""
    return filled_by("empty", filled.zeros, (), shape, dtype, layout)


def full(
    shape: Shape, value: float, dtype: object = float32, layout: Layout = None
) -> Tensor:
    """All `value`.

    Raises: ArgumentError, unless it is one number.
    """
    return _full("full", shape, value, dtype, layout)


def eye(
    n: int, m: int | None = None, dtype: object = float32, layout: Layout = None
) -> Tensor:
    """n x m (or n x n), 1 on the diagonal and 0 elsewhere.

    Raises: ArgumentError, unless the sizes are integers of 0 or more.
    """
    rows = integer_arg("eye", "n", n, least=0)
    cols = rows if m is None else integer_arg("eye", "m", m, least=0)
    return filled_by("eye", filled.eye, (), (rows, cols), dtype, layout)


def zeros_like(x: Any, dtype: object = None, layout: Layout = None) -> Tensor:
    """All zero, with the shape, and where none is given dtype and layout, of `x`."""
    return filled_by("zeros_like", filled.zeros, (), *like(x, dtype, layout))


def ones_like(x: Any, dtype: object = None, layout: Layout = None) -> Tensor:
    """All one, with the shape, and where none is given dtype and layout, of `x`."""
    return filled_by("ones_like", filled.ones, (), *like(x, dtype, layout))


def empty_like(x: Any, dtype: object = None, layout: Layout = None) -> Tensor:
    """As `zeros_like`; see `empty`."""
    return filled_by("empty_like", filled.zeros, (), *like(x, dtype, layout))


def full_like(
    x: Any, value: float, dtype: object = None, layout: Layout = None
) -> Tensor:
    """All `value`, with the shape, and where none is given dtype and layout, of `x`.

    Raises: ArgumentError, unless `value` is one number.
    """
    shape, dtype, layout = like(x, dtype, layout)
    return _full("full_like", shape, value, dtype, layout)


def randn(shape: Shape, dtype: object = float32, layout: Layout = None) -> Tensor:
    """Standard normal values; see `manual_seed`."""
    return random_by("randn", random.randn, shape, dtype, layout)


def rand(shape: Shape, dtype: object = float32, layout: Layout = None) -> Tensor:
    """Uniform values in [0, 1); see `manual_seed`."""
    return random_by("rand", random.rand, shape, dtype, layout)


def arange(
    start: float, end: float | None = None, step: float = 1, dtype: object = float32
) -> Tensor:
    """`start`, `start + step`, ... below `end` (above it, if `step` is negative).

    With one argument, from 0. Values are computed in float64, then rounded; of integers
    `start` and `step` are truncated first, as in PyTorch.

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
    if as_dtype(dtype).numpy.kind == "i":
        first, step = int(first), int(step)
    return tensor(first + steps * step, dtype=dtype)


def linspace(start: float, end: float, steps: int, dtype: object = float32) -> Tensor:
    """`steps` evenly spaced values from `start` to `end`, both included.

    Values are computed in float64, then rounded; for integers the bounds and then the
    values are truncated.

    Raises: ArgumentError, if a bound is not finite, or `steps` no integer of 0 or more.
    """
    count = integer_arg("linspace", "steps", steps, least=0)
    bounds = [number_arg("linspace", "bound", bound) for bound in (start, end)]
    if not all(map(math.isfinite, bounds)):
        raise ArgumentError(
            f"linspace from {start} to {end}: there is no such range",
            rule="bounds are finite",
        )
    target = as_dtype(dtype).numpy
    first, last = map(math.trunc, bounds) if target.kind == "i" else bounds
    return tensor(np.linspace(first, last, count).astype(target))


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
    values = to_values(data, dtype)
    node = nodes.given(values, source_info_util.current().traceback)
    if layout is not None:
        node.layout = check_layout("tensor", layout, values.shape)
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
    node.layout = check_layout("tensor", layout, node.value.shape)
    return Tensor(node)


def like(x: Any, dtype: object, layout: Layout) -> tuple[Any, DType, Layout]:
    """Shape, dtype and layout for a tensor like `x`, with what is given instead."""
    model = as_tensor(x)
    chosen = model.dtype if dtype is None else as_dtype(dtype)
    return model.shape, chosen, model._node.layout if layout is None else layout


def _full(name: str, shape: Any, value: Any, dtype: object, layout: Layout) -> Tensor:
    number = value.item() if isinstance(value, (Tensor, np.generic)) else value
    if not isinstance(number, (bool, int, float)):
        raise ArgumentError(
            f"{name}: {value!r} is no number", rule="the fill value is one number"
        )
    return filled_by(name, filled.full, (to_literal(number),), shape, dtype, layout)


def filled_by(
    name: str, op: Op, values: tuple[Any, ...], shape: Any, dtype: object, layout: Any
) -> Tensor:
    """The tensor that an op makes from numbers, a shape and a dtype.

    Raises: ShapeError, if `shape` is none, or the layout does not fit it; DTypeError;
    ArgumentError for what is no layout.
    """
    static = {"shape": _shape(name, shape), "dtype": as_dtype(dtype).value}
    result = apply(op, *values, **static)
    result._node.layout = check_layout(name, layout, static["shape"])
    return result


def random_by(name: str, op: Op, shape: Any, dtype: object, layout: Any) -> Tensor:
    """The random tensor of a float dtype that an op makes.

    Raises: DTypeError for integers and booleans; and as `filled_by`.
    """
    target = as_dtype(dtype)
    if not target.is_floating:
        raise DTypeError(
            f"{name}: random values of {target.name} are not defined",
            rule=f"{name} gives float32, float16 or bfloat16",
        )
    return filled_by(name, op, random_key(), shape, target, layout)


def _shape(name: str, shape: Any) -> tuple[int, ...]:
    sizes = shape_arg(name, shape)
    if min(sizes, default=0) < 0:
        raise ShapeError(
            f"{name}: {list(sizes)} is no shape", rule="sizes are 0 or more"
        )
    return sizes
