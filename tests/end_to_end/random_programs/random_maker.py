"""Draws programs: each line is an operation on values that are there already."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from random_choices import Choices
from random_program import (
    LAYOUTS,
    Line,
    Program,
    Staged,
    staged,
    without_dead_lines,
)
from random_values import (
    INTEGERS,
    MAX_RANK,
    MAX_SIZE,
    Known,
    Value,
    is_useful,
)

from lowering.normalise.check import supported_primitives

SUPPORTED = frozenset(supported_primitives())
DRAWN_SHAPES = ((), (1,), (5,), (7,), (3, 4), (7, 5), (1, 6), (2, 3, 4), (5, 1, 3))
_TRIES = 12


@dataclass(frozen=True)
class Draft:
    """An operation before JAX has seen it; `known` of its result."""

    expression: str
    operands: tuple[Value, ...]
    known: Known


Operation = Callable[["Maker"], Draft | None]


@dataclass
class Maker:
    """Values made so far, and how to choose among them."""

    choices: Choices
    dtypes: Sequence[str]
    values: list[Value] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    def whole(self, low: int, high: int) -> int:
        return self.choices.whole(low, high)

    def pick(self, items: Sequence[Any]) -> Any:
        return self.choices.pick(items)

    def flip(self) -> bool:
        return self.pick((False, True))

    def some(self, *wanted: Callable[[Value], bool]) -> Value | None:
        """A value of which all these hold; later ones are likelier."""
        found = [v for v in self.values if all(holds(v) for holds in wanted)]
        if not found:
            return None
        last = found[-4:]
        return self.pick(last if self.flip() else found)

    def like(self, value: Value, *wanted: Callable[[Value], bool]) -> Value:
        """Another value of the same shape and dtype, or the same."""
        same = lambda v: (v.shape, v.dtype) == (value.shape, value.dtype)  # noqa: E731
        return self.some(same, *wanted) or value

    def add(self, operation: Operation) -> bool:
        """One more line, if the operation fits what is there."""
        draft = operation(self)
        if draft is None:
            return False
        line = staged(draft.expression, draft.operands)
        if line is None or not self._is_wanted(line, draft.known):
            return False
        known = draft.known
        value = Value(
            f"v{len(self.lines)}",
            line.shape,
            line.dtype,
            known.exact,
            known.bound,
            known.error,
        )
        names = tuple(dict.fromkeys(v.name for v in draft.operands))
        self.lines.append(Line(value, draft.expression, names))
        self.values.append(value)
        return True

    def _is_wanted(self, line: Staged, known: Known) -> bool:
        """Whether the compiler supports it, and more can be computed from it."""
        size, rank = math.prod(line.shape), len(line.shape)
        return (
            0 < size <= MAX_SIZE
            and rank <= MAX_RANK
            and line.dtype in (*self.dtypes, "bool")
            and line.primitives <= SUPPORTED
            and is_useful(known, line.dtype)
        )


def drawn(
    choices: Choices, operations: Sequence[Operation], dtypes: Sequence[str], seed: int
) -> Program:
    """A program of one to eight lines on one to three inputs."""
    maker = Maker(choices, dtypes)
    inputs = tuple(_inputs(maker))
    maker.values += inputs
    mesh = maker.whole(1, 3), maker.whole(1, 3)
    for _ in range(maker.whole(1, 8)):
        for _ in range(_TRIES):
            if maker.add(maker.pick(operations)):
                break
    if not maker.lines:
        maker.add(_copied)
    layouts = tuple(maker.pick(LAYOUTS) for _ in inputs)
    target = maker.pick(("wse2", "wse3"))
    outputs = _outputs(maker)
    lines = tuple(maker.lines)
    return without_dead_lines(
        Program(inputs, layouts, lines, outputs, mesh, target, seed)
    )


def _copied(maker: Maker) -> Draft:
    value = maker.values[0]
    known = Known(value.bound, value.exact, value.error)
    return Draft(f"jax.lax.stop_gradient({value.name})", (value,), known)


def _inputs(maker: Maker) -> Iterator[Value]:
    shape: tuple[int, ...] = ()
    for number in range(maker.whole(1, 3)):
        if number == 0 or not maker.flip():
            shape = maker.pick(DRAWN_SHAPES)
        dtype = maker.pick(maker.dtypes)
        is_real = dtype not in (*INTEGERS, "bool") and maker.flip()
        bound = 2.0 if is_real else 3.0
        yield Value(f"x{number}", shape, dtype, not is_real, bound)


def _outputs(maker: Maker) -> tuple[str, ...]:
    """The last line, and sometimes others."""
    names = [line.value.name for line in maker.lines]
    others = [name for name in names[:-1] if maker.whole(0, 2) == 0]
    return (*others, names[-1])
