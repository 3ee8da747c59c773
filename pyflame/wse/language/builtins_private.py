"""Builtins that only files of the shipped library may use."""

from __future__ import annotations

from typing import Any

from pyflame.wse.errors import CslError
from pyflame.wse.language import code, types
from pyflame.wse.language.builtins_layout import LayoutRecord
from pyflame.wse.language.builtins_tasks import identifier
from pyflame.wse.language.coercions import convert_value
from pyflame.wse.language.comptime_natives import COMPTIME_NATIVES
from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.invocation import Invocation
from pyflame.wse.language.operands import need_known
from pyflame.wse.language.run_time import native_argument
from pyflame.wse.language.types import Type


def native(call: Invocation) -> code.Expression:
    """`@__native("name", T, arguments...)`: a function of the simulator."""
    name = call.string(0, "the name of a native")
    type_ = call.type(1)
    operands = [call.operand(i) for i in range(2, call.count)]
    if call.frame.comptime:
        return call.constant(type_, _evaluated(call, name, type_, operands))
    made = tuple(native_argument(call.program, o) for o in operands)
    return code.NativeCall(type_, call.span, name, made)


def _evaluated(
    call: Invocation, name: str, type_: Type, operands: list[code.Expression]
) -> Any:
    if name not in COMPTIME_NATIVES:
        fail(f"'{name}' can only be computed at run time", call.span)
    values = [need_known(o, f"an argument of '{name}'").value for o in operands]
    try:
        result = COMPTIME_NATIVES[name](*values)
    except CslError as error:
        fail(error.message, error.span or call.span, help=error.help)
    if isinstance(type_, (types.Int, types.Float)):
        source = (
            types.COMPTIME_FLOAT if isinstance(result, float) else types.COMPTIME_INT
        )
        return convert_value(result, source, type_, call.span)
    return result


def host_stream(call: Invocation) -> code.Expression:
    """`@__host_stream(color, "h2d" | "d2h")`: the host streams on this color."""
    record = call.program.layout
    color = identifier(call, 0, "color")
    way = call.string(1, "the direction of a stream")
    assert isinstance(record, LayoutRecord)
    assert way in ("h2d", "d2h")
    if record.host_streams.get(color, way) != way:
        fail(f"color {color} cannot stream in both directions", call.span)
    record.host_streams[color] = way
    return call.void()
