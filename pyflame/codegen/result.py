"""What code generation gives back: files, or reasons; and a way to run them."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pyflame.errors import RunError

if TYPE_CHECKING:
    from lowering.plan import Cost
    from pyflame.codegen.program import Program
    from pyflame.codegen.simulation_run import SimulationRun
    from pyflame.wse.machine.engine import MachineConfig


@dataclass(frozen=True)
class CodeGenResult:
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
    _program: Program | None = field(default=None, repr=False)

    def simulate(
        self, *inputs: Any, seed: int | None = None, config: MachineConfig | None = None
    ) -> SimulationRun:
        """Runs the generated text on the simulated wafer.

        Args:
            inputs: as the compiled function takes them; none for a compiled tensor
                means the current values of its inputs.
            seed: permutes what the hardware leaves open; None for documented order.
            config: further parameters of the simulated machine.

        Raises: RunError, if nothing was generated or an input does not fit; the
        errors of `pyflame.wse`, if the program breaks a rule of the machine.
        """
        if self._program is None:
            raise RunError(
                "simulate: nothing was generated",
                rule="only a successful result can run",
                help=f"see error_message: {self.error_message.splitlines()[:1]}",
            )
        return self._program.simulate(inputs, seed, config)

    def _repr_html_(self) -> str:
        return import_module("pyflame.report").html_of(self)
