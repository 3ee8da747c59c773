"""A call of a builtin, and the ways its handler looks at the arguments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyflame.wse.language import code, tree, types
from pyflame.wse.language.coercions import coerce
from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.dispatch import evaluate
from pyflame.wse.language.operands import (
    fields_of,
    is_known,
    need_integer,
    need_known,
    need_string,
    need_type,
    void,
)
from pyflame.wse.language.run_time import run_time
from pyflame.wse.language.source import Span
from pyflame.wse.language.state import Frame, Program
from pyflame.wse.language.types import Type


@dataclass(slots=True)
class Invocation:
    """One call of a builtin in some frame."""

    frame: Frame
    node: tree.BuiltinCall
    expected: Type | None = None

    @property
    def span(self) -> Span:
        return self.node.span

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def count(self) -> int:
        return len(self.node.arguments)

    @property
    def program(self) -> Program:
        return self.frame.program

    def operand(self, index: int, expected: Type | None = None) -> code.Expression:
        return evaluate(self.frame, self.node.arguments[index], expected)

    def typed(self, index: int, type_: Type) -> code.Expression:
        """An argument coerced to a type."""
        return coerce(self.operand(index, type_), type_)

    def known(self, index: int, what: str) -> code.Constant:
        return need_known(self.operand(index), what)

    def type(self, index: int) -> Type:
        node = self.node.arguments[index]
        return need_type(evaluate(self.frame.at_comptime(), node))

    def string(self, index: int, what: str) -> str:
        return need_string(self.operand(index), what)

    def integer(self, index: int, what: str, low: int, high: int) -> int:
        """A comptime integer of any integer type within bounds.

        Raises:
            CslError: not an integer, not known, or out of range.
        """
        return self.check_range(self.operand(index), what, low, high)

    def check_range(
        self, operand: code.Expression, what: str, low: int, high: int
    ) -> int:
        value = need_integer(operand, what)
        if not low <= value <= high:
            fail(f"{what} {value} is out of range ({low} to {high})", operand.span)
        return value

    def fields(self, index: int, what: str) -> dict[str, code.Expression]:
        """The fields of a configuration struct; none if it is left out."""
        if index >= self.count:
            return {}
        return fields_of(self.operand(index), what)

    def constant(self, type_: Type, value: Any) -> code.Constant:
        return code.Constant(type_, self.span, value)

    def bool(self, value: bool) -> code.Constant:
        return code.Constant(types.BOOL, self.span, value)

    def void(self) -> code.Constant:
        return void(self.span)

    def run_time(self, operand: code.Expression) -> code.Expression:
        return run_time(self.program, operand, operand.span)

    def emit(
        self,
        result: Type,
        arguments: list[code.Expression],
        config: dict[str, code.Expression] | None = None,
    ) -> code.Expression:
        """A builtin that acts at run time."""
        made = tuple(self.run_time_or_type(a) for a in arguments)
        kept = {k: self.run_time_or_type(v) for k, v in (config or {}).items()}
        return code.BuiltinCall(result, self.span, self.name, made, kept)

    def run_time_or_type(self, operand: code.Expression) -> code.Expression:
        if is_known(operand) and operand.type in (types.TYPE, types.COMPTIME_STRING):
            return operand
        return self.run_time(operand)


def all_known(operands: list[code.Expression]) -> bool:
    return all(is_known(o) for o in operands)
