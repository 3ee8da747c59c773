"""Gives matrix products of short sides the buffer that their fastest scheme needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lowering.plan.names import Names
from lowering.plan.schemes import dot_scheme, inner_scheme
from lowering.plan.steps import DotStep, Step
from lowering.plan.values import Value
from lowering.target import Target


def with_products(steps: Sequence[Step], names: Names, target: Target) -> list[Step]:
    """The steps; those where sums of products are faster have memory for them."""
    return [
        _with_memory(step, names)
        if isinstance(step, DotStep) and _is_faster(step, target)
        else step
        for step in steps
    ]


def _is_faster(step: DotStep, target: Target) -> bool:
    if str(step.a.dtype) != "float32":
        return False
    return inner_scheme(step, target).cycles < dot_scheme(step, target).cycles


def _with_memory(step: DotStep, names: Names) -> DotStep:
    name, shape = names.unique("products"), step.a.shape[1:]
    place = step.origin.place
    return replace(step, products=Value(name, shape, step.out.dtype, place=place))
