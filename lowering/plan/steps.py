"""What a PE does, one step after the other; the plan is a list of these."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from lowering.dtypes import is_narrow
from lowering.mesh import Axis
from lowering.plan.control import Start
from lowering.plan.element_functions import ElementOp
from lowering.plan.origins import OneEquation, OneOperand, Origin, Step
from lowering.plan.values import Constant, Count, Operand, Value, View

ReduceOp = Literal["sum", "max", "min"]


@dataclass(slots=True)
class ElementStep(Step):
    """Element-wise operations over one shape: one vector operation, or one loop.

    `locals` are results that nobody outside the loop reads: they need no memory.
    """

    ops: list[ElementOp]
    locals: frozenset[Value] = frozenset()

    @property
    def origins(self) -> list[Origin]:
        return [op.origin for op in self.ops]

    def operands(self) -> Iterator[Operand]:
        for op in self.ops:
            yield from op.operands

    def reads(self) -> list[Value]:
        """Values that stand in memory before the step, what it overwrites included."""
        read: dict[Value, None] = {}
        made: set[Value] = set()
        for op in self.ops:
            for operand in op.operands:
                if isinstance(operand, View) and operand.value not in made:
                    read[operand.value] = None
            made.add(op.out)
        return list(read)

    def writes(self) -> list[Value]:
        return [op.out for op in self.ops if op.out not in self.locals]


@dataclass(slots=True)
class DotStep(OneEquation):
    """`out[m, n] = a[m, k] b[k, n]`, or `out += ...` if it `adds`.

    With `products`, f32[k], each element of `out` is the sum of the products of a row
    and a column, which stand there while they are summed.
    """

    out: Value
    a: View
    b: View
    origin: Origin
    products: Value | None = None
    adds: bool = False

    def reads(self) -> list[Value]:
        read = [self.a.value, self.b.value]
        return [*read, self.out] if self.adds else read

    def writes(self) -> list[Value]:
        return [self.out] if self.products is None else [self.out, self.products]


@dataclass(slots=True)
class ReduceStep(OneOperand):
    """`out[kept] = op over reduced of x[kept + reduced]`; the last dims are reduced."""

    out: Value
    op: ReduceOp
    x: View
    kept_rank: int
    origin: Origin


@dataclass(slots=True)
class IndexStep(OneEquation):
    """`out = ` this PE's coordinate along `axis`, i32[]."""

    out: Value
    axis: Axis
    origin: Origin

    def writes(self) -> list[Value]:
        return [self.out]


@dataclass(slots=True)
class ZeroUnlessStep(OneEquation):
    """Clears `value` on every PE but the one at index `root` of its line."""

    value: Value
    axis: Axis
    root: int
    origin: Origin

    def reads(self) -> list[Value]:
        return [self.value]

    def writes(self) -> list[Value]:
        return [self.value]


@dataclass(slots=True)
class FillStep(OneEquation):
    """`value` in place, its padding along `dim` replaced by `number`.

    Element i of the tile is padding if index * tile + i >= `length`, where index is
    this PE's coordinate along `axis`.
    """

    value: Value
    axis: Axis
    dim: int
    length: int
    number: float | int | bool
    origin: Origin

    def reads(self) -> list[Value]:
        return [self.value]

    def writes(self) -> list[Value]:
        return [self.value]


@dataclass(slots=True)
class CutStep(OneOperand):
    """`out = x[..., index * tile :, ...]` along `dim`: a PE's tile of a whole value.

    `tile` is the size of `out` along `dim`; elements beyond the end of x are zero.
    `is_even` says that there are none.
    """

    out: Value
    x: View
    axis: Axis
    dim: int
    is_even: bool
    origin: Origin


# A number, or one that the program knows only when it runs.
Root = int | Count | View

MoveKind = Literal[
    "reduce_inward",
    "reduce_star",
    "reduce_groups",
    "reduce_across",
    "relay_inward",
    "gather_inward",
    "pass_inward",
    "gather_star",
    "flood",
    "shift",
]
# The channels of an axis that each kind runs over; a shift outward has its own.
_CHANNELS: dict[MoveKind, str] = {
    "reduce_star": "star",
    "reduce_across": "across",
    "gather_star": "star",
    "flood": "flood",
}


@dataclass(slots=True)
class MoveStep(OneEquation):
    """One asynchronous exchange along a line of `size` PEs.

    reduce_inward  PE 0 gets the `op` over the line of `target`, in place: each PE adds
                   its own to what comes from outside, and sends that inward
    reduce_star    the same: every PE sends its own, and PE 0 adds them in order
    reduce_groups  the same for each `group` of neighbours and its first PE
    reduce_across  the same for the first PEs of all groups
    relay_inward   PE 0 gets `target` of the PE at `root`, in place; all of the line
                   agree on the root
    gather_inward  every PE sends `source` inward; PE 0 joins them in `target`, along
                   `dim`
    pass_inward    the PEs between forward what the outer ones sent
    gather_star    the same as both, by routers that let the outer PEs' tiles pass
    flood          every PE gets `target` of PE 0
    shift          `target` is `source` of the neighbour, outward or inward by `step`;
                   zeros where there is no neighbour

    Inward is toward PE 0 of the line (west, north). `extent_elements` counts what one
    PE contributes; two elements of 16 bits travel in one word, the last one beside
    whatever stands behind it. In flight the PE's memory is read and written as `reads`
    and `writes` say, and by nothing else.
    """

    kind: MoveKind
    axis: Axis
    size: int
    target: Value
    extent_elements: int
    origin: Origin
    source: Value | None = None
    op: Literal["sum", "max"] = "sum"
    root: Root = 0
    step: int = 0
    dim: int = 0
    group: int = 0

    @property
    def extent_words(self) -> int:
        """The wavelets of what one PE contributes."""
        per_word = 2 if is_narrow(self.target.dtype) else 1
        return -(-self.extent_elements // per_word)

    @property
    def packed(self) -> list[Value]:
        """The values of 16-bit elements that travel as whole words."""
        values = [self.target] if self.source is None else [self.target, self.source]
        return [value for value in values if is_narrow(value.dtype)]

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels of the axis that the exchange runs over."""
        if self.kind == "shift" and self.step > 0:
            return ("outward",)
        return (_CHANNELS.get(self.kind, "inward"),)

    def reads(self) -> list[Value]:
        if self.kind == "pass_inward":
            return []
        is_new = self.kind in ("gather_inward", "gather_star", "shift")
        read = [] if is_new else [self.target]
        if isinstance(self.root, View):
            read.append(self.root.value)
        return read if self.source is None else [*read, self.source]

    def writes(self) -> list[Value]:
        return [] if self.kind == "pass_inward" else [self.target]


def _values_of(starts: tuple[Start, ...]) -> list[Value]:
    return [start.index.value for start in starts if isinstance(start.index, View)]


@dataclass(slots=True)
class TakeStep(OneEquation):
    """`out = x`, its window moved by `starts`."""

    out: Value
    x: View
    starts: tuple[Start, ...]
    origin: Origin

    @property
    def x_count(self) -> int:
        """The number of elements that move."""
        return math.prod(self.x.shape)

    def reads(self) -> list[Value]:
        return [self.x.value, *_values_of(self.starts)]

    def writes(self) -> list[Value]:
        return [self.out]


@dataclass(slots=True)
class PutStep(OneEquation):
    """`window`, moved by `starts`, of its value becomes `x`; the rest stays."""

    window: View
    x: View | Constant
    starts: tuple[Start, ...]
    origin: Origin

    @property
    def x_count(self) -> int:
        """The number of elements that move."""
        return math.prod(self.x.shape)

    def reads(self) -> list[Value]:
        read = _values_of(self.starts)
        return [self.x.value, *read] if isinstance(self.x, View) else read

    def writes(self) -> list[Value]:
        return [self.window.value]
