"""Values that cross a line of PEs, in each pattern: predicted and simulated cycles."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import jax
import numpy as np

from lowering.lower import Lowered, Options, lower_partitioned
from lowering.mesh import Mesh
from lowering.partition import mesh_primitives as mesh_p
from lowering.partition.partition import Partitioned
from lowering.placement import Placement
from lowering.plan import PATTERNS, Pattern
from lowering.plan.steps import MoveStep
from pyflame.codegen.executable import Executable
from pyflame.wse.machine.engine import MachineConfig

_NAMES = {
    "reduce_inward": "chain",
    "gather_inward": "chain",
    "reduce_groups": "two_phase",
    "reduce_star": "star",
    "gather_star": "star",
}
_TOO_LONG_CYCLES = 40_000  # to simulate


@dataclass(frozen=True)
class Crossing:
    """`words` of each of `size` PEs of a row go to the first one, or to all."""

    what: str
    target: str
    size: int
    words: int

    @property
    def patterns(self) -> tuple[Pattern, ...]:
        return PATTERNS if self.what != "all-gather" else ("chain", "star")


@dataclass(frozen=True)
class Cycles:
    predicted: int
    simulated: int | None


def _program(crossing: Crossing) -> Any:
    line: Any = {"axis": "cols", "size": crossing.size}
    if crossing.what == "reduce":
        return lambda x: mesh_p.mesh_reduce(x, op="sum", root=0, **line)
    if crossing.what == "all-reduce":
        return lambda x: mesh_p.mesh_all_reduce(x, op="sum", **line)
    return lambda x: mesh_p.mesh_all_gather(x, dim=0, **line)


def lowered(crossing: Crossing, pattern: Pattern | None) -> Lowered:
    spec = jax.ShapeDtypeStruct((1, crossing.words), "float32")
    closed = jax.make_jaxpr(_program(crossing))(spec)
    mesh = Mesh(1, crossing.size)
    ins, outs = (
        tuple(
            Placement(
                (aval.shape[0], aval.shape[1] * crossing.size),
                np.dtype(np.float32),
                ("rows", "cols"),
                mesh.extent,
            )
            for aval in avals
        )
        for avals in (closed.in_avals, closed.out_avals)
    )
    return lower_partitioned(
        Partitioned(closed, ins, outs, mesh),
        in_names=["x"],
        out_names=["y"],
        target=crossing.target,
        options=Options(pattern=pattern),
    )


@cache
def measured(crossing: Crossing, pattern: Pattern | None) -> Cycles:
    """Of a program that does nothing else; not simulated where it would take long."""
    program = lowered(crossing, pattern)
    predicted = program.plan.cost.cycles
    if predicted > _TOO_LONG_CYCLES:
        return Cycles(predicted, None)
    array = np.ones((1, crossing.words * crossing.size), np.float32)
    _, simulated, _ = Executable.of(program).run([array], MachineConfig())
    return Cycles(predicted, simulated)


def chosen(crossing: Crossing) -> str:
    """The name of the pattern that the plan takes."""
    moves = (s for s in lowered(crossing, None).plan.steps if isinstance(s, MoveStep))
    return next(_NAMES[move.kind] for move in moves)


ROWS = tuple(
    Crossing(what, target, size, words)
    for what, target, size in (
        ("reduce", "wse2", 64),
        ("reduce", "wse3", 16),
        ("reduce", "wse3", 64),
        ("reduce", "wse3", 256),
        ("all-reduce", "wse3", 64),
        ("all-gather", "wse2", 64),
        ("all-gather", "wse3", 64),
    )
    for words in ((1, 8, 64, 512) if what != "all-gather" else (1, 8, 64))
)
