"""From the PE jaxpr to a plan: steps, buffers, resources, costs."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from lowering.errors import Place
from lowering.jaxprs import ClosedJaxpr, place_of
from lowering.mesh import Mesh
from lowering.plan import (
    rules_bits,
    rules_control,
    rules_convolution,
    rules_functions,
    rules_gather,
    rules_local,
    rules_mesh,
    rules_moves,
    rules_scan,
    rules_sort,
)
from lowering.plan.accumulate import accumulate
from lowering.plan.allocate import Allocation, allocate
from lowering.plan.carries import carried_in_place
from lowering.plan.control import LoopEnd, LoopStart
from lowering.plan.cycles import program_code_bytes, step_cycles
from lowering.plan.fuse import fuse
from lowering.plan.halves import reduce_halves
from lowering.plan.in_place import without_self_copies
from lowering.plan.names import Names
from lowering.plan.pack import pack
from lowering.plan.patterns import Pattern, with_patterns
from lowering.plan.products import with_products
from lowering.plan.resources import Resources, assign
from lowering.plan.select import RULES, Carry, select
from lowering.plan.steps import MoveStep, Step
from lowering.plan.values import Value
from lowering.target import Target

RULE_FILES = (
    rules_bits,
    rules_control,
    rules_convolution,
    rules_functions,
    rules_gather,
    rules_local,
    rules_mesh,
    rules_moves,
    rules_scan,
    rules_sort,
)  # importing them fills RULES
assert RULES, "no selection rules"


@dataclass(frozen=True, slots=True)
class StepCost:
    """Predicted cycles of one step in all its passes, and the memory it writes."""

    equation: str
    place: Place | None
    cycles: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Cost:
    """What a plan is predicted to take; `str()` is a table.

    `cycles` is the launch and the sum over the steps, of the PE that takes longest in
    each; loops of unknown length count one pass, branches all their cases.
    `data_bytes` and `code_bytes` (an estimate with the runtime's own) share the
    `sram_bytes` of a PE.
    """

    steps: tuple[StepCost, ...]
    launch_cycles: int
    data_bytes: int
    code_bytes: int
    sram_bytes: int

    @property
    def cycles(self) -> int:
        return self.launch_cycles + sum(step.cycles for step in self.steps)

    @property
    def size_bytes(self) -> int:
        return self.data_bytes + self.code_bytes

    def __str__(self) -> str:
        rows = [f"{'cycles':>10} {'bytes':>8}  step"]
        rows.append(f"{self.launch_cycles:>10,} {0:>8,}  launch")
        rows += [
            f"{step.cycles:>10,} {step.size_bytes:>8,}  {step.equation}"
            for step in self.steps
        ]
        rows.append(
            f"{self.cycles:>10,} {self.data_bytes:>8,}  total; with "
            f"{self.code_bytes:,} bytes of code (estimate) "
            f"{self.size_bytes:,} of {self.sram_bytes:,} bytes per PE"
        )
        return "\n".join(rows)


@dataclass(frozen=True, slots=True)
class Plan:
    """The program of one PE, ready to be written down.

    `inputs` and `outputs` map symbol names to values, in the program's order.
    """

    mesh: Mesh
    target: Target
    steps: tuple[Step, ...]
    inputs: dict[str, Value]
    outputs: dict[str, Value]
    constants: tuple[Value, ...]
    allocation: Allocation
    resources: Resources
    cost: Cost


def plan(
    closed: ClosedJaxpr,
    mesh: Mesh,
    in_names: Sequence[str],
    out_names: Sequence[str],
    target: Target,
    optimize: bool = True,
    carry: Carry | None = None,
    donated: Collection[int] = (),
    pattern: Pattern | None = None,
) -> Plan:
    """Plans a PE jaxpr; `optimize` joins element-wise steps into loops.

    `carry` maps numbers of outputs to those of the inputs that they are next time. The
    memory of the inputs numbered in `donated` is used again. Reductions and gathers
    along lines run in `pattern`, or in the fastest one.

    Raises: UnsupportedPrimitiveError, UnsupportedDtypeError, ResourcesExhaustedError,
    LoweringError.
    Whether it fits the wafer is for `check_fits` to say.
    """
    names = Names()
    chosen, inputs, outputs = select(
        closed, in_names, out_names, names, place_of, carry
    )
    steps = _live(chosen, outputs)
    if optimize:
        steps = accumulate(carried_in_place(reduce_halves(steps)))
        steps = _live(fuse(steps, outputs.values()), outputs)
    steps = with_patterns(steps, target, pattern)
    given = [value for n, value in enumerate(inputs.values()) if n in donated]
    lean = _plan(mesh, target, steps, inputs, outputs, given)
    faster = with_products(steps, names, target)
    if faster == steps:
        return lean
    fast = _plan(mesh, target, faster, inputs, outputs, given)
    return fast if fast.cost.size_bytes <= target.sram_bytes else lean


def _plan(
    mesh: Mesh,
    target: Target,
    steps: Sequence[Step],
    inputs: dict[str, Value],
    outputs: dict[str, Value],
    donated: Sequence[Value],
) -> Plan:
    """The plan of steps that are decided: memory, colors, costs."""
    constants = _constants(steps)
    kept_inputs = [value for value in inputs.values() if value not in donated]
    persistent = [*kept_inputs, *constants]
    given = steps, persistent, outputs.values(), donated
    found = [_allocated(each, target) for each in (allocate(*given), pack(*given))]
    kept, allocation, cost = min(found, key=lambda each: _rank(each[2]))
    return Plan(
        mesh,
        target,
        tuple(kept),
        inputs,
        outputs,
        tuple(constants),
        allocation,
        assign(kept, target),
        cost,
    )


def _allocated(
    allocation: Allocation, target: Target
) -> tuple[list[Step], Allocation, Cost]:
    """What is left to do where values stand so, and what it costs."""
    kept = without_self_copies(allocation.steps, allocation.buffer_of)
    return kept, allocation, _cost(kept, allocation, target)


def _rank(cost: Cost) -> tuple[int, int, int]:
    """What fits, or lacks least, comes first; then what is faster, then smaller."""
    return max(cost.size_bytes, cost.sram_bytes), cost.cycles, cost.size_bytes


def _live(steps: Sequence[Step], outputs: dict[str, Value]) -> list[Step]:
    """Without the steps that nothing depends on (zero-size results included).

    What a loop needs in its next pass may be written further down: so it is repeated
    until nothing is added.
    """
    needed = set(outputs.values())
    count = -1
    while count != len(needed):
        count = len(needed)
        for step in reversed(steps):
            if _is_live(step, needed):
                needed.update(step.reads())
    return [step for step in steps if _is_live(step, needed)]


def _is_live(step: Step, needed: set[Value]) -> bool:
    if isinstance(step, MoveStep):  # also one that only hands on what others sent
        return step.target in needed
    written = step.writes()
    return not written or any(value in needed for value in written)


def _constants(steps: Sequence[Step]) -> list[Value]:
    """Constants with data that steps read, in order of first use."""
    read: dict[Value, None] = {}
    for step in steps:
        read.update(dict.fromkeys(v for v in step.reads() if v.role == "constant"))
    return list(read)


def _cost(steps: Sequence[Step], allocation: Allocation, target: Target) -> Cost:
    return Cost(
        tuple(_step_costs(steps, target)),
        target.costs.launch_cycles,
        allocation.size_bytes,
        program_code_bytes(list(steps), target),
        target.sram_bytes,
    )


def _step_costs(steps: Sequence[Step], target: Target) -> Iterator[StepCost]:
    passes = [1]  # of the loops around, all multiplied
    for step in steps:
        if isinstance(step, LoopStart):
            passes.append(passes[-1] * (step.loop.trips or 1))
        origin = step.origins[-1]
        size_bytes = sum(value.size_bytes for value in step.writes())
        cycles = passes[-1] * step_cycles(step, target)
        yield StepCost(origin.equation, origin.place, cycles, size_bytes)
        if isinstance(step, LoopEnd):
            passes.pop()
