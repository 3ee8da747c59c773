"""Exported symbols by number: `@get_symbol_value` and `@get_tensor_ptr`.

A number known at comptime names its symbol at once; any other becomes a switch over
the symbols that this PE exports. Reading a symbol that the PE lacks is undefined by
the documentation: here it is an error, or a fault at run time.
"""

from __future__ import annotations

from collections.abc import Callable

from pyflame.wse.language import code, types
from pyflame.wse.language.coercions import coerce
from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.invocation import Invocation
from pyflame.wse.language.operands import is_integer
from pyflame.wse.language.types import Type

_WORDS = types.Pointer(types.U16, many=True)
Read = Callable[[Invocation, code.GlobalVariable], code.Expression]


def get_symbol_value(call: Invocation) -> code.Expression:
    """`@get_symbol_value(T, id)`: a copy of the symbol, which must be of type T."""
    type_ = call.type(0)
    found = {
        number: variable
        for number, variable in _variables(call).items()
        if variable.type == type_
    }
    return _selected(call, 1, type_, found, _value)


def get_tensor_ptr(call: Invocation) -> code.Expression:
    """`@get_tensor_ptr(id)`: where the symbol's data lies, as `[*]u16`."""
    return _selected(call, 0, _WORDS, _variables(call), _address)


def _variables(call: Invocation) -> dict[int, code.GlobalVariable]:
    """The variables that this PE exports, by number."""
    exports = call.program.unit.exports
    numbered = {n: exports.get(name) for n, name in enumerate(call.program.exported)}
    return {n: v for n, v in numbered.items() if isinstance(v, code.GlobalVariable)}


def _value(call: Invocation, variable: code.GlobalVariable) -> code.Expression:
    return code.Variable(variable.type, call.span, variable)


def _address(call: Invocation, variable: code.GlobalVariable) -> code.Expression:
    """An exported pointer is the tensor's; of other symbols the address counts."""
    place = _value(call, variable)
    if isinstance(variable.type, types.Pointer):
        return code.Bitcast(_WORDS, call.span, place)
    pointer = types.Pointer(variable.type)
    address = code.AddressOf(pointer, call.span, place)
    return code.Bitcast(_WORDS, call.span, address)


def _selected(
    call: Invocation,
    index: int,
    type_: Type,
    found: dict[int, code.GlobalVariable],
    read: Read,
) -> code.Expression:
    number = call.operand(index)
    if not is_integer(number.type):
        fail(f"a symbol id is an integer, got: '{number.type}'", number.span)
    if not isinstance(number, code.Constant):
        return _switch(call, coerce(number, types.U16), type_, found, read)
    variable = found.get(number.value)
    if variable is None:
        names = list(call.program.exported)
        shown = ", ".join(f"{n} {names[n]}" for n in found) or "none"
        fail(
            f"this PE exports no symbol {number.value} that '{call.name}' can read",
            number.span,
            note=f"it can read: {shown}",
            help="take the id from @get_symbol_id",
        )
    return read(call, variable)


def _switch(
    call: Invocation,
    number: code.Expression,
    type_: Type,
    found: dict[int, code.GlobalVariable],
    read: Read,
) -> code.Expression:
    span = call.span
    variable = code.LocalVariable(call.program.label("symbol"), type_)
    place = code.Variable(type_, span, variable)
    arms: list[tuple[tuple[int, ...], list[code.Statement]]] = [
        ((n,), [code.Assign(span, place, read(call, symbol))])
        for n, symbol in found.items()
    ]
    missing = code.NativeCall(types.VOID, span, "no_symbol", (number,))
    otherwise: list[code.Statement] = [code.Evaluate(span, missing)]
    body: list[code.Statement] = [
        code.Declare(span, variable, None),
        code.Switch(span, number, arms, otherwise),
    ]
    return code.Sequence(type_, span, body, place)
