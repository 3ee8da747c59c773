"""Builtins that make identifiers: language reference 12.4. Ranges per architecture."""

from __future__ import annotations

from typing import TypeGuard

from pyflame.wse.language import code, types
from pyflame.wse.language.coercions import coerce
from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.identifiers import (
    ANY_COLORS,
    COLORS,
    CONTROL_TASK_IDS,
    DSR_IDS,
    INPUT_QUEUES,
    LOCAL_TASK_IDS,
    OUTPUT_QUEUES,
    UT_IDS,
    id_bounds,
)
from pyflame.wse.language.invocation import Invocation
from pyflame.wse.language.mismatches import mismatch
from pyflame.wse.language.operands import is_integer, need_known
from pyflame.wse.language.values import DsrValue, FifoValue


def _identifier(
    call: Invocation, name: str, what: str, bounds: tuple[int, int]
) -> code.Expression:
    """A known integer in range, or a run-time u16 that the machine checks."""
    type_ = types.Identifier(name)
    operand = call.operand(0)
    if isinstance(operand, code.Constant):
        if types.is_enum(operand.type):
            operand = code.Constant(types.COMPTIME_INT, operand.span, operand.value)
        return call.constant(type_, call.check_range(operand, what, *bounds))
    if not is_integer(operand.type):
        fail(f"{what} must be an integer, got: '{operand.type}'", operand.span)
    return _checked(call, type_, what, coerce(operand, types.U16))


def _checked(
    call: Invocation, type_: types.Identifier, what: str, operand: code.Expression
) -> code.Expression:
    """A number of run time, and a fault if there is no such id: the hardware does not
    check, but nothing is known of what it does then."""
    low, high = id_bounds(type_.name, call.program.options.arch)
    if type_ == types.COLOR:
        low, high = COLORS
    arguments = (
        operand,
        call.constant(types.COMPTIME_STRING, what),
        call.constant(types.COMPTIME_INT, low),
        call.constant(types.COMPTIME_INT, high),
    )
    return code.NativeCall(type_, call.span, "checked_id", arguments)


def get_color(call: Invocation) -> code.Expression:
    return _identifier(call, "color", "color", ANY_COLORS)


def routable(operand: code.Expression) -> code.Expression:
    """A color that wavelets can have.

    Raises:
        CslError: not a color, or a known one that no router has.
    """
    if operand.type != types.COLOR:
        mismatch(operand, types.COLOR)
    if isinstance(operand, code.Constant) and operand.value > COLORS[1]:
        fail(
            f"color {operand.value} is not routable ({COLORS[0]} to {COLORS[1]})",
            operand.span,
            note="a color beyond those can only stand for 'none'",
        )
    return operand


def get_local_task_id(call: Invocation) -> code.Expression:
    bounds = LOCAL_TASK_IDS[call.program.options.arch]
    return _identifier(call, "local_task_id", "local task id", bounds)


def get_control_task_id(call: Invocation) -> code.Expression:
    return _identifier(call, "control_task_id", "control task id", CONTROL_TASK_IDS)


def get_ut_id(call: Invocation) -> code.Expression:
    check_arch(call, "wse3")
    return _identifier(call, "ut_id", "microthread id", UT_IDS)


def check_arch(call: Invocation, arch: str) -> None:
    """Raises CslError for builtins that the chosen architecture does not have."""
    chosen = call.program.options.arch
    if chosen != arch:
        fail(f"'{call.name}' exists on {arch} only (compiling for {chosen})", call.span)


def get_data_task_id(call: Invocation) -> code.Expression:
    source = "color" if call.program.options.arch == "wse2" else "input_queue"
    operand = call.operand(0)
    if operand.type != types.Identifier(source):
        arch = call.program.options.arch
        fail(
            f"expected type '{source}', got: '{operand.type}'",
            operand.span,
            note=f"on {arch} a data task id is made from a value of type '{source}'",
        )
    if source == "color":
        routable(operand)
    type_ = types.Identifier("data_task_id")
    if isinstance(operand, code.Constant):
        return call.constant(type_, operand.value)
    return code.Bitcast(type_, call.span, operand)


def get_input_queue(call: Invocation) -> code.Expression:
    queue = call.integer(0, "input queue", *INPUT_QUEUES)
    return call.constant(types.Identifier("input_queue"), queue)


def get_output_queue(call: Invocation) -> code.Expression:
    bounds = OUTPUT_QUEUES[call.program.options.arch]
    queue = call.integer(0, "output queue", *bounds)
    return call.constant(types.Identifier("output_queue"), queue)


def get_filter_id(call: Invocation) -> code.Expression:
    """A filter is named by its color, of which each PE has at most one."""
    operand = routable(call.operand(0))
    return call.constant(types.U16, need_known(operand, "the color").value)


def get_dsr(call: Invocation) -> code.Expression:
    type_ = call.type(0)
    kind = str(type_)
    if kind not in types.DSR_KINDS or kind == "xdsr":
        fail(f"'@get_dsr' takes a kind of DSR, got: '{type_}'", call.span)
    return _new_dsr(call, kind, _dsr_number(call, kind))


def _dsr_number(call: Invocation, kind: str) -> int:
    """The id; FIFO DSRs may take it from a plain DSR."""
    operand = call.operand(1)
    if isinstance(operand, code.Constant) and isinstance(operand.value, DsrValue):
        return operand.value.number
    return call.check_range(operand, f"{kind} id", *DSR_IDS)


def get_xdsr(call: Invocation) -> code.Expression:
    return _new_dsr(call, "xdsr", call.integer(0, "xdsr id", *DSR_IDS))


def get_sr(call: Invocation) -> code.Expression:
    return _new_dsr(call, "sr", call.integer(0, "sr id", *DSR_IDS))


def _new_dsr(call: Invocation, kind: str, number: int) -> code.Expression:
    """Several constants may name one DSR: published 1.4 programs share ids, although
    the manual of that release forbids it."""
    return call.constant(types.Simple(kind), DsrValue(kind, number))


def is_dsr(operand: code.Expression) -> bool:
    return isinstance(operand, code.Constant) and isinstance(operand.value, DsrValue)


def is_fifo(operand: code.Expression) -> TypeGuard[code.Constant]:
    return isinstance(operand, code.Constant) and isinstance(operand.value, FifoValue)
