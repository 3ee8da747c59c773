"""Operations on memory alone: NumPy vector code with the element order of the
machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyflame.wse.machine.arithmetic import (
    Arithmetic,
    BitsFunction,
    carry_chain,
    to_bits,
)
from pyflame.wse.machine.dsd import (
    Mem1d,
    Mem4d,
    Memory1or4,
    ScalarPointer,
    element_addresses,
    start_base,
)
from pyflame.wse.machine.memory import Memory, Window
from pyflame.wse.machine.operations import OpSpec
from pyflame.wse.machine.vector_plans import VectorPlan

MEMORY_KINDS = (Mem1d, Mem4d)


class VectorUnit:
    """Runs memory operations of one PE; keeps the carry flag of `@addc16`."""

    __slots__ = ("_arithmetic", "_memory", "carry")

    def __init__(self, memory: Memory, arithmetic: Arithmetic) -> None:
        self._memory = memory
        self._arithmetic = arithmetic
        self.carry = 0

    def run(
        self,
        spec: OpSpec,
        dest: Memory1or4 | ScalarPointer,
        sources: tuple[Any, ...],
        length: int,
        index_words: int,
        accumulates: bool,
    ) -> None:
        """One operation of `length` elements.

        As if element by element: a source sees what earlier elements stored.
        """
        values = [
            self._load(source, dtype, length, index_words)
            for source, dtype in zip(sources, spec.source_dtypes, strict=True)
        ]
        if spec.name == "@addc16":
            result = self._with_carry(values, length)
            self._store(spec, dest, result, index_words, length)
        elif isinstance(dest, ScalarPointer):
            self._to_scalar(spec, dest, values, length, accumulates)
        elif self._in_one_go(spec, dest, sources, length, index_words):
            result = self._arithmetic.vector[spec.number](*values)
            self._store(spec, dest, result, index_words, length)
        else:
            self._in_order(spec, dest, sources, length, index_words)

    def plan(
        self,
        spec: OpSpec,
        dest: Mem1d,
        sources: tuple[Any, ...],
        length: int,
        cycles: int,
    ) -> VectorPlan | None:
        """The operation worked out once, if its operands are apart, no vector is a
        scalar in disguise (stride 0), and scalars have their exact type."""
        operands = list(zip(sources, spec.source_dtypes, strict=True))
        vectors = [operand for operand in (dest, *sources) if type(operand) is Mem1d]
        if spec.name == "@addc16" or any(v.stride == 0 for v in vectors):
            return None
        if any(type(value) not in (Mem1d, dtype.type) for value, dtype in operands):
            return None
        if not self._in_one_go(spec, dest, sources, length, 0):
            return None
        windows = tuple(
            self._window(value, dtype, length) if type(value) is Mem1d else None
            for value, dtype in operands
        )
        function = self._arithmetic.into[spec.number]
        to = self._window(dest, spec.dest_dtype, length)
        return VectorPlan(function, to, windows, cycles)

    def _window(
        self, dsd: Mem1d, dtype: np.dtype[Any], length: int, index_words: int = 0
    ) -> Window:
        """Where a vector lies; one of stride 0 is its single cell."""
        base = start_base(dsd, index_words) + dsd.offset * dtype.itemsize
        if dsd.stride == 0:
            return self._memory.window(dtype, base, 1, 1)
        return self._memory.window(dtype, base, dsd.stride, length)

    def element_function(self, spec: OpSpec) -> BitsFunction:
        """The operation on the raw bits of single elements."""
        if spec.name == "@addc16":
            return self._add_with_carry
        return self._arithmetic.bits[spec.number]

    def _add_with_carry(self, a: int, b: int) -> int:
        total = (a & 0xFFFF) + (b & 0xFFFF) + self.carry
        self.carry = total >> 16
        return total & 0xFFFF

    # --- operands ---

    def _load(
        self, source: Any, dtype: np.dtype[Any], length: int, index_words: int
    ) -> Any:
        if isinstance(source, Mem1d):
            window = self._window(source, dtype, length, index_words)
            cells = self._memory.view(window)
            return cells if source.stride else cells[0]
        if isinstance(source, Mem4d):
            addresses = element_addresses(source, dtype.itemsize, length, index_words)
            return self._memory.gather(dtype, addresses)
        if dtype.kind in "ui":
            bits = int(source) & 0xFFFF_FFFF
            return np.array(bits, np.uint32).astype(dtype)[()]
        return dtype.type(source)

    def _store(
        self,
        spec: OpSpec,
        dest: Memory1or4 | ScalarPointer,
        result: Any,
        index_words: int,
        length: int,
    ) -> None:
        dtype = spec.dest_dtype
        if isinstance(dest, ScalarPointer):
            self._memory.store(dtype, dest.address, _last(result))
        elif isinstance(dest, Mem4d):
            addresses = element_addresses(dest, dtype.itemsize, length, index_words)
            self._memory.scatter(dtype, addresses, result)
        else:
            window = self._window(dest, dtype, length, index_words)
            self._memory.view(window)[:] = result if dest.stride else _last(result)

    # --- special orders ---

    def _with_carry(self, values: list[Any], length: int) -> NDArray[np.uint16]:
        a, b = (np.broadcast_to(value, length).tolist() for value in values)
        result, self.carry = carry_chain(a, b, self.carry)
        return result

    def _to_scalar(
        self,
        spec: OpSpec,
        dest: ScalarPointer,
        values: list[Any],
        length: int,
        accumulates: bool,
    ) -> None:
        if not accumulates:
            result = _last(self._arithmetic.vector[spec.number](*values))
        else:
            result = self._folded(spec, values[0], values[1], length)
        self._memory.store(spec.dest_dtype, dest.address, result)

    def _folded(self, spec: OpSpec, start: Any, vector: Any, length: int) -> Any:
        """start op v0 op v1 ..., rounded after each step."""
        fold = self._arithmetic.folds[spec.number]
        assert fold is not None, f"{spec.name} is no reduction"
        dtype = spec.dest_dtype
        widen = self._arithmetic.widen.get(spec.number)
        if widen is not None:
            vector = widen(vector)
        chain = np.empty(length + 1, dtype)
        chain[0] = start
        chain[1:] = vector
        return fold.accumulate(chain, dtype=dtype)[-1]

    def _in_one_go(
        self,
        spec: OpSpec,
        dest: Memory1or4,
        sources: tuple[Any, ...],
        length: int,
        index_words: int,
    ) -> bool:
        """Whether no element reads what an earlier one of the operation stored."""
        if length == 1:
            return True
        size = spec.dest_dtype.itemsize
        for source, dtype in zip(sources, spec.source_dtypes, strict=True):
            if not isinstance(source, MEMORY_KINDS):
                continue
            if _same_vector(source, dest):
                if _step(source) == 0:
                    return False
                if dtype.itemsize == size:
                    continue
            low, high = _span(dest, size, length, index_words)
            start, end = _span(source, dtype.itemsize, length, index_words)
            if start >= high or low >= end:
                continue
            if _reads_own_result(
                element_addresses(dest, size, length, index_words),
                element_addresses(source, dtype.itemsize, length, index_words),
                size,
                dtype.itemsize,
            ):
                return False
        return True

    def _in_order(
        self,
        spec: OpSpec,
        dest: Memory1or4,
        sources: tuple[Any, ...],
        length: int,
        index_words: int,
    ) -> None:
        """Element after element; a lone accumulator in memory is folded at once."""
        fold = self._arithmetic.folds[spec.number]
        is_cell = _same_vector(sources[0], dest) and _step(dest) == 0
        if fold is not None and is_cell and self._apart(spec, dest, sources[1], length):
            start = self._load(sources[0], spec.source_dtypes[0], length, index_words)
            rest = self._load(sources[1], spec.source_dtypes[1], length, index_words)
            total = self._folded(spec, start, rest, length)
            self._store(spec, dest, total, index_words, length)
            return
        self._one_by_one(spec, dest, sources, length, index_words)

    def _apart(self, spec: OpSpec, dest: Memory1or4, vector: Any, length: int) -> bool:
        """Whether a source shares no byte with the destination."""
        if not isinstance(vector, MEMORY_KINDS):
            return True
        start, end = _span(dest, spec.dest_dtype.itemsize, length, 0)
        low, high = _span(vector, spec.source_dtypes[1].itemsize, length, 0)
        return high <= start or end <= low

    def _one_by_one(
        self,
        spec: OpSpec,
        dest: Memory1or4,
        sources: tuple[Any, ...],
        length: int,
        index_words: int,
    ) -> None:
        compute = self.element_function(spec)
        columns = [
            self._bits_reader(source, dtype, length, index_words)
            for source, dtype in zip(sources, spec.source_dtypes, strict=True)
        ]
        size, store = spec.dest_dtype.itemsize, self._memory.store_bits
        targets = element_addresses(dest, size, length, index_words).tolist()
        for number, target in enumerate(targets):
            store(target, size, compute(*[read(number) for read in columns]))

    def _bits_reader(
        self, source: Any, dtype: np.dtype[Any], length: int, index_words: int
    ) -> Callable[[int], int]:
        """From an element's number to the raw bits that it has now."""
        if not isinstance(source, MEMORY_KINDS):
            bits = to_bits(source, dtype)
            return lambda number: bits
        size, load = dtype.itemsize, self._memory.load_bits
        places = element_addresses(source, size, length, index_words).tolist()
        return lambda number: load(places[number], size)


def _same_vector(source: Any, dest: Memory1or4) -> bool:
    """Whether both are one row of the same elements, whatever they were built over."""
    if not isinstance(source, Mem1d) or not isinstance(dest, Mem1d):
        return False
    return source.same_elements(dest)


def _step(dsd: Memory1or4) -> int | None:
    """The stride of a row."""
    return dsd.stride if isinstance(dsd, Mem1d) else None


def _last(result: Any) -> Any:
    array = np.asarray(result)
    return array if array.ndim == 0 else array[-1]


def _span(dsd: Memory1or4, size: int, length: int, index_words: int) -> tuple[int, int]:
    """First byte and the byte after the last of a vector."""
    base = start_base(dsd, index_words)
    if isinstance(dsd, Mem1d):
        first = base + dsd.offset * size
        last = first + dsd.stride * size * (length - 1)
        return min(first, last), max(first, last) + size
    addresses = element_addresses(dsd, size, length, index_words)
    return int(addresses.min()), int(addresses.max()) + size


def _reads_own_result(
    stores: NDArray[np.int64], loads: NDArray[np.int64], size: int, load_size: int
) -> bool:
    """Whether element j loads a 16-bit word that some element i < j stores."""
    first_store: dict[int, int] = {}
    for number, address in enumerate(stores.tolist()):
        for word in range(address, address + size, 2):
            first_store.setdefault(word, number)
    for number, address in enumerate(loads.tolist()):
        for word in range(address, address + load_size, 2):
            if first_store.get(word, number) < number:
                return True
    return False
