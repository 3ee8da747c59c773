"""`@map`: a function called for the elements of its descriptors, one by one.

Each round reads the next element of every descriptor operand, calls the function and
writes its result. The loop ends when a read or a write finds its operand used up;
values read in that round are lost.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from pyflame.wse.errors import MachineFault
from pyflame.wse.language import types
from pyflame.wse.machine import storage
from pyflame.wse.machine.dsd import (
    Dsr,
    FabIn,
    FabOut,
    Mem1d,
    Mem4d,
    Memory1or4,
    ScalarPointer,
    element_addresses,
)
from pyflame.wse.machine.guarded_map import guarded_elements
from pyflame.wse.machine.layout_memory import RUNTIME_RESERVE_BYTES
from pyflame.wse.machine.operations import OPERATIONS, Operation
from pyflame.wse.machine.scalar_support import SMALL_FLOATS, SmallFloat

_END = object()
_NO_ADDRESSES: list[int] = []


@dataclass(frozen=True, slots=True)
class MapPlan:
    """What is known about a `@map` before it runs.

    Args:
        inputs: per parameter the element type of its descriptor, or None for a
            scalar or pointer that is passed on unchanged.
        output: type of the result that is written, None if there is no output.
        output_is_pointer: the output is a pointer, not a descriptor.
        blocking: the function is a generator.
    """

    inputs: tuple[types.Type | None, ...]
    output: types.Type | None
    output_is_pointer: bool
    blocking: bool


class _Elements:
    """The elements of a memory descriptor in order, as run-time values."""

    __slots__ = ("_addresses", "_dsr", "_load", "_next", "_pe", "_store", "count")

    def __init__(self, pe: Any, operand: Any, type_: types.Type) -> None:
        self._pe = pe
        self._dsr = operand if isinstance(operand, Dsr) else None
        dsd = pe.read_dsr(operand) if self._dsr is not None else operand
        assert isinstance(dsd, (Mem1d, Mem4d)), "a memory descriptor"
        self.count = dsd.extent
        self._load, self._store, addresses = _accessors(pe, dsd, type_, self.count)
        if pe.guard is not None and self.count:
            accessors = (self._load, self._store, addresses)
            size = storage.size_bytes(type_)
            guarded = guarded_elements(pe.guard, dsd, size, *accessors)
            self._load, self._store, addresses = guarded
        self._addresses = addresses
        self._next = 0

    def take(self) -> Any:
        if self._next == self.count:
            return _END
        value = self._load(self._addresses[self._next])
        self._next += 1
        return value

    def put(self, value: Any) -> bool:
        if self._next == self.count:
            return False
        self._store(self._addresses[self._next], value)
        self._next += 1
        return True

    def close(self) -> None:
        if self._dsr is not None:
            self._pe.advance_dsr(self._dsr, self._next)


def _accessors(
    pe: Any, dsd: Memory1or4, type_: types.Type, count: int
) -> tuple[Callable[[int], Any], Callable[[int, Any], None], list[int]]:
    """Load and store by index, and the indices of all elements."""
    scalar = storage.scalar_of(type_)
    assert scalar is not None, f"'{type_}' is no element of a descriptor"
    memory, size = pe.memory, scalar.size_bytes
    if not count:
        return memory.u16.__getitem__, memory.u16.__setitem__, _NO_ADDRESSES
    addresses = element_addresses(dsd, size, count)
    low, high = int(addresses.min()), int(addresses.max())
    if low < 0 or high + size > memory.size_bytes:
        raise pe.fault(
            f"@map reaches bytes {low} to {high + size - 1}, outside the "
            f"{memory.size_bytes:,} bytes of memory"
        )
    if low % size == 0:
        view = getattr(memory, scalar.view)
        coded = _coded(type_, view.__getitem__, view.__setitem__)
        return *coded, (addresses // size).tolist()
    dtype = storage.dtype_of(type_)

    def load(address: int) -> Any:
        value = memory.load(dtype, address)
        return value if dtype.kind == "f" else int(value)

    def store(address: int, value: Any) -> None:
        memory.store(dtype, address, value)

    return load, store, addresses.tolist()


def _coded(
    type_: types.Type, load: Callable[[int], Any], store: Callable[[int, Any], None]
) -> tuple[Callable[[int], Any], Callable[[int, Any], None]]:
    """Accessors of words as accessors of values, for formats that NumPy lacks."""
    small = _small_float(type_)
    if small is None:
        return load, store
    return (
        lambda place: small.decode(load(place)),
        lambda place, value: store(place, small.encode(value)),
    )


def _small_float(type_: types.Type) -> SmallFloat | None:
    return SMALL_FLOATS.get(type_.name) if isinstance(type_, types.Float) else None


class _PointerOutput:
    """A pointer as output: every result overwrites the one before."""

    __slots__ = ("_address", "_dtype", "_memory", "_small")

    def __init__(self, pe: Any, address: int, type_: types.Type) -> None:
        self._memory, self._address = pe.memory, address
        self._dtype = storage.dtype_of(type_)
        self._small = _small_float(type_)

    def put(self, value: Any) -> bool:
        if self._small is not None:
            value = self._small.encode(value)
        self._memory.store(self._dtype, self._address, value)
        return True

    def close(self) -> None:
        """Nothing to advance."""


def map_on_memory(
    pe: Any, plan: MapPlan, function: Callable[..., Any], operands: tuple[Any, ...]
) -> None:
    """`@map` of a plain function over memory."""
    inputs = [
        None if type_ is None else _Elements(pe, operand, type_)
        for type_, operand in zip(plan.inputs, operands, strict=False)
    ]
    output = _output(pe, plan, operands)
    arguments = list(operands[: len(inputs)])
    streams = [(n, s.take) for n, s in enumerate(inputs) if s is not None]
    each = pe.costs.map_iteration_cycles
    each += pe.costs.issue_cycles * max(0, len(streams) + (output is not None) - 1)
    while True:
        for number, take in streams:
            arguments[number] = value = take()
            if value is _END:
                break
        else:
            pe.clock += each
            result = function(pe, *arguments)
            if output is None or output.put(result):
                if pe.clock <= pe.max_cycles:
                    continue
                raise _over_budget(pe)
        break
    for stream in (*inputs, output):
        if stream is not None:
            stream.close()


def _output(
    pe: Any, plan: MapPlan, operands: tuple[Any, ...]
) -> _Elements | _PointerOutput | None:
    if plan.output is None:
        return None
    kind = _PointerOutput if plan.output_is_pointer else _Elements
    return kind(pe, operands[-1], plan.output)


def _over_budget(pe: Any) -> MachineFault:
    return pe.fault(
        f"@map has not ended after {pe.clock:,} cycles; the budget is "
        f"{pe.max_cycles:,} cycles"
    )


# --- with the fabric --------------------------------------------------------------

# An element from the fabric passes through a word of the runtime's reserve.
_SCRATCH_ADDRESS = RUNTIME_RESERVE_BYTES - 4
Waiting = Generator[Operation, bool, Any]


def map_with_waits(
    pe: Any, plan: MapPlan, function: Callable[..., Any], operands: tuple[Any, ...]
) -> Waiting:
    """`@map` whose operands or function may wait: moves single elements."""
    inputs = [
        None if type_ is None else _source(pe, operand, type_)
        for type_, operand in zip(plan.inputs, operands, strict=False)
    ]
    output = _waiting_output(pe, plan, operands)
    arguments = list(operands[: len(inputs)])
    each = pe.costs.map_iteration_cycles
    while (yield from _read_all(inputs, arguments)):
        pe.clock += each
        result: Any = function(pe, *arguments)
        if plan.blocking:
            result = cast(Any, (yield from result))
        if output is not None and not (yield from _write(output, result)):
            break
        if pe.clock > pe.max_cycles:
            raise _over_budget(pe)
    for stream in (*inputs, output):
        if stream is not None:
            stream.close()


def _read_all(
    inputs: list[_Elements | _Fabric | None], arguments: list[Any]
) -> Generator[Operation, bool, bool]:
    for number, stream in enumerate(inputs):
        if stream is None:
            continue
        if isinstance(stream, _Fabric):
            value = yield from stream.receive()
        else:
            value = stream.take()
        if value is _END:
            return False
        arguments[number] = value
    return True


def _write(
    output: _Elements | _PointerOutput | _Fabric, value: Any
) -> Generator[Operation, bool, bool]:
    if isinstance(output, _Fabric):
        return (yield from output.send(value))
    return output.put(value)


class _Fabric:
    """A fabric descriptor used element by element."""

    __slots__ = ("_dsd", "_move", "_pe", "_rest", "_type")

    def __init__(self, pe: Any, dsd: FabIn | FabOut, type_: types.Type) -> None:
        size = storage.size_bytes(type_)
        self._pe, self._type = pe, type_
        self._move = OPERATIONS["@mov16" if size == 2 else "@mov32"]
        self._rest = dsd.extent
        self._dsd = replace(dsd, extent=1)

    def receive(self) -> Generator[Operation, bool, Any]:
        if not self._rest:
            return _END
        self._rest -= 1
        target = ScalarPointer(_SCRATCH_ADDRESS)
        yield Operation(self._move, target, (self._dsd,))
        dtype = storage.dtype_of(self._type)
        value = self._pe.memory.load(dtype, _SCRATCH_ADDRESS)
        small = _small_float(self._type)
        if small is not None:
            return small.decode(int(value))
        return value if isinstance(self._type, types.Float) else int(value)

    def send(self, value: Any) -> Generator[Operation, bool, bool]:
        if not self._rest:
            return False
        self._rest -= 1
        small = _small_float(self._type)
        if small is not None:
            value = small.encode(value)
        bits = int.from_bytes(
            np.array(value, storage.dtype_of(self._type)).tobytes(), "little"
        )
        yield Operation(self._move, self._dsd, (bits,))
        return True

    def close(self) -> None:
        """Wavelets are gone; there is nothing to advance."""


def _source(pe: Any, operand: Any, type_: types.Type) -> _Elements | _Fabric:
    dsd = pe.read_dsr(operand) if isinstance(operand, Dsr) else operand
    if isinstance(dsd, (FabIn, FabOut)):
        return _Fabric(pe, dsd, type_)
    return _Elements(pe, operand, type_)


def _waiting_output(
    pe: Any, plan: MapPlan, operands: tuple[Any, ...]
) -> _Elements | _PointerOutput | _Fabric | None:
    if plan.output is None or plan.output_is_pointer:
        return _output(pe, plan, operands)
    return _source(pe, operands[-1], plan.output)
