"""Facts about functions that depend on what they call.

blocking: some operation below may wait for the fabric, a FIFO or unknown DSRs.
timed: something below reads or moves the PE's clock (operations, natives).
recursive: the function can reach itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pyflame.wse.language import code, types
from pyflame.wse.language.image import PeProgram
from pyflame.wse.language.values import (
    ArrayValue,
    DsrValue,
    FunctionValue,
    StructValue,
)
from pyflame.wse.machine.walk import walk

_WAITING = frozenset({"fabin_dsd", "fabout_dsd", "fifo_dsd"})
_FABRIC = frozenset({"fabin_dsd", "fabout_dsd"})
# Builtins that neither wait nor look at the clock.
_TIMELESS = frozenset(
    "@get_dsd @set_dsd_base_addr @increment_dsd_offset @set_dsd_length "
    "@set_dsd_stride @range_start @range_stop @range_step @assert @get_color "
    "@get_local_task_id @get_data_task_id @get_control_task_id @get_ut_id "
    "@get_int @random16 @activate".split()
)


@dataclass(frozen=True, slots=True)
class CallGraph:
    """Sets of functions; `addressed` are those a pointer may call.

    `fabric_dsrs` holds the DSRs that some load may fill with a fabric DSD.
    """

    blocking: frozenset[code.Function]
    timed: frozenset[code.Function]
    recursive: frozenset[code.Function]
    addressed: tuple[code.Function, ...]
    fabric_dsrs: frozenset[tuple[str, int]]
    unknown_dsrs: bool

    def may_wait(self, call: code.BuiltinCall) -> bool:
        """Whether one builtin call, seen alone, may wait."""
        return _may_wait(call, self.fabric_dsrs, self.unknown_dsrs)


def analyse(program: PeProgram) -> CallGraph:
    """Reads every function of the program once."""
    nodes = {f: list(walk(f.body)) for f in program.functions}
    fabric_dsrs, unknown = _fabric_dsrs(program, nodes.values())
    addressed = tuple(_addressed(program, nodes))
    callees = {f: _callees(body, addressed) for f, body in nodes.items()}

    def waits(node: object) -> bool:
        return isinstance(node, code.BuiltinCall) and _may_wait(
            node, fabric_dsrs, unknown
        )

    return CallGraph(
        blocking=_closure(callees, nodes, waits),
        timed=_closure(callees, nodes, _is_timed),
        recursive=_recursive(callees),
        addressed=addressed,
        fabric_dsrs=fabric_dsrs,
        unknown_dsrs=unknown,
    )


_Nodes = dict[code.Function, list[code.Expression | code.Statement]]
_Callees = dict[code.Function, set[code.Function]]


def _is_timed(node: object) -> bool:
    if isinstance(node, code.BuiltinCall):
        return node.name not in _TIMELESS
    return isinstance(node, code.NativeCall)


def _callees(
    nodes: Iterable[object], addressed: tuple[code.Function, ...]
) -> set[code.Function]:
    found: set[code.Function] = set()
    for node in nodes:
        match node:
            case code.Call(function=function):
                found.add(function)
            case code.CallPointer():
                found.update(addressed)
            case code.BuiltinCall(name="@map", arguments=arguments):
                found.update(mapped_functions(arguments))
            case _:
                pass
    return found


def mapped_functions(arguments: tuple[code.Expression, ...]) -> list[code.Function]:
    """The function that a `@map` calls (none if it is not a function)."""
    match arguments[0] if arguments else None:
        case code.FunctionPointer(function=function):
            return [function]
        case code.Constant(value=FunctionValue(function=function)):
            return [function]
        case _:
            return []


def _closure(
    callees: _Callees, nodes: _Nodes, test: Callable[[object], bool]
) -> frozenset[code.Function]:
    """Functions with a node that passes the test, and all that reach them."""
    found = {f for f, body in nodes.items() if any(map(test, body))}
    callers: dict[code.Function, set[code.Function]] = {}
    for caller, called in callees.items():
        for callee in called:
            callers.setdefault(callee, set()).add(caller)
    stack = list(found)
    while stack:
        for caller in callers.get(stack.pop(), ()):
            if caller not in found:
                found.add(caller)
                stack.append(caller)
    return frozenset(found)


def _recursive(callees: _Callees) -> frozenset[code.Function]:
    found: set[code.Function] = set()
    for start in callees:
        seen: set[code.Function] = set()
        stack = list(callees[start])
        while stack:
            function = stack.pop()
            if function not in seen:
                seen.add(function)
                stack.extend(callees.get(function, ()))
        if start in seen:
            found.add(start)
    return frozenset(found)


def _addressed(program: PeProgram, nodes: _Nodes) -> list[code.Function]:
    """Functions whose value is stored or passed on, in program order."""
    found: set[code.Function] = set()
    for body in nodes.values():
        for node in body:
            if isinstance(node, code.FunctionPointer):
                found.add(node.function)
            elif isinstance(node, code.Constant):
                found.update(_functions_in(node.value))
    for variable in program.globals:
        found.update(_functions_in(variable.value))
    return [f for f in program.functions if f in found]


def _functions_in(value: object) -> list[code.Function]:
    if isinstance(value, FunctionValue):
        return [value.function]
    parts: Any = ()
    if isinstance(value, StructValue):
        parts = value.values
    elif isinstance(value, ArrayValue) and isinstance(value.elements, list):
        parts = value.elements
    return [f for part in parts for f in _functions_in(part)]


def _may_wait(
    call: code.BuiltinCall, fabric_dsrs: frozenset[tuple[str, int]], unknown: bool
) -> bool:
    """A DSD operation or `@map` without `.async` and with a waiting operand."""
    if call.name.startswith(("@set_", "@get_", "@increment_", "@load_to_")):
        return False
    if call.name != "@map" and _is_true(call.config.get("async")):
        return False
    return any(_waits(a, fabric_dsrs, unknown) for a in call.arguments)


def _waits(
    operand: code.Expression, fabric_dsrs: frozenset[tuple[str, int]], unknown: bool
) -> bool:
    name = operand.type.name if isinstance(operand.type, types.Simple) else ""
    if name in _WAITING:
        return True
    if name not in types.DSR_KINDS:
        return False
    if unknown or name.startswith("dsr_fifo"):
        return True
    dsr = known_dsr(operand)
    return dsr is None or (dsr.kind, dsr.number) in fabric_dsrs


def known_dsr(operand: code.Expression) -> DsrValue | None:
    """The DSR that an operand names, if it can be told before the run."""
    match operand:
        case code.Constant(value=DsrValue() as dsr):
            return dsr
        case code.Variable(
            variable=code.GlobalVariable(mutable=False, value=DsrValue() as dsr)
        ):
            return dsr
        case _:
            return None


def _fabric_dsrs(
    program: PeProgram, bodies: Iterable[list[code.Expression | code.Statement]]
) -> tuple[frozenset[tuple[str, int]], bool]:
    found: set[tuple[str, int]] = set()
    unknown = False
    for load in program.dsr_loads:
        if load.dsd.kind in _FABRIC:
            found.add((load.dsr.kind, load.dsr.number))
    for body in bodies:
        for node in body:
            if isinstance(node, code.BuiltinCall) and node.name == "@load_to_dsr":
                target, source = known_dsr(node.arguments[0]), node.arguments[1].type
                if not (isinstance(source, types.Simple) and source.name in _FABRIC):
                    continue
                if target is None:
                    unknown = True
                else:
                    found.add((target.kind, target.number))
    return frozenset(found), unknown


def _is_true(expression: code.Expression | None) -> bool:
    return isinstance(expression, code.Constant) and expression.value is True
