"""Builtins on tasks and queues: language reference 12.5 and parts of 12.6."""

from __future__ import annotations

from pyflame.wse.language import code, image, types
from pyflame.wse.language.builtins_ids import check_arch, routable
from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.invocation import Invocation
from pyflame.wse.language.mismatches import MAKERS, mismatch
from pyflame.wse.language.modules import function_type
from pyflame.wse.language.operands import need_known
from pyflame.wse.language.run_time import plain_instance
from pyflame.wse.language.source import Span
from pyflame.wse.language.state import FunctionRef, Program
from pyflame.wse.language.task_ids import TEARDOWN_ID, claim_task_id, once
from pyflame.wse.language.task_warnings import warn_of_no_queue, warn_of_no_task

_BLOCKABLE = {
    "wse2": ("color", "data_task_id", "local_task_id"),
    "wse3": ("input_queue", "data_task_id", "local_task_id", "ut_id"),
}


def _function(call: Invocation, index: int, task: bool) -> FunctionRef:
    operand = call.operand(index)
    if isinstance(operand, code.Constant) and isinstance(operand.value, FunctionRef):
        if operand.value.declaration.task == task:
            return operand.value
    word = "task" if task else "function"
    fail(f"'{call.name}' takes a {word}, got: '{operand.type}'", operand.span)


def task_function(call: Invocation, index: int) -> FunctionRef:
    return _function(call, index, task=True)


def _bind(call: Invocation, kind: str, reference: FunctionRef) -> code.Expression:
    number = task_id(call, 1, kind)
    if call.program.layout is None:
        bind_to(call, kind, number, reference)
    return call.void()


def task_id(call: Invocation, index: int, kind: str) -> int:
    """An argument that is a known id of data, local or control tasks."""
    operand = call.operand(index)
    wanted = types.Identifier(f"{kind}_task_id")
    if operand.type != wanted:
        mismatch(operand, wanted)
    return need_known(operand, "the task id").value


def bind_to(call: Invocation, kind: str, number: int, reference: FunctionRef) -> None:
    """Claims the id and notes who has it.

    Raises:
        CslError: the id is taken.
    """
    claim_task_id(call, kind, number)
    function = plain_instance(call.program, reference, call.span)
    call.program.unit.bindings.append(image.TaskBinding(kind, number, function))


def bind_data_task(call: Invocation) -> code.Expression:
    return _bind(call, "data", data_task(call))


def data_task(call: Invocation) -> FunctionRef:
    """The first argument as a task that wavelets can start.

    Raises:
        CslError: it is no task, or has parameters that no wavelet can fill.
    """
    reference = task_function(call, 0)
    params = function_type(reference).params
    name = reference.declaration.name
    if not 1 <= len(params) <= 2:
        fail(
            f"data task '{name}' must take one or two parameters",
            call.span,
            note="they receive the halves of the wavelet's 32 bits",
        )
    _check_payload(reference, params)
    warn_of_no_queue(call, name)
    return reference


def _check_payload(reference: FunctionRef, params: tuple[types.Type, ...]) -> None:
    total = 0
    for parameter, type_ in zip(reference.declaration.params, params, strict=True):
        bits = payload_bits(type_)
        if bits not in (16, 32):
            fail(
                f"a task parameter cannot have type '{type_}'",
                parameter.span,
                note="task parameters are integers, floats or enums of 16 or 32 bits",
            )
        total += bits
    if total > 32:
        fail(
            f"the parameters of task '{reference.declaration.name}' take {total} bits",
            reference.declaration.span,
            note="a wavelet carries 32 bits",
        )


def payload_bits(type_: types.Type) -> int:
    if isinstance(type_, (types.Int, types.Float)):
        return type_.bits
    if types.is_enum(type_):
        return type_.backing.bits
    if isinstance(type_, (types.Identifier, types.Pointer)) or type_ == types.BOOL:
        return 16
    return 0


def bind_local_task(call: Invocation) -> code.Expression:
    reference = task_function(call, 0)
    if reference.declaration.params:
        fail(
            f"local task '{reference.declaration.name}' must not take parameters",
            call.span,
            help="bind it with @bind_data_task if it receives wavelets",
        )
    return _bind(call, "local", reference)


def bind_control_task(call: Invocation) -> code.Expression:
    return _bind(call, "control", control_task(call, 0))


def control_task(call: Invocation, index: int) -> FunctionRef:
    """An argument that is a task whose parameters, if any, a wavelet can fill."""
    reference = task_function(call, index)
    _check_payload(reference, function_type(reference).params)
    return reference


# --- activate, block, unblock -----------------------------------------------------


def _change_state(
    call: Invocation, action: str, kinds: tuple[str, ...]
) -> code.Expression:
    operand = task_id_of(call.program, call.operand(0), call.span)
    kind = str(operand.type)
    if not isinstance(operand.type, types.Identifier) or kind not in kinds:
        arch = call.program.options.arch
        fail(
            f"'@{action}' does not take type '{operand.type}' on {arch}",
            operand.span,
            note=f"it takes: {', '.join(kinds)}",
            help=f"make one with {MAKERS[kinds[-1]]}" if len(kinds) == 1 else "",
        )
    if kind == "color":
        routable(operand)
    if action == "activate":
        warn_of_no_task(call, operand)
    if call.frame.mode == "R":
        return call.emit(types.VOID, [operand])
    number = need_known(operand, "the id").value
    call.program.unit.states.append(image.TaskState(action, kind, number))
    return call.void()


def activate(call: Invocation) -> code.Expression:
    return _change_state(call, "activate", ("local_task_id",))


def block(call: Invocation) -> code.Expression:
    return _change_state(call, "block", _BLOCKABLE[call.program.options.arch])


def unblock(call: Invocation) -> code.Expression:
    return _change_state(call, "unblock", _BLOCKABLE[call.program.options.arch])


def task_id_of(
    program: Program, operand: code.Expression, span: Span
) -> code.Expression:
    """A task given by name stands for the id it is bound to.

    Raises:
        CslError: the task is bound to no id, or to several.
    """
    if not isinstance(operand, code.Constant):
        return operand
    reference = operand.value
    if not isinstance(reference, FunctionRef):
        return operand
    if not reference.declaration.task:
        name = reference.declaration.name
        fail(
            f"'{name}' is not a task",
            span,
            help=f"declare it as 'task {name}() void', and bind it to an id",
        )
    ids = bound_ids(program, reference)
    if len(ids) != 1:
        how = "bound to no id" if not ids else "bound to several ids"
        fail(
            f"task '{reference.declaration.name}' is {how}",
            span,
            help="bind it once with @bind_local_task, or name the id",
        )
    kind, number = ids[0]
    return code.Constant(types.Identifier(f"{kind}_task_id"), span, number)


def bound_ids(program: Program, reference: FunctionRef) -> list[tuple[str, int]]:
    functions = set(map(id, reference.instances.values()))
    return [
        (binding.kind, binding.id)
        for binding in program.unit.bindings
        if id(binding.function) in functions
    ]


# --- handlers and queues ----------------------------------------------------------


def _handler(call: Invocation, index: int) -> code.Function:
    reference = _function(call, index, task=False)
    type_ = function_type(reference)
    if type_.params or type_.result != types.VOID:
        fail(f"a handler must be 'fn() void', got: '{type_}'", call.span)
    if ("task", TEARDOWN_ID) in call.program.marks:
        fail(
            f"task ID '{TEARDOWN_ID}' is bound, so '{call.name}' cannot be used",
            call.span,
            note="bound here",
            note_span=call.program.marks["task", TEARDOWN_ID],
        )
    return plain_instance(call.program, reference, call.span)


def set_teardown_handler(call: Invocation) -> code.Expression:
    color = identifier(call, 1, "color")
    once(call, ("teardown", color), f"teardown handler of color {color} already set")
    call.program.unit.teardown_handlers[color] = _handler(call, 0)
    return call.void()


def set_empty_queue_handler(call: Invocation) -> code.Expression:
    check_arch(call, "wse3")
    operand = call.operand(1)
    kind = _queue_kind(call, operand)
    queue = need_known(operand, "the queue").value
    word = kind.replace("_", " ")
    once(
        call,
        ("empty", kind, queue),
        f"empty-queue handler of {word} {queue} already set",
    )
    call.program.unit.empty_queue_handlers[kind, queue] = _handler(call, 0)
    return call.void()


def identifier(call: Invocation, index: int, name: str) -> int:
    """A comptime-known color, queue or id argument."""
    operand = call.operand(index)
    if name == "color":
        routable(operand)
    elif operand.type != types.Identifier(name):
        mismatch(operand, types.Identifier(name))
    return need_known(operand, f"the {name.replace('_', ' ')}").value


def queue_flush(call: Invocation) -> code.Expression:
    """`@queue_flush(q)`: the teardown task runs as soon as the queue is empty."""
    check_arch(call, "wse3")
    operand = call.operand(0)
    kind = _queue_kind(call, operand)
    word = code.Constant(types.COMPTIME_STRING, call.span, kind)
    number = code.Bitcast(types.U16, call.span, operand)
    if isinstance(operand, code.Constant):
        number = call.constant(types.U16, operand.value)
    return code.NativeCall(types.VOID, call.span, "queue_flush", (word, number))


def _queue_kind(call: Invocation, operand: code.Expression) -> str:
    kind = str(operand.type)
    if kind not in ("input_queue", "output_queue"):
        fail(f"'{call.name}' takes a queue, got: '{operand.type}'", operand.span)
    return kind


def set_control_task_table(call: Invocation) -> code.Expression:
    check_arch(call, "wse3")
    once(call, "control table", "the control task table has already been set")
    fields = call.fields(0, "the control task table")
    table = {"instructions": 4, "stride": 1}
    for name, operand in fields.items():
        if name not in table:
            fail(f"unknown field '{name}'", operand.span)
        bounds = (2, 8) if name == "instructions" else (1, 7)
        table[name] = call.check_range(operand, f"'{name}'", *bounds)
    if table["instructions"] not in (2, 4, 8):
        fail("'instructions' must be 2, 4 or 8", call.span)
    call.program.unit.control_task_table = table
    return call.void()


def initialize_queue(call: Invocation) -> code.Expression:
    operand = call.operand(0)
    kind = str(operand.type)
    if kind not in ("input_queue", "output_queue"):
        fail(f"'@initialize_queue' takes a queue, got: '{operand.type}'", operand.span)
    queue = need_known(operand, "the queue").value
    word = kind.replace("_", " ")
    once(call, (kind, queue), f"{word} {queue} has already been set")
    fields = call.fields(1, "the queue configuration")
    _check_queue_fields(call, kind, fields)
    color = _queue_color(fields.get("color"))
    if kind == "input_queue":
        once(call, ("input color", color), f"color {color} has an input queue already")
    init = image.QueueInit(
        "in" if kind == "input_queue" else "out",
        queue,
        color,
        choice(fields.get("priority"), ("high", "medium", "low"), "priority"),
        _table_id(call, fields.get("ctrl_table_id")),
    )
    call.program.unit.queues.append(init)
    return call.void()


def _check_queue_fields(
    call: Invocation, kind: str, fields: dict[str, code.Expression]
) -> None:
    arch = call.program.options.arch
    allowed = {
        ("wse2", "input_queue"): ("color", "priority"),
        ("wse2", "output_queue"): (),
        ("wse3", "input_queue"): ("color", "ctrl_table_id"),
        ("wse3", "output_queue"): ("color",),
    }[arch, kind]
    word = kind.replace("_", " ")
    for name, operand in fields.items():
        if name not in allowed:
            fail(f"an {word} takes no field '{name}' on {arch}", operand.span)
    if "color" in allowed and "color" not in fields:
        fail(f"an {word} needs the field 'color' on {arch}", call.span)


def _queue_color(operand: code.Expression | None) -> int | None:
    if operand is None:
        return None
    return need_known(routable(operand), "the color of a queue").value


def _table_id(call: Invocation, operand: code.Expression | None) -> int | None:
    if operand is None:
        return None
    return call.check_range(operand, "'ctrl_table_id'", 0, 63)


def choice(
    operand: code.Expression | None, names: tuple[str, ...], what: str
) -> str | None:
    """The one name set to true in `.{ .name = true }`.

    Raises:
        CslError: an unknown name, or not exactly one true.
    """
    if operand is None:
        return None
    known = need_known(operand, f"'{what}'")
    struct = known.type
    if not isinstance(struct, types.Struct) or struct.names is None:
        fail(f"'{what}' must be written .{{ .{names[0]} = true }}", operand.span)
    chosen = [n for n, v in zip(struct.names, known.value.values, strict=True) if v]
    for name in struct.names:
        if name not in names:
            options = ", ".join(names)
            fail(f"'{what}' has no choice '{name}'", operand.span, help=options)
    if len(chosen) != 1:
        fail(f"'{what}' needs exactly one of {', '.join(names)}", operand.span)
    return chosen[0]


def rpc(call: Invocation) -> code.Expression:
    """Programs of old releases ask for a launch server; launches work without."""
    once(call, "rpc", "'@rpc' may be used once")
    call.operand(0)
    return call.void()
