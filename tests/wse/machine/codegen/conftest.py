"""A builder for typed code, so that tests need no parser."""

from __future__ import annotations

from typing import Any

import pytest

from pyflame.wse.language import code, types
from pyflame.wse.language.image import PeProgram
from pyflame.wse.language.source import Source, Span
from pyflame.wse.machine.costs import WSE3
from pyflame.wse.machine.interpreter import ProgramCode, compile_program
from pyflame.wse.machine.memory import Memory

TEXT = "x = here + there;"


class FakePe:
    """What plain code needs of a PE."""

    def __init__(self) -> None:
        self.x, self.y, self.clock, self.max_cycles = 2, 1, 0, 1_000_000
        self.memory = Memory()
        self.guard = None
        self.slots: list[Any] = []
        self.costs = WSE3
        self.calls: list[tuple[Any, ...]] = []

    def activate(self, id_: int) -> None:
        self.calls.append(("activate", id_))

    def run_memory_op(self, operation: Any) -> bool:
        self.calls.append(("run", operation))
        return True

    def start_async(self, operation: Any) -> None:
        self.calls.append(("start", operation, self.clock))


class Builder:
    def __init__(self) -> None:
        self.span = Span(Source("pe.csl", TEXT), 4, 8)
        self.program = PeProgram("pe.csl")
        self.pe = FakePe()
        self.compiled: ProgramCode | None = None

    # --- nodes ---

    def k(self, value: Any, type_: types.Type = types.I16) -> code.Constant:
        return code.Constant(type_, self.span, value)

    def local(
        self, name: str, type_: types.Type = types.I16, in_memory: bool = False
    ) -> code.LocalVariable:
        return code.LocalVariable(name, type_, in_memory)

    def var(self, variable: Any) -> code.Variable:
        return code.Variable(variable.type, self.span, variable)

    def op(self, operator: str, left: Any, right: Any) -> code.Binary:
        left, right = self.node(left), self.node(right)
        return code.Binary(left.type, self.span, operator, left, right)

    def cmp(self, operator: str, left: Any, right: Any) -> code.Compare:
        left, right = self.node(left), self.node(right)
        return code.Compare(types.BOOL, self.span, operator, left, right)

    def logic(self, operator: str, left: Any, right: Any) -> code.Logical:
        return code.Logical(
            types.BOOL, self.span, operator, self.node(left), self.node(right)
        )

    def unary(self, operator: str, operand: Any) -> code.Unary:
        operand = self.node(operand)
        return code.Unary(operand.type, self.span, operator, operand)

    def cast(self, type_: types.Type, operand: Any) -> code.Convert:
        return code.Convert(type_, self.span, self.node(operand))

    def bits(self, type_: types.Type, operand: Any) -> code.Bitcast:
        return code.Bitcast(type_, self.span, self.node(operand))

    def at(self, base: Any, *indices: Any) -> code.Element:
        base = self.node(base)
        if isinstance(base.type, types.Pointer):
            element = base.type.pointee
        else:
            element = base.type.element
        return code.Element(element, self.span, base, tuple(map(self.node, indices)))

    def field(self, base: Any, index: int) -> code.FieldOf:
        base = self.node(base)
        return code.FieldOf(base.type.types[index], self.span, base, index)

    def deref(self, pointer: Any) -> code.Pointee:
        pointer = self.node(pointer)
        return code.Pointee(pointer.type.pointee, self.span, pointer)

    def address(self, place: Any, many: bool = False) -> code.AddressOf:
        place = self.node(place)
        pointee = place.type.element if many else place.type
        return code.AddressOf(types.Pointer(pointee, many=many), self.span, place)

    def call(self, function: code.Function, *arguments: Any) -> code.Call:
        nodes = tuple(map(self.node, arguments))
        return code.Call(function.result, self.span, function, nodes)

    def range(self, start: Any, stop: Any, step: Any = 1) -> code.MakeRange:
        parts = [self.node(part) for part in (start, stop, step)]
        return code.MakeRange(types.Range(parts[0].type), self.span, *parts)

    def struct(self, type_: types.Struct, *values: Any) -> code.MakeStruct:
        return code.MakeStruct(type_, self.span, tuple(map(self.node, values)))

    def builtin(
        self, name: str, type_: types.Type, *arguments: Any, **config: Any
    ) -> code.BuiltinCall:
        nodes = tuple(map(self.node, arguments))
        fields = {key.strip("_"): self.node(value) for key, value in config.items()}
        return code.BuiltinCall(type_, self.span, name, nodes, fields)

    def node(self, item: Any) -> Any:
        """Variables become expressions, bools and ints constants."""
        if isinstance(item, (code.LocalVariable, code.GlobalVariable)):
            return self.var(item)
        if isinstance(item, bool):
            return self.k(item, types.BOOL)
        return self.k(item) if isinstance(item, int) else item

    # --- statements ---

    def let(self, variable: code.LocalVariable, value: Any = None) -> code.Declare:
        node = None if value is None else self.node(value)
        return code.Declare(self.span, variable, node)

    def set(self, place: Any, value: Any) -> code.Assign:
        return code.Assign(self.span, self.node(place), self.node(value))

    def do(self, expression: code.Expression) -> code.Evaluate:
        return code.Evaluate(self.span, expression)

    def when(self, condition: Any, then: list[Any], other: Any = ()) -> code.If:
        return code.If(self.span, self.node(condition), then, list(other))

    def loop(
        self,
        variable: code.LocalVariable,
        range_: code.Expression,
        body: list[Any],
        label: str = "",
        index: code.LocalVariable | None = None,
    ) -> code.ForRange:
        label = label or f"for {variable.name}"
        return code.ForRange(self.span, label, variable, range_, index, body)

    def each(
        self, variable: code.LocalVariable, array: Any, body: list[Any]
    ) -> code.ForEach:
        label = f"each {variable.name}"
        return code.ForEach(self.span, label, variable, self.node(array), None, body)

    def repeat(
        self,
        condition: Any,
        body: list[Any],
        step: Any = (),
        label: str = "while",
    ) -> code.While:
        return code.While(self.span, label, self.node(condition), body, list(step))

    def leave(self, label: str) -> code.Break:
        return code.Break(self.span, label)

    def again(self, label: str) -> code.Continue:
        return code.Continue(self.span, label)

    def block(self, label: str, *body: Any) -> code.Labelled:
        return code.Labelled(self.span, label, list(body))

    def give(self, value: Any = None) -> code.Return:
        return code.Return(self.span, None if value is None else self.node(value))

    # --- programs ---

    def glob(
        self, name: str, type_: types.Type, value: Any = None, mutable: bool = True
    ) -> code.GlobalVariable:
        variable = code.GlobalVariable(name, name, type_, value, mutable, self.span)
        self.program.globals.append(variable)
        return variable

    def fn(
        self,
        result: types.Type,
        params: list[code.LocalVariable],
        *body: Any,
        name: str = "",
    ) -> code.Function:
        name = name or f"fn{len(self.program.functions)}"
        function = code.Function(
            name, name, params, result, False, self.span, list(body)
        )
        self.program.functions.append(function)
        return function

    def run(self, function: code.Function, *arguments: Any) -> Any:
        """Compiles the program afresh and calls a function of it."""
        self.compiled = compile_program(self.program, "wse3", WSE3)
        self.compiled.initialise(self.pe)
        return self.compiled.function(function).call(self.pe, *arguments)

    def address_in_memory(self, variable: code.GlobalVariable) -> int:
        assert self.compiled is not None
        return self.compiled.address(variable)


@pytest.fixture
def b() -> Builder:
    return Builder()


@pytest.fixture(scope="session")
def new_builder() -> type[Builder]:
    """For tests that need a fresh one per example."""
    return Builder
