"""Type expressions, and literals of structs and arrays."""

from __future__ import annotations

from pyflame.wse.language import code, tree, types
from pyflame.wse.language.coercions import coerce
from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.dispatch import evaluate, evaluates
from pyflame.wse.language.operands import (
    array_elements,
    is_known,
    make_struct,
    need_integer,
    need_type,
)
from pyflame.wse.language.packed import build, field_index, packed_type
from pyflame.wse.language.run_time import run_time
from pyflame.wse.language.source import Span
from pyflame.wse.language.state import Frame
from pyflame.wse.language.types import Type
from pyflame.wse.language.values import ArrayValue

MAX_ARRAY_ELEMENTS = 1 << 24


def evaluate_type(frame: Frame, node: tree.Expression) -> Type:
    """The type that a type position names.

    Raises:
        CslError: the expression is no type.
    """
    return need_type(evaluate(frame.at_comptime(), node))


def _type(span: Span, type_: Type) -> code.Constant:
    return code.Constant(types.TYPE, span, type_)


@evaluates(tree.PointerType)
def _pointer(frame: Frame, node: tree.PointerType, _: Type | None) -> code.Expression:
    pointee = evaluate_type(frame, node.pointee)
    if pointee.comptime_only:
        fail(f"no pointer to comptime-only type '{pointee}'", node.span)
    return _type(node.span, types.Pointer(pointee, node.const, node.many))


@evaluates(tree.ArrayType)
def _array(frame: Frame, node: tree.ArrayType, _: Type | None) -> code.Expression:
    element = evaluate_type(frame, node.element)
    if isinstance(element, types.Array):
        fail(
            "the element type of an array must not be an array",
            node.span,
            help="write one array with several dimensions: [rows, cols]T",
        )
    inner = frame.at_comptime()
    dims = tuple(_dimension(inner, dim) for dim in node.dims)
    array = types.Array(dims, element)
    if array.count > MAX_ARRAY_ELEMENTS:
        fail(f"array type '{array}' has more elements than any memory", node.span)
    return _type(node.span, array)


def _dimension(frame: Frame, node: tree.Expression) -> int:
    extent = need_integer(evaluate(frame, node), "an array dimension")
    if extent < 0:
        fail(f"array dimension {extent} is negative", node.span)
    return extent


@evaluates(tree.FunctionType)
def _function(frame: Frame, node: tree.FunctionType, _: Type | None) -> code.Expression:
    params = tuple(evaluate_type(frame, p) for p in node.params)
    result = evaluate_type(frame, node.result)
    return _type(node.span, types.Function(params, result, node.task))


@evaluates(tree.StructType)
def _struct(frame: Frame, node: tree.StructType, _: Type | None) -> code.Expression:
    names = tuple(f.name for f in node.fields)
    for name in names:
        if names.count(name) > 1:
            fail(f"struct field '{name}' is declared twice", node.span)
    field_types = tuple(evaluate_type(frame, f.type) for f in node.fields)
    identity = _identity(node)
    if node.union or node.layout == "packed":
        kind = f"{node.layout} {'union' if node.union else 'struct'}".strip()
        spans = tuple(f.span for f in node.fields)
        return _type(
            node.span,
            packed_type(kind, names, field_types, identity, spans, node.span),
        )
    return _type(node.span, types.Struct(names, field_types, identity))


def _identity(node: tree.Node) -> str:
    return f"{node.span.source.path}:{node.span.start}"


@evaluates(tree.EnumType)
def _enum(frame: Frame, node: tree.EnumType, _: Type | None) -> code.Expression:
    backing: Type = types.U16
    if node.backing is not None:
        backing = evaluate_type(frame, node.backing)
    if not isinstance(backing, types.Int):
        fail(f"an enum cannot be backed by '{backing}'", node.span)
    items = _enum_items(frame.at_comptime(), node, backing)
    return _type(node.span, types.Enum(backing, items, _identity(node)))


def _enum_items(
    frame: Frame, node: tree.EnumType, backing: types.Int
) -> tuple[tuple[str, int], ...]:
    """Items without a value take the next integers that no item has."""
    given: dict[str, int] = {}
    for item in node.items:
        if item.value is not None:
            operand = coerce(evaluate(frame, item.value), backing)
            value = need_integer(operand, "an enum value")
            if value in given.values():
                fail(f"enum value {value} occurs twice", item.span)
            given[item.name] = value
    numbers = (n for n in range(1 << 20) if n not in set(given.values()))
    items = [
        (i.name, given[i.name] if i.value is not None else next(numbers))
        for i in node.items
    ]
    if len(dict(items)) < len(items):
        fail("enum items must have different names", node.span)
    return tuple(items)


@evaluates(tree.StructLiteral)
def _struct_literal(
    frame: Frame, node: tree.StructLiteral, _: Type | None
) -> code.Expression:
    if node.type is not None:
        return _typed_struct(frame, node, evaluate_type(frame, node.type))
    names = tuple(f.name for f in node.fields)
    _check_names_differ(node)
    values = tuple(evaluate(frame, f.value) for f in node.fields)
    type_ = types.Struct(names, tuple(v.type for v in values))
    return make_struct(type_, values, node.span)


def _check_names_differ(node: tree.StructLiteral) -> None:
    seen: set[str] = set()
    for field in node.fields:
        if field.name in seen:
            fail(f"field '{field.name}' is given twice", field.span)
        seen.add(field.name)


def _typed_struct(
    frame: Frame, node: tree.StructLiteral, type_: Type
) -> code.Expression:
    if isinstance(type_, types.Array) and not node.fields:
        return _array_of(frame, type_, (), node.span)
    if isinstance(type_, types.Packed):
        return _packed_literal(frame, node, type_)
    if not isinstance(type_, types.Struct) or type_.names is None:
        fail(f"type '{type_}' has no fields to initialise", node.span)
    _check_names_differ(node)
    given = {f.name: f for f in node.fields}
    for field in node.fields:
        if field.name not in type_.names:
            fail(f"struct '{type_}' has no field '{field.name}'", field.span)
    values: list[code.Expression] = []
    for name, wanted in zip(type_.names, type_.types, strict=True):
        if name not in given:
            fail(f"field '{name}' of struct '{type_}' is missing", node.span)
        values.append(coerce(evaluate(frame, given[name].value, wanted), wanted))
    return make_struct(type_, tuple(values), node.span)


def _packed_literal(
    frame: Frame, node: tree.StructLiteral, type_: types.Packed
) -> code.Expression:
    """All fields of a packed struct, or one of a union."""
    _check_names_differ(node)
    given: dict[int, code.Expression] = {}
    for field in node.fields:
        index = field_index(type_, field.name, field.span)
        wanted = type_.types[index]
        value = coerce(evaluate(frame, field.value, wanted), wanted)
        given[index] = run_time(frame.program, value, value.span)
    if type_.union and len(given) != 1:
        fail(f"{type_.kind} '{type_}' is initialised by exactly one field", node.span)
    for name in type_.names:
        if not type_.union and name not in {f.name for f in node.fields}:
            fail(f"field '{name}' of {type_.kind} '{type_}' is missing", node.span)
    return build(type_, given, node.span)


@evaluates(tree.TupleLiteral)
def _tuple(frame: Frame, node: tree.TupleLiteral, _: Type | None) -> code.Expression:
    values = tuple(evaluate(frame, v) for v in node.values)
    type_ = types.Struct(None, tuple(v.type for v in values))
    return make_struct(type_, values, node.span)


@evaluates(tree.ArrayLiteral)
def _array_literal(
    frame: Frame, node: tree.ArrayLiteral, _: Type | None
) -> code.Expression:
    type_ = evaluate_type(frame, node.type)
    if not isinstance(type_, types.Array):
        fail(f"type '{type_}' is not an array", node.span)
    return _array_of(frame, type_, node.values, node.span)


def _array_of(
    frame: Frame, type_: types.Array, nodes: tuple[tree.Expression, ...], span: Span
) -> code.Expression:
    if len(nodes) != type_.count:
        fail(
            f"'{type_}' has {type_.count} elements, but {len(nodes)} are given",
            span,
            help="fill an array with @constants or @zeros",
        )
    element = type_.element
    values = [_element(evaluate(frame, n, element), element) for n in nodes]
    known = [v.value for v in values if is_known(v)]
    if len(known) == len(values):
        elements = ArrayValue(array_elements(element, known))
        return code.Constant(type_, span, elements)
    made = tuple(run_time(frame.program, v, v.span) for v in values)
    return code.MakeArray(type_, span, made)


def _element(value: code.Expression, element: Type) -> code.Expression:
    """A literal integer may initialise a float element [DSDs page: an f16 array]."""
    if value.type == types.COMPTIME_INT and isinstance(element, types.Float):
        assert isinstance(value, code.Constant)
        value = code.Constant(types.COMPTIME_FLOAT, value.span, float(value.value))
    return coerce(value, element)
