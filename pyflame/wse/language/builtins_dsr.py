"""Loading DSRs: alone, or with the extended ones (2.x) of some DSDs.

Circular buffers take an XDSR, multi-dimensional vectors an XDSR and stride registers.
"""

from __future__ import annotations

from collections.abc import Callable

from pyflame.wse.language import code, image, types
from pyflame.wse.language.builtins_dsd import (
    DSD_KINDS,
    Fields,
    number,
    pointer_argument,
)
from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.dsd_configs import (
    LOAD,
    STEPPING,
    comptime_values,
    operation_config,
)
from pyflame.wse.language.invocation import Invocation
from pyflame.wse.language.operands import need_known, parts_of
from pyflame.wse.language.source import Span
from pyflame.wse.language.values import DsrValue


def load_to_dsr(call: Invocation) -> code.Expression:
    dsr = _register(call, 0, "a DSR")
    dsd = call.operand(1)
    _check_loadable(dsr.value, dsd)
    given = call.fields(2, "the load's settings")
    return _loaded(call, [dsr], dsd, operation_config(call, given, LOAD))


def _loaded(
    call: Invocation,
    registers: list[code.Constant],
    dsd: code.Expression,
    config: Callable[[], Fields],
) -> code.Expression:
    """The load at run time, or noted for the start of the program."""
    if call.frame.mode == "R":
        dsr, *extended = registers
        return call.emit(types.VOID, [dsr, dsd, *extended], config())
    known = need_known(dsd, "a DSD loaded at comptime")
    values: list[DsrValue] = [register.value for register in registers]
    call.program.finishers.append(lambda: _record_load(call, values, known, config()))
    return call.void()


def _record_load(
    call: Invocation, registers: list[DsrValue], dsd: code.Constant, config: Fields
) -> None:
    dsr, *extended = registers
    values = comptime_values(call, config)
    load = image.DsrLoad(dsr, dsd.value, values, tuple(extended))
    call.program.unit.dsr_loads.append(load)


def _check_loadable(dsr: DsrValue, dsd: code.Expression) -> None:
    kind = str(dsd.type)
    if kind == "circbuf_dsd":
        fail(
            "'@load_to_dsr' cannot load type 'circbuf_dsd'",
            dsd.span,
            note="a circular buffer takes an extended register, too",
            help="use @load_to_dsr_xdsr(dsr, xdsr, circbuf)",
        )
    if kind not in DSD_KINDS:
        fail(f"'@load_to_dsr' cannot load type '{dsd.type}'", dsd.span)
    if kind == "fabin_dsd" and dsr.kind == "dsr_dest":
        fail("a fabin_dsd cannot be loaded into a dsr_dest", dsd.span)
    if kind == "fabout_dsd" and dsr.kind != "dsr_dest":
        fail(f"a fabout_dsd cannot be loaded into a {dsr.kind}", dsd.span)


def load_to_dsr_xdsr(call: Invocation) -> code.Expression:
    """`@load_to_dsr_xdsr(dsr, xdsr, circbuf [, .{ .save_address or .single_step }])`"""
    registers = [_register(call, 0, "a DSR"), _register(call, 1, "an XDSR")]
    dsd = _dsd_of_kind(call, 2, types.CIRCBUF_DSD, "other DSDs are loaded by")
    known = need_known(dsd, "a circular buffer that is loaded")
    return _loaded(call, registers, known, _stepping(call, 3))


def load_to_dsr_xdsr_sr(call: Invocation) -> code.Expression:
    """`@load_to_dsr_xdsr_sr(dsr, xdsr, .{ sr, ... }, mem4d [, .{ ... }])`

    Source of the number of stride registers: the 2.x manual on DSRs.
    """
    registers = [_register(call, 0, "a DSR"), _register(call, 1, "an XDSR")]
    strides = _stride_registers(call)
    dsd = _dsd_of_kind(call, 3, types.MEM4D_DSD, "one dimension is loaded by")
    wanted = _stride_register_count(dsd)
    if len(strides) != wanted:
        fail(
            f"this mem4d_dsd needs {_counted(wanted)}, got {len(strides)}",
            call.node.arguments[2].span,
            note="one for each dimension but the innermost, and none for the next one "
            "if the innermost has stride 1; three if the DSD is not comptime-known",
        )
    return _loaded(call, [*registers, *strides], dsd, _stepping(call, 4))


def _stride_registers(call: Invocation) -> list[code.Constant]:
    operand = call.operand(2)
    parts = parts_of(operand)
    if parts is None:
        fail(
            f"'{call.name}' takes a tuple of stride registers, got: '{operand.type}'",
            operand.span,
            help="write .{ @get_sr(0), @get_sr(1) }, or .{} if it needs none",
        )
    for part in parts:
        if part.type != types.SR:
            fail(f"'{call.name}' takes an SR, got: '{part.type}'", part.span)
    return [need_known(part, "an SR") for part in parts]


def _stride_register_count(dsd: code.Expression) -> int:
    """All but the first stride have a register; an inner stride of 1 makes the second
    one free, too. Strides are in order from the innermost dimension on."""
    if not isinstance(dsd, code.Constant):
        return 3
    strides = dsd.value.fields["stride"]
    return max(len(strides) - (2 if strides[0] == 1 else 1), 0)


def _counted(count: int) -> str:
    return f"{count or 'no'} stride register{'s' * (count != 1)}"


def _dsd_of_kind(
    call: Invocation, index: int, kind: types.Type, others: str
) -> code.Expression:
    dsd = call.operand(index)
    if dsd.type != kind:
        fail(
            f"'{call.name}' takes a {kind}, got: '{dsd.type}'",
            dsd.span,
            help=f"{others} @load_to_dsr",
        )
    return dsd


def _stepping(call: Invocation, index: int) -> Callable[[], Fields]:
    """The settings of a load of memory: at most one of the two."""
    given = call.fields(index, "the load's settings")
    config = operation_config(call, given, STEPPING)
    if len(given) > 1:
        fail(
            "'save_address' and 'single_step' cannot be given together",
            given["single_step"].span,
        )
    return config


def _register(call: Invocation, index: int, what: str) -> code.Constant:
    register = need_known(call.operand(index), what)
    value = register.value
    is_extended = isinstance(value, DsrValue) and value.kind in ("xdsr", "sr")
    wanted = isinstance(value, DsrValue) and (
        value.kind == "xdsr" if index else not is_extended
    )
    if not wanted:
        fail(f"'{call.name}' takes {what}, got: '{register.type}'", register.span)
    _check_free(value, register.span)
    return register


def _check_free(dsr: DsrValue, span: Span) -> None:
    if dsr.kind.startswith("dsr_fifo"):
        fail(f"a {dsr.kind} cannot be loaded: it belongs to its FIFO", span)


# --- changing what a DSR holds ----------------------------------------------------


def set_dsr_base_addr(call: Invocation) -> code.Expression:
    """`@set_dsr_base_addr(dsr, pointer)`: `@set_dsd_base_addr` of what it holds."""
    dsr = _register(call, 0, "a DSR")
    pointer = pointer_argument(call, 1)
    if not isinstance(pointer.type, types.Pointer):
        fail(f"'{call.name}' takes an array or a pointer", pointer.span)
    return call.emit(types.VOID, [dsr, pointer])


def set_dsr_length(call: Invocation) -> code.Expression:
    """`@set_dsr_length(dsr, length)`: `@set_dsd_length` of what it holds."""
    dsr = _register(call, 0, "a DSR")
    return call.emit(types.VOID, [dsr, number(call.operand(1), types.U16, "length")])
