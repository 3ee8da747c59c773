"""What code generation gives back: files, or reasons; and a way to run them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pyflame.codegen import saved_program
from pyflame.codegen.saved_program import SavedProgram
from pyflame.codegen.simulation_run import SimulationRun
from pyflame.errors import RunError
from pyflame.shown import Shown

if TYPE_CHECKING:
    from lowering.plan import Cost
    from pyflame.codegen.executable import Executable
    from pyflame.codegen.interface import Interface
    from pyflame.codegen.session import Session
    from pyflame.wse.machine.engine import MachineConfig


@dataclass(frozen=True)
class CodeGenResult(Shown):
    """The outcome of a compilation; nothing is raised for a program that cannot be.

    Attributes:
        success: whether CSL was generated.
        output_dir: the folder of the files.
        generated_files: their paths, in reading order; empty without success.
        error_message: every reason there is, if there was no success.
        sources: text by file name.
        cost: predicted cycles and bytes per step; None without success.
    """

    success: bool
    output_dir: str
    generated_files: list[str] = field(default_factory=list)
    error_message: str = ""
    sources: dict[str, str] = field(default_factory=dict, repr=False)
    cost: Cost | None = field(default=None, repr=False)
    _executable: Executable | None = field(default=None, repr=False)
    _interface: Interface | None = field(default=None, repr=False)

    def simulate(
        self, *inputs: Any, seed: int | None = None, config: MachineConfig | None = None
    ) -> SimulationRun:
        """Runs the generated text once on a simulated wafer.

        Args:
            inputs: as the compiled function takes them; none for a compiled tensor
                means the current values of its inputs.
            seed: permutes what the hardware leaves open; None for documented order.
            config: further parameters of the simulated machine.

        Raises: RunError, if nothing was generated or an input does not fit; the
        errors of `pyflame.wse`, if the program breaks a rule of the machine.
        """
        executable, interface = self._compiled("simulate")
        arrays = interface.complete("simulate", inputs)
        outputs, cycles, report = executable.run(arrays, _machine(seed, config))
        return SimulationRun(interface.result(outputs), cycles, report)

    def session(
        self, *, seed: int | None = None, config: MachineConfig | None = None
    ) -> Session:
        """The program on a simulated wafer of its own, to be launched many times.

        Each `session.run(*inputs)` is a launch. `...` in the place of an argument, or
        of a part of one, leaves what is on the wafer: what the host put there, or, of
        a value that `carry` names, what the last launch made of it.

        Raises: RunError, if nothing was generated; the errors of `pyflame.wse`.
        """
        executable, interface = self._compiled("session")
        from pyflame.codegen.session import Session  # loads the simulator

        return Session(executable, interface, _machine(seed, config))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the program to a folder, made if there is none, that `load` reads.

        The folder holds the generated files and `result.json`: the same names, types
        and pytrees, and the predicted cost. Dicts, lists and tuples come back as they
        are; other containers (modules of a library, say) come back as dicts by the
        names of their parts. Present values of a compiled tensor's inputs are not
        saved.

        Raises: RunError, if nothing was generated; OSError.
        """
        executable, interface = self._compiled("save")
        saved_program.save(path, SavedProgram(executable, interface, self.cost))

    @staticmethod
    def load(path: str | os.PathLike[str]) -> CodeGenResult:
        """The result that `save` wrote to a folder. Nothing in the folder is run.

        Raises: SavedFileError, if the folder is incomplete, damaged, or not one of
        ours; OSError.
        """
        program = saved_program.load(path)
        sources = program.executable.files
        return CodeGenResult(
            success=True,
            output_dir=os.fspath(path),
            generated_files=[os.path.join(path, name) for name in sources],
            sources=sources,
            cost=program.cost,
            _executable=program.executable,
            _interface=program.interface,
        )

    def _compiled(self, call: str) -> tuple[Executable, Interface]:
        if self._executable is None or self._interface is None:
            raise RunError(
                f"{call}: nothing was generated",
                rule="only a successful result can run",
                help=f"see error_message: {self.error_message.splitlines()[:1]}",
            )
        return self._executable, self._interface


def _machine(seed: int | None, config: MachineConfig | None) -> MachineConfig:
    """The simulated machine that a run asks for."""
    from pyflame.wse.machine.engine import MachineConfig

    machine = config or MachineConfig()
    return machine if seed is None else replace(machine, seed=seed)
