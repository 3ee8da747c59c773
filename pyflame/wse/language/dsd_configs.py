"""The trailing struct of DSD operations and DSR loads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyflame.wse.language import code, types
from pyflame.wse.language.builtins_tasks import choice, task_id_of
from pyflame.wse.language.coercions import coerce
from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.invocation import Invocation
from pyflame.wse.language.operands import fields_of, is_integer, need_known
from pyflame.wse.language.state import FunctionRef

_UNBLOCKABLE = {
    "wse2": ("color", "data_task_id", "local_task_id"),
    "wse3": ("input_queue", "data_task_id", "local_task_id"),
}
_OPERATION = (
    "async",
    "activate",
    "unblock",
    "on_control",
    "index",
    "priority",
    "ut_id",
)
STEPPING = ("save_address", "single_step")
LOAD = ("async", "activate", "unblock", "on_control", "ut_id", "priority", *STEPPING)

Fields = dict[str, code.Expression]


def operation_config(
    call: Invocation, given: Fields, allowed: tuple[str, ...] = _OPERATION
) -> Callable[[], Fields]:
    """Checks the settings; the result gives them flat, with task names resolved.

    Names of tasks can be resolved only once all bindings are known, hence a function.

    Raises:
        CslError: an unknown or contradictory setting.
    """
    for name, operand in given.items():
        if name not in allowed:
            fail(
                f"'{call.name}' has no setting '{name}'",
                operand.span,
                help=f"settings: {', '.join(allowed)}",
            )
    if "priority" in given and call.program.options.arch != "wse2":
        fail(
            f"'priority' of '{call.name}' exists on wse2 only",
            given["priority"].span,
            help="on wse3 it is a property of fabric DSDs and FIFOs",
        )
    if "activate" in given and "unblock" in given:
        fail("'activate' and 'unblock' cannot be given together", call.span)
    return lambda: _flattened(call, given)


def _flattened(call: Invocation, given: Fields) -> Fields:
    flat: Fields = {}
    for name, operand in given.items():
        if name == "on_control":
            for inner, value in fields_of(operand, "'on_control'").items():
                flat[f"on_control.{inner}"] = _on_control(call, inner, value)
        elif name == "priority":
            chosen = choice(operand, ("high", "medium", "low"), "priority")
            flat["priority"] = call.constant(types.COMPTIME_STRING, chosen)
        else:
            flat[name] = _setting(call, name, operand)
    return flat


def _on_control(
    call: Invocation, name: str, operand: code.Expression
) -> code.Expression:
    if name == "terminate":
        return _flag(name, operand)
    if name in ("activate", "unblock"):
        return _target(call, name, operand)
    fail(f"'on_control' has no setting '{name}'", operand.span)


def _setting(call: Invocation, name: str, operand: code.Expression) -> code.Expression:
    if name in ("activate", "unblock"):
        return _target(call, name, operand)
    if name == "index":
        if isinstance(operand, code.Constant) and is_integer(operand.type):
            value = call.check_range(operand, "'index'", 0, 0xFFFF)
            return code.Constant(types.U16, operand.span, value)
        return coerce(operand, types.U16)
    if name == "ut_id":
        return _microthread(call, operand)
    return _flag(name, operand)


def _flag(name: str, operand: code.Expression) -> code.Expression:
    if not isinstance(operand, code.Constant):
        fail(f"DSD op setting must be comptime: '{name}'", operand.span)
    return coerce(operand, types.BOOL)


def _microthread(call: Invocation, operand: code.Expression) -> code.Expression:
    if call.program.options.arch != "wse3":
        fail("'ut_id' exists on wse3 only", operand.span)
    known = need_known(operand, "'ut_id'")
    return coerce(known, types.Identifier("ut_id"))


def _target(call: Invocation, name: str, operand: code.Expression) -> code.Expression:
    arch = call.program.options.arch
    kinds = ("local_task_id",) if name == "activate" else _UNBLOCKABLE[arch]
    operand = task_id_of(call.program, operand, operand.span)
    if str(operand.type) not in kinds:
        fail(
            f"'{name}' does not take type '{operand.type}' on {arch}",
            operand.span,
            note=f"it takes a task or: {', '.join(kinds)}",
        )
    return operand


def comptime_values(call: Invocation, config: Fields) -> dict[str, Any]:
    """Known settings as plain values; `unblock` keeps the kind of its id."""
    values: dict[str, Any] = {}
    for name, operand in config.items():
        known = need_known(operand, f"'{name}'")
        if isinstance(known.value, FunctionRef):
            resolved = task_id_of(call.program, known, operand.span)
            known = need_known(resolved, f"'{name}'")
        if name in ("priority", "simd_mode") and known.type != types.COMPTIME_STRING:
            options = ("high", "medium", "low")
            if name == "simd_mode":
                options = ("simd_32", "simd_64", "simd_32_or_64")
            values[name] = choice(known, options, name)
        elif name.endswith("unblock"):
            values[name] = (str(known.type), known.value)
        else:
            values[name] = known.value
    return values
