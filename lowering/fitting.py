"""Partition and plan on one mesh, in the memory of a PE: slower where that takes less.

What one equation may take is lowered until the program fits; and what repeats becomes a
loop where the code would not fit, or hardly would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from lowering.jaxprs import ClosedJaxpr
from lowering.mesh import Layout, Mesh
from lowering.partition.partition import Partitioned, conventional, partition
from lowering.partition.registry import COMFORTABLE_BYTES
from lowering.placement import Placement, place
from lowering.plan import Pattern, Plan, check_mesh, plan
from lowering.target import Target

# What one equation's operands may take when the program did not fit: less is slower.
_SMALLER_BUDGETS = (16 * 1024, 4 * 1024)
# From this many equations on, the code of a program rarely fits without loops.
_LONG_EQUATIONS = 600


@dataclass(frozen=True, slots=True)
class Request:
    """A normalised program with what the caller asked for.

    `rolled` is the same program with loops for what repeats, if much does.
    """

    closed: ClosedJaxpr
    in_names: tuple[str, ...]
    out_names: tuple[str, ...]
    in_layouts: tuple[Layout | None, ...]
    out_layouts: tuple[Layout | None, ...]
    target: Target
    optimize: bool
    pattern: Pattern | None
    carry: tuple[tuple[int, int], ...]
    donated: frozenset[int]
    rolled: ClosedJaxpr | None = None

    @property
    def layouts(self) -> tuple[Layout | None, ...]:
        return (*self.in_layouts, *self.out_layouts)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A program partitioned and planned, whether or not it fits SRAM.

    `request` has the program that it was made from: with loops, if they were needed.
    """

    request: Request
    partitioned: Partitioned
    plan: Plan

    @property
    def fits(self) -> bool:
        return self.plan.cost.size_bytes <= self.plan.cost.sram_bytes

    @property
    def is_code_too_long(self) -> bool:
        """Whether the code does not even fit without data."""
        return self.plan.cost.code_bytes > self.plan.cost.sram_bytes


def attempt(request: Request, mesh: Mesh) -> Attempt:
    """Partition and plan on one mesh, in the least memory if nothing fits SRAM.

    What repeats becomes a loop where the program does not fit without, and at once
    where it is so long that it hardly would.
    Raises: DoesNotFitError, if the wafer has no such mesh; LayoutError.
    """
    check_mesh(mesh, request.target)
    if request.rolled is None:
        return _leanest(request, mesh)
    written_out = replace(request, rolled=None)
    looped = replace(written_out, closed=request.rolled)
    is_long = len(request.closed.eqns) >= _LONG_EQUATIONS
    tried: list[Attempt] = []
    for each in (looped, written_out) if is_long else (written_out, looped):
        tried.append(_leanest(each, mesh))
        if tried[-1].fits:
            return tried[-1]
    return min(tried, key=_size_bytes)


def _leanest(request: Request, mesh: Mesh) -> Attempt:
    """In the least SRAM that it takes to fit, or the least there is.

    Where the code alone does not fit, no other way to compute an equation helps.
    """
    best = _within(request, mesh, COMFORTABLE_BYTES)
    for budget_bytes in _SMALLER_BUDGETS:
        if best.fits or best.is_code_too_long:
            return best
        best = min(best, _within(request, mesh, budget_bytes), key=_size_bytes)
    return best


def _size_bytes(attempt: Attempt) -> int:
    return attempt.plan.cost.size_bytes


def _within(request: Request, mesh: Mesh, budget_bytes: int) -> Attempt:
    """Partition and plan where one equation should do with so much SRAM."""
    closed = request.closed
    ins = _placements(request.in_layouts, closed.in_avals, mesh)
    outs = _placements(request.out_layouts, closed.out_avals, mesh)
    for source, result in request.carry:
        aval: Any = closed.in_avals[source]
        ins[source] = ins[source] or conventional(aval.shape, aval.dtype, mesh)
        outs[result] = ins[source]
    partitioned = partition(closed, mesh, ins, outs, budget_bytes)
    planned = plan(
        partitioned.jaxpr,
        mesh,
        request.in_names,
        request.out_names,
        request.target,
        request.optimize,
        {result: source for source, result in request.carry},
        request.donated,
        request.pattern,
    )
    return Attempt(request, partitioned, planned)


def _placements(
    layouts: Sequence[Layout | None], avals: Sequence[Any], mesh: Mesh
) -> list[Placement | None]:
    return [
        layout and place(layout, aval.shape, aval.dtype, mesh)
        for layout, aval in zip(layouts, avals, strict=True)
    ]
