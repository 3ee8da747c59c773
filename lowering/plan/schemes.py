"""How dot products and reductions run on a PE, chosen by predicted cycles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lowering.plan.steps import DotStep, ReduceStep
from lowering.plan.values import Shape, View, collapse, whole
from lowering.target import WSE3, CycleCosts, Target

# f32 elements: a vector with a stride of so many stays in one bank of the memory.
_BANKED_STRIDE = 4


@dataclass(frozen=True, slots=True)
class DotScheme:
    """`rows`: the vector runs along n, `cols`: along m; the other two are loops.

    Both are one algorithm: for each of `outer` output vectors, `inner` times
    `vector += scalar * vector`. `matrix` holds the vectors, `scalars` the factors.
    """

    along: Literal["rows", "cols"]
    outer: int
    inner: int
    length: int
    out: View
    matrix: View
    scalars: View
    cycles: int


def dot_scheme(step: DotStep, target: Target) -> DotScheme:
    """The cheaper of the legal schemes. One of them is legal: selection sees to it."""
    schemes = [s for s in _dot_schemes(step, target.costs) if is_legal(s)]
    assert schemes, "no matmul scheme has vectors of a legal stride"
    return min(schemes, key=lambda scheme: scheme.cycles)


def is_scalar(step: DotStep) -> bool:
    """Whether no vector operation multiplies and adds elements of this dtype."""
    return str(step.a.dtype) not in ("float32", "float16")


def scalar_dot_cycles(step: DotStep, costs: CycleCosts) -> int:
    """Of three loops: per product two elements are read, multiplied and added."""
    (m, k), n = step.a.shape, step.b.shape[1]
    per_product = 4 * costs.scalar_op_cycles + costs.loop_edge_cycles
    return m * n * (k * per_product + costs.scalar_op_cycles + costs.loop_edge_cycles)


def has_scheme(step: DotStep) -> bool:
    """Whether the operands lie so that some scheme is legal."""
    return is_scalar(step) or any(map(is_legal, _dot_schemes(step, WSE3.costs)))


def is_legal(scheme: DotScheme) -> bool:
    """Whether its vectors have strides of a mem1d_dsd (the same on all wafers)."""
    strides = (scheme.out.strides[1], scheme.matrix.strides[1])
    return scheme.length == 1 or max(strides) <= WSE3.max_mem1d_stride


def _dot_schemes(step: DotStep, costs: CycleCosts) -> list[DotScheme]:
    (m, k), n = step.a.shape, step.b.shape[1]
    out = View(step.out, (m, n), (n, 1))
    rate = costs.fmac_elements_per_cycle * (2 if adds_halves(step) else 1)
    by_rows = _dot_cycles(m, k, n, costs, rate)
    by_cols = _dot_cycles(n, k, m, costs, rate, stride=n)
    return [
        DotScheme("rows", m, k, n, out, step.b, step.a, by_rows),
        DotScheme("cols", n, k, m, _flip(out), _flip(step.a), _flip(step.b), by_cols),
    ]


def _dot_cycles(
    outer: int,
    inner: int,
    length: int,
    costs: CycleCosts,
    rate: float,
    stride: int = 1,
) -> int:
    """Per vector operation: set-up, the loop, loading the factor, the elements.

    A result whose elements lie in one bank of the memory waits for itself (SPMM).
    """
    overhead = costs.dsd_setup_cycles + costs.loop_edge_cycles + costs.scalar_op_cycles
    waits = 2 if stride > 1 and stride % _BANKED_STRIDE == 0 else 1
    per_vector = overhead + waits * length / rate
    clear = costs.dsd_setup_cycles + length / costs.move_elements_per_cycle
    return round(outer * (inner * per_vector + clear + costs.loop_edge_cycles))


def _flip(view: View) -> View:
    return View(view.value, view.shape[::-1], view.strides[::-1], view.offset)


@dataclass(frozen=True, slots=True)
class InnerScheme:
    """One element of the result after the other: products of two vectors, summed.

    `row` and `column` are the vectors for element 0. `shape` are the collapsed
    dimensions of the result, the strides lead from one element to the next in a, b and
    the result.
    """

    row: View
    column: View
    shape: Shape
    row_strides: tuple[int, ...]
    column_strides: tuple[int, ...]
    out_strides: tuple[int, ...]
    cycles: int


def inner_scheme(step: DotStep, target: Target) -> InnerScheme:
    """The scheme of short sides and a long contracted dimension."""
    (m, k), n = step.a.shape, step.b.shape[1]
    shape, (rows, columns, outs) = collapse(
        (m, n), [(step.a.strides[0], 0), (0, step.b.strides[1]), (n, 1)]
    )
    row = View(step.a.value, (k,), step.a.strides[1:], step.a.offset)
    column = View(step.b.value, (k,), step.b.strides[:1], step.b.offset)
    cycles = m * n * _inner_cycles(k, target.costs)
    return InnerScheme(row, column, shape, rows, columns, outs, cycles)


def _inner_cycles(k: int, costs: CycleCosts) -> int:
    """A product and a sum of vectors, the loop, and moving both to the element."""
    vectors = k / costs.alu_elements_per_cycle + k * costs.scalar_reduce_cycles
    overhead = 2 * costs.dsd_setup_cycles + costs.loop_edge_cycles
    return round(vectors + overhead + 4 * costs.scalar_op_cycles)


@dataclass(frozen=True, slots=True)
class ReduceScheme:
    """`vector`: whole slices are combined; `scalar`: each result is one reduction
    into a register; `loop`: scalar code, for what no vector operation does.

    `kept` and `reduced` are the collapsed dimensions: sizes, strides of x and (kept
    only) strides of the result.
    """

    kind: Literal["vector", "scalar", "loop"]
    kept: Shape
    kept_strides: tuple[int, ...]
    out_strides: tuple[int, ...]
    reduced: Shape
    reduced_strides: tuple[int, ...]
    cycles: int


def reduce_scheme(step: ReduceStep, target: Target) -> ReduceScheme:
    """The cheapest scheme that can express the reduction."""
    rank = step.kept_rank
    out = whole(step.out).strides
    kept, (kept_strides, out_strides) = collapse(
        step.x.shape[:rank], [step.x.strides[:rank], out]
    )
    reduced, (strides,) = collapse(step.x.shape[rank:], [step.x.strides[rank:]])
    dims = (kept, kept_strides, out_strides, reduced, strides)
    costs, results = target.costs, step.out.element_count
    terms = _product(reduced)
    options: list[ReduceScheme] = []
    per_scalar = costs.scalar_op_cycles * 2 + costs.loop_edge_cycles
    options.append(ReduceScheme("loop", *dims, results * (terms + 1) * per_scalar))
    if step.op != "min" and str(step.x.dtype) == "float32":
        options += _vector_schemes(dims, results, terms, target)
    if step.op == "sum" and adds_halves(step):
        found = _vector_schemes(dims, results, terms, target)
        options += [scheme for scheme in found if scheme.kind == "scalar"]
    return min(options, key=lambda scheme: scheme.cycles)


def adds_halves(step: DotStep | ReduceStep) -> bool:
    """Whether float16 is added into float32: products two per cycle (assumed, after
    Rocki et al. 2020), sums in a register."""
    x = step.a if isinstance(step, DotStep) else step.x
    return (str(x.dtype), str(step.out.dtype)) == ("float16", "float32")


def _vector_schemes(
    dims: tuple[Shape, Shape, Shape, Shape, Shape],
    results: int,
    terms: int,
    target: Target,
) -> list[ReduceScheme]:
    costs, found = target.costs, list[ReduceScheme]()
    overhead = costs.dsd_setup_cycles + costs.loop_edge_cycles
    if len(dims[3]) <= target.max_dsd_rank:
        into_register = overhead + 2 * costs.scalar_op_cycles
        cycles = results * (into_register + terms * costs.scalar_reduce_cycles)
        found.append(ReduceScheme("scalar", *dims, cycles))
    if len(dims[0]) <= target.max_dsd_rank and results > 1:
        per_slice = overhead + results / costs.alu_elements_per_cycle
        found.append(ReduceScheme("vector", *dims, round((terms + 1) * per_slice)))
    return found


def _product(shape: Shape) -> int:
    result = 1
    for size in shape:
        result *= size
    return result
