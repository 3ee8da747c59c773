"""Loading: from an image to PEs with tasks bound, queues initialised, memory set."""

from __future__ import annotations

from typing import Any

from pyflame.wse.language.image import PeProgram, QueueInit, TaskBinding
from pyflame.wse.language.types import element_size_bytes
from pyflame.wse.language.values import FifoValue
from pyflame.wse.machine.fifos import TEST_OR_SUSPEND, FifoConfig, FifoState
from pyflame.wse.machine.limits import TEARDOWN_TASK_ID
from pyflame.wse.machine.pe import Pe
from pyflame.wse.machine.program import CompiledProgram
from pyflame.wse.machine.queue_flush import Queue, flushes_of
from pyflame.wse.machine.tasks import BoundTask, Rotation, payload_decoder


def load(pe: Pe, compiled: CompiledProgram) -> None:
    """Puts a PE into its state before the first cycle."""
    program = compiled.source
    compiled.initialise(pe)
    pe.tasks.own_control_table = program.control_task_table is not None
    for binding in program.bindings:
        _bind(pe, compiled, binding)
    for rotation in program.rotations:
        other = pe.tasks.control[rotation.control_id]
        pe.tasks.rotations[rotation.data_id] = Rotation(
            other, rotation.limit, rotation.init
        )
    _bind_teardown(pe, compiled, program)
    _block_unbound_channels(pe)
    for fifo in program.fifos:
        config = fifo_config(fifo, compiled)
        pe.fifos.append(FifoState(pe.timeline, pe.memory, config))
    pe.config_words.update(program.config_writes)
    for state in program.states:
        _apply_state(pe, state.action, state.kind, state.id)


def init_queues(pe: Pe, program: PeProgram) -> None:
    """Binds queues to colors; comes before the fabric is wired.

    `.priority = .{ .high = true }` is taken as that of the tasks which the queue's
    wavelets start (the documentation does not say what it orders).
    `.ctrl_table_id` chooses a part of the table of control tasks: entry points of the
    queue count from its first entry, `stride` entries per part.
    """
    for init in program.queues:
        if init.color is None:
            continue
        if init.direction == "in":
            pe.init_input(init.queue, init.color)
            block_id = pe.inputs[init.color].block_id
            pe.tasks.high_priority[block_id] = init.priority == "high"
            pe.inputs[init.color].first_control_id = _first_control_id(
                pe, program, init
            )
        elif pe.arch.queues_need_init:
            pe.outputs[init.queue].channel = pe.channel(init.color)


def _first_control_id(pe: Pe, program: PeProgram, init: QueueInit) -> int:
    if not init.ctrl_table_id:
        return 0
    if program.control_task_table is None:
        raise pe.fault(
            f"input queue {init.queue} has .ctrl_table_id {init.ctrl_table_id}, but "
            "the program has one table for all tasks; @set_control_task_table makes "
            "one of control tasks that has parts"
        )
    return init.ctrl_table_id * program.control_task_table["stride"]


def _bind(pe: Pe, compiled: CompiledProgram, binding: TaskBinding) -> None:
    function = compiled.function(binding.function)
    decode = payload_decoder(function.params)
    pe.tasks.bind(BoundTask(binding.kind, binding.id, function, decode))


def _bind_teardown(pe: Pe, compiled: CompiledProgram, program: PeProgram) -> None:
    """The task that calls the handlers of colors in teardown and of flushed queues."""
    if not program.teardown_handlers and not program.empty_queue_handlers:
        return
    colors = {
        color: compiled.function(function)
        for color, function in program.teardown_handlers.items()
    }
    queues = {
        queue: compiled.function(function)
        for queue, function in program.empty_queue_handlers.items()
    }
    function = TeardownTask(colors, queues)
    pe.tasks.bind(BoundTask("local", TEARDOWN_TASK_ID, function, payload_decoder(())))


class TeardownTask:
    """Task 29, as the compiler supplies it to programs with handlers."""

    name = "the teardown task"
    params = ()
    blocking = True

    def __init__(self, colors: dict[int, Any], queues: dict[Queue, Any]) -> None:
        self._colors = colors
        self._queues = queues

    def call(self, pe: Pe) -> Any:
        pending, pe.teardown_pending = pe.teardown_pending, []
        found = [self._colors.get(color) for color in sorted(pending)]
        found += [self._queues.get(queue) for queue in flushes_of(pe).taken()]
        for handler in found:
            if handler is None:
                continue
            if handler.blocking:
                yield from handler.call(pe)
            else:
                handler.call(pe)


def _block_unbound_channels(pe: Pe) -> None:
    """A data id that no task is bound to starts blocked."""
    channels = range(24) if pe.arch.data_tasks_by_color else range(8)
    for id_ in channels:
        if id_ not in pe.tasks.data and id_ not in pe.tasks.local:
            pe.tasks.blocked[id_] = True


def _apply_state(pe: Pe, action: str, kind: str, id_: int) -> None:
    if action == "activate":
        pe.activate(id_)
    elif action == "block":
        pe.block(kind, id_)
    else:
        pe.unblock(kind, id_)


def fifo_config(fifo: FifoValue, compiled: CompiledProgram) -> FifoConfig:
    """Where the FIFO lies and which tasks its events activate."""
    return FifoConfig(
        base_address=compiled.address_of(fifo.buffer),
        element_bytes=element_size_bytes(fifo.element),
        capacity_elements=fifo.capacity_elements,
        activate_push=fifo.config.get("activate_push"),
        activate_pop=fifo.config.get("activate_pop"),
        priority=fifo.config.get("priority"),
        empty_action=fifo.config.get("empty_action", TEST_OR_SUSPEND),
        full_action=fifo.config.get("full_action", TEST_OR_SUSPEND),
    )
