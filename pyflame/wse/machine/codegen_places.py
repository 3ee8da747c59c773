"""Variables, elements, fields and pointees: places and the values in them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from pyflame.wse.errors import CslError
from pyflame.wse.language import code, types
from pyflame.wse.machine import guarded_access, storage
from pyflame.wse.machine import scalar_support as support
from pyflame.wse.machine.codegen_arithmetic import strict_bool
from pyflame.wse.machine.codegen_core import (
    FunctionWriter,
    Place,
    Value,
    expression_rule,
    place_rule,
    typed,
)
from pyflame.wse.machine.codegen_memory import MEMORY_BYTES, MemoryPlace
from pyflame.wse.machine.layout_memory import needs_memory


@dataclass(slots=True)
class PythonPlace(Place):
    """A Python local, a slot, or an item of a list or NumPy array in one of them.

    `convert` turns what lies there into a run-time value (array elements). `unset`
    is the site of one that may have no value yet, which strict code finds out.
    """

    w: FunctionWriter
    text: str
    type: types.Type
    bounds: tuple[int | None, int | None] | None = None
    fixed: bool = False
    convert: Callable[[str], str] | None = None
    unset: support.Site | None = None

    def load(self) -> Value:
        shared = isinstance(self.type, (types.Struct, types.Array))
        text = self.text if self.convert is None else self.convert(self.text)
        value = typed(text, self.type, fixed=self.fixed, shared=shared)
        if self.unset is not None and not shared:
            fail = self.w.constant(guarded_access.unset)
            site = self.w.constant(self.unset)
            value.text = f"({text} if {self.text} is not None else {fail}(pe, {site}))"
            value.fixed, value.depth = False, 3
        if self.bounds is not None:
            value.low, value.high = self.bounds
        return value

    def store(self, value: Value) -> None:
        self.w.line(f"{self.text} = {kept(self.w, value, self.type)}")


def kept(w: FunctionWriter, value: Value, type_: types.Type) -> str:
    """Text of a value about to be held somewhere: aggregates are copied."""
    if type_ == types.BOOL:
        return strict_bool(value)
    if not value.shared:
        return value.text
    if isinstance(type_, types.Struct) and any(map(_is_aggregate, type_.types)):
        return f"{w.constant(copy.deepcopy)}({value.text})"
    if isinstance(type_, types.Struct):
        return f"{value.text}[:]"
    return f"{w.constant(copy.deepcopy)}({value.text})"


def _is_aggregate(type_: types.Type) -> bool:
    return isinstance(type_, (types.Struct, types.Array))


# --- variables --------------------------------------------------------------------


@place_rule(code.Variable)
def _variable_place(w: FunctionWriter, node: code.Variable) -> Place:
    variable = node.variable
    if isinstance(variable, code.LocalVariable):
        return local_place(w, variable, node)
    address = w.unit.layout.addresses.get(variable)
    if address is None:
        slot = f"{w.slots()}[{w.unit.layout.slots[variable]}]"
        return PythonPlace(w, slot, variable.type)
    return MemoryPlace(w, variable.type, node.span, variable.name, address)


def local_place(
    w: FunctionWriter, variable: code.LocalVariable, node: Any
) -> MemoryPlace | PythonPlace:
    """The place of a local: memory if its address may be taken, else Python's."""
    if needs_memory(variable):
        address = w.unit.layout.addresses[variable]
        return MemoryPlace(w, variable.type, node.span, variable.name, address)
    fixed = variable in w.constant_locals
    bounds = w.bounds.get(variable)
    place = PythonPlace(w, w.local(variable), variable.type, bounds, fixed)
    if variable in w.unset_locals:
        place.unset = support.Site(node.span, f"'{variable.name}'")
    return place


@expression_rule(code.Variable)
def _variable(w: FunctionWriter, node: code.Variable) -> Value:
    variable = node.variable
    if isinstance(variable, code.GlobalVariable) and not variable.mutable:
        if not _is_aggregate(variable.type) and variable.value is not None:
            constant = code.Constant(variable.type, node.span, variable.value)
            return w.value(constant)
    value = w.place(node).load()
    if isinstance(variable.type, types.Simple) and not value.fixed:
        return _filled(w, variable, value, node)
    return value


def _filled(
    w: FunctionWriter,
    variable: code.GlobalVariable | code.LocalVariable,
    value: Value,
    node: code.Variable,
) -> Value:
    """DSDs have no neutral value: reading one before it has been set is a fault."""
    if storage.lives_in_memory(variable.type) or variable.type == types.VOID:
        return value
    site = w.constant(support.Site(node.span, variable.name))
    name, fail = w.temp(), w.constant(support.no_value)
    test = f"({name} := {value.text}) is not None"
    return Value(f"({name} if {test} else {fail}(pe, {site}))", depth=3)


# --- elements ---------------------------------------------------------------------


@place_rule(code.Element)
def _element_place(w: FunctionWriter, node: code.Element) -> Place:
    if isinstance(node.base.type, types.Pointer):
        return _pointer_element(w, node)
    array = node.base.type
    if isinstance(array, types.Struct):
        return _tuple_item(w, node)
    assert isinstance(array, types.Array), f"'{array}' has no elements"
    base = container_place(w, node.base)
    values, block = w.inside(lambda: w.operands(node.indices))
    if block.lines and isinstance(base, MemoryPlace):
        base = _pinned_indices(w, base)
    w.append(block)
    if isinstance(base, MemoryPlace):
        return _memory_element(w, node, array, base, values)
    assert isinstance(base, PythonPlace)
    index = _checked_index(w, node, array, values)
    text = f"{base.load().text}[{index.text}]"
    return PythonPlace(w, text, array.element, convert=_item_converter(w, array))


def _pinned_indices(w: FunctionWriter, place: MemoryPlace) -> MemoryPlace:
    indices = [(w.spilled(value), stride) for value, stride in place.indices]
    return replace(place, indices=indices)


def container_place(w: FunctionWriter, base: code.Expression) -> Place:
    """The place of an array or struct that is about to be indexed."""
    if isinstance(base, (code.Variable, code.Element, code.FieldOf, code.Pointee)):
        return w.place(base)
    return PythonPlace(w, w.spilled(w.value(base)).text, base.type)


def _memory_element(
    w: FunctionWriter,
    node: code.Element,
    array: types.Array,
    base: MemoryPlace,
    values: list[Value],
) -> MemoryPlace:
    stride = storage.stride_bytes(array.element)
    w.charge(w.unit.costs.issue_cycles * (len(values) - 1))
    index = _checked_index(w, node, array, values, base.name)
    if index.low is not None and index.low == index.high:
        return replace(
            base,
            type=array.element,
            span=node.span,
            base=base.base + index.low * stride,
            in_array=True,
        )
    return replace(
        base,
        type=array.element,
        span=node.span,
        indices=[*base.indices, (index, stride)],
    )


def _checked_index(
    w: FunctionWriter,
    node: code.Element,
    array: types.Array,
    values: list[Value],
    name: str = "",
) -> Value:
    """The row-major index, checked unless its bounds prove it inside."""
    index = _linear_index(array, values)
    count = array.count
    assert index.low is not None
    assert index.high is not None
    if index.low >= 0 and index.high < count:
        return index
    site = w.constant(support.Site(node.span, name or _name_of(node.base), count))
    fail = w.constant(support.bad_index)
    bound = w.temp()
    lower = "" if index.low >= 0 else "0 <= "
    test = f"{lower}({bound} := {index.text}) < {count}"
    text = f"({bound} if {test} else {fail}(pe, {site}, {bound}))"
    return Value(text, 0, max(count - 1, 0), depth=index.depth + 2)


def _linear_index(array: types.Array, values: list[Value]) -> Value:
    first, *rest = values
    low, high, text, depth = first.low or 0, first.high or 0, first.text, first.depth
    for value, extent in zip(rest, array.dims[1:], strict=True):
        text = f"({text} * {extent} + {value.text})"
        low = low * extent + (value.low or 0)
        high = high * extent + (value.high or 0)
        depth = max(depth, value.depth) + 1
    if low == high:
        text = str(low)
    return Value(text, low, high, first.fixed and not rest, depth=depth)


def _item_converter(w: FunctionWriter, array: types.Array) -> Callable[[str], str]:
    """NumPy items of array values become plain ints and bools."""
    element = array.element
    if element == types.BOOL:
        return lambda text: f"({text} != 0)"
    if storage.lives_in_memory(element) and not isinstance(element, types.Float):
        return lambda text: f"int({text})"
    return lambda text: text


def _tuple_item(w: FunctionWriter, node: code.Element) -> Place:
    (index,) = node.indices
    assert isinstance(index, code.Constant), "tuples are indexed by constants"
    return field_place(w, node.base, int(index.value), node)


def _pointer_element(w: FunctionWriter, node: code.Element) -> Place:
    pointer, index = w.operands((node.base, node.indices[0]))
    name = _name_of(node.base)
    stride = storage.stride_bytes(node.type)
    place = MemoryPlace(w, node.type, node.span, name, pointer=pointer.text)
    if index.low is not None and index.low == index.high:
        return place.moved(node.type, index.low * stride)
    return replace(place, indices=[(index, stride)])


def _name_of(node: code.Expression) -> str:
    match node:
        case code.Variable(variable=variable):
            return variable.name
        case code.Element(base=base) | code.FieldOf(base=base):
            return _name_of(base)
        case code.Pointee(pointer=pointer):
            return _name_of(pointer)
        case code.AddressOf(place=place):
            return _name_of(place)
        case _:
            return "the value"


# --- fields and pointees ----------------------------------------------------------


@place_rule(code.FieldOf)
def _field_place(w: FunctionWriter, node: code.FieldOf) -> Place:
    return field_place(w, node.base, node.index, node)


def field_place(
    w: FunctionWriter, base: code.Expression, index: int, node: code.Expression
) -> Place:
    struct = base.type
    assert isinstance(struct, types.Struct), f"'{struct}' has no fields"
    place = container_place(w, base)
    member = struct.types[index]
    if isinstance(place, MemoryPlace):
        return place.moved(member, storage.field_offset_bytes(struct, index))
    assert isinstance(place, PythonPlace)
    item = PythonPlace(w, f"{place.text}[{index}]", member)
    if w.unit.strict:
        item.unset = support.Site(node.span, f"a field of '{_name_of(node)}'")
    return item


@place_rule(code.Pointee)
def _pointee_place(w: FunctionWriter, node: code.Pointee) -> Place:
    if isinstance(node.pointer, code.AddressOf):
        return w.place(node.pointer.place)
    pointer = w.value(node.pointer)
    name = _name_of(node.pointer)
    known = pointer.low if pointer.low == pointer.high else None
    if known is not None and known + storage.size_bytes(node.type) <= MEMORY_BYTES:
        return MemoryPlace(w, node.type, node.span, name, known)
    return MemoryPlace(w, node.type, node.span, name, pointer=pointer.text)


@expression_rule(code.Element)
@expression_rule(code.FieldOf)
@expression_rule(code.Pointee)
def _load(w: FunctionWriter, node: code.Expression) -> Value:
    return w.place(node).load()


@expression_rule(code.AddressOf)
def _address_of(w: FunctionWriter, node: code.AddressOf) -> Value:
    place = w.place(node.place)
    if not isinstance(place, MemoryPlace):
        raise CslError(
            f"a '{node.place.type}' does not lie in memory, so it has no address",
            node.span,
            help="pass the value itself",
        )
    return place.address()
