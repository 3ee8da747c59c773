"""Functions of scalars as CSL: `functions.csl`, which the program calls per element.

A result that is read once is written where it is read, as long as the line stays short
and no loop comes between.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from lowering.dtypes import SCALAR_TYPES
from lowering.emit.elements import Locals, expression, in_dtype
from lowering.plan.element_functions import (
    Choice,
    ElementFunction,
    ElementOp,
    Statement,
    WhileLoop,
)
from lowering.plan.element_ops import KINDS
from lowering.plan.origins import Step
from lowering.plan.steps import ElementStep
from lowering.plan.values import Operand, Value, View

_LONGEST = 64  # characters of an expression inside another
_LONGEST_LINE = 72  # of all expressions inside one
_CALL = re.compile(r"[@\w.]+\(")


def functions_called(steps: Iterable[Step]) -> list[ElementFunction]:
    """Every function that the steps call, each once, and before those that call it."""
    found: dict[str, ElementFunction] = {}
    for step in steps:
        for op in step.ops if isinstance(step, ElementStep) else []:
            for function in op.function.functions() if op.function else ():
                known = found.setdefault(function.name, function)
                assert known.key == function.key, f"two functions {function.name}"
    return list(found.values())


def function_text(function: ElementFunction) -> str:
    """`fn name(x: f32) f32 { ... }`"""
    writer = _Writer(_uses(function), _value_of(function.result))
    for parameter in function.parameters:
        writer.known[parameter] = parameter.name
    writer.write(function.body)
    parameters = ", ".join(f"{p.name}: {_type(p)}" for p in function.parameters)
    head = f"fn {function.name}({parameters}) {_type(function.result)} {{"
    lines = [head, *writer.lines, f"  return {writer.bare(function.result)};", "}"]
    return "\n".join(lines)


def _type(operand: Operand | Value) -> str:
    return SCALAR_TYPES[str(operand.dtype)]


def _kind_text(op: ElementOp) -> str:
    return KINDS[op.kind].text_for(str(op.operands[-1].dtype))


def _value_of(operand: Operand) -> Value | None:
    return operand.value if isinstance(operand, View) else None


def _is_call(text: str) -> bool:
    """Whether the text is one call, whose parentheses end with it."""
    start = _CALL.match(text)
    depth = 1 if start else 0
    position = start.end() if start else 0
    while depth and position < len(text):
        depth += {"(": 1, ")": -1}.get(text[position], 0)
        position += 1
    return start is not None and depth == 0 and position == len(text)


def _uses(function: ElementFunction) -> Counter[Value]:
    uses: Counter[Value] = Counter()

    def count(operands: Iterable[Operand]) -> None:
        uses.update(o.value for o in operands if isinstance(o, View))

    def walk(body: Sequence[Statement]) -> None:
        for statement in body:
            match statement:
                case ElementOp():
                    count(statement.operands)
                case WhileLoop():
                    count([*statement.starts, statement.predicate, *statement.nexts])
                    walk(statement.test)
                    walk(statement.body)
                case Choice():
                    count([statement.index])
                    for case, results in statement.cases:
                        count(results)
                        walk(case)

    walk(function.body)
    count([function.result])
    return uses


@dataclass(slots=True)
class _Writer:
    """Writes statements; `known` holds what stands for each value so far.

    `pending` are expressions that wait for their reader.
    """

    uses: Counter[Value]
    result: Value | None
    known: dict[Value, str] = field(default_factory=dict[Value, str])
    pending: dict[Value, str] = field(default_factory=dict[Value, str])
    products: set[Value] = field(default_factory=set[Value])
    lines: list[str] = field(default_factory=list[str])
    indent: str = "  "

    def write(self, body: Sequence[Statement]) -> None:
        for statement in body:
            match statement:
                case ElementOp():
                    self._operation(statement)
                case WhileLoop():
                    self._loop(statement)
                case Choice():
                    self._choice(statement)

    def bare(self, operand: Operand) -> str:
        """The operand's text, without parentheses around all of it."""
        if isinstance(operand, View) and operand.value in self.pending:
            return self.pending.pop(operand.value)
        return self._text(operand)

    def _text(self, operand: Operand) -> str:
        if isinstance(operand, View) and operand.value in self.pending:
            text = self.pending.pop(operand.value)
            return text if _is_call(text) else f"({text})"
        return Locals(self.known).text(operand)

    def _operation(self, op: ElementOp) -> None:
        views = [operand for operand in op.operands if isinstance(operand, View)]
        self._shorten([view.value for view in views if view.value in self.pending])
        read = {view.value: self._inside_of(op, view) for view in views}
        plain = expression(op, Locals(read, module=""))
        text = in_dtype(op, plain)
        is_short = op.out is self.result or len(text) <= _LONGEST
        if is_short and self.uses[op.out] == 1:
            self.pending[op.out] = text
            if op.kind == "mul" and text == plain:
                self.products.add(op.out)
        else:
            self._name(op.out, text)

    def _shorten(self, values: list[Value]) -> None:
        """Names the longest of what stands inside one expression, until it is short."""
        waiting = sorted(values, key=lambda value: len(self.pending[value]))
        while sum(len(self.pending[value]) for value in waiting) > _LONGEST_LINE:
            longest = waiting.pop()
            self._name(longest, self.pending.pop(longest))

    def _inside_of(self, op: ElementOp, operand: View) -> str:
        """Without parentheses, where commas or the order of operators part it."""
        is_condition = op.kind == "select_n" and operand is op.operands[0]
        is_argument = (
            is_condition or op.function is not None or _is_call(_kind_text(op))
        )
        is_term = op.kind in ("add", "sub") and operand.value in self.products
        return self.bare(operand) if is_argument or is_term else self._text(operand)

    def _name(self, value: Value, text: str) -> None:
        self._line(f"const {value.name}: {_type(value)} = {text};")
        self.known[value] = value.name

    def _line(self, text: str) -> None:
        self.lines.append(self.indent + text)

    def _settle(self) -> None:
        """Names what is pending: a loop would compute it again and again."""
        for value in list(self.pending):
            self._name(value, self.pending.pop(value))

    def _loop(self, loop: WhileLoop) -> None:
        for carry, start in zip(loop.carries, loop.starts, strict=True):
            self._line(f"var {carry.name}: {_type(carry)} = {self.bare(start)};")
            self.known[carry] = carry.name
        self._settle()
        before = len(self.lines)
        self._inside(loop.test)
        if len(self.lines) == before:
            self._line(f"while ({self.bare(loop.predicate)}) {{")
        else:
            self.lines.insert(before, f"{self.indent}while (true) {{")
            self._line(f"  if (!({self.bare(loop.predicate)})) {{ break; }}")
        self._inside(loop.body, loop)
        self._line("}")

    def _inside(self, body: Sequence[Statement], loop: WhileLoop | None = None) -> None:
        self.indent += "  "
        self.write(body)
        if loop is not None:
            self._advance(loop)
        self.indent = self.indent[:-2]

    def _advance(self, loop: WhileLoop) -> None:
        """All carries change at once: none is overwritten that another still reads."""
        pairs = [
            (carry, new)
            for carry, new in zip(loop.carries, loop.nexts, strict=True)
            if not (isinstance(new, View) and new.value is carry)
        ]
        if len(pairs) > 1:
            self._settle()
        overwritten = [carry for carry, _ in pairs]
        texts = [
            self._kept(new) if self._is_one_of(new, overwritten[:position]) else None
            for position, (_, new) in enumerate(pairs)
        ]
        for (carry, new), text in zip(pairs, texts, strict=True):
            self._line(f"{carry.name} = {text or self.bare(new)};")

    @staticmethod
    def _is_one_of(new: Operand, carries: Sequence[Value]) -> bool:
        return isinstance(new, View) and new.value in carries

    def _kept(self, carry: Operand) -> str:
        """The name of a copy of what the carry is before it changes."""
        assert isinstance(carry, View), "numbers do not change"
        name = f"last_{carry.value.name}"
        self._line(f"const {name}: {_type(carry)} = {carry.value.name};")
        return name

    def _choice(self, choice: Choice) -> None:
        index = self._text(choice.index)
        self._settle()
        for result in choice.results:
            self._line(f"var {result.name}: {_type(result)};")
        for number, (case, results) in enumerate(choice.cases):
            last = number == len(choice.cases) - 1
            test = (
                "" if last else f"if ({index} {'<=' if not number else '=='} {number}) "
            )
            self._line(f"{'} else ' if number else ''}{test}{{")
            self._case(case, results, choice.results)
        self._line("}")
        self.known.update((result, result.name) for result in choice.results)

    def _case(
        self, case: list[Statement], results: list[Operand], targets: list[Value]
    ) -> None:
        self.indent += "  "
        self.write(case)
        for target, result in zip(targets, results, strict=True):
            self._line(f"{target.name} = {self.bare(result)};")
        self.indent = self.indent[:-2]
