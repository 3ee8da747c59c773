"""Loading DSRs: plain ones, and with an extended one for circular buffers (2.x)."""

from __future__ import annotations

from collections.abc import Callable

from pyflame.wse.language import code, image, types
from pyflame.wse.language.builtins_dsd import DSD_KINDS, Fields
from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.dsd_configs import (
    LOAD,
    STEPPING,
    comptime_values,
    operation_config,
)
from pyflame.wse.language.invocation import Invocation
from pyflame.wse.language.operands import need_known
from pyflame.wse.language.source import Span
from pyflame.wse.language.values import DsrValue


def load_to_dsr(call: Invocation) -> code.Expression:
    dsr = need_known(call.operand(0), "the DSR")
    dsd = call.operand(1)
    if not isinstance(dsr.value, DsrValue):
        fail(f"'@load_to_dsr' takes a DSR, got: '{dsr.type}'", dsr.span)
    _check_loadable(dsr.value, dsd)
    given = call.fields(2, "the load's settings")
    return _loaded(call, dsr, dsd, operation_config(call, given, LOAD))


def _loaded(
    call: Invocation,
    dsr: code.Constant,
    dsd: code.Expression,
    config: Callable[[], Fields],
) -> code.Expression:
    """The load at run time, or noted for the start of the program."""
    if call.frame.mode == "R":
        return call.emit(types.VOID, [dsr, dsd], config())
    known = need_known(dsd, "a DSD loaded at comptime")
    call.program.finishers.append(lambda: _record_load(call, dsr, known, config()))
    return call.void()


def _record_load(
    call: Invocation, dsr: code.Constant, dsd: code.Constant, config: Fields
) -> None:
    values = comptime_values(call, config)
    load = image.DsrLoad(dsr.value, dsd.value, values)
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
    _check_free(dsr, dsd.span)
    if kind == "fabin_dsd" and dsr.kind == "dsr_dest":
        fail("a fabin_dsd cannot be loaded into a dsr_dest", dsd.span)
    if kind == "fabout_dsd" and dsr.kind != "dsr_dest":
        fail(f"a fabout_dsd cannot be loaded into a {dsr.kind}", dsd.span)


def load_to_dsr_xdsr(call: Invocation) -> code.Expression:
    """`@load_to_dsr_xdsr(dsr, xdsr, circbuf [, .{ .save_address or .single_step }])`"""
    dsr = _register(call, 0, "a DSR")
    _register(call, 1, "an XDSR")
    dsd = call.operand(2)
    if dsd.type != types.CIRCBUF_DSD:
        fail(
            f"'@load_to_dsr_xdsr' takes a circbuf_dsd, got: '{dsd.type}'",
            dsd.span,
            help="other DSDs are loaded by @load_to_dsr",
        )
    known = need_known(dsd, "a circular buffer that is loaded")
    given = call.fields(3, "the load's settings")
    config = operation_config(call, given, STEPPING)
    if len(given) > 1:
        fail(
            "'save_address' and 'single_step' cannot be given together",
            given["single_step"].span,
        )
    return _loaded(call, dsr, known, config)


def _register(call: Invocation, index: int, what: str) -> code.Constant:
    register = need_known(call.operand(index), what)
    value = register.value
    is_extended = isinstance(value, DsrValue) and value.kind == "xdsr"
    if not isinstance(value, DsrValue) or is_extended != (index == 1):
        fail(f"'@load_to_dsr_xdsr' takes {what}, got: '{register.type}'", register.span)
    _check_free(value, register.span)
    return register


def _check_free(dsr: DsrValue, span: Span) -> None:
    if dsr.kind.startswith("dsr_fifo"):
        fail(f"a {dsr.kind} cannot be loaded: it belongs to its FIFO", span)
