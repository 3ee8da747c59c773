"""Addresses: what `&` takes of places and functions."""

from __future__ import annotations

from pyflame.wse.language import code, tree, types
from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.dispatch import evaluate
from pyflame.wse.language.modules import (
    read_member,
)
from pyflame.wse.language.operands import (
    is_known,
)
from pyflame.wse.language.packed import is_part
from pyflame.wse.language.places import (
    evaluate_place,
    is_writable,
    module_of,
    position_in,
)
from pyflame.wse.language.source import Span
from pyflame.wse.language.state import (
    Frame,
)
from pyflame.wse.language.types import element_size_bytes
from pyflame.wse.language.values import PointerValue


def address_of(frame: Frame, node: tree.Expression, span: Span) -> code.Expression:
    """`&node`: comptime-known for globals."""
    if isinstance(node, (tree.Name, tree.Member)):
        function = _function_address(frame, node, span)
        if function is not None:
            return function
    place = evaluate_place(frame, node)
    type_ = types.Pointer(place.type, const=not is_writable(frame, place))
    if place.type.comptime_only:
        fail(f"no pointer to comptime-only type '{place.type}'", span)
    if isinstance(place, code.FieldOf) and is_part(place):
        return _address_of_part(place, type_, span)
    known = _known_address(place)
    if known is not None:
        return code.Constant(type_, span, known)
    if frame.comptime:
        fail("this address is not known at comptime", span)
    if isinstance(place, code.Pointee) and place.pointer.type == type_:
        return place.pointer
    _keep_in_memory(place)
    return code.AddressOf(type_, span, place)


def _address_of_part(
    place: code.FieldOf, type_: types.Pointer, span: Span
) -> code.Expression:
    """All fields of a union begin where it does."""
    outer = place.base
    assert isinstance(outer.type, types.Packed)
    if not outer.type.union or is_part(outer):
        fail("address of packed struct field is unsupported", span)
    known = _known_address(outer)
    if known is not None:
        return code.Constant(type_, span, known)
    _keep_in_memory(outer)
    whole = types.Pointer(outer.type, type_.const)
    return code.Bitcast(type_, span, code.AddressOf(whole, span, outer))


def _function_address(
    frame: Frame, node: tree.Name | tree.Member, span: Span
) -> code.Constant | None:
    module, name = frame.module, node.name
    if isinstance(node, tree.Member):
        outer = module_of(frame, node.base)
        if outer is None:
            return None
        module = outer
    elif frame.scope.find(name) is not None:
        return None
    if name not in module.functions:
        return None
    operand = read_member(module, name, span, frame)
    assert isinstance(operand, code.Constant)
    declaration = operand.value.declaration
    if declaration.inlining == "inline":
        fail(f"inline function '{name}' has no address", span)
    return code.Constant(types.Pointer(operand.type, True), span, operand.value)


def _known_address(place: code.Expression) -> PointerValue | None:
    """The place inside a global whose position does not depend on run time."""
    match place:
        case code.Variable(variable=code.GlobalVariable() as variable):
            return PointerValue(variable)
        case code.Element(base=base, indices=indices):
            return _known_element_address(base, indices)
        case code.Pointee(pointer=code.Constant(value=PointerValue() as value)):
            return value
        case _:
            return None


def _known_element_address(
    base: code.Expression, indices: tuple[code.Expression, ...]
) -> PointerValue | None:
    if not all(is_known(i) for i in indices):
        return None
    if isinstance(base.type, types.Array):
        start = _known_address(base)
        position = position_in(base.type, indices)
        element = base.type.element
    elif isinstance(base, code.Constant) and isinstance(base.type, types.Pointer):
        start, element = base.value, base.type.pointee
        position = position_in(types.Array((1,), element), indices)
    else:
        return None
    if start is None:
        return None
    try:
        size = element_size_bytes(element)
    except TypeError:
        fail(
            f"an element of type '{element}' does not lie in memory, so it has no "
            "address",
            base.span,
        )
    return PointerValue(start.variable, start.offset_bytes + position * size)


def _keep_in_memory(place: code.Expression) -> None:
    """A local whose address is taken must live in memory."""
    while isinstance(place, (code.Element, code.FieldOf)):
        place = place.base
    if isinstance(place, code.Variable) and isinstance(
        place.variable, code.LocalVariable
    ):
        place.variable.in_memory = True


def pointer_to(frame: Frame, node: tree.Expression) -> code.Expression:
    """A pointer value as it is; for any other place its address."""
    if isinstance(node, (tree.Name, tree.Member)):
        pointer = _constant_pointer(frame, node)
        if pointer is not None:
            return pointer
    place = evaluate_place(frame, node)
    if isinstance(place.type, types.Pointer):
        return evaluate(frame, node)
    return address_of(frame, node, node.span)


def _constant_pointer(
    frame: Frame, node: tree.Name | tree.Member
) -> code.Constant | None:
    """A comptime-known pointer, as params are."""
    typing = frame.nested(mode="R", out=[])
    operand = evaluate(typing, node)
    if isinstance(operand, code.Constant) and isinstance(operand.type, types.Pointer):
        return operand
    return None
