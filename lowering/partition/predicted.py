"""What partition rules expect of products and exchanges, before there is a plan.

The terms are those of the plan's own predictions (`plan/schemes.py`, `plan/cycles.py`),
with the costs of a WSE-3; those of a WSE-2 differ too little to choose otherwise.
"""

from __future__ import annotations

from typing import Any

from lowering.dtypes import FLOATS, is_float
from lowering.mesh import Mesh
from lowering.partition.products import is_widened
from lowering.target import WSE3

_COSTS = WSE3.costs
# A vector operation of a loop: its set-up, the loop's edge, the load of its factor.
_VECTOR_CYCLES = _COSTS.dsd_setup_cycles + _COSTS.loop_edge_cycles
_FACTOR_CYCLES = _VECTOR_CYCLES + _COSTS.scalar_op_cycles
# Of scalar code: an addition in a loop; a product with two loads and a sum besides.
_ADDITION_CYCLES = 17
_SCALAR_PRODUCT_CYCLES = 25
# From one phase of a program to the next, around an exchange.
_EXCHANGE_CYCLES = (
    _COSTS.exchange_overhead_cycles + _COSTS.task_start_cycles + _COSTS.dsd_setup_cycles
)
# Of a reduction, per PE of the line: two phases, or stages of a short chain.
_STAGE_CYCLES = 5
# f32 elements after which a vector with a stride of so many comes to the same bank.
_BANKED_STRIDE = 4


def product_cycles(m: int, k: int, n: int, dtype: Any) -> float:
    """Of one PE's product, [m, k] times [k, n].

    Vectors run along the rows or the columns of the result, one multiply-add per scalar
    factor, or along k, which gives one element after the other.
    """
    if not (str(dtype) in FLOATS or is_widened(dtype)):
        return float(m * k * n * _SCALAR_PRODUCT_CYCLES)
    waits = 2 if n > 1 and n % _BANKED_STRIDE == 0 else 1  # of a column for itself
    along_k = k / _COSTS.alu_elements_per_cycle + k * _COSTS.scalar_reduce_cycles
    per_element = along_k + _VECTOR_CYCLES + 22
    return min(
        m * (k * (_FACTOR_CYCLES + n) + _VECTOR_CYCLES),
        n * (k * (_FACTOR_CYCLES + waits * m) + _VECTOR_CYCLES),
        m * n * per_element,
    )


def moved_cycles(words: int, mesh: Mesh) -> float:
    """Of bringing a value elsewhere, which each PE receives `words` for.

    They cross the line to its first PE, and from there to all.
    """
    return 2 * (words + _EXCHANGE_CYCLES + mesh.rows + mesh.cols) if words else 0


def sent_cycles(words: int, size: int) -> float:
    """Of `words` of any PE of a line of `size`, sent to all of them."""
    return 2 * (words + _EXCHANGE_CYCLES) + (_STAGE_CYCLES + 1) * size


def line_cycles(count: int, size: int, dtype: Any) -> float:
    """Of adding `count` elements over a line of `size` PEs, for all of them.

    Floats are added on their way, and sent back. Integers go back tile by tile, and
    every PE adds them.
    """
    if is_float(dtype):
        return 2 * (count + _EXCHANGE_CYCLES) + _STAGE_CYCLES * size
    return 2 * _EXCHANGE_CYCLES + count * size * (2 + _ADDITION_CYCLES)
