"""Sums of products over any index space: convolutions, whatever their dimensions."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from lowering.plan.cycles import (
    LOOP_BYTES,
    SCALAR_OP_BYTES,
    VECTOR_BYTES,
    step_code_bytes,
    step_cycles,
)
from lowering.plan.origins import OneEquation, Origin
from lowering.plan.values import Shape, Value, View, collapse
from lowering.target import CycleCosts, Target

# Scalar operations of one product: two elements and where they are, and the sum.
_SCALAR_OPS = 9


@dataclass(slots=True)
class ContractStep(OneEquation):
    """`out[i] = ` the sum of `a[i] b[i]`, over one index space of all three views.

    Where `out` has stride 0 the products are summed; where an operand has stride 0, it
    does not depend on that dimension.
    """

    out: View
    a: View
    b: View
    origin: Origin

    def reads(self) -> list[Value]:
        return [self.a.value, self.b.value]

    def writes(self) -> list[Value]:
        return [self.out.value]


@dataclass(frozen=True, slots=True)
class ContractScheme:
    """Loops over some dimensions of the index space, one operation inside.

    With vectors, that is `out += scalar * vector` along the other dimensions, collapsed
    to those of `out` and `vector`; without, products of scalars are summed: `kept` and
    `summed` loops are all there is. Views in `loops` have the loops' dimensions.
    """

    out: View
    vector: View
    scalar: View
    loops: tuple[View, View, View]
    has_vectors: bool
    cycles: int

    @property
    def sizes(self) -> Shape:
        """How often each loop runs, loops over elements of the result first."""
        return self.loops[0].shape


def contract_scheme(step: ContractStep, target: Target) -> ContractScheme:
    """The scheme with the fewest predicted cycles."""
    options = [_scalars(step, target.costs)]
    if str(step.out.dtype) == "float32":
        pairs = ((step.a, step.b), (step.b, step.a))
        options += [_vectors(step.out, *pair, target) for pair in pairs]
    return min(options, key=lambda scheme: scheme.cycles)


def _vectors(out: View, vector: View, scalar: View, target: Target) -> ContractScheme:
    """Vectors along all dimensions that the scalar does not depend on, up to four."""
    found: list[int] = []
    for dim in sorted(range(len(out.shape)), key=lambda d: -out.shape[d]):
        is_free = scalar.strides[dim] == 0 and out.strides[dim] != 0
        if is_free and _fits(out, vector, sorted([*found, dim]), target):
            found.append(dim)
    along = sorted(found)
    others = [dim for dim in range(len(out.shape)) if dim not in along]
    others.sort(key=lambda dim: out.strides[dim] == 0)
    loops = _collapsed([_only(view, others) for view in (out, vector, scalar)])
    length = math.prod(out.shape[dim] for dim in along)
    costs = target.costs
    per_pass = costs.dsd_setup_cycles + costs.loop_edge_cycles
    per_pass += 3 * costs.scalar_op_cycles
    passes = math.prod(loops[0].shape)
    rate = costs.fmac_elements_per_cycle
    return ContractScheme(
        _only(out, along),
        _only(vector, along),
        _only(scalar, []),
        (loops[0], loops[1], loops[2]),
        True,
        passes * (per_pass + math.ceil(length / rate)),
    )


def _fits(out: View, vector: View, dims: list[int], target: Target) -> bool:
    """Whether one memory vector runs through these dimensions of both."""
    for view in (out, vector):
        part = _only(view, dims)
        shape, (strides,) = collapse(part.shape, [part.strides])
        if len(shape) > target.max_dsd_rank:
            return False
        if max(shape) > target.max_extent_elements:
            return False
        if max(strides) > target.max_mem4d_stride:
            return False
    return True


def _scalars(step: ContractStep, costs: CycleCosts) -> ContractScheme:
    dims = sorted(range(len(step.out.shape)), key=lambda d: step.out.strides[d] == 0)
    views = [_only(view, dims) for view in (step.out, step.a, step.b)]
    loops = _collapsed(views)
    products = math.prod(step.out.shape)
    per_product = _SCALAR_OPS * costs.scalar_op_cycles + costs.loop_edge_cycles
    cycles = products * per_product
    return ContractScheme(
        _only(step.out, []),
        _only(step.a, []),
        _only(step.b, []),
        (loops[0], loops[1], loops[2]),
        False,
        cycles,
    )


def _only(view: View, dims: list[int]) -> View:
    """The view along these dimensions, at index 0 of the others."""
    shape = tuple(view.shape[dim] for dim in dims)
    return replace(view, shape=shape, strides=tuple(view.strides[dim] for dim in dims))


def _collapsed(views: list[View]) -> list[View]:
    shape, strides = collapse(views[0].shape, [view.strides for view in views])
    return [
        replace(view, shape=shape, strides=each)
        for view, each in zip(views, strides, strict=True)
    ]


@step_cycles.register
def _contract_cycles(step: ContractStep, target: Target) -> int:
    scheme = contract_scheme(step, target)
    clear = step.out.value.element_count / target.costs.move_elements_per_cycle
    return scheme.cycles + target.costs.dsd_setup_cycles + math.ceil(clear)


@step_code_bytes.register
def _contract_bytes(step: ContractStep) -> int:
    loops = sum(size > 1 for size in step.out.shape)
    return loops * (LOOP_BYTES // 2 + SCALAR_OP_BYTES) + 2 * VECTOR_BYTES
