"""Operators and conversions on scalars.

Integers are Python ints kept in the range of their type: a result is wrapped only
where its bounds, known from constant loop ranges and operands, do not already fit.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pyflame.wse.language import code, types
from pyflame.wse.machine import scalar_support as support
from pyflame.wse.machine.codegen_core import (
    FunctionWriter,
    Value,
    expression_rule,
    typed,
)

Bounds = tuple[int, int]


def integer_type(type_: types.Type) -> types.Int:
    """The integer type that stands behind an integer, enum, id or pointer."""
    match type_:
        case types.Int():
            return type_
        case types.Enum(backing=backing):
            return backing
        case _:
            return types.U16


def literal(value: int) -> Value:
    text = repr(int(value))
    return Value(text if value >= 0 else f"({text})", value, value, fixed=True)


def wrapped(text: str, bounds: Bounds, type_: types.Int, depth: int) -> Value:
    """An integer expression of those bounds, brought into the range of its type."""
    low, high = bounds
    if type_.minimum <= low and high <= type_.maximum:
        return Value(text, low, high, depth=depth)
    mask = (1 << type_.bits) - 1
    if not type_.signed:
        return Value(f"({text} & {mask})", 0, mask, depth=depth + 1)
    half = 1 << (type_.bits - 1)
    text = f"(({text} + {half} & {mask}) - {half})"
    return Value(text, type_.minimum, type_.maximum, depth=depth + 2)


def bounds_of(value: Value, type_: types.Int) -> Bounds:
    low = type_.minimum if value.low is None else value.low
    high = type_.maximum if value.high is None else value.high
    return low, high


# --- binary operators -------------------------------------------------------------


@expression_rule(code.Binary)
def _binary(w: FunctionWriter, node: code.Binary) -> Value:
    left, right = w.operands((node.left, node.right))
    if isinstance(node.type, types.Float):
        return _float_binary(w, node, left, right)
    type_ = integer_type(node.type)
    _charge_integer(w, node.operator, type_)
    return _INTEGER[node.operator](w, node, type_, left, right)


def _charge_integer(w: FunctionWriter, operator: str, type_: types.Int) -> None:
    words = max(1, type_.bits // 16)
    if operator in "/%":
        w.charge(w.unit.costs.div_int_cycles * ((words + 1) // 2))
    elif operator == "*" and words > 1:
        w.charge(w.unit.costs.mul_u32_cycles * (words // 2))
    else:
        w.charge(w.unit.costs.issue_cycles * words)


def _float_binary(
    w: FunctionWriter, node: code.Binary, left: Value, right: Value
) -> Value:
    assert isinstance(node.type, types.Float)
    costs, name = w.unit.costs, node.type.name
    if node.operator == "/":
        w.charge(costs.div_f32_cycles if name == "f32" else costs.div_f16_cycles)
    elif _waits(node.left, node.right):
        w.charge(costs.dependent_float_cycles)
    else:
        w.charge(costs.issue_cycles)
    text = f"({left.text} {node.operator} {right.text})"
    depth = max(left.depth, right.depth) + 1
    return _rounded(w, node.type, text, depth)


def _waits(left: code.Expression, right: code.Expression) -> bool:
    """Whether an operation may need the result of the instruction before it. Loads
    hold up nobody, and the load of the right operand gives the left one time."""
    if _is_fresh(right):
        return True
    return _is_fresh(left) and not _is_loaded(right)


def _is_loaded(operand: code.Expression) -> bool:
    match operand:
        case code.Variable(variable=code.GlobalVariable(mutable=mutable)):
            return mutable
        case code.Variable(variable=code.LocalVariable(in_memory=in_memory)):
            return in_memory
        case _:
            return isinstance(operand, code.Element | code.Pointee)


def _is_fresh(operand: code.Expression) -> bool:
    """Whether an operand may just have been computed: neither constant nor loaded."""
    if isinstance(operand, code.Variable):
        local = isinstance(operand.variable, code.LocalVariable)
        return local and not _is_loaded(operand)
    return not (isinstance(operand, code.Constant) or _is_loaded(operand))


def _rounded(w: FunctionWriter, type_: types.Float, text: str, depth: int) -> Value:
    """f32 and f16 round by themselves; other formats go through a helper."""
    if type_.name in ("f32", "f16"):
        return Value(text, depth=depth)
    rounder = w.constant(support.SMALL_FLOATS[type_.name].rounded, ("round", type_))
    return Value(f"{rounder}({text})", depth=depth + 1)


def _sum_like(operator: str) -> Any:
    def rule(
        w: FunctionWriter, node: code.Binary, type_: types.Int, a: Value, b: Value
    ) -> Value:
        (al, ah), (bl, bh) = bounds_of(a, type_), bounds_of(b, type_)
        if operator == "+":
            bounds = al + bl, ah + bh
        elif operator == "-":
            bounds = al - bh, ah - bl
        else:
            corners = (al * bl, al * bh, ah * bl, ah * bh)
            bounds = min(corners), max(corners)
        text = f"({a.text} {operator} {b.text})"
        return wrapped(text, bounds, type_, max(a.depth, b.depth) + 1)

    return rule


def _bitwise(operator: str) -> Any:
    def rule(
        w: FunctionWriter, node: code.Binary, type_: types.Int, a: Value, b: Value
    ) -> Value:
        (al, ah), (bl, bh) = bounds_of(a, type_), bounds_of(b, type_)
        low, high = type_.minimum, type_.maximum
        if operator == "&" and (al >= 0 or bl >= 0):
            low = 0  # masked by an operand that has no sign
            high = min(h for lo, h in ((al, ah), (bl, bh)) if lo >= 0)
        elif al >= 0 and bl >= 0:
            low, high = 0, (1 << max(ah, bh).bit_length()) - 1
        text = f"({a.text} {operator} {b.text})"
        return Value(text, low, high, depth=max(a.depth, b.depth) + 1)

    return rule


def _shift_left(
    w: FunctionWriter, node: code.Binary, type_: types.Int, a: Value, b: Value
) -> Value:
    depth = max(a.depth, b.depth) + 2
    al, ah = bounds_of(a, type_)
    if b.high is not None and b.high < type_.bits and b.low is not None:
        corners = (al << b.low, al << b.high, ah << b.low, ah << b.high)
        bounds = min(corners), max(corners)
        return wrapped(f"({a.text} << {b.text})", bounds, type_, depth)
    count = w.temp()
    mask = (1 << type_.bits) - 1
    test = f"({count} := {b.text}) < {type_.bits}"
    text = f"(({a.text} << {count} & {mask}) if {test} else 0)"
    return wrapped(text, (0, mask), type_, depth + 1)


def _shift_right(
    w: FunctionWriter, node: code.Binary, type_: types.Int, a: Value, b: Value
) -> Value:
    low, high = bounds_of(a, type_)
    least = b.low or 0
    bounds = min(low, low >> least), max(high >> least, -1 if low < 0 else 0)
    text = f"({a.text} >> {b.text})"
    return Value(text, *bounds, depth=max(a.depth, b.depth) + 1)


def _divide(
    w: FunctionWriter, node: code.Binary, type_: types.Int, a: Value, b: Value
) -> Value:
    depth = max(a.depth, b.depth) + 1
    al, ah = bounds_of(a, type_)
    if al >= 0 and b.low is not None and b.low > 0:
        return Value(f"({a.text} // {b.text})", 0, ah // b.low, depth=depth)
    site = w.constant(support.Site(node.span))
    helper = w.constant(support.divide)
    text = f"{helper}(pe, {site}, {a.text}, {b.text})"
    return wrapped(text, (min(al, -ah), max(ah, -al)), type_, depth)


def _remainder(
    w: FunctionWriter, node: code.Binary, type_: types.Int, a: Value, b: Value
) -> Value:
    depth = max(a.depth, b.depth) + 1
    (al, ah), (_, bh) = bounds_of(a, type_), bounds_of(b, type_)
    if al >= 0 and b.low is not None and b.low > 0:
        return Value(f"({a.text} % {b.text})", 0, min(ah, bh - 1), depth=depth)
    site = w.constant(support.Site(node.span))
    helper = w.constant(support.remainder)
    low = type_.minimum if type_.signed else 0
    text = f"{helper}(pe, {site}, {a.text}, {b.text})"
    return Value(text, low, type_.maximum, depth=depth)


_INTEGER: dict[str, Any] = {
    "+": _sum_like("+"),
    "-": _sum_like("-"),
    "*": _sum_like("*"),
    "&": _bitwise("&"),
    "|": _bitwise("|"),
    "^": _bitwise("^"),
    "<<": _shift_left,
    ">>": _shift_right,
    "/": _divide,
    "%": _remainder,
}


# --- unary, comparison and logic --------------------------------------------------


@expression_rule(code.Unary)
def _unary(w: FunctionWriter, node: code.Unary) -> Value:
    operand = w.value(node.operand)
    w.charge(w.unit.costs.issue_cycles)
    depth = operand.depth + 1
    if node.operator == "!":
        return Value(f"(not {operand.text})", depth=depth)
    if isinstance(node.type, types.Float):
        return Value(f"(-{operand.text})", depth=depth)
    type_ = integer_type(node.type)
    low, high = bounds_of(operand, type_)
    if node.operator == "-":
        return wrapped(f"(-{operand.text})", (-high, -low), type_, depth)
    return wrapped(f"(~{operand.text})", (~high, ~low), type_, depth)


@expression_rule(code.Compare)
def _compare(w: FunctionWriter, node: code.Compare) -> Value:
    left, right = w.operands((node.left, node.right))
    is_float = isinstance(node.left.type, types.Float)
    w.charge(w.unit.costs.issue_cycles)
    text = f"({left.text} {node.operator} {right.text})"
    return Value(
        text,
        depth=max(left.depth, right.depth) + 1,
        loose=is_float or left.loose or right.loose,
    )


@expression_rule(code.Logical)
def _logical(w: FunctionWriter, node: code.Logical) -> Value:
    left = w.value(node.left)
    right, block = w.inside(lambda: w.value(node.right))
    loose = left.loose or right.loose
    w.charge(w.unit.costs.branch_not_taken_cycles)
    if not block.lines:
        w.charge(block.pending)
        text = f"({left.text} {node.operator} {right.text})"
        return Value(text, depth=max(left.depth, right.depth) + 1, loose=loose)
    result = w.temp()
    w.line(f"{result} = {left.text}")
    block.lines.append(f"{result} = {right.text}")
    w.settle()
    w.nest(
        f"if {result}:" if node.operator == "and" else f"if not {result}:",
        w.settled(block),
    )
    return Value(result, fixed=True, loose=loose)


def strict_bool(value: Value) -> str:
    """Text of a bool that is never a NumPy bool."""
    return f"bool({value.text})" if value.loose else value.text


# --- conversions ------------------------------------------------------------------


@expression_rule(code.Convert)
def _convert(w: FunctionWriter, node: code.Convert) -> Value:
    value, source, target = w.value(node.operand), node.operand.type, node.type
    w.charge(w.unit.costs.issue_cycles)
    if source == target:
        return value
    if target == types.BOOL:
        depth = value.depth + 1
        loose = isinstance(source, types.Float)
        return Value(f"({value.text} != 0)", depth=depth, loose=loose)
    if isinstance(target, types.Float):
        return _to_float(w, value, source, target)
    return _to_integer(w, value, source, integer_type(target))


def _to_integer(
    w: FunctionWriter, value: Value, source: types.Type, target: types.Int
) -> Value:
    if source == types.BOOL:
        return Value(f"int({value.text})", 0, 1, depth=value.depth + 1)
    if isinstance(source, types.Float):
        converter = w.constant(support.float_to_int(target), ("to_int", target))
        text = f"{converter}({value.text})"
        return Value(text, target.minimum, target.maximum, depth=value.depth + 1)
    bounds = bounds_of(value, integer_type(source))
    result = wrapped(value.text, bounds, target, value.depth)
    result.fixed = value.fixed and result.text == value.text
    return result


def _to_float(
    w: FunctionWriter, value: Value, source: types.Type, target: types.Float
) -> Value:
    depth = value.depth + 1
    if target.name not in ("f32", "f16"):
        return _rounded(w, target, f"float({value.text})", depth)
    scalar = np.float32 if target.name == "f32" else np.float16
    name = w.constant(scalar, ("scalar", target))
    if (
        isinstance(source, types.Int) and source.bits == 64
    ):  # not by way of a Python float: that would round twice
        long = w.constant(np.int64 if source.signed else np.uint64)
        return Value(f"{long}({value.text}).astype({name})", depth=depth)
    return Value(f"{name}({value.text})", depth=depth)


@expression_rule(code.Bitcast)
def _bitcast(w: FunctionWriter, node: code.Bitcast) -> Value:
    value, source, target = w.value(node.operand), node.operand.type, node.type
    if isinstance(source, types.Pointer) and isinstance(target, types.Pointer):
        return value
    if isinstance(source, types.Float):
        if isinstance(target, types.Float):
            return value if source == target else _float_bits(w, value, source, target)
        return _bits_of_float(w, value, source, integer_type(target))
    if isinstance(target, types.Float):
        return _float_of_bits(w, value, integer_type(source), target)
    bounds = bounds_of(value, integer_type(source))
    if source == types.BOOL:
        bounds, value.text = (0, 1), f"int({value.text})"
    if target == types.BOOL:
        return Value(f"({value.text} != 0)", depth=value.depth + 1)
    return wrapped(value.text, bounds, integer_type(target), value.depth)


def _float_bits(
    w: FunctionWriter, value: Value, source: types.Float, target: types.Float
) -> Value:
    bits = types.U32 if source.bits == 32 else types.U16
    return _float_of_bits(w, _bits_of_float(w, value, source, bits), bits, target)


def _bits_of_float(
    w: FunctionWriter, value: Value, source: types.Float, target: types.Int
) -> Value:
    depth = value.depth + 1
    if source.name not in ("f32", "f16"):
        encode = w.constant(
            support.SMALL_FLOATS[source.name].encode, ("encode", source)
        )
        return wrapped(f"{encode}({value.text})", (0, 0xFFFF), target, depth)
    kind = f"{'i' if target.signed else 'u'}{source.bits // 8}"
    dtype = w.constant(np.dtype(f"<{kind}"), ("dtype", kind))
    return typed(f"int({value.text}.view({dtype}))", target, depth=depth)


def _float_of_bits(
    w: FunctionWriter, value: Value, source: types.Int, target: types.Float
) -> Value:
    depth = value.depth + 2
    if target.name not in ("f32", "f16"):
        decode = w.constant(
            support.SMALL_FLOATS[target.name].decode, ("decode", target)
        )
        return Value(f"{decode}({value.text} & 65535)", depth=depth)
    scalar = getattr(np, f"{'int' if source.signed else 'uint'}{source.bits}")
    name = w.constant(scalar, ("scalar", source))
    kind = f"f{target.bits // 8}"
    dtype = w.constant(np.dtype(f"<{kind}"), ("dtype", kind))
    return Value(f"{name}({value.text}).view({dtype})", depth=depth)
