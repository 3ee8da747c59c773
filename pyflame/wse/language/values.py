"""Comptime values that are not plain Python numbers, strings, bools or Types.

An int, bool, float or str stands for itself; its CSL type travels beside it. Floats
are kept as Python floats that the type can represent exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pyflame.wse.language.source import Span
from pyflame.wse.language.types import Struct, Type

if TYPE_CHECKING:
    from pyflame.wse.language.code import Function, GlobalVariable


@dataclass(frozen=True, slots=True, eq=False)
class FunctionValue:
    """A function or task that code may call, bind or pass on."""

    function: Function


@dataclass(frozen=True, slots=True)
class ArrayValue:
    """Elements in row-major order: NumPy for numbers, a list for anything else."""

    elements: np.ndarray | list[Any]


@dataclass(frozen=True, slots=True)
class StructValue:
    """Field values in the order of the struct type.

    `spans` tells where each was written, if anywhere; it takes no part in equality.
    """

    type: Struct
    values: tuple[Any, ...]
    spans: tuple[Span, ...] = field(default=(), compare=False, repr=False)

    def get(self, name: str) -> Any:
        assert self.type.names is not None
        return self.values[self.type.names.index(name)]


@dataclass(frozen=True, slots=True)
class PointerValue:
    """The address of a place inside a global: resolved when memory is laid out."""

    variable: GlobalVariable
    offset_bytes: int = 0


@dataclass(frozen=True, slots=True)
class RangeValue:
    start: int
    stop: int
    step: int


@dataclass(frozen=True, slots=True)
class DsdValue:
    """A DSD known at comptime.

    Args:
        kind: mem1d_dsd, mem4d_dsd, fabin_dsd, fabout_dsd.
        fields: as `@get_dsd` takes them, `tensor_access` already lowered: memory:
            base_address (PointerValue), offset (elements), stride (tuple, innermost
            first), extent (tuple, outermost first), wavelet_index_offset; fabric:
            fabric_color, extent (int), input_queue/output_queue, control,
            simd_mode, zero, advance_switch, control_transform, priority.
        element: element type of the tensor the DSD was built over, if known; strides
            and offsets count elements of the operation that uses it.
    """

    kind: str
    fields: dict[str, Any] = field(hash=False)
    element: Type | None = None


@dataclass(frozen=True, slots=True)
class DsrValue:
    """`@get_dsr(kind, n)`, `@get_xdsr(n)` or `@get_sr(n)`."""

    kind: str
    number: int


@dataclass(frozen=True, slots=True, eq=False)
class FifoValue:
    """`@allocate_fifo(buffer, config)`: one object per allocation."""

    buffer: PointerValue
    element: Type
    capacity_elements: int
    config: dict[str, Any]
