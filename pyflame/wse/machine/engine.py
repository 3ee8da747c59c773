"""The wafer: loads an image, takes host commands, runs events, reports.

Lifecycle: `Wafer(image, config)`, `load()`, `start()`, then any of `launch`, `send`,
`receive` (each gives a ticket for `run_until`), `read_memory` and `write_memory`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyflame.wse.errors import Deadlock, HostError
from pyflame.wse.language.code import Function, GlobalVariable
from pyflame.wse.language.image import NO_PROGRAM, Image, PeProgram
from pyflame.wse.language.types import Pointer, Type
from pyflame.wse.machine import limits, setup
from pyflame.wse.machine.arithmetic import arithmetic_of
from pyflame.wse.machine.chrome_trace import chrome_trace
from pyflame.wse.machine.commands import Command
from pyflame.wse.machine.costs import Costs, costs_of
from pyflame.wse.machine.counters import Counters, counters
from pyflame.wse.machine.deadlock import explain_deadlock
from pyflame.wse.machine.extents import Extent, Extents
from pyflame.wse.machine.fabric import Fabric
from pyflame.wse.machine.host import HostPorts
from pyflame.wse.machine.observe import PeReport, Report
from pyflame.wse.machine.observed_operations import WatchedFilter, WatchedOperation
from pyflame.wse.machine.observed_pe import ObservedPe
from pyflame.wse.machine.observed_ports import CountingPort, WritingPort
from pyflame.wse.machine.pe import Pe
from pyflame.wse.machine.program import CompiledProgram
from pyflame.wse.machine.progress import Progress
from pyflame.wse.machine.queues import HostSink, HostSource
from pyflame.wse.machine.recorder import Observe, Recorder
from pyflame.wse.machine.router import PortKind
from pyflame.wse.machine.router_limits import check_routers
from pyflame.wse.machine.stepper import Stepper
from pyflame.wse.machine.strictness import strict_by_default
from pyflame.wse.machine.tasks import word_decoder
from pyflame.wse.machine.timeline import Timeline
from pyflame.wse.machine.vector_plans import VectorPlans
from pyflame.wse.machine.wiring import Wires

Compiler = Callable[[PeProgram, str, Costs], CompiledProgram]


@dataclass(frozen=True, kw_only=True)
class MachineConfig:
    """How to run.

    Args:
        seed: None runs what the hardware leaves open in the documented order (ids,
            then arrival); a number permutes it (task picks among equals,
            arbitration).
        profile: "vendor_sim" or "silicon".
        costs: numbers of the cost model to override, by name.
        semantics: choices where the documentation is silent.
        max_cycles: the run's budget; a program that exceeds it has failed.
        strict: makes errors of what the machine lets pass: reads of memory that
            nothing has written, pointers and DSDs that leave their variable, and
            accesses to the memory of an asynchronous operation before its end. By
            default as the environment variable PYFLAME_STRICT says, else off.
        log: receives the lines that programs print, with the PE's coordinates.
        observe: what to record; None for nothing.
        leaps: moves steady streams many cycles at once, with the same result; not
            under a seed, in strict mode, or while something is recorded.
    """

    seed: int | None = None
    profile: str = "vendor_sim"
    costs: dict[str, float] = field(default_factory=dict[str, float])
    semantics: limits.Semantics = field(default_factory=limits.Semantics)
    max_cycles: int = 1_000_000_000
    strict: bool = field(default_factory=strict_by_default)
    log: Callable[[int, int, str], None] = lambda x, y, text: None
    observe: Observe | None = None
    leaps: bool = True


class Wafer:
    """The simulated rectangle of PEs of one image."""

    def __init__(
        self,
        image: Image,
        config: MachineConfig | None = None,
        compiler: Compiler | None = None,
    ) -> None:
        self.image = image
        self.config = config or MachineConfig()
        arch = image.options.arch
        self.costs = costs_of(arch, self.config.profile).overridden(self.config.costs)
        self._arch = limits.ARCHITECTURES[arch]
        observe = self.config.observe
        self.recorder = None if observe is None else Recorder(observe)
        logged = observe is not None and bool(observe.log)
        self._compiler = compiler or _interpreter(
            self.config.strict, logged, image.options.fp16_format
        )
        self._timeline = Timeline(self.config.seed)
        self._vector_plans = VectorPlans()
        self._pes: list[list[Pe | None]] = []
        self._programs: list[CompiledProgram] = []
        self._extents: dict[int, Extents] = {}
        self._tickets: list[Callable[[], bool]] = []
        self._results: dict[int, Callable[[], list[int]]] = {}
        self.fabric = Fabric(
            self._timeline,
            self.costs,
            self.config.semantics,
            image.color_configs,
            self.pe,
            self._port_kind(),
        )
        self._host = HostPorts(self._timeline, self.costs, self.fabric, self.pe)
        self._wires = Wires(self._timeline, self.costs, self.fabric)
        self._progress = Progress(lambda: self.now)
        self._stepper = Stepper(self._timeline)
        self._started = False

    # --- life cycle ---

    @property
    def now(self) -> int:
        """The current cycle."""
        return self._timeline.now

    def load(self) -> None:
        """Builds PEs and routers and puts them into their initial state."""
        arch = self.image.options.arch
        check_routers(self.image.color_configs, arch)
        self._programs = [
            self._compiler(program, arch, self.costs) for program in self.image.programs
        ]
        self._pes = [
            [None if n == NO_PROGRAM else self._new_pe(x, y) for x, n in enumerate(row)]
            for y, row in enumerate(self.image.tiles)
        ]
        for pe in self.pes():
            setup.init_queues(pe, self._program_of(pe).source)
        self._host.open_sinks(self.image)
        self._lay_wires()
        self.fabric.connect()
        for channel in self.fabric.channels():
            if self._has_pe(channel.x, channel.y):
                channel.on_teardown = self.pe(channel.x, channel.y).on_teardown
        for pe in self.pes():
            setup.load(pe, self._program_of(pe))
            if isinstance(pe, ObservedPe):
                objects = getattr(self._program_of(pe), "objects", None)
                pe.objects = objects or pe.objects
        for data in self.image.wiring.initial_data:
            address, _ = self.linker_symbol(data.x, data.y, data.symbol)
            self.write_memory(data.x, data.y, address, data.data)

    def _lay_wires(self) -> None:
        for pipe in self.image.wiring.pipes:
            self._wires.lay(pipe)
        for port in self.image.wiring.host_ports:
            self._wires.open(port)

    def _new_pe(self, x: int, y: int) -> Pe:
        kind = Pe if self.recorder is None else partial(ObservedPe, self.recorder)
        pe = kind(
            x,
            y,
            self._timeline,
            self._arch,
            self.costs,
            self.config.semantics,
            arithmetic_of(self.config.semantics, self.image.options.fp16_format),
            self.config.max_cycles,
            self._vector_plans,
            self.config.strict,
        )
        pe.channel = lambda color: self.fabric.channel(x, y, color)
        pe.rewire = self.fabric.set_routes
        pe.log = lambda text: self.config.log(x, y, text)
        return pe

    def start(self) -> None:
        """Releases the PEs: tasks that are active at load start."""
        self._started = True
        for pe in self.pes():
            pe.wake(self.now)

    # --- places ---

    def pes(self) -> Iterator[Pe]:
        """All PEs that have a program, row by row."""
        for row in self._pes:
            yield from (pe for pe in row if pe is not None)

    def pe(self, x: int, y: int) -> Pe:
        """The PE at rectangle coordinates.

        Raises:
            HostError: outside the rectangle, or a place without a program.
        """
        if not self._inside(x, y):
            raise HostError(
                f"PE({x},{y}) is outside the program's rectangle of "
                f"{self.image.width} x {self.image.height} PEs"
            )
        found = self._pes[y][x]
        if found is None:
            raise HostError(f"PE({x},{y}) has no program: no code region covers it")
        return found

    def _inside(self, x: int, y: int) -> bool:
        return 0 <= x < self.image.width and 0 <= y < self.image.height

    def _has_pe(self, x: int, y: int) -> bool:
        return self._inside(x, y) and self._pes[y][x] is not None

    def _program_of(self, pe: Pe) -> CompiledProgram:
        return self._programs[self.image.tiles[pe.y][pe.x]]

    def symbol(self, x: int, y: int, name: str) -> tuple[int, Type]:
        """Address and type of what an exported name or linker symbol stands for.

        An exported pointer stands for what it points to now, with that type.

        Raises:
            HostError: if the PE has no such name.
        """
        compiled = self._program_of(self.pe(x, y))
        variable = compiled.source.exports.get(name)
        if variable is None or isinstance(variable, Function):
            return self.linker_symbol(x, y, name)
        address = compiled.address(variable)
        if isinstance(variable.type, Pointer):
            return self.pe(x, y).memory.u16[address >> 1], variable.type.pointee
        return address, variable.type

    def linker_symbol(self, x: int, y: int, name: str) -> tuple[int, Type]:
        """Address and type of the global that has a name in the program's ELF file.

        Raises:
            HostError: if the PE has no such global.
        """
        compiled = self._program_of(self.pe(x, y))
        for variable in compiled.source.globals:
            if variable.symbol == name:
                return self._address(compiled, variable), variable.type
        raise HostError(
            f"PE({x},{y}) has no variable '{name}' ({compiled.source.file})"
        )

    def _address(self, compiled: CompiledProgram, variable: GlobalVariable) -> int:
        try:
            return compiled.address(variable)
        except KeyError:
            raise HostError(
                f"'{variable.symbol}' has no place in memory ({compiled.source.file}); "
                "declare it as 'export var' to read it from the host"
            ) from None

    def extent_at(self, x: int, y: int, address: int) -> Extent | None:
        """The global of a PE's program that holds an address, None if none does."""
        number = self.image.tiles[y][x]
        if number not in self._extents:
            self._extents[number] = Extents(self._programs[number])
        return self._extents[number].at(address)

    def read_memory(self, x: int, y: int, address: int, n_bytes: int) -> bytes:
        return self.pe(x, y).memory.read(address, n_bytes)

    def write_memory(self, x: int, y: int, address: int, data: bytes) -> None:
        self.pe(x, y).memory.write(address, data)

    # --- host commands ---

    def launch(self, name: str, args: list[int]) -> int:
        """Runs an exported function on every PE; `args` are raw 32-bit words.

        The ticket is done when every PE has unblocked its command stream.

        Raises:
            HostError: if a PE does not export it, or takes other arguments.
        """
        ticket = len(self._tickets)
        due = self.now + self.costs.command_cycles
        commands = [
            (pe, self._command(pe, ticket, name, args, due)) for pe in self.pes()
        ]
        targets: list[tuple[Pe, int]] = []
        for pe, command in commands:
            pe.commands.add(command)
            targets.append((pe, pe.commands.added))
        self._tickets.append(
            lambda: all(pe.commands.finished >= number for pe, number in targets)
        )
        return ticket

    def _command(
        self, pe: Pe, ticket: int, name: str, args: list[int], due: int
    ) -> Command:
        compiled = self._program_of(pe)
        function = compiled.source.exports.get(name)
        if not isinstance(function, Function):
            raise HostError(
                f"PE({pe.x},{pe.y}) exports no function '{name}' "
                f"({compiled.source.file}); a launch runs on every PE"
            )
        entry = compiled.function(function)
        if len(args) != len(entry.params):
            raise HostError(
                f"'{name}' takes {len(entry.params)} arguments, {len(args)} were given"
            )
        values = [
            word_decoder(type_)(word)
            for type_, word in zip(entry.params, args, strict=True)
        ]
        return Command(ticket, name, entry, tuple(values), due)

    def send(self, color: int, x: int, y: int, words: NDArray[np.uint32]) -> int:
        """Streams wavelets to a PE; done when they have left the host's buffer."""
        source = self._host.source(color, x, y)
        return self._feed(source, words, self.costs.host_buffer_wavelets)

    def send_to_port(self, name: str, words: NDArray[np.uint32]) -> int:
        """Streams wavelets into a named port; done as `send` is."""
        source, room = self._wires.source(name)
        return self._feed(source, words, room)

    def _feed(self, source: HostSource, words: NDArray[np.uint32], room: int) -> int:
        source.feed(words, self.now)
        goal = source.sent_count + len(source.words)
        self._tickets.append(lambda: source.sent_count + room >= goal)
        return len(self._tickets) - 1

    def receive(self, color: int, x: int, y: int, n: int) -> int:
        """Takes the next `n` wavelets that a PE streams out; done when they came."""
        return self._take(self._host.sink(color, x, y), n)

    def receive_from_port(self, name: str, n: int) -> int:
        """Takes the next `n` wavelets from a named port; done when they came."""
        return self._take(self._wires.sink(name), n)

    def _take(self, sink: HostSink, n: int) -> int:
        start = sink.asked
        sink.ask(n, self.now)
        ticket = len(self._tickets)
        self._tickets.append(lambda: len(sink.arrived) >= start + n)
        self._results[ticket] = lambda: sink.arrived[start : start + n]
        return ticket

    def words(self, ticket: int) -> NDArray[np.uint32]:
        """What a done `receive` has received."""
        assert self.done(ticket), "words of a ticket that is not done"
        return np.array(self._results[ticket](), np.uint32)

    def done(self, ticket: int) -> bool:
        return self._tickets[ticket]()

    # --- time ---

    def run_until(self, ticket: int) -> None:
        """Runs events until the ticket is done.

        Raises:
            Deadlock: if nothing can happen any more; says who waits for what.
            MachineFault: for what a program did wrong, or a spent cycle budget.
        """
        done = self._tickets[ticket]
        step, budget = self._step_within(), self.config.max_cycles
        with np.errstate(all="ignore"), self._progress:
            while not done():
                if not step(budget):
                    raise Deadlock(self._explanation())

    def _step_within(self) -> Callable[[int], bool]:
        """What runs the next cycle; with leaps where nobody watches each wavelet."""
        config = self.config
        every_step = config.seed is not None or config.strict or config.observe
        if every_step or not config.leaps:
            return self._timeline.step_within
        self._stepper.forget()
        return self._stepper.step_within

    def _explanation(self) -> str:
        channels = list(self.fabric.channels())
        return explain_deadlock(
            self.now,
            self.pes(),
            channels,
            self.fabric,
            [*self._host.waiting_lines(), *self._wires.waiting_lines()],
        )

    def run_until_quiet(self) -> None:
        """Runs until no event is left; PEs may still wait."""
        step, budget = self._step_within(), self.config.max_cycles
        with np.errstate(all="ignore"), self._progress:
            while step(budget):
                pass

    # --- observation ---

    def _port_kind(self) -> PortKind | None:
        if self.recorder is None:
            return None
        if self.recorder.observe.lines:
            return partial(WritingPort, self.fabric_offsets, self.recorder)
        return partial(CountingPort, self.recorder)

    @property
    def fabric_offsets(self) -> tuple[int, int]:
        return self.image.options.fabric_offsets or (0, 0)

    def counters(self) -> Counters:
        """Where each PE's cycles went, and what each link carried.

        Raises:
            HostError: unless the machine was told to `observe` counters.
        """
        recorder = self.recorder
        if recorder is None or not recorder.observe.counters:
            raise HostError(
                "no counters were kept: give MachineConfig(observe=Observe("
                "counters=True))"
            )
        self._book_waits()
        size = self.image.width, self.image.height
        return counters(recorder, self.report(), self.pes(), self.fabric, size)

    def trace(self) -> dict[str, Any]:
        """The run so far as Chrome trace events, which Perfetto shows.

        Raises:
            HostError: unless the machine was told to `observe` a trace.
        """
        recorder = self.recorder
        if recorder is None or not recorder.observe.trace:
            raise HostError(
                "no trace was kept: give MachineConfig(observe=Observe(trace=True))"
            )
        self._book_waits()
        width = self.image.width
        return chrome_trace(recorder, width, self.now, self.costs.clock_hz)

    def _book_waits(self) -> None:
        """Counts the waits of operations that have not ended up to now."""
        for pe in self.pes():
            for execution in (pe.waiting_for, *pe.microthreads):
                if isinstance(execution, WatchedOperation | WatchedFilter):
                    execution.book(self.now)

    def report(self) -> Report:
        """Counts since the start."""
        pes = [
            PeReport(
                pe.x,
                pe.y,
                pe.busy_cycles,
                pe.stalled_cycles,
                max(0, self.now - pe.busy_cycles - pe.stalled_cycles),
                pe.datapath.busy_cycles,
                self._program_of(pe).used_bytes,
            )
            for pe in self.pes()
        ]
        channels = list(self.fabric.channels())
        return Report(
            cycles=self.now,
            seconds=self.now / self.costs.clock_hz,
            wavelets=sum(channel.wavelets_sent for channel in channels),
            hops=sum(channel.hop_count for channel in channels),
            pes=pes,
        )


def _interpreter(strict: bool, logged: bool, fp16_format: str) -> Compiler:
    """The interpreter, found late: it imports this package's machine parts."""
    from pyflame.wse.machine.interpreter import compile_program

    return partial(
        compile_program, strict=strict, logged=logged, fp16_format=fp16_format
    )
