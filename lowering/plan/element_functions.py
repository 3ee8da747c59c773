"""Operations on elements, and functions of scalars that are made of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lowering.plan.origins import Origin
from lowering.plan.values import Operand, Value


@dataclass(frozen=True, slots=True)
class ElementOp:
    """`out = kind(operands)`, element by element; shapes are those of `out`.

    The kind "call" is a call of `function`.
    """

    kind: str
    out: Value
    operands: tuple[Operand, ...]
    origin: Origin
    function: ElementFunction | None = None


@dataclass(slots=True)
class WhileLoop:
    """`carries = starts; while (predicate) carries = nexts`, all at once.

    `test` computes the predicate, `body` the next values.
    """

    carries: list[Value]
    starts: list[Operand]
    test: list[Statement]
    predicate: Operand
    body: list[Statement]
    nexts: list[Operand]


@dataclass(slots=True)
class Choice:
    """`results` are those of one of the cases, whose number is `index`, clamped."""

    index: Operand
    results: list[Value]
    cases: list[tuple[list[Statement], list[Operand]]]


Statement = ElementOp | WhileLoop | Choice


@dataclass(eq=False, slots=True)
class ElementFunction:
    """`fn name(parameters) { body; return result; }`; `key` tells it from others."""

    name: str
    key: str
    parameters: list[Value]
    body: list[Statement]
    result: Operand

    def operations(self) -> Iterator[tuple[ElementOp, int]]:
        """Every operation of the body, and how deep in loops it stands."""
        return _operations(self.body, 0)

    def functions(self) -> Iterator[ElementFunction]:
        """The functions that it calls, each before those that call it, and itself."""
        for op, _ in self.operations():
            if op.function is not None:
                yield from op.function.functions()
        yield self


def _operations(
    body: Sequence[Statement], depth: int
) -> Iterator[tuple[ElementOp, int]]:
    for statement in body:
        match statement:
            case ElementOp():
                yield statement, depth
            case WhileLoop():
                yield from _operations([*statement.test, *statement.body], depth + 1)
            case Choice():
                for case, _ in statement.cases:
                    yield from _operations(case, depth)
