"""What a PE's program computes with: values in SRAM, and affine windows on them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from lowering.errors import Place
from lowering.placement import storage_size_bytes, type_text

Role = Literal["input", "output", "temporary", "constant"]
Shape = tuple[int, ...]
FloatOrInt = float | int | bool


@dataclass(eq=False, slots=True)
class Value:
    """An array that lives in the PE's memory, contiguous and row-major.

    `place` is the user's line that made it; `data` the contents of a constant.
    """

    name: str
    shape: Shape
    dtype: np.dtype[Any]
    role: Role = "temporary"
    place: Place | None = None
    data: np.ndarray[Any, Any] | None = None

    @property
    def element_count(self) -> int:
        return math.prod(self.shape)

    @property
    def size_bytes(self) -> int:
        return self.element_count * storage_size_bytes(self.dtype)

    @property
    def type_text(self) -> str:
        """JAX's short form: `f32[4,8]`."""
        return type_text(self.shape, self.dtype)


@dataclass(frozen=True, slots=True)
class View:
    """Element (i0, i1, ...) is element `offset + sum(stride * i)` of `value`."""

    value: Value
    shape: Shape
    strides: tuple[int, ...]
    offset: int = 0

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.value.dtype

    @property
    def is_whole(self) -> bool:
        """Whether the window shows the value's elements in memory order."""
        return (
            self.offset == 0
            and math.prod(self.shape) == self.value.element_count
            and is_contiguous(self.shape, self.strides)
        )

    @property
    def is_scalar(self) -> bool:
        """Whether every element is the same one."""
        return all(
            stride == 0 or size == 1
            for size, stride in zip(self.shape, self.strides, strict=True)
        )


@dataclass(eq=False, slots=True)
class Loop:
    """Steps that run again and again; `name` is its counter's, from 0 on.

    It makes `trips` passes, at least one; None leaves it to the loop's test.
    """

    name: str
    trips: int | None


@dataclass(frozen=True, slots=True)
class Count:
    """`first` and the number of a loop's pass, which counts down if `is_reversed`."""

    loop: Loop
    is_reversed: bool = False
    first: int = 0

    def __str__(self) -> str:
        """The number as text, of the type of the loop's counter."""
        if self.is_reversed:
            return f"({self.loop.trips} - 1 - {self.loop.name})"
        name = self.loop.name
        return f"({name} + {self.first})" if self.first else name


@dataclass(frozen=True, slots=True)
class Constant:
    """One number, as an array of any shape; in a loop it may count the passes."""

    number: FloatOrInt | Count
    shape: Shape
    dtype: np.dtype[Any]
    is_scalar = True


@dataclass(frozen=True, slots=True)
class Ramp:
    """i32: element (i0, i1, ...) is `sum(stride * i)`; what `iota` gives."""

    shape: Shape
    strides: tuple[int, ...]
    dtype: np.dtype[Any]
    is_scalar = False


Operand = View | Constant | Ramp


def whole(value: Value) -> View:
    """The window that shows all of `value`."""
    return View(value, value.shape, contiguous_strides(value.shape))


def contiguous_strides(shape: Shape) -> tuple[int, ...]:
    """Row-major strides in elements."""
    return tuple(math.prod(shape[dim + 1 :]) for dim in range(len(shape)))


def is_contiguous(shape: Shape, strides: tuple[int, ...]) -> bool:
    """Whether the strides are row-major, whatever dimensions of size 1 say."""
    expected = contiguous_strides(shape)
    return all(
        size == 1 or stride == want
        for size, stride, want in zip(shape, strides, expected, strict=True)
    )


def strides_of(operand: Operand) -> tuple[int, ...]:
    """Strides in elements; all zero for a constant."""
    if isinstance(operand, Constant):
        return (0,) * len(operand.shape)
    return operand.strides


def with_dims(operand: Operand, shape: Shape, strides: tuple[int, ...]) -> Operand:
    """The same elements under another shape."""
    if isinstance(operand, Constant):
        return replace(operand, shape=shape)
    return replace(operand, shape=shape, strides=strides)


def collapse(
    shape: Shape, all_strides: list[tuple[int, ...]]
) -> tuple[Shape, list[tuple[int, ...]]]:
    """Merges neighbouring dimensions that every operand walks in one stride.

    Dimensions of size 1 vanish; what is left of a scalar is one dimension of size 1.
    """
    dims: list[tuple[int, tuple[int, ...]]] = []
    for dim, size in enumerate(shape):
        if size == 1:
            continue
        strides = tuple(each[dim] for each in all_strides)
        if dims and dims[-1][1] == tuple(stride * size for stride in strides):
            dims[-1] = (dims[-1][0] * size, strides)
        else:
            dims.append((size, strides))
    if not dims:
        dims = [(1, (0,) * len(all_strides))]
    merged = tuple(size for size, _ in dims)
    return merged, [tuple(s[n] for _, s in dims) for n in range(len(all_strides))]
