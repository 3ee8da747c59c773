"""Builtins at run time: tasks, DSDs, vector operations, configuration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyflame.wse.errors import CslError
from pyflame.wse.language import code, types
from pyflame.wse.machine import describe, dsd, storage
from pyflame.wse.machine import scalar_support as support
from pyflame.wse.machine.call_graph import mapped_functions
from pyflame.wse.machine.codegen_core import (
    BUILTINS,
    FunctionWriter,
    Value,
    builtin_rule,
    expression_rule,
    typed,
)
from pyflame.wse.machine.codegen_memory import MemoryPlace
from pyflame.wse.machine.codegen_places import kept
from pyflame.wse.machine.constants import chosen, make_descriptor, run_time_value
from pyflame.wse.machine.dsrs import op_config
from pyflame.wse.machine.map import MapPlan, map_on_memory, map_with_waits
from pyflame.wse.machine.operations import OPERATIONS, Operation
from pyflame.wse.machine.small_floats import operations_for

_DESCRIPTORS = frozenset({*types.DSD_KINDS, *types.DSR_KINDS})

LOADS = ("@load_to_dsr", "@load_to_dsr_xdsr", "@load_to_dsr_xdsr_sr")

# The machine counts their cycles.
_CHARGED_WHEN_RUN = frozenset({*OPERATIONS, *LOADS, "@map"})


@expression_rule(code.BuiltinCall)
def _builtin_call(w: FunctionWriter, node: code.BuiltinCall) -> Value:
    rule = BUILTINS.get(node.name)
    if rule is None:
        raise CslError(
            f"'{node.name}' is not supported at run time",
            node.span,
            help=f"supported are {', '.join(sorted(BUILTINS))}",
        )
    if node.name not in _CHARGED_WHEN_RUN:
        w.charge(w.unit.costs.issue_cycles)
    return rule(w, node)


# --- constants --------------------------------------------------------------------


def known(w: FunctionWriter, node: code.Expression) -> tuple[bool, Any]:
    """(True, run-time value) of an operand that never changes."""
    match node:
        case code.Constant(value=value, type=type_):
            return True, run_time_value(w.unit, value, type_)
        case code.Variable(
            variable=code.GlobalVariable(mutable=False, value=value, type=type_)
        ) if value is not None:
            return True, run_time_value(w.unit, value, type_)
        case _:
            return False, None


def _fields(
    w: FunctionWriter, config: dict[str, code.Expression]
) -> tuple[bool, str | dict[str, Any]]:
    """A config struct: (True, its values) if constant, else (False, dict text)."""
    pairs = {name: known(w, node) for name, node in config.items()}
    if all(is_known for is_known, _ in pairs.values()):
        values = {name: value for name, (_, value) in pairs.items()}
        return True, _with_kinds(config, values)
    texts: list[str] = []
    for (name, node), value in zip(
        config.items(), w.operands(tuple(config.values())), strict=True
    ):
        key = w.constant(name, ("str", name))
        text = kept(w, value, node.type)
        if name.endswith("unblock"):
            text = f"({w.constant(str(node.type), ('str', str(node.type)))}, {text})"
        texts.append(f"{key}: {text}")
    return False, f"{{{', '.join(texts)}}}"


def _with_kinds(
    config: dict[str, code.Expression], values: dict[str, Any]
) -> dict[str, Any]:
    """`.unblock` needs the kind of its id; `.priority` the name that is set."""
    for name, node in config.items():
        if name.endswith("unblock"):
            values[name] = (str(node.type), values[name])
    priority = chosen(values, "priority")
    if priority is not None:
        values["priority"] = priority
    return values


# --- tasks ------------------------------------------------------------------------


@builtin_rule("@activate")
def _activate(w: FunctionWriter, node: code.BuiltinCall) -> Value:
    (id_,) = w.operands(node.arguments)
    return Value(f"pe.activate({id_.text})")


@builtin_rule("@block", "@unblock")
def _gate(w: FunctionWriter, node: code.BuiltinCall) -> Value:
    (id_,) = w.operands(node.arguments)
    kind = str(node.arguments[0].type)
    w.flush()
    method = "block" if node.name == "@block" else "unblock"
    return Value(f"pe.{method}({w.constant(kind, ('str', kind))}, {id_.text})")


# --- values -----------------------------------------------------------------------


@builtin_rule(
    "@get_color",
    "@get_local_task_id",
    "@get_data_task_id",
    "@get_control_task_id",
    "@get_ut_id",
    "@get_int",
)
def _same_number(w: FunctionWriter, node: code.BuiltinCall) -> Value:
    return w.value(node.arguments[0])


def _range_part(index: int) -> Callable[[FunctionWriter, code.BuiltinCall], Value]:
    def rule(w: FunctionWriter, node: code.BuiltinCall) -> Value:
        value = w.value(node.arguments[0])
        return typed(f"{value.text}[{index}]", node.type, depth=value.depth + 1)

    return rule


for _index, _name in enumerate(("@range_start", "@range_stop", "@range_step")):
    builtin_rule(_name)(_range_part(_index))


@builtin_rule("@assert")
def _assert(w: FunctionWriter, node: code.BuiltinCall) -> Value:
    condition = w.value(node.arguments[0])
    site = w.constant(support.Site(node.span))
    fail = w.constant(support.failed_assertion)
    w.line(f"if not {condition.text}: {fail}(pe, {site})")
    return Value("None", fixed=True)


@builtin_rule("@random16")
def _random16(w: FunctionWriter, node: code.BuiltinCall) -> Value:
    return typed("pe.random16()", node.type)


@builtin_rule("@get_config", "@get_config_unchecked")
def _get_config(w: FunctionWriter, node: code.BuiltinCall) -> Value:
    address = w.value(node.arguments[0])
    w.flush()
    return typed(f"pe.config_read({address.text})", node.type)


@builtin_rule("@set_config", "@set_config_unchecked")
def _set_config(w: FunctionWriter, node: code.BuiltinCall) -> Value:
    address, value = w.operands(node.arguments[:2])
    w.flush()
    return Value(f"pe.config_write({address.text}, {value.text})")


# --- descriptors ------------------------------------------------------------------


@builtin_rule("@get_dsd")
def _get_dsd(w: FunctionWriter, node: code.BuiltinCall) -> Value:
    kind = str(node.type)
    size = _tensor_element_bytes(node.config.get("base_address"))
    constant, fields = _fields(w, node.config)
    if constant:
        assert isinstance(fields, dict)
        return Value(w.constant(make_descriptor(kind, fields, size)), fixed=True)
    make = w.constant(make_descriptor)
    kind_text = w.constant(kind, ("str", kind))
    return Value(f"{make}({kind_text}, {fields}, {size})", depth=3)


def _tensor_element_bytes(base: code.Expression | None) -> int:
    """Size of the elements that a DSD's base address points to; 0 if unknown."""
    if base is None or not isinstance(base.type, types.Pointer):
        return 0
    pointee = base.type.pointee
    element = pointee.element if isinstance(pointee, types.Array) else pointee
    return storage.stride_bytes(element)


@builtin_rule("@set_dsd_base_addr")
def _set_base(w: FunctionWriter, node: code.BuiltinCall) -> Value:
    descriptor, target = node.arguments
    if isinstance(target.type, types.Array):
        place = w.place(target)
        assert isinstance(place, MemoryPlace)
        address = place.address()
        (value,) = w.operands((descriptor,))
    else:
        value, address = w.operands((descriptor, target))
    helper = w.constant(describe.moved_to)
    return Value(f"{helper}({value.text}, {address.text})", depth=3)


@builtin_rule("@increment_dsd_offset")
def _increment(w: FunctionWriter, node: code.BuiltinCall) -> Value:
    value, count = w.operands(node.arguments[:2])
    _, element = known(w, node.arguments[2])
    size = storage.stride_bytes(element)
    helper = w.constant(describe.incremented)
    return Value(f"{helper}({value.text}, {count.text}, {size})", depth=3)


@builtin_rule("@set_dsd_length", "@set_dsd_stride")
def _set_length(w: FunctionWriter, node: code.BuiltinCall) -> Value:
    value, number = w.operands(node.arguments)
    is_length = node.name == "@set_dsd_length"
    helper = w.constant(describe.with_length if is_length else describe.with_stride)
    return Value(f"{helper}({value.text}, {number.text})", depth=3)


@builtin_rule(*LOADS)
def _load_to_dsr(w: FunctionWriter, node: code.BuiltinCall) -> Value:
    register, descriptor, *extended = w.operands(node.arguments)
    constant, fields = _fields(w, node.config)
    text = w.constant(fields) if constant else fields
    more = "".join(f"{extra.text}, " for extra in extended)
    given = f"{register.text}, {descriptor.text}, {text}"
    w.flush()
    return Value(f"pe.load_dsr({given}, ({more}))" if more else f"pe.load_dsr({given})")


@builtin_rule("@set_dsr_base_addr")
def _set_dsr_base(w: FunctionWriter, node: code.BuiltinCall) -> Value:
    register, address = w.operands(node.arguments)
    w.flush()
    return Value(f"pe.dsrs.rebase({register.text}, {address.text})")


@builtin_rule("@set_dsr_length")
def _set_dsr_length(w: FunctionWriter, node: code.BuiltinCall) -> Value:
    register, length = w.operands(node.arguments)
    w.flush()
    return Value(f"pe.dsrs.resize({register.text}, {length.text})")


@builtin_rule("@set_fifo_read_length", "@set_fifo_write_length")
def _set_fifo_length(w: FunctionWriter, node: code.BuiltinCall) -> Value:
    fifo, length = w.operands(node.arguments)
    side = '"read"' if "read" in node.name else '"write"'
    w.flush()
    return Value(f"pe.set_fifo_length({side}, {fifo.text}, {length.text})")


# --- vector operations ------------------------------------------------------------


@builtin_rule(*OPERATIONS)
def _operation(w: FunctionWriter, node: code.BuiltinCall) -> Value:
    operation = _operation_text(w, node)
    w.flush()
    asynchronous = node.config.get("async")
    if isinstance(asynchronous, code.Constant) and asynchronous.value is True:
        w.line(f"pe.start_async({operation})")
        return Value("True", fixed=True)
    if w.unit.graph.may_wait(node):
        return Value(f"(yield {operation})", depth=3)
    return Value(f"pe.run_memory_op({operation})", depth=3)


def _operation_text(w: FunctionWriter, node: code.BuiltinCall) -> str:
    """An `Operation`: one constant object if no operand can change."""
    spec = operations_for(w.unit.fp16_format)[node.name]
    site = support.Site(node.span, node.name)
    constant, fields = _fields(w, node.config)
    operands = [known(w, argument) for argument in node.arguments]
    if constant and all(is_known for is_known, _ in operands):
        assert isinstance(fields, dict)
        values = [
            _constant_operand(argument, value)
            for argument, (_, value) in zip(node.arguments, operands, strict=True)
        ]
        dest, sources = _split(node.name, values)
        whole = Operation(spec, dest, tuple(sources), op_config(fields), site)
        return w.constant(whole)
    make, number = w.constant(Operation), w.constant(spec)
    if constant:
        assert isinstance(fields, dict)
        config = w.constant(op_config(fields), ("config", repr(sorted(fields.items()))))
    else:
        config = f"{w.constant(op_config)}({fields})"
    texts = [
        _operand_text(w, argument, value)
        for argument, value in zip(
            node.arguments, w.operands(node.arguments), strict=True
        )
    ]
    dest, sources = _split(node.name, texts)
    place = w.constant(site)
    return f"{make}({number}, {dest}, ({', '.join(sources)},), {config}, {place})"


def _split(name: str, operands: list[Any]) -> tuple[Any, list[Any]]:
    if name == "@dfilt":
        return None, operands
    return operands[0], operands[1:]


def _constant_operand(argument: code.Expression, value: Any) -> Any:
    if isinstance(argument.type, types.Pointer):
        return dsd.ScalarPointer(value)
    small = _small_float(argument)
    return value if small is None else small.encode(value)


def _small_float(argument: code.Expression) -> support.SmallFloat | None:
    """The format of a scalar that operations take as a raw word."""
    type_ = argument.type
    is_float = isinstance(type_, types.Float)
    return support.SMALL_FLOATS.get(type_.name) if is_float else None


def _operand_text(w: FunctionWriter, argument: code.Expression, value: Value) -> str:
    if isinstance(argument.type, types.Pointer):
        return f"{w.constant(dsd.ScalarPointer)}({value.text})"
    small = _small_float(argument)
    if small is None:
        return value.text
    return f"{w.constant(small.encode, ('encode', small))}({value.text})"


# --- @map -------------------------------------------------------------------------


@builtin_rule("@map")
def _map(w: FunctionWriter, node: code.BuiltinCall) -> Value:
    """`@map(f, inputs..., [output])`: a loop in `map.py` around a call of f."""
    (function,) = mapped_functions(node.arguments)
    operands = node.arguments[1:]
    values = w.operands(operands)
    inputs, outputs = operands[: len(function.params)], operands[len(function.params) :]
    plan = MapPlan(
        inputs=tuple(
            param.type if _is_descriptor(argument) else None
            for param, argument in zip(function.params, inputs, strict=True)
        ),
        output=function.result if outputs else None,
        output_is_pointer=bool(outputs) and not _is_descriptor(outputs[0]),
        blocking=function in w.unit.graph.blocking,
    )
    w.flush()
    waits = w.unit.graph.may_wait(node) or plan.blocking
    run = w.constant(map_with_waits if waits else map_on_memory)
    texts = "".join(f"{value.text}, " for value in values)
    name = w.unit.function_name(function)
    text = f"{run}(pe, {w.constant(plan)}, {name}, ({texts}))"
    return Value(f"(yield from {text})" if waits else text, depth=4)


def _is_descriptor(argument: code.Expression) -> bool:
    type_ = argument.type
    return isinstance(type_, types.Simple) and type_.name in _DESCRIPTORS
