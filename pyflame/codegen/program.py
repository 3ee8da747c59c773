"""A generated program together with what its user calls its inputs and outputs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from lowering.lower import Lowered
from pyflame.codegen.simulation_run import SimulationRun
from pyflame.codegen.staged import Staged
from pyflame.convert import to_array
from pyflame.errors import DTypeError, RunError, ShapeError
from pyflame.tensors import Tensor

if TYPE_CHECKING:
    from pyflame.wse.language.image import Image
    from pyflame.wse.machine.engine import MachineConfig


@dataclass(frozen=True)
class Program:
    """The staged function, and what it was lowered to."""

    staged: Staged
    lowered: Lowered

    def simulate(
        self, inputs: tuple[Any, ...], seed: int | None, config: MachineConfig | None
    ) -> SimulationRun:
        """See `CodeGenResult.simulate`."""
        from pyflame.codegen import simulate  # loads the simulator
        from pyflame.wse.machine.engine import MachineConfig

        arrays = self._arrays(inputs)
        machine = config or MachineConfig()
        if seed is not None:
            machine = replace(machine, seed=seed)
        outputs, cycles, report = simulate.run(
            self.image, self.lowered, arrays, machine
        )
        return SimulationRun(
            jax.tree.unflatten(self.staged.out_tree, outputs), cycles, report
        )

    @cached_property
    def image(self) -> Image:
        """The generated text, compiled by the simulator's front end."""
        from pyflame.codegen import simulate

        return simulate.compile_text(self.lowered)

    def _arrays(self, inputs: tuple[Any, ...]) -> list[np.ndarray[Any, Any]]:
        staged = self.staged
        if not inputs and staged.defaults is not None:
            return staged.defaults()
        leaves, tree = jax.tree.flatten(
            inputs, is_leaf=lambda x: isinstance(x, (Tensor, list))
        )
        if tree != staged.in_tree:
            leaves, tree = jax.tree.flatten(
                inputs, is_leaf=lambda x: isinstance(x, Tensor)
            )
        if tree != staged.in_tree:
            raise RunError(
                f"simulate: {len(inputs)} inputs with {len(leaves)} arrays are given",
                rule=f"the program takes {', '.join(staged.in_names) or 'no inputs'}",
            )
        avals = staged.jaxpr.in_avals
        return [
            _checked(name, leaf, aval)
            for name, leaf, aval in zip(staged.in_names, leaves, avals, strict=True)
        ]


def _has_dtype(leaf: Any, dtype: Any) -> bool:
    """Whether it is NumPy's of this dtype; tensors have no unsigned integers."""
    return isinstance(leaf, (np.ndarray, np.generic)) and leaf.dtype == dtype


def _checked(name: str, leaf: Any, aval: Any) -> np.ndarray[Any, Any]:
    """The input as an array of the program's dtype, if it is one of that kind."""
    if isinstance(leaf, (Tensor, jax.Array)) or _has_dtype(leaf, aval.dtype):
        array = np.asarray(leaf)
    elif isinstance(leaf, (bool, int, float, list)):
        array = np.asarray(to_array(leaf, aval.dtype))
    else:
        array = np.asarray(to_array(leaf))
    if array.shape != aval.shape:
        raise ShapeError(
            f"simulate: input {name} has shape {list(array.shape)}",
            rule=f"the program was compiled for {aval.dtype}{list(aval.shape)}",
        )
    if array.dtype != aval.dtype:
        raise DTypeError(
            f"simulate: input {name} is {array.dtype}",
            rule=f"the program was compiled for {aval.dtype}{list(aval.shape)}",
            help=f"convert it: x.astype('{aval.dtype}')",
        )
    return array
