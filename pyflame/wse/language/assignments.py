"""Stores: to comptime variables now, to places at run time."""

from __future__ import annotations

from typing import Any

from pyflame.wse.language import code, tree, types
from pyflame.wse.language.coercions import coerce
from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.dispatch import evaluate
from pyflame.wse.language.operands import (
    copied,
    is_known,
    need_integer,
    need_known,
    need_string,
)
from pyflame.wse.language.operators import binary
from pyflame.wse.language.packed import (
    field_index,
    is_part,
    loaded,
    read_field,
    stored,
    with_field,
)
from pyflame.wse.language.places import evaluate_place, is_writable
from pyflame.wse.language.run_time import run_time
from pyflame.wse.language.source import Source, Span
from pyflame.wse.language.state import UNSET, Cell, Frame
from pyflame.wse.language.types import Type
from pyflame.wse.language.values import ArrayValue, StructValue

# a step into a value: a field's name, or the indices of an element
Step = str | tuple[int, ...]
_NOWHERE = Span(Source("", ""), 0, 0)


def assign(frame: Frame, node: tree.Assignment) -> None:
    """`place op= value`

    Raises:
        CslError: the place cannot be stored to, or the value does not fit it.
    """
    if isinstance(node.place, tree.Name) and node.place.name == "_":
        evaluate_and_drop(frame, node.value)
        return
    cell = _root_cell(frame, node.place)
    if cell is not None:
        _store_to_cell(frame, node, cell)
        return
    _refuse_comptime_store(frame, node)
    place = evaluate_place(frame, node.place)
    if not is_writable(frame, place):
        _refuse_constant(frame, node, place)
    if node.operator:
        place = _stable(frame, place)
    value = evaluate(frame, node.value, place.type)
    if node.operator:
        value = binary(node.operator, loaded(place), value, node.span)
    value = run_time(frame.program, coerce(value, place.type), node.value.span)
    if is_part(place):
        place, value = stored(_stable(frame, place), value)
    frame.out.append(code.Assign(node.span, place, value))


def evaluate_and_drop(frame: Frame, node: tree.Expression) -> None:
    value = evaluate(frame, node)
    if not is_known(value):
        frame.out.append(code.Evaluate(node.span, value))


def _refuse_comptime_store(frame: Frame, node: tree.Assignment) -> None:
    if not frame.comptime:
        return
    if isinstance(node.place, tree.Name):
        binding = frame.scope.find(node.place.name)
        if isinstance(binding, code.Constant):
            fail(f"cannot assign to constant '{node.place.name}'", node.span)
    fail(
        "a store to a run-time variable cannot happen at comptime",
        node.span,
        note="comptime code may store to its own local variables only",
    )


def _refuse_constant(
    frame: Frame, node: tree.Assignment, place: code.Expression
) -> None:
    root = node.place
    while isinstance(root, (tree.Member, tree.Index)):
        root = root.base
    if isinstance(root, tree.Deref) or isinstance(place.type, types.Function):
        fail("cannot write through a pointer to const", node.span)
    if isinstance(root, tree.Name):
        fail(
            f"cannot assign to constant '{root.name}'",
            node.span,
            note="only 'var' can be assigned; parameters are constants",
        )
    fail("cannot assign to this place", node.span)


def _stable(frame: Frame, place: code.Expression) -> code.Expression:
    """The place with index expressions that act or cost evaluated once."""
    match place:
        case code.Element(base=base, indices=indices):
            base = _stable(frame, base)
            fixed = tuple(_once(frame, i) for i in indices)
            return code.Element(place.type, place.span, base, fixed)
        case code.FieldOf(base=base, index=index):
            return code.FieldOf(place.type, place.span, _stable(frame, base), index)
        case code.Pointee(pointer=pointer):
            return code.Pointee(place.type, place.span, _once(frame, pointer))
        case _:
            return place


def _once(frame: Frame, value: code.Expression) -> code.Expression:
    if not _acts(value):
        return value
    variable = code.LocalVariable(frame.program.label("index"), value.type)
    frame.out.append(code.Declare(value.span, variable, value))
    return code.Variable(value.type, value.span, variable)


def _acts(value: code.Expression) -> bool:
    """Whether evaluating twice could differ from evaluating once."""
    match value:
        case code.Constant() | code.Variable() | code.FunctionPointer():
            return False
        case code.Unary(operand=x) | code.Convert(operand=x) | code.Bitcast(operand=x):
            return _acts(x)
        case code.Binary(left=x, right=y) | code.Compare(left=x, right=y):
            return _acts(x) or _acts(y)
        case code.Element(base=base, indices=indices):
            return _acts(base) or any(_acts(i) for i in indices)
        case code.FieldOf(base=x) | code.Pointee(pointer=x) | code.AddressOf(place=x):
            return _acts(x)
        case _:
            return True


# --- comptime variables -----------------------------------------------------------


def _root_cell(frame: Frame, node: tree.Expression) -> Cell | None:
    """The comptime variable that a place is part of, if it is."""
    while True:
        if isinstance(node, (tree.Member, tree.Index)):
            node = node.base
        elif isinstance(node, tree.BuiltinCall) and node.name == "@field":
            node = node.arguments[0]
        else:
            break
    if not isinstance(node, tree.Name):
        return None
    binding = frame.scope.find(node.name)
    return binding if isinstance(binding, Cell) else None


def _store_to_cell(frame: Frame, node: tree.Assignment, cell: Cell) -> None:
    if cell.depth < frame.depth:
        fail(
            f"a store to comptime variable '{cell.name}' depends on run time",
            node.span,
            note="declared here",
            note_span=cell.span,
        )
    path: list[Step] = []
    type_ = _path_of(frame, node.place, cell, path)
    if cell.value is UNSET and (path or node.operator):
        fail(f"'{cell.name}' is read before a value was stored", node.span)
    if node.operator:
        old = code.Constant(type_, node.place.span, _get(cell.value, path, cell.type))
        new = binary(node.operator, old, evaluate(frame, node.value), node.span)
    else:
        new = evaluate(frame, node.value, type_)
    known = need_known(coerce(new, type_), f"the value stored to '{cell.name}'")
    if not path:
        if type_ == types.COMPTIME_STRUCT:
            cell.type = types.COMPTIME_STRUCT
        cell.value = copied(known.value)
    else:
        cell.value = _replaced(cell.value, path, cell.type, known.value)


def _path_of(frame: Frame, node: tree.Expression, cell: Cell, path: list[Step]) -> Type:
    """Fills `path` with the steps from the cell; gives the type of the place."""
    match node:
        case tree.Member():
            base = _path_of(frame, node.base, cell, path)
            return _field_step(base, node.name, path, node.span)
        case tree.BuiltinCall():
            base = _path_of(frame, node.arguments[0], cell, path)
            name = need_string(evaluate(frame, node.arguments[1]), "the field name")
            return _field_step(base, name, path, node.span)
        case tree.Index():
            base = _path_of(frame, node.base, cell, path)
            indices = tuple(
                need_integer(evaluate(frame, i), "an index into a comptime variable")
                for i in node.indices
            )
            return _index_step(base, indices, path, node.span)
        case _:
            return cell.type


def _field_step(base: Type, name: str, path: list[Step], span: Span) -> Type:
    if isinstance(base, types.Packed):
        path.append(name)
        return base.types[field_index(base, name, span)]
    if not isinstance(base, types.Struct) or name not in (base.names or ()):
        fail(f"type '{base}' has no field '{name}'", span)
    assert base.names is not None
    path.append(name)
    return base.types[base.names.index(name)]


def _index_step(
    base: Type, indices: tuple[int, ...], path: list[Step], span: Span
) -> Type:
    if not isinstance(base, types.Array) or len(indices) != len(base.dims):
        fail(f"type '{base}' does not take {len(indices)} indices here", span)
    for index, extent in zip(indices, base.dims, strict=True):
        if not 0 <= index < extent:
            fail(
                f"index {index} is out of bounds for '{base}' (0 to {extent - 1})", span
            )
    path.append(indices)
    return base.element


def _flat(array: types.Array, indices: tuple[int, ...]) -> int:
    position = 0
    for index, extent in zip(indices, array.dims, strict=True):
        position = position * extent + index
    return position


def _get(value: Any, path: list[Step], type_: Type) -> Any:
    for step in path:
        if isinstance(type_, types.Packed):
            value, type_ = _part(value, type_, step)
        elif isinstance(step, str):
            assert isinstance(type_, types.Struct)
            assert type_.names is not None
            position = type_.names.index(step)
            value, type_ = value.values[position], type_.types[position]
        else:
            assert isinstance(type_, types.Array)
            value, type_ = value.elements[_flat(type_, step)], type_.element
            value = value.item() if hasattr(value, "item") else value
    return value


def _replaced(value: Any, path: list[Step], type_: Type, new: Any) -> Any:
    """The value with one part changed; the arrays of a cell change in place."""
    if not path:
        return new
    step, rest = path[0], path[1:]
    if isinstance(type_, types.Packed):
        old, field = _part(value, type_, step)
        part = code.Constant(field, _NOWHERE, _replaced(old, rest, field, new))
        return _with_part(value, type_, step, part)
    if isinstance(step, str):
        assert isinstance(type_, types.Struct)
        assert type_.names is not None
        position = type_.names.index(step)
        parts = list(value.values)
        inner = copied(parts[position])
        parts[position] = _replaced(inner, rest, type_.types[position], new)
        return StructValue(value.type, tuple(parts))
    assert isinstance(type_, types.Array)
    assert isinstance(value, ArrayValue)
    position = _flat(type_, step)
    old = value.elements[position]
    value.elements[position] = _replaced(old, rest, type_.element, new)
    return value


def _part(value: Any, type_: types.Packed, step: Step) -> tuple[Any, Type]:
    """A field of a packed value, and its type."""
    assert isinstance(step, str), "packed values hold no arrays"
    index = type_.names.index(step)
    found = read_field(code.Constant(type_, _NOWHERE, value), index, _NOWHERE)
    assert isinstance(found, code.Constant)
    return found.value, found.type


def _with_part(value: Any, type_: types.Packed, step: Step, part: code.Constant) -> Any:
    assert isinstance(step, str), "packed values hold no arrays"
    index = type_.names.index(step)
    whole = code.Constant(type_, _NOWHERE, value)
    changed = with_field(whole, index, part, _NOWHERE)
    assert isinstance(changed, code.Constant)
    return changed.value
