"""Cycles of a vector operation: its set-up, and its elements on memory."""

from __future__ import annotations

from functools import lru_cache
from math import ceil
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from pyflame.wse.machine.costs import Costs
from pyflame.wse.machine.dsd import (
    Mem1d,
    Memory1or4,
    ScalarPointer,
    element_addresses,
)
from pyflame.wse.machine.dsrs import Issued
from pyflame.wse.machine.vectors import MEMORY_KINDS

_WORD_BYTES = 2
# DOC: lanes by stride modulo 8, where the stride is not 0 or 1; others have all. Of a
# remainder of 4 the text says both two and "width 4".
_LANES_OF_STRIDE = {0: 1, 1: 2, 4: 2, 7: 2}


def setup_cycles(issued: Issued, clock: int, costs: Costs) -> int:
    """Cycles from the first load of a DSR to the instruction itself.

    Every descriptor is loaded into its register, unless the program has done so; the
    last one must have arrived. Source: FAB 10i.
    """
    wait = issued.usable_from - clock
    if issued.dsr_loads:
        loaded = issued.dsr_loads * costs.dsr_load_cycles
        wait = max(wait, loaded + costs.dsr_use_cycles - 1)
    return max(0, wait)


def element_cycles(issued: Issued, lanes: float, costs: Costs) -> int:
    """Cycles of the elements of an operation on memory, all in all at least one."""
    lanes = min(lanes, *_lanes_of_strides(issued, lanes, costs))
    waits = bank_conflicts(issued, costs.bank_count)
    slower = 1 + waits * (costs.bank_conflict_factor - 1)
    stored = costs.issue_cycles if isinstance(issued.dest, ScalarPointer) else 0
    return ceil(issued.length / lanes * slower) + stored


def _lanes_of_strides(issued: Issued, lanes: float, costs: Costs) -> list[float]:
    """Of each vector, what its stride leaves of the lanes."""
    dtypes = (issued.spec.dest_dtype, *issued.spec.source_dtypes)
    operands = (issued.dest, *issued.sources)
    return [
        lanes_at_stride(_stride(operand), dtype.itemsize, lanes, costs)
        for operand, dtype in zip(operands, dtypes, strict=False)
        if isinstance(operand, MEMORY_KINDS)
    ] or [lanes]


def _stride(dsd: Memory1or4) -> int:
    return dsd.stride if isinstance(dsd, Mem1d) else dsd.strides[0]


def lanes_at_stride(stride: int, size_bytes: int, lanes: float, costs: Costs) -> float:
    """Elements per cycle of a vector whose elements are `stride` elements apart.

    Where `strided_words_per_cycle` is known, a cycle spans that many 16-bit words
    (FAB 10d: half-precision copies reach 8 / stride); else the documented table holds.
    Neither takes less than an element per cycle.
    """
    if stride in (0, 1) or lanes <= 1:
        return lanes
    span = costs.strided_words_per_cycle
    if span is None:
        return min(lanes, _LANES_OF_STRIDE.get(stride % 8, lanes))
    reached = span * _WORD_BYTES / (abs(stride) * size_bytes)
    return min(lanes, max(1.0, reached))


def bank_conflicts(issued: Issued, bank_count: int) -> float:
    """How often, per element, an access waits for another one of the same bank.

    Banks have one port and hold consecutive 16-bit words in turn (DOC HC34), so two
    single-precision vectors have four ways to lie to each other, one of which collides
    (FAB 3). Stores come later and elsewhere, unless the stride keeps a vector in one
    bank: then they collide too, as SPMM's columns show (2.2 cycles per element). Of
    16-bit vectors the vendor's simulator shows no conflict (FAB 10c).
    """
    pairs = zip(issued.sources, issued.spec.source_dtypes, strict=True)
    vectors = [s for s, dtype in pairs if dtype.itemsize == 4 and _moves(s)]
    if issued.spec.dest_dtype.itemsize == 4 and _stays(issued.dest, bank_count):
        vectors.append(issued.dest)
    if len(vectors) < 2:
        return 0.0
    straight = [vector for vector in vectors if isinstance(vector, Mem1d)]
    if len(straight) == len(vectors):
        lines = tuple(_line(vector, bank_count) for vector in straight)
        return _conflicts_of_lines(lines, bank_count, min(issued.length, bank_count))
    banks = [
        element_addresses(vector, 4, issued.length) // _WORD_BYTES % bank_count
        for vector in vectors
    ]
    return _mean_conflicts(banks)


def _moves(source: object) -> TypeGuard[Memory1or4]:
    return isinstance(source, MEMORY_KINDS) and _stride(source) != 0


def _stays(dest: object, bank_count: int) -> bool:
    """Whether all elements of a single-precision vector lie in one bank."""
    return _moves(dest) and 2 * _stride(dest) % bank_count == 0


def _line(dsd: Mem1d, bank_count: int) -> tuple[int, int]:
    """Bank of the first element, and banks from one to the next."""
    first = dsd.base // _WORD_BYTES + 2 * dsd.offset
    return first % bank_count, 2 * dsd.stride % bank_count


@lru_cache(4096)
def _conflicts_of_lines(
    lines: tuple[tuple[int, int], ...], bank_count: int, tested: int
) -> float:
    """Of vectors in straight lines; it repeats every `bank_count` elements."""
    places = np.arange(tested)
    return _mean_conflicts(
        [(first + step * places) % bank_count for first, step in lines]
    )


def _mean_conflicts(banks: list[NDArray[np.int64]]) -> float:
    """Accesses of each element beyond the first of the busiest bank, on average."""
    together = np.stack(banks)
    equal = (together[:, None] == together[None, :]).sum(axis=0)
    return int((equal.max(axis=0) - 1).sum()) / together.shape[1]
