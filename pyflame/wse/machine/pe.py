"""A processing element: memory, queues, tasks, threads, and what its code calls."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from pyflame.wse.errors import MachineFault
from pyflame.wse.language.registers import is_router_register
from pyflame.wse.machine import limits
from pyflame.wse.machine.arithmetic import Arithmetic
from pyflame.wse.machine.code_lines import place_fault
from pyflame.wse.machine.commands import CommandStream
from pyflame.wse.machine.costs import Costs
from pyflame.wse.machine.dsd import Descriptor, Dsr, FabIn, FabOut, Fifo
from pyflame.wse.machine.dsrs import DsrFile
from pyflame.wse.machine.fifos import FifoState
from pyflame.wse.machine.guard import Guard, GuardedMemory
from pyflame.wse.machine.guarded_issue import GuardedIssuer
from pyflame.wse.machine.issue import Issuer
from pyflame.wse.machine.links import Datapath, Link
from pyflame.wse.machine.memory import Memory
from pyflame.wse.machine.microthreads import MAIN_THREAD_RANK, DropFilter, Execution
from pyflame.wse.machine.operations import Operation
from pyflame.wse.machine.program import CompiledFunction
from pyflame.wse.machine.queues import InputQueue, OutputQueue
from pyflame.wse.machine.random_numbers import RandomNumbers
from pyflame.wse.machine.router import Channel
from pyflame.wse.machine.router_registers import RouterRegisters
from pyflame.wse.machine.tasks import MICROTHREAD_KINDS, BoundTask, Choice, TaskTable
from pyflame.wse.machine.timeline import Timeline
from pyflame.wse.machine.vector_plans import VectorPlans
from pyflame.wse.machine.vectors import VectorUnit

Thread = Generator[Operation, bool, None]
EXECUTION_KINDS: tuple[type[Execution], type[Execution]] = (Execution, DropFilter)


class Pe:
    """One PE at `x`, `y` of the program rectangle.

    `clock` is the main thread's local time: generated code runs ahead of the
    timeline and advances it; waiting operations bring the two together. `slots` and
    `library` belong to generated code and to library natives. `guard` checks accesses
    to memory in strict mode.
    """

    def __init__(
        self,
        x: int,
        y: int,
        timeline: Timeline,
        arch: limits.ArchLimits,
        costs: Costs,
        semantics: limits.Semantics,
        arithmetic: Arithmetic,
        max_cycles: int,
        vector_plans: VectorPlans,
        strict: bool = False,
    ) -> None:
        self.x, self.y = x, y
        self.timeline = timeline
        self.arch = arch
        self.costs = costs
        self.semantics = semantics
        self.arithmetic = arithmetic
        self.max_cycles = max_cycles
        self.execution_kinds = EXECUTION_KINDS
        self.guard: Guard | None = None
        self.memory = Memory(arch.memory_bytes)
        if strict:
            self.memory = GuardedMemory(arch.memory_bytes)
            self.guard = Guard(str(self), self.memory)
        self.vectors = VectorUnit(self.memory, arithmetic)
        self.vector_plans = vector_plans
        self.slots: list[Any] = []
        self.library: dict[str, Any] = {}
        self.config_words: dict[int, int] = {}
        self.router_registers = RouterRegisters(self)
        self.random = RandomNumbers()
        self.log: Callable[[str], None] = lambda text: None
        self.clock: int = 0

        self.datapath = Datapath(timeline)
        self.ramp_up = Link(timeline, costs.wavelet_millicycles)
        self.ramp_down = Link(timeline, costs.wavelet_millicycles)
        self.channels: dict[int, Channel] = {}
        self.inputs: dict[int, InputQueue] = {}  # by color
        depths = costs.output_queue_wavelets[: arch.output_queues]
        self.outputs = [
            OutputQueue(timeline, self, number, depth, self.ramp_down)
            for number, depth in enumerate(depths)
        ]
        self.fifos: list[FifoState] = []
        self.tasks = TaskTable()
        self.microthreads: list[Execution | None] = [None] * limits.MICROTHREADS
        self.gated_microthreads: set[int] = set()
        self.main_thread_rank = MAIN_THREAD_RANK
        self.channel: Callable[[int], Channel] = self.channels.__getitem__
        self.rewire: Callable[[Channel], None] = lambda channel: None
        self.dsrs = DsrFile(self.fault)
        self.issuer = Issuer(self, self.dsrs)
        if self.guard is not None:
            self.issuer = GuardedIssuer(self, self.dsrs, self.guard)
        self.commands = CommandStream(self)
        self.teardown_pending: list[int] = []

        self.running = ""  # the task on the main thread, "" for none
        self.waiting_for: Execution | None = None  # the main thread's operation
        self._thread: Thread | None = None
        self._chosen: tuple[CompiledFunction, tuple[Any, ...]] | None = None
        self._busy_until = 0
        self._wake_scheduled_at = -1
        self.busy_cycles: int = 0
        self.stalled_cycles: int = 0
        self._segment_start = 0

    def __str__(self) -> str:
        return f"PE({self.x},{self.y})"

    # --- what generated code calls ---

    def run_memory_op(self, operation: Operation) -> bool:
        """Runs an operation without fabric or FIFO operands now."""
        self.clock += self.issuer.run_on_memory(operation)
        return True

    def start_async(self, operation: Operation) -> None:
        """Hands an operation to a microthread at `clock`."""
        self.issuer.start_async(operation)

    def activate(self, id_: int) -> None:
        self.tasks.activate(id_, by_completion=False)

    def block(self, kind: str, id_: int) -> None:
        if kind in MICROTHREAD_KINDS:
            self.gated_microthreads.add(id_)
        else:
            self.tasks.blocked[id_] = True

    def unblock(self, kind: str, id_: int) -> None:
        if kind in MICROTHREAD_KINDS:
            self.gated_microthreads.discard(id_)
            execution = self.microthreads[id_]
            if execution is not None:
                execution.ungate(self.clock)
        else:
            self.tasks.blocked[id_] = False

    def load_dsr(
        self,
        dsr: Dsr,
        descriptor: Descriptor,
        config: dict[str, Any],
        extended: tuple[Dsr, ...] = (),
    ) -> None:
        """`@load_to_dsr` at run time; `config` as CSL spells the fields.

        Every register that it fills takes as long.
        """
        self.clock += self.costs.dsr_load_cycles * (1 + len(extended))
        usable_from = self.clock + self.costs.dsr_use_cycles - 1
        self.dsrs.load(dsr, descriptor, config, usable_from, extended)

    def read_dsr(self, dsr: Dsr) -> Descriptor:
        """The descriptor that a DSR holds now, for `@map` to step through."""
        return self.dsrs.stepped(dsr)

    def advance_dsr(self, dsr: Dsr, elements: int) -> None:
        """Moves a DSR with `.save_address` on by elements that `@map` used."""
        self.dsrs.advance(dsr, elements)

    def set_fifo_length(self, side: str, fifo: Fifo, length: int) -> None:
        """`@set_fifo_read_length` (side "read") and `@set_fifo_write_length`."""
        state = self.fifos[fifo.number]
        if side == "read":
            state.read_length = length
        else:
            state.write_length = length

    def config_read(self, address: int) -> int:
        """A word of configuration space; words never written are 0."""
        if self.has_register(address):
            return self.router_registers.read(address)
        return self.config_words.get(address, 0)

    def config_write(self, address: int, value: int) -> None:
        if self.has_register(address):
            self.router_registers.write(address, value)
        else:
            self.config_words[address] = value

    def has_register(self, address: int) -> bool:
        """Whether this word of configuration space is one that the machine models."""
        return self.arch.has_router_registers and is_router_register(address)

    def random16(self) -> int:
        return self.random.next_u16()

    def seed_random(self, seed: int) -> None:
        self.random.seed(seed)

    def print_line(self, text: str) -> None:
        self.log(text)

    def unblock_cmd_stream(self) -> None:
        self.commands.unblock(self.clock)

    # --- the main thread ---

    def wake(self, now: int) -> None:
        """Lets the task picker look, unless the main thread is busy."""
        cycle = max(now, self._busy_until)
        if self._thread is None and self._wake_scheduled_at != cycle:
            self._wake_scheduled_at = cycle
            self.timeline.late(cycle, self)

    def run(self, now: int) -> None:
        """Picks and starts a task if one can run."""
        if self._thread is not None or now < self._busy_until:
            return
        if self._chosen is not None:
            self._begin(*self._chosen)
            return
        follows_task = now == self._busy_until and now > 0
        if self.commands.ready(now):
            self._start(now + self.costs.task_start_cycles, *self.commands.take())
            return
        choices = self.tasks.runnable(self.inputs.values(), now)
        if not choices:
            self._look_again(now)
            return
        choice = self.tasks.pick(choices, self.timeline.pick)
        task = self.tasks.rotated(choice)
        payload = self._payload(choice, task, now)
        quick = choice.after_completion and not follows_task
        delay = (
            self.costs.completion_to_task_cycles
            if quick
            else self.costs.task_start_cycles
        )
        self._start(now + delay, task.function, task.decode(payload & 0xFFFF_FFFF))

    def _payload(self, choice: Choice, task: BoundTask, now: int) -> int:
        """What the wavelet brings that starts a task; 0 for local tasks."""
        if choice.queue is None:
            return 0
        if task is choice.task or self.semantics.rotation_takes_wavelet:
            return choice.queue.take(now)
        return choice.queue.words[0]

    def _look_again(self, now: int) -> None:
        """Wavelets on the ramp behind one that was taken wake nobody themselves."""
        for queue in self.inputs.values():
            if queue.words and queue.times[0] > now and queue.reader is None:
                self.wake(queue.times[0])

    def _start(
        self, clock: int, function: CompiledFunction, arguments: tuple[Any, ...]
    ) -> None:
        """Lets a task begin at a cycle: its code must not run, and change memory,
        before microthreads have come as far."""
        self._chosen = (function, arguments)
        self.running = function.name
        self._busy_until = clock
        if clock == self.timeline.now:
            self._begin(function, arguments)
        else:
            self.timeline.late(clock, self)

    def _begin(self, function: CompiledFunction, arguments: tuple[Any, ...]) -> None:
        self._chosen = None
        self.clock = self._segment_start = self._busy_until
        try:
            result = function.call(self, *arguments)
        except MachineFault as fault:
            place_fault(fault, str(self))
            raise
        if function.blocking:
            self._thread = result
            self._proceed(None)
        else:
            self._end_task()

    def _proceed(self, result: bool | None) -> None:
        """Runs the main thread until its task ends or waits for an operation."""
        thread = self._thread
        assert thread is not None, "only a waiting thread can proceed"
        try:
            while True:
                operation = thread.send(result)  # pyright: ignore[reportArgumentType]
                result = self.issue(operation)
                if result is None:
                    self.busy_cycles += self.clock - self._segment_start
                    return
        except StopIteration:
            self._thread = None
            self._end_task()
        except MachineFault as fault:
            place_fault(fault, str(self), thread)
            raise

    def issue(self, operation: Operation) -> bool | None:
        """Issues what the main thread has yielded; None if it must wait."""
        return self.issuer.run_or_wait(operation)

    def resume(self, result: bool, now: int) -> None:
        """The main thread's operation has ended."""
        self.waiting_for = None
        self.stalled_cycles += now - self.clock
        self.clock = self._segment_start = now
        self._proceed(result)

    def _end_task(self) -> None:
        self.running = ""
        self.busy_cycles += self.clock - self._segment_start
        self._busy_until = max(self.clock, self.timeline.now)
        self.wake(self._busy_until)

    # --- what hardware events do ---

    def activate_by_hardware(self, id_: int, now: int) -> None:
        self.tasks.activate(id_, by_completion=True)
        self.wake(now)

    def unblock_by_hardware(self, kind: str, id_: int, now: int) -> None:
        self.unblock(kind, id_)
        self.wake(now)

    def on_teardown(self, color: int, now: int) -> None:
        self.teardown_pending.append(color)
        self.activate_by_hardware(limits.TEARDOWN_TASK_ID, now + 1)

    # --- queues ---

    def input_queue(self, dsd: FabIn) -> InputQueue:
        """The queue that a fabric source reads.

        Raises:
            MachineFault: WSE-3, if that queue is not initialised for the color.
        """
        queue = self.inputs.get(dsd.color)
        if self.arch.queues_need_init:
            if queue is None or dsd.queue not in (None, queue.number):
                raise self.fault(_unready_input(dsd))
            return queue
        queue = self.input_of_color(dsd.color)
        if dsd.queue is not None and queue.number is None:
            queue.number = dsd.queue
            depth = self.costs.input_queue_wavelets[dsd.queue]
            queue.capacity = depth + self.costs.ramp_cycles
        return queue

    def input_of_color(self, color: int) -> InputQueue:
        """The CE's buffer of a color, made at first use.

        On WSE-3 a color without a queue gets one that nobody reads: its wavelets
        wait, as they would at the router.
        """
        queue = self.inputs.get(color)
        if queue is None:
            needs_init = self.arch.queues_need_init
            depth = 0 if needs_init else self.costs.data_task_queue_wavelets
            queue = InputQueue(self.timeline, self, color, color, depth)
            if needs_init:
                queue.block_id = limits.TASK_IDS - 1
            self.inputs[color] = queue
        return queue

    def init_input(self, number: int, color: int) -> None:
        """`@initialize_queue` of an input queue."""
        depth = self.costs.input_queue_wavelets[number]
        by_color = self.arch.data_tasks_by_color
        known = self.inputs.get(color)
        if known is not None and known.number not in (None, number):
            raise self.fault(
                f"color {color} is bound to input queues {known.number} and {number}; "
                "a color has one @initialize_queue per PE"
            )
        queue = known or InputQueue(
            self.timeline, self, color, color if by_color else number, depth
        )
        queue.capacity = depth + self.costs.ramp_cycles
        queue.number = number
        queue.initialised = True
        self.inputs[color] = queue

    def output_queue(self, dsd: FabOut) -> OutputQueue:
        """The queue that a fabric destination fills.

        Raises:
            MachineFault: if it has no queue, or serves another color.
        """
        if dsd.queue is None:
            raise self.fault(
                f"a fabout_dsd of color {dsd.color} names no output queue; give it "
                "'.output_queue', and bind the queue with @initialize_queue"
            )
        if not 0 <= dsd.queue < len(self.outputs):
            raise self.fault(
                f"a fabout_dsd on color {dsd.color} has output queue {dsd.queue}; "
                f"{self.arch.name} has queues 0 to {len(self.outputs) - 1}"
            )
        queue = self.outputs[dsd.queue]
        if self.arch.queues_need_init:
            bound = queue.channel
            if bound is None or bound.color != dsd.color:
                state = f"bound to color {bound.color}" if bound else "not initialised"
                raise self.fault(
                    f"a fabout_dsd on color {dsd.color} uses output queue "
                    f"{dsd.queue}, which is {state}; @initialize_queue must bind it"
                )
        return queue

    # --- operations in flight ---

    def claim(self, execution: Execution, now: int) -> None:
        self.issuer.completion.claim(execution, now)

    def control_ended(self, execution: Execution, now: int) -> None:
        """`.on_control` of an operation that a control wavelet has ended."""
        config = execution.config
        if config.on_control == "activate":
            self.activate_by_hardware(config.on_control_target, now)
        elif config.on_control == "unblock":
            kind, id_ = config.on_control_target
            self.unblock_by_hardware(kind, id_, now)

    def fault(self, message: str) -> MachineFault:
        place = f"{self} at cycle {self.clock}"
        if self.running:
            place += f" in {self.running}"
        return MachineFault(f"{place}: {message}")


def _unready_input(dsd: FabIn) -> str:
    if dsd.queue is None:
        return (
            f"a fabin_dsd of color {dsd.color} names no input queue; give it "
            "'.input_queue', and bind the queue with @initialize_queue"
        )
    return (
        f"a fabin_dsd reads color {dsd.color} from input queue {dsd.queue}, which "
        "is not initialised for that color; @initialize_queue must bind it"
    )
