"""Builtins on configuration registers and random numbers."""

from __future__ import annotations

from pyflame.wse.language import code, types
from pyflame.wse.language.coercions import coerce
from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.invocation import Invocation
from pyflame.wse.language.operands import is_integer, need_known
from pyflame.wse.language.registers import is_router_register


def _word(call: Invocation, index: int, what: str) -> code.Expression:
    """An address or a value of a configuration register: 16 bits."""
    operand = call.operand(index)
    if isinstance(operand, code.Constant) and is_integer(operand.type):
        value = call.check_range(operand, what, 0, 0xFFFF)
        return code.Constant(types.U16, operand.span, value)
    if types.is_enum(operand.type):
        return code.Convert(types.U16, operand.span, operand)
    return coerce(operand, types.U16)


def get_config(call: Invocation) -> code.Expression:
    address = _word(call, 0, "the register address")
    if call.frame.mode == "R":
        return call.emit(types.U16, [address])
    number = need_known(address, "the register address").value
    for written, value in reversed(call.program.unit.config_writes):
        if written == number:
            return call.constant(types.U16, value)
    fail(
        f"register 0x{number:04x} has not been written at comptime",
        call.span,
        note="default values of registers are not documented",
    )


def set_config(call: Invocation) -> code.Expression:
    address = _word(call, 0, "the register address")
    value = _word(call, 1, "the register value")
    if call.frame.mode == "R":
        return call.emit(types.VOID, [address, value])
    pair = (
        need_known(address, "the register address").value,
        need_known(value, "the register value").value,
    )
    if call.program.options.arch == "wse2" and is_router_register(pair[0]):
        fail(
            f"register 0x{pair[0]:04x} holds the routes or the switch of a color, "
            "which cannot be written at comptime",
            call.span,
            help="use @set_color_config or @set_local_color_config",
        )
    call.program.unit.config_writes.append(pair)
    return call.void()


def set_active_prng(call: Invocation) -> code.Expression:
    """`@set_active_prng(id)`: which generator `@random16` draws from."""
    number = call.run_time(call.typed(0, types.U16))
    return code.NativeCall(types.VOID, call.span, "set_active_prng", (number,))


def random16(call: Invocation) -> code.Expression:
    return call.emit(types.U16, [])
