"""The memory vectors of a PE program: one `const` per distinct window on a buffer."""

from __future__ import annotations

from dataclasses import dataclass

from lowering.emit.text import LOOP_NAMES, index_text
from lowering.plan.allocate import Allocation
from lowering.plan.names import Names
from lowering.plan.values import Shape, Value, View, collapse, whole
from lowering.target import Target


@dataclass(frozen=True, slots=True)
class DsdDeclaration:
    name: str
    text: str


class Dsds:
    """Declares memory vectors on demand and remembers them.

    A window that walks memory in one stride is a `mem1d_dsd`, any other a
    `mem4d_dsd`, which repeats elements (stride 0) and takes strides beyond i8.
    """

    def __init__(self, allocation: Allocation, target: Target, names: Names) -> None:
        self._buffer_of = allocation.buffer_of
        self._target = target
        self._names = names
        self._known: dict[tuple[str, Shape, tuple[int, ...], int], str] = {}
        self.declarations: list[DsdDeclaration] = []

    def buffer_name(self, value: Value) -> str:
        return self._buffer_of[value].name

    def whole(self, value: Value) -> str:
        return self.view(whole(value))

    def view(self, view: View) -> str:
        """The name of the vector that runs through the view in row-major order."""
        shape, (strides,) = collapse(view.shape, [view.strides])
        return self.vector(view.value, shape, strides, view.offset)

    def vector(
        self, value: Value, shape: Shape, strides: tuple[int, ...], offset: int
    ) -> str:
        """The name of the vector over these dimensions, declared if it is new."""
        buffer = self.buffer_name(value)
        strides = (1,) if shape == (1,) else strides
        key = (buffer, shape, strides, offset)
        if key not in self._known:
            name = self._names.unique(self._wanted(value, shape, strides))
            self._known[key] = name
            text = self._declaration(buffer, shape, strides, offset)
            self.declarations.append(DsdDeclaration(name, text))
        return self._known[key]

    def _wanted(self, value: Value, shape: Shape, strides: tuple[int, ...]) -> str:
        """The buffer's name for all of it, the value's for a window on it."""
        if strides == (1,) and shape == (self._buffer_of[value].element_count,):
            return f"{self.buffer_name(value)}_dsd"
        if strides == (1,) and shape == (value.element_count,):
            return f"{value.name}_dsd"
        return f"{value.name}_{_shape_word(strides)}"

    def fits(self, shape: Shape, strides: tuple[int, ...]) -> bool:
        """Whether one vector of memory can run through these dimensions."""
        target = self._target
        return (
            len(shape) <= target.max_dsd_rank
            and all(size <= target.max_extent_elements for size in shape)
            and all(abs(stride) <= target.max_mem4d_stride for stride in strides)
        )

    def _declaration(
        self, buffer: str, shape: Shape, strides: tuple[int, ...], offset: int
    ) -> str:
        assert self.fits(shape, strides), "no vector runs through these dimensions"
        linear = len(shape) == 1 and strides[0] <= self._target.max_mem1d_stride
        kind = "mem1d_dsd" if linear else "mem4d_dsd"
        names = LOOP_NAMES[: len(shape)]
        bounds = ", ".join(map(str, shape))
        index = index_text(names, strides, offset)
        access = f"|{', '.join(names)}|{{{bounds}}} -> {buffer}[{index}]"
        return f"@get_dsd({kind}, .{{ .tensor_access = {access} }})"


def _shape_word(strides: tuple[int, ...]) -> str:
    """What the window looks like, for its name."""
    if len(strides) == 1:
        return "row" if strides[0] == 1 else "column"
    if strides[-1] == 0:
        return "repeated"
    return "tiled" if 0 in strides else "block"
