"""Generated text as a program: what the simulator compiles, and what a host copies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lowering.host import Description, read_description
from lowering.target import TARGETS

if TYPE_CHECKING:
    from lowering.lower import Lowered
    from pyflame.wse.language.image import Image
    from pyflame.wse.machine.engine import MachineConfig
    from pyflame.wse.machine.observe import Report


@dataclass(frozen=True)
class Executable:
    """The files of a program, by name, for a wafer of `arch` ("wse2" or "wse3")."""

    files: dict[str, str]
    arch: str

    @classmethod
    def of(cls, lowered: Lowered) -> Executable:
        """What the compiler wrote."""
        return cls(dict(lowered.files), lowered.plan.target.arch)

    @cached_property
    def description(self) -> Description:
        """What program.json says.

        Raises: MalformedProgramError, if it says nothing of the kind.
        """
        return read_description(self.files["program.json"])

    @cached_property
    def image(self) -> Image:
        """The generated text, compiled by the simulator's front end.

        Raises: CslError, if the text breaks a rule of CSL.
        """
        from pyflame.codegen import simulate  # loads the simulator

        mesh, target = self.description.mesh, TARGETS[self.arch]
        return simulate.compile_files(self.files, mesh, target)

    def run(
        self, arrays: Sequence[np.ndarray[Any, Any]], config: MachineConfig
    ) -> tuple[list[np.ndarray[Any, Any]], int, Report]:
        """One launch on a wafer of its own.

        Returns: the outputs in order, the cycles of the launch, the wafer's report.
        """
        from pyflame.codegen import simulate  # loads the simulator

        described = self.description
        wafer = simulate.loaded(self.image, described, config)
        for value, array in zip(described.inputs, arrays, strict=True):
            simulate.write(wafer, described.mesh, value, array)
        cycles = simulate.launch(wafer, described.entry)
        outputs = [
            simulate.read(wafer, described.mesh, value) for value in described.outputs
        ]
        return outputs, cycles, wafer.report()
