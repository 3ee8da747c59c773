"""Constants, calls, aggregates and block values."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyflame.wse.language import code, types
from pyflame.wse.language.values import RangeValue, StructValue
from pyflame.wse.machine import natives, storage
from pyflame.wse.machine import scalar_support as support
from pyflame.wse.machine.codegen_arithmetic import literal
from pyflame.wse.machine.codegen_core import (
    FunctionWriter,
    Value,
    expression_rule,
    typed,
)
from pyflame.wse.machine.codegen_places import kept
from pyflame.wse.machine.constants import joined, run_time_value


@expression_rule(code.Constant)
def _constant(w: FunctionWriter, node: code.Constant) -> Value:
    return constant_value(w, node.value, node.type)


def constant_value(w: FunctionWriter, value: Any, type_: types.Type) -> Value:
    """A comptime value: ints and bools as literals, the rest by reference."""
    if isinstance(value, (StructValue, RangeValue)):
        result = run_time_value(w.unit, value, type_)
        return Value(w.constant(result), fixed=True, shared=True)
    value = run_time_value(w.unit, value, type_)
    match value:
        case bool():
            return Value(repr(value), fixed=True)
        case int():
            return literal(value)
        case _ if _is_float(value):
            key = (str(type_), np.float64(float(value)).tobytes())
            return Value(w.constant(value, key), fixed=True)
        case None:
            return Value("None", fixed=True)
        case _:
            shared = isinstance(value, (list, np.ndarray))
            return Value(w.constant(value), fixed=True, shared=shared)


def _is_float(value: Any) -> bool:
    return isinstance(value, (float, np.floating))


@expression_rule(code.FunctionPointer)
def _function_pointer(w: FunctionWriter, node: code.FunctionPointer) -> Value:
    return literal(w.unit.numbers[node.function])


# --- calls ------------------------------------------------------------------------

# The vendor's compiler optimises: it inlines what is this short (assumed).
_INLINED_STATEMENTS = 1


@expression_rule(code.Call)
def _call(w: FunctionWriter, node: code.Call) -> Value:
    arguments = _arguments(w, node.arguments)
    if len(node.function.body) > _INLINED_STATEMENTS:
        w.charge(w.unit.costs.call_cycles)
    if node.function in w.unit.graph.timed:
        w.flush()
    text = f"{w.unit.function_name(node.function)}(pe{arguments})"
    return _result(node.function in w.unit.graph.blocking, text, node.type)


def _arguments(w: FunctionWriter, arguments: tuple[code.Expression, ...]) -> str:
    values = w.operands(arguments)
    texts = [kept(w, v, a.type) for v, a in zip(values, arguments, strict=True)]
    return "".join(f", {text}" for text in texts)


def _result(blocking: bool, text: str, type_: types.Type) -> Value:
    if blocking:
        text = f"(yield from {text})"
    return typed(text, type_, depth=3)


@expression_rule(code.CallPointer)
def _call_pointer(w: FunctionWriter, node: code.CallPointer) -> Value:
    """Calls by number: a table holds every function whose address is taken."""
    graph = w.unit.graph
    pointer, *values = w.operands((node.pointer, *node.arguments))
    pairs = zip(values, node.arguments, strict=True)
    arguments = "".join(f", {kept(w, v, a.type)}" for v, a in pairs)
    w.charge(w.unit.costs.call_cycles)
    w.flush()
    site = w.constant(support.Site(node.span))
    fail = w.constant(support.no_such_function)
    index = w.temp()
    blocking = any(f in graph.blocking for f in graph.addressed)
    table = "G" if blocking else "F"
    check = f"({index} := {pointer.text}) in F"
    function = f"({table}[{index}] if {check} else {fail}(pe, {site}, {index}))"
    return _result(blocking, f"{function}(pe{arguments})", node.type)


@expression_rule(code.NativeCall)
def _native_call(w: FunctionWriter, node: code.NativeCall) -> Value:
    native = natives.lookup(node.name)
    arguments = _arguments(w, node.arguments)
    if native.cost is not None:
        w.charge(int(getattr(w.unit.costs, native.cost)))
    w.flush()
    return typed(f"{w.constant(native.function)}(pe{arguments})", node.type, depth=2)


# --- aggregates -------------------------------------------------------------------


@expression_rule(code.MakeStruct)
def _make_struct(w: FunctionWriter, node: code.MakeStruct) -> Value:
    values = w.operands(node.values)
    w.charge(w.unit.costs.issue_cycles * len(values))
    pairs = zip(values, node.values, strict=True)
    texts = [kept(w, value, item.type) for value, item in pairs]
    return Value(f"[{', '.join(texts)}]", depth=_deepest(values))


def _deepest(values: list[Value]) -> int:
    return 1 + max((v.depth for v in values), default=0)


@expression_rule(code.MakeArray)
def _make_array(w: FunctionWriter, node: code.MakeArray) -> Value:
    values = w.operands(node.values)
    w.charge(w.unit.costs.issue_cycles * len(values))
    assert isinstance(node.type, types.Array)
    element = node.type.element
    pairs = zip(values, node.values, strict=True)
    items = ", ".join(kept(w, value, item.type) for value, item in pairs)
    if not storage.lives_in_memory(element):
        return Value(f"[{items}]", depth=_deepest(values))
    encoder = w.constant(_array_encoder(element), ("array of", str(element)))
    return Value(f"{encoder}([{items}])", depth=_deepest(values) + 1)


def _array_encoder(element: types.Type) -> Any:
    """Builds the memory form of an array from run-time values."""
    dtype, encode = storage.dtype_of(element), scalar_encoder(element)

    def build(items: list[Any]) -> Any:
        return np.array([encode(item) for item in items], dtype).ravel()

    return build


def scalar_encoder(element: types.Type) -> Any:
    """A function from a run-time value to the number in memory."""
    if isinstance(element, types.Struct):
        return _struct_encoder(element)
    if isinstance(element, types.Float) and element.name in support.SMALL_FLOATS:
        return support.SMALL_FLOATS[element.name].encode
    if element == types.DIRECTION:
        return ("NORTH", "SOUTH", "EAST", "WEST", "RAMP").index
    return _unchanged


def _unchanged(value: Any) -> Any:
    return value


def _struct_encoder(struct: types.Struct) -> Any:
    members = [(storage.dtype_of(t), scalar_encoder(t)) for t in struct.types]

    def encode(values: list[Any]) -> Any:
        parts = [
            np.array(convert(value), dtype).tobytes()
            for (dtype, convert), value in zip(members, values, strict=True)
        ]
        return np.frombuffer(joined(struct, parts), np.uint8)

    return encode


@expression_rule(code.Fill)
def _fill(w: FunctionWriter, node: code.Fill) -> Value:
    value = w.value(node.value)
    assert isinstance(node.type, types.Array)
    w.charge(w.unit.costs.issue_cycles * node.type.count)
    element = node.type.element
    if not storage.lives_in_memory(element):
        return Value(f"([{value.text}] * {node.type.count})", depth=value.depth + 1)
    dtype = storage.dtype_of(element)
    name = w.constant(dtype, ("dtype", dtype))
    encoder = w.constant(scalar_encoder(element), ("encode", str(element)))
    fill = w.constant(support.filled_array)
    text = f"{fill}({name}, {node.type.count}, {encoder}({value.text}))"
    return Value(text, depth=value.depth + 2)


@expression_rule(code.MakeRange)
def _make_range(w: FunctionWriter, node: code.MakeRange) -> Value:
    start, stop, step = w.operands((node.start, node.stop, node.step))
    depth = _deepest([start, stop, step])
    return Value(f"({start.text}, {stop.text}, {step.text})", depth=depth)


@expression_rule(code.Sequence)
def _sequence(w: FunctionWriter, node: code.Sequence) -> Value:
    w.statements(node.body)
    value = w.value(node.result)
    if w.block.lines and w.block.lines[-1].startswith(("break", "continue", "return")):
        return value  # never reached
    return value if node.type == types.VOID else w.spilled(value)
