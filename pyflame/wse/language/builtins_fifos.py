"""Builtins on FIFOs: language reference 12.7, machine reference 7.4."""

from __future__ import annotations

from typing import Any

from pyflame.wse.language import code, tree, types
from pyflame.wse.language.addresses import address_of
from pyflame.wse.language.builtins_dsd import (
    Fields,
    check_arch_of,
    number,
    pointer_argument,
)
from pyflame.wse.language.builtins_ids import is_fifo
from pyflame.wse.language.builtins_tasks import choice
from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.dsd_configs import comptime_values
from pyflame.wse.language.invocation import Invocation
from pyflame.wse.language.operands import need_known
from pyflame.wse.language.values import DsrValue, FifoValue, PointerValue

_FIFO_FIELDS = (
    *("activate_push", "activate_pop", "dest", "src", "xdsr"),
    *("priority", "simd_mode", "empty_action", "full_action"),
)
_ACTIONS = {
    "wse2": ("test_or_suspend", "terminate"),
    "wse3": ("test_or_suspend", "terminate", "suspend", "fault"),
}
FIFO_ALIGN_BYTES = 4  # <tile_config>.FIFO_MIN_ALIGNMENT; no document gives its value
_FIFO_DSRS = {
    "dest": ("dsr_dest", "dsr_fifo_dest"),
    "src": ("dsr_src1", "dsr_fifo_src1"),
    "xdsr": ("xdsr",),
}
_FIFO_ELEMENTS = ("i16", "u16", "f16", "bf16", "cb16", "i32", "u32", "f32")


def allocate_fifo(call: Invocation) -> code.Expression:
    pointer = _fifo_buffer(call)
    array = pointer.type.pointee if isinstance(pointer.type, types.Pointer) else None
    if not isinstance(array, types.Array) or str(array.element) not in _FIFO_ELEMENTS:
        fail(
            "'@allocate_fifo' takes a global array of 16-bit or 32-bit numbers",
            call.span,
        )
    if array.count == 0:
        fail("a FIFO needs at least one element", call.span)
    address: PointerValue = need_known(pointer, "the buffer of a FIFO").value
    if not address.variable.mutable:
        fail("the buffer of a FIFO must be a 'var'", call.span)
    _align_fifo(call, address)
    config = call.fields(1, "the configuration of a FIFO")
    for name, operand in config.items():
        if name not in _FIFO_FIELDS:
            fail(f"a FIFO has no property '{name}'", operand.span)
    check_arch_of(call, config, "priority", "wse3", "on wse2 operations have it")
    check_arch_of(call, config, "simd_mode", "wse2", "leave it out")
    check_arch_of(call, config, "full_action", "wse3", "leave it out")
    _check_fifo_dsrs(call, config)
    _choose_actions(call, config)
    settings: dict[str, Any] = {}
    value = FifoValue(address, array.element, array.count, settings)
    call.program.unit.fifos.append(value)
    call.program.finishers.append(
        lambda: settings.update(comptime_values(call, config))
    )
    return call.constant(types.FIFO_DSD, value)


def _choose_actions(call: Invocation, config: Fields) -> None:
    """What an operation does that finds the FIFO empty or full, by name (2.x)."""
    for name in ("empty_action", "full_action"):
        if name in config:
            options = _ACTIONS[call.program.options.arch]
            chosen = choice(config[name], options, name)
            config[name] = call.constant(types.COMPTIME_STRING, chosen)


def _align_fifo(call: Invocation, buffer: PointerValue) -> None:
    """Aligns the buffer of a FIFO, unless the program has."""
    variable = buffer.variable
    if 0 < variable.align_bytes < FIFO_ALIGN_BYTES or (
        buffer.offset_bytes % FIFO_ALIGN_BYTES
    ):
        fail(
            f"the buffer of a FIFO must be aligned to {FIFO_ALIGN_BYTES} bytes",
            call.span,
            help="leave out its align: the compiler aligns it",
        )
    variable.align_bytes = max(variable.align_bytes, FIFO_ALIGN_BYTES)


def _fifo_buffer(call: Invocation) -> code.Expression:
    node = call.node.arguments[0]
    if isinstance(node, tree.Unary):
        return address_of(call.frame, node.operand, node.span)
    return pointer_argument(call, 0)


def _check_fifo_dsrs(call: Invocation, config: Fields) -> None:
    given = [n for n in _FIFO_DSRS if n in config]
    if given and len(given) < 3:
        fail("give all of 'dest', 'src' and 'xdsr' of a FIFO, or none", call.span)
    numbers = {name: _fifo_dsr_number(config[name], name) for name in given}
    if given and numbers["dest"] != numbers["src"]:
        fail(
            f"'dest' and 'src' of a FIFO have one number, got {numbers['dest']} and "
            f"{numbers['src']}",
            config["src"].span,
        )


def _fifo_dsr_number(operand: code.Expression, name: str) -> int:
    value = need_known(operand, f"'{name}' of a FIFO").value
    if not isinstance(value, DsrValue) or value.kind not in _FIFO_DSRS[name]:
        kinds = " or ".join(_FIFO_DSRS[name])
        fail(f"'{name}' of a FIFO is a {kinds}, got: '{operand.type}'", operand.span)
    return value.number


def set_fifo_length(call: Invocation) -> code.Expression:
    fifo = call.operand(0)
    if not is_fifo(fifo):
        fail(f"'{call.name}' takes a FIFO, got: '{fifo.type}'", fifo.span)
    return call.emit(types.VOID, [fifo, number(call.operand(1), types.U16, "length")])
