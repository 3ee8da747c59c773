"""Rules for operations on the fabric whose operands are DSRs.

A register brings along what `@load_to_dsr` has set: that an operation runs on a
microthread and what its end does belongs to the load.
"""

from __future__ import annotations

from typing import Any, Protocol

from pyflame.wse.errors import MachineFault
from pyflame.wse.machine.dsd import Dsr, FabIn, FabOut, Mem1d, Mem4d
from pyflame.wse.machine.dsrs import LoadedDsr
from pyflame.wse.machine.limits import ArchLimits
from pyflame.wse.machine.operations import OpConfig, Operation
from pyflame.wse.machine.queues import InputQueue

Register = tuple[Dsr, LoadedDsr]
FABRIC_KINDS = (FabIn, FabOut)


class Ruled(Protocol):
    """A PE as these rules see it."""

    inputs: dict[int, InputQueue]

    @property
    def arch(self) -> ArchLimits: ...
    def fault(self, message: str) -> MachineFault: ...


def check_streams(
    pe: Ruled, operation: Operation, operands: list[Any], streams: list[Register]
) -> None:
    """Checks an operation, given its operands with the contents of its registers, and
    those registers that hold fabric DSDs.

    Raises:
        MachineFault: the load of its fabric operand lacks a setting, its queue is not
            initialised, or it reads two streams on WSE-3.
    """
    inputs = [operand for operand in operands[1:] if isinstance(operand, FabIn)]
    if len(inputs) > 1 and pe.arch.queues_need_init:
        raise pe.fault(
            f"{operation.spec.name} reads colors {inputs[0].color} and "
            f"{inputs[1].color}; {pe.arch.name} reads at most one fabin_dsd per "
            "operation"
        )
    for register, held in streams:
        if isinstance(held.descriptor, FabIn):
            _check_initialised(pe, register, held.descriptor)
    if len(streams) == _count_on_fabric(operands):
        _check_settings(pe, operation, streams)


def _count_on_fabric(operands: list[Any]) -> int:
    return sum(isinstance(operand, FABRIC_KINDS) for operand in operands)


def _check_initialised(pe: Ruled, register: Dsr, dsd: FabIn) -> None:
    """The compiler binds the queues of fabin_dsd operands, but not those of registers
    (WSE-2; on WSE-3 it binds none)."""
    queue = pe.inputs.get(dsd.color)
    if queue is None or not queue.initialised or dsd.queue not in (None, queue.number):
        raise pe.fault(
            f"{register.kind} {register.number} holds a fabin_dsd of color {dsd.color} "
            f"and input queue {dsd.queue}, which @initialize_queue has not bound to "
            "that color; the queue of a fabin_dsd in a DSR needs it"
        )


def _check_settings(pe: Ruled, operation: Operation, streams: list[Register]) -> None:
    loads = [held.config for _, held in streams]
    for name, is_set in _SETTINGS.items():
        if is_set(operation.config) and not any(map(is_set, loads)):
            register = streams[0][0]
            raise pe.fault(
                f"{operation.spec.name} has .{name}, but its fabric operand is in "
                f"{register.kind} {register.number}, which was loaded without it; give "
                f".{name} at @load_to_dsr"
            )


def _is_async(config: OpConfig) -> bool:
    return config.asynchronous


def _activates(config: OpConfig) -> bool:
    return config.activate is not None


def _unblocks(config: OpConfig) -> bool:
    return config.unblock is not None


def _stops_on_control(config: OpConfig) -> bool:
    return config.on_control is not None


_SETTINGS = {
    "async": _is_async,
    "activate": _activates,
    "unblock": _unblocks,
    "on_control": _stops_on_control,
}


def microthread_of(operation: Operation, streams: list[Register]) -> int | None:
    """The `.ut_id` that counts: that of the first operand which has one, destination
    first. A register has that of its load, other operands the operation's (WSE-3).
    """
    loads = {(dsr.kind, dsr.number): held.config.ut_id for dsr, held in streams}
    for operand in (operation.dest, *operation.sources):
        number = None
        if isinstance(operand, Dsr):
            number = loads.get((operand.kind, operand.number))
        elif isinstance(operand, Mem1d | Mem4d | FabIn | FabOut):
            number = operation.config.ut_id
        if number is not None:
            return number
    return None
