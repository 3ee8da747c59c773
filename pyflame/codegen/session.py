"""A compiled program on a simulated wafer, launched again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyflame.codegen import simulate
from pyflame.codegen.executable import Executable
from pyflame.codegen.interface import Interface
from pyflame.codegen.simulation_run import SimulationRun
from pyflame.errors import RunError

if TYPE_CHECKING:
    from pyflame.wse.machine.counters import Counters
    from pyflame.wse.machine.engine import MachineConfig


class Session:
    """A program that stays on its wafer between launches; see `CodeGenResult.session`.

    Inputs lie where the host put them until it puts others there, and inputs that are
    carried hold what the last launch left. Nothing else outlasts a launch: inputs that
    are donated are gone after each.
    """

    def __init__(
        self, executable: Executable, interface: Interface, config: MachineConfig
    ) -> None:
        self._description = executable.description
        self._interface = interface
        self._wafer = simulate.loaded(executable.image, self._description, config)
        self._missing = set(range(len(interface.in_names)))
        inputs = enumerate(self._description.inputs)
        self._donated = {number for number, value in inputs if value.is_donated}

    def run(self, *inputs: Any) -> SimulationRun:
        """One launch: copies inputs in, runs the program, copies the outputs out.

        Args:
            inputs: as the compiled function takes them. `...` in the place of an
                argument, or of a part of one, leaves what is on the wafer.

        Returns: outputs of this launch, its cycles, and a report since the start.
        Raises: RunError, if an input has no value yet or the arguments are others than
        the program's; ShapeError, DTypeError; the errors of `pyflame.wse`.
        """
        arrays = self._interface.arrays("run", inputs)
        given = {n: array for n, array in enumerate(arrays) if array is not None}
        self._check_complete(self._missing - given.keys())
        mesh = self._description.mesh
        for number, array in given.items():
            simulate.write(self._wafer, mesh, self._description.inputs[number], array)
        self._missing -= given.keys()
        self._missing |= self._donated
        cycles = simulate.launch(self._wafer, self._description.entry)
        outputs = [
            simulate.read(self._wafer, mesh, value)
            for value in self._description.outputs
        ]
        return SimulationRun(
            self._interface.result(outputs), cycles, self._wafer.report()
        )

    def trace(self) -> dict[str, Any]:
        """All launches as Chrome trace events, which Perfetto shows, in cycles.

        Raises: HostError, unless the session's config was told to `observe` a trace.
        """
        return self._wafer.trace()

    def counters(self) -> Counters:
        """Where the cycles of each PE went, and the wavelets of each link.

        Raises: HostError, unless the session's config was told to `observe` counters.
        """
        return self._wafer.counters()

    def _check_complete(self, missing: set[int]) -> None:
        if missing:
            names = ", ".join(self._interface.in_names[n] for n in sorted(missing))
            raise RunError(
                f"run: nothing is on the wafer for {names}",
                rule="`...` leaves what is there, from an earlier launch",
                help="give every input at the first launch, and donated ones at each",
            )
