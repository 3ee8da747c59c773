"""Places: what is read by members, indices and pointers, and can be assigned to."""

from __future__ import annotations

from pyflame.wse.language import code, tree, types
from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.dispatch import evaluate, evaluates
from pyflame.wse.language.modules import (
    constant_variable,
    global_variable,
    read_member,
    resolve,
)
from pyflame.wse.language.operands import (
    element_value,
    is_integer,
    is_known,
    need_integer,
    need_string,
    parts_of,
)
from pyflame.wse.language.packed import field_index, read_field
from pyflame.wse.language.source import Span
from pyflame.wse.language.state import (
    UNSET,
    Cell,
    Frame,
    FunctionRef,
    Global,
    Local,
    Module,
)
from pyflame.wse.language.types import Type, element_size_bytes
from pyflame.wse.language.values import ArrayValue, PointerValue

# --- reading ----------------------------------------------------------------------


def peek(frame: Frame, node: tree.Expression) -> code.Expression:
    """Like evaluate, but shares the array of a comptime variable: only to look."""
    if isinstance(node, tree.Name):
        binding = frame.scope.find(node.name)
        if isinstance(binding, Cell) and binding.value is not UNSET:
            return code.Constant(binding.type, node.span, binding.value)
    return evaluate(frame, node)


@evaluates(tree.Member)
def _member(frame: Frame, node: tree.Member, _: Type | None) -> code.Expression:
    base = peek(frame, node.base)
    if isinstance(base, code.Constant):
        if isinstance(base.value, Module):
            return read_member(base.value, node.name, node.span, frame)
        if types.is_enum(base.value):
            return _enum_item(base.value, node)
    return struct_field(base, node.name, node.span)


def _enum_item(enum: types.Enum, node: tree.Member) -> code.Constant:
    for name, value in enum.items:
        if name == node.name:
            return code.Constant(enum, node.span, value)
    items = ", ".join(name for name, _ in enum.items)
    fail(f"enum '{enum}' has no item '{node.name}'", node.span, help=f"items: {items}")


def struct_field(base: code.Expression, name: str, span: Span) -> code.Expression:
    """`base.name`

    Raises:
        CslError: the operand is no struct, or has no such field.
    """
    struct = base.type
    if isinstance(struct, types.Packed):
        return read_field(base, field_index(struct, name, span), span)
    if not isinstance(struct, types.Struct):
        pointer = isinstance(struct, types.Pointer)
        fail(
            f"type '{struct}' has no field '{name}'",
            span,
            help=f"dereference first: p.*.{name}" if pointer else "",
        )
    if struct.names is None or name not in struct.names:
        fields = ", ".join(struct.names or ())
        fail(
            f"struct '{struct}' has no field '{name}'",
            span,
            help=f"fields: {fields}" if fields else "",
        )
    return _field(base, struct, struct.names.index(name), span)


def _field(
    base: code.Expression, struct: types.Struct, index: int, span: Span
) -> code.Expression:
    parts = parts_of(base)
    if parts is None:
        return code.FieldOf(struct.types[index], span, base, index)
    part = parts[index]
    if isinstance(part, code.Constant):
        return code.Constant(part.type, span, part.value)
    return part


@evaluates(tree.Index)
def _index(frame: Frame, node: tree.Index, _: Type | None) -> code.Expression:
    base = peek(frame, node.base)
    indices = tuple(evaluate(frame, i) for i in node.indices)
    if isinstance(base.type, types.Struct):
        return _tuple_item(base, base.type, indices, node.span)
    _check_indices(base.type, indices, node.span)
    if isinstance(base.type, types.Array) and isinstance(base, code.Constant):
        if all(is_known(i) for i in indices):
            return _known_element(base, base.type, indices, node.span)
        base = _array_place(frame, node.base, base)
    return _element(frame, base, indices, node.span)


def _array_place(
    frame: Frame, node: tree.Expression, array: code.Constant
) -> code.Expression:
    """Storage for a comptime array that is indexed at run time."""
    if isinstance(node, (tree.Name, tree.Member)):
        binding = frame.scope.find(node.name) if isinstance(node, tree.Name) else None
        if binding is None and not _in_struct(frame, node):
            return evaluate_place(frame, node)
    if array.type.comptime_only:
        fail(
            f"an array of '{array.type}' cannot be indexed at run time",
            node.span,
            help="give its elements a fixed type",
        )
    name = node.name if isinstance(node, tree.Name) else "constant"
    variable = constant_variable(frame.program, array, name)
    return code.Variable(array.type, node.span, variable)


def _in_struct(frame: Frame, node: tree.Expression) -> bool:
    if not isinstance(node, tree.Member):
        return False
    return isinstance(evaluate(frame, node.base).type, types.Struct)


def _tuple_item(
    base: code.Expression,
    struct: types.Struct,
    indices: tuple[code.Expression, ...],
    span: Span,
) -> code.Expression:
    if struct.names is not None and struct.types:
        fail(f"struct '{struct}' has named fields: it cannot be indexed", span)
    if len(indices) != 1:
        fail("a tuple takes one index", span)
    index = need_integer(indices[0], "a tuple index")
    if not 0 <= index < len(struct.types):
        fail(
            f"tuple index {index} is out of range (0 to {len(struct.types) - 1})", span
        )
    return _field(base, struct, index, span)


def _check_indices(
    base: Type, indices: tuple[code.Expression, ...], span: Span
) -> None:
    for index in indices:
        if not is_integer(index.type):
            fail(f"an index must be an integer, got: '{index.type}'", index.span)
    if isinstance(base, types.Array):
        if len(indices) != len(base.dims):
            fail(
                f"'{base}' takes {len(base.dims)} "
                f"{'index' if len(base.dims) == 1 else 'indices'}, got {len(indices)}",
                span,
                help="write all indices in one pair of brackets: a[i, j]",
            )
        _check_bounds(base, indices)
    elif isinstance(base, types.Pointer) and base.many:
        if len(indices) != 1:
            fail(f"'{base}' takes 1 index, got {len(indices)}", span)
    else:
        pointer = isinstance(base, types.Pointer)
        fail(
            f"type '{base}' cannot be indexed",
            span,
            help="dereference first: p.*[i]" if pointer else "",
        )


def _check_bounds(array: types.Array, indices: tuple[code.Expression, ...]) -> None:
    for index, extent in zip(indices, array.dims, strict=True):
        if isinstance(index, code.Constant) and not 0 <= index.value < extent:
            fail(
                f"index {index.value} is out of bounds for '{array}' "
                f"(0 to {extent - 1})",
                index.span,
            )


def position_in(array: types.Array, indices: tuple[code.Expression, ...]) -> int:
    position = 0
    for index, extent in zip(indices, array.dims, strict=True):
        assert isinstance(index, code.Constant)
        position = position * extent + index.value
    return position


def _known_element(
    base: code.Constant,
    array: types.Array,
    indices: tuple[code.Expression, ...],
    span: Span,
) -> code.Constant:
    value = element_value(base.value, position_in(array, indices))
    return code.Constant(array.element, span, value)


def _element(
    frame: Frame,
    base: code.Expression,
    indices: tuple[code.Expression, ...],
    span: Span,
) -> code.Expression:
    if isinstance(base.type, types.Array):
        element = base.type.element
    else:
        assert isinstance(base.type, types.Pointer)
        element = base.type.pointee
        check_in_memory(element, span)
        if frame.comptime:
            return _comptime_pointer_element(base, element, indices[0], span)
    return code.Element(element, span, base, indices)


def _comptime_pointer_element(
    base: code.Expression, element: Type, index: code.Expression, span: Span
) -> code.Constant:
    """`p[i]` at comptime: only through pointers to constants."""
    if isinstance(base, code.Constant) and isinstance(index, code.Constant):
        variable = base.value.variable
        size = element_size_bytes(element)
        position = base.value.offset_bytes // size + index.value
        if not variable.mutable and isinstance(variable.value, ArrayValue):
            if not 0 <= position < len(variable.value.elements):
                fail(f"index {index.value} is out of bounds", span)
            value = element_value(variable.value, position)
            return code.Constant(element, span, value)
    fail("the value behind a pointer is not known at comptime", span)


@evaluates(tree.Deref)
def _deref(frame: Frame, node: tree.Deref, _: Type | None) -> code.Expression:
    pointer = evaluate(frame, node.pointer)
    type_ = pointer.type
    if not isinstance(type_, types.Pointer):
        fail(f"type '{type_}' is not a pointer", node.span)
    if type_.many:
        fail(
            f"dereferencing a pointer to an unknown number of elements ('{type_}') "
            "is illegal",
            node.span,
            help="index it: p[i]",
        )
    if isinstance(pointer, code.Constant):
        return _known_pointee(frame, pointer, type_, node.span)
    check_in_memory(type_.pointee, node.span)
    return code.Pointee(type_.pointee, node.span, pointer)


def _known_pointee(
    frame: Frame, pointer: code.Constant, type_: types.Pointer, span: Span
) -> code.Expression:
    if isinstance(pointer.value, FunctionRef):
        return code.Constant(type_.pointee, span, pointer.value)
    variable = pointer.value.variable
    whole = pointer.value.offset_bytes == 0 and variable.type == type_.pointee
    if whole and not variable.mutable:
        return code.Constant(type_.pointee, span, variable.value)
    if frame.comptime:
        fail("the value behind a pointer is not known at comptime", span)
    if whole:
        return code.Variable(variable.type, span, variable)
    check_in_memory(type_.pointee, span)
    return code.Pointee(type_.pointee, span, pointer)


def check_in_memory(pointee: Type, span: Span) -> None:
    """Raises CslError for what no pointer can lead to."""
    element = pointee.element if isinstance(pointee, types.Array) else pointee
    try:
        element_size_bytes(element)
    except TypeError:
        fail(f"a '{pointee}' does not lie in memory, where pointers lead", span)


# --- places -----------------------------------------------------------------------


def evaluate_place(frame: Frame, node: tree.Expression) -> code.Expression:
    """The place an expression names, for assignment or address.

    Raises:
        CslError: it names a temporary.
    """
    match node:
        case tree.Name():
            return _name_place(frame, node)
        case tree.Member():
            return _member_place(frame, node)
        case tree.Index():
            return _index_place(frame, node)
        case tree.Deref():
            return _deref_place(frame, node)
        case tree.BuiltinCall(name="@field"):
            return _field_place(frame, node)
        case _:
            pointed = isinstance(node, tree.PointerType)
            fail(
                "a temporary value has no address and cannot be assigned",
                node.span,
                help="write what a pointer leads to as p.*" if pointed else "",
            )


def _name_place(frame: Frame, node: tree.Name) -> code.Expression:
    binding = frame.scope.find(node.name)
    if binding is None:
        entry = frame.module.globals.get(node.name)
        if entry is not None:
            return _global_place(entry, node.span)
        operand = evaluate(frame, node)
        fail(f"'{node.name}' of type '{operand.type}' is not a variable", node.span)
    if isinstance(binding, Local):
        return code.Variable(binding.variable.type, node.span, binding.variable)
    if isinstance(binding, code.Constant):
        _check_storable(binding, node)
        variable = constant_variable(frame.program, binding, node.name)
        return code.Variable(binding.type, node.span, variable)
    fail(f"'{node.name}' exists at comptime only: it has no address", node.span)


def _check_storable(binding: code.Constant, node: tree.Name) -> None:
    if binding.type.comptime_only or isinstance(binding.type, types.Function):
        fail(f"'{node.name}' of type '{binding.type}' has no address", node.span)


def _global_place(entry: Global, span: Span) -> code.Expression:
    resolve(entry, span)
    if entry.constant is not None:
        type_ = entry.constant.type
        if type_.comptime_only or isinstance(type_, types.Function):
            name = entry.declaration.name
            fail(f"'{name}' of type '{type_}' has no address", span)
    variable = global_variable(entry)
    return code.Variable(variable.type, span, variable)


def _member_place(frame: Frame, node: tree.Member) -> code.Expression:
    if isinstance(node.base, (tree.Name, tree.Member)):
        module = module_of(frame, node.base)
        if module is not None:
            entry = module.globals.get(node.name)
            if entry is not None:
                return _global_place(entry, node.span)
            read_member(module, node.name, node.span, frame)
            fail(f"'{node.name}' is not a variable", node.span)
    return _field_of_place(evaluate_place(frame, node.base), node.name, node.span)


def _field_of_place(base: code.Expression, name: str, span: Span) -> code.Expression:
    if isinstance(base.type, types.Packed):
        index = field_index(base.type, name, span)
        return code.FieldOf(base.type.types[index], span, base, index)
    return struct_field(base, name, span)


def module_of(frame: Frame, node: tree.Expression) -> Module | None:
    """The module that a name or member stands for, if it is one."""
    if isinstance(node, tree.Member):
        outer = module_of(frame, node.base)
        entry = outer.globals.get(node.name) if outer is not None else None
    elif isinstance(node, tree.Name):
        binding = frame.scope.find(node.name)
        if binding is not None:
            value = getattr(binding, "value", None)
            return value if isinstance(value, Module) else None
        entry = frame.module.globals.get(node.name)
    else:
        return None
    if entry is None:
        return None
    resolve(entry, node.span)
    value = entry.constant.value if entry.constant is not None else None
    return value if isinstance(value, Module) else None


def _index_place(frame: Frame, node: tree.Index) -> code.Expression:
    base = _indexable(frame, node.base)
    indices = tuple(evaluate(frame, i) for i in node.indices)
    if isinstance(base.type, types.Struct):
        return _tuple_item(base, base.type, indices, node.span)
    _check_indices(base.type, indices, node.span)
    if isinstance(base.type, types.Array):
        return code.Element(base.type.element, node.span, base, indices)
    assert isinstance(base.type, types.Pointer), "only these can be indexed"
    check_in_memory(base.type.pointee, node.span)
    return code.Element(base.type.pointee, node.span, base, indices)


def _indexable(frame: Frame, node: tree.Expression) -> code.Expression:
    """The place of an array, or the value of a pointer to many elements."""
    if isinstance(node, tree.Deref):
        return _deref_place(frame, node)
    place = evaluate_place(frame, node)
    if isinstance(place.type, types.Pointer):
        return evaluate(frame, node)
    return place


def _deref_place(frame: Frame, node: tree.Deref) -> code.Expression:
    pointer = evaluate(frame, node.pointer)
    type_ = pointer.type
    if isinstance(type_, types.Pointer) and not type_.many:
        if isinstance(pointer, code.Constant):
            return _constant_pointee(pointer, type_, node.span)
        check_in_memory(type_.pointee, node.span)
        return code.Pointee(type_.pointee, node.span, pointer)
    return _deref(frame, node, None)


def _constant_pointee(
    pointer: code.Constant, type_: types.Pointer, span: Span
) -> code.Expression:
    value = pointer.value
    if not isinstance(value, PointerValue):
        fail(f"'{type_}' has no variable behind it", span)
    if value.offset_bytes == 0 and value.variable.type == type_.pointee:
        return code.Variable(type_.pointee, span, value.variable)
    check_in_memory(type_.pointee, span)
    return code.Pointee(type_.pointee, span, pointer)


def _field_place(frame: Frame, node: tree.BuiltinCall) -> code.Expression:
    if len(node.arguments) != 2:
        fail("'@field' takes 2 arguments", node.span)
    name = need_string(evaluate(frame, node.arguments[1]), "the field name")
    base = evaluate_place(frame, node.arguments[0])
    return _field_of_place(base, name, node.span)


def is_writable(frame: Frame, place: code.Expression) -> bool:
    """Whether a store to the place is legal."""
    match place:
        case code.Variable(variable=code.GlobalVariable() as variable):
            return variable.mutable
        case code.Variable(variable=variable):
            return _local_is_mutable(frame, variable)
        case code.Element(base=base) if isinstance(base.type, types.Pointer):
            return not base.type.const
        case code.Element(base=base) | code.FieldOf(base=base):
            return is_writable(frame, base)
        case code.Pointee(pointer=pointer):
            assert isinstance(pointer.type, types.Pointer)
            return not pointer.type.const
        case _:
            return False


def _local_is_mutable(
    frame: Frame, variable: code.GlobalVariable | code.LocalVariable
) -> bool:
    scope = frame.scope
    while scope is not None:
        for binding in scope.names.values():
            if isinstance(binding, Local) and binding.variable is variable:
                return binding.mutable
        scope = scope.parent
    return False
