"""How an operand of the wrong type is refused: with the cast that would do."""

from __future__ import annotations

from typing import NoReturn

from pyflame.wse.language import code, types
from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.operands import is_float, is_integer
from pyflame.wse.language.types import Type

_NUMBERS = (types.Int, types.Float)
# how values of the identifier types are made
MAKERS = {
    "color": "@get_color(n)",
    "data_task_id": "@get_data_task_id(color or input queue)",
    "local_task_id": "@get_local_task_id(n)",
    "control_task_id": "@get_control_task_id(n)",
    "input_queue": "@get_input_queue(n)",
    "output_queue": "@get_output_queue(n)",
    "ut_id": "@get_ut_id(n)",
}


def mismatch(operand: code.Expression, target: Type) -> NoReturn:
    """Raises the CslError of an operand that is not of the wanted type."""
    help = _way_out(operand.type, target)
    fail(f"expected type '{target}', got: '{operand.type}'", operand.span, help=help)


def _way_out(source: Type, target: Type) -> str:
    if isinstance(target, types.Identifier):
        return f"make one with {MAKERS[target.name]}"
    if isinstance(target, types.Pointer):
        return _way_to_pointer(source, target)
    if isinstance(source, types.Pointer) and source.pointee == target:
        return (
            "read one element: p[i]" if source.many else "read what it points to: p.*"
        )
    if isinstance(target, _NUMBERS):
        return _way_to_number(source, target)
    if isinstance(source, types.Struct) and isinstance(target, types.Struct):
        return f"name the type: {target} {{ ... }}" if target.display else ""
    if target == types.BOOL and is_integer(source):
        return "compare with zero: x != 0"
    return ""


def _way_to_number(source: Type, target: Type) -> str:
    if isinstance(source, _NUMBERS) or types.is_enum(source) or source == types.BOOL:
        return f"convert with @as({target}, ...)"
    if source == types.COMPTIME_INT and is_float(target):
        return f"write a float literal such as 2.0, or @as({target}, ...)"
    if isinstance(source, types.Identifier):
        return "its number is @get_int(...)"
    return ""


def _way_to_pointer(source: Type, target: types.Pointer) -> str:
    if isinstance(source, types.Pointer):
        if source.const and not target.const:
            return "a pointer to const cannot become a pointer that writes"
        return f"reinterpret with @ptrcast({target}, ...)"
    pointee = source.element if isinstance(source, types.Array) else source
    if target.pointee in (source, pointee if target.many else source):
        return "pass the address of a variable: &x"
    return ""
