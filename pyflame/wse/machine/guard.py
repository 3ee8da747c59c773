"""Strict mode: one PE's memory, watched.

A program may read a byte only after an initialiser, the host or the program itself
has written it; a pointer or DSD may touch only the variable that it was made from;
and what an asynchronous operation reads or writes belongs to it until it has ended.
The machine itself lets all of this pass, and real hardware goes wrong at random.
"""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from pyflame.wse.errors import MachineFault
from pyflame.wse.machine.flights import Area, Flight, words_at
from pyflame.wse.machine.memory import Memory
from pyflame.wse.machine.memory_objects import MemoryObject, MemoryObjects
from pyflame.wse.machine.sites import Site

UNDEFINED_RULE = (
    "strict mode: memory is undefined until an initialiser, the host or the program "
    "writes it"
)
UNDEFINED_HELP = "give it an initial value, or write it before this"
BOUNDS_RULE = (
    "strict mode: a pointer or DSD may touch only the variable that it was made from"
)
BOUNDS_HELP = "check the index, or the offset, stride and extent of the DSD"
RACE_RULE = (
    "strict mode: the memory of an asynchronous operation belongs to it until it ends"
)
RACE_HELP = "go on in a task that the operation's .activate or .unblock starts"


class GuardedMemory(Memory):
    """Memory that knows which of its bytes have been written."""

    __slots__ = ("defined",)

    def __init__(self, size_bytes: int = 49_152) -> None:
        super().__init__(size_bytes)
        self.defined = bytearray(size_bytes)

    def write(self, address: int, data: bytes) -> None:
        super().write(address, data)
        self.define(address, len(data))

    def store_bits(self, address: int, size_bytes: int, bits: int) -> None:
        super().store_bits(address, size_bytes, bits)
        self.define(address, size_bytes)

    def store(self, dtype: np.dtype[Any], address: int, value: Any) -> None:
        super().store(dtype, address, value)
        self.define(address, dtype.itemsize)

    def define(self, address: int, n_bytes: int) -> None:
        self.defined[address : address + n_bytes] = b"\1" * n_bytes

    def forget(self, address: int, n_bytes: int) -> None:
        self.defined[address : address + n_bytes] = bytes(n_bytes)

    def is_defined(self, address: int, n_bytes: int) -> bool:
        return self.defined.find(0, address, address + n_bytes) < 0


class Guard:
    """Checks the accesses of one PE.

    Raises:
        MachineFault: from every method that names a `site`, for a broken rule.
    """

    def __init__(self, place: str, memory: GuardedMemory) -> None:
        self._place = place
        self.memory = memory
        self._objects = MemoryObjects(())
        self._flights: dict[int, Flight] = {}

    def protect(self, objects: MemoryObjects, defined: bytes) -> None:
        """Starts with a program's variables; `defined` tells for each byte from
        address 0 whether it has an initial value."""
        self._objects = objects
        self.memory.defined[: len(defined)] = defined

    # --- single accesses ---

    def check_read(self, site: Site | None, what: str, address: int, size: int) -> None:
        if not self.memory.is_defined(address, size):
            self._fail_undefined(site, what, address, size)
        if self._flights:
            self._check_flights(site, what, words_at(np.array([address]), size, False))

    def check_write(
        self, site: Site | None, what: str, address: int, size: int
    ) -> None:
        """Takes the bytes for written from now on."""
        if self._flights:
            self._check_flights(site, what, words_at(np.array([address]), size, True))
        self.memory.define(address, size)

    def check_inside(
        self, site: Site | None, what: str, origin: int, low: int, end: int
    ) -> None:
        """Whether bytes `low` to `end` - 1 lie in the variable at `origin`."""
        target = self._objects.at(origin)
        if target is None or low < target.start or end > target.end:
            self._fail_outside(site, what, origin, target, low, end)

    # --- vectors ---

    def check_vector(
        self,
        site: Site | None,
        what: str,
        origin: int,
        addresses: NDArray[np.int64],
        size: int,
    ) -> None:
        """Whether all elements of a vector lie in the variable it was made from."""
        low, high = int(addresses.min()), int(addresses.max())
        target = self._objects.at(origin)
        if target is not None and target.start <= low and high + size <= target.end:
            return
        bad = high if target is None or low >= target.start else low
        self._fail_outside(site, what, origin, target, bad, bad + size)

    def first_undefined(self, addresses: NDArray[np.int64], size: int) -> list[int]:
        """The positions of the elements that are not wholly defined."""
        flags = np.frombuffer(self.memory.defined, np.uint8)
        whole = flags[addresses]
        for byte in range(1, size):
            whole = whole & flags[addresses + byte]
        return np.flatnonzero(whole == 0).tolist()

    def fail_undefined(
        self, site: Site | None, what: str, address: int, size: int
    ) -> NoReturn:
        self._fail_undefined(site, what, address, size)

    def define_all(self, addresses: NDArray[np.int64], size: int) -> None:
        flags = np.frombuffer(self.memory.defined, np.uint8)
        for byte in range(size):
            flags[addresses + byte] = 1

    # --- operations in flight ---

    def check_area(self, site: Site | None, what: str, area: Area) -> None:
        if self._flights:
            self._check_flights(site, what, area)

    def take_off(self, key: int, flight: Flight) -> None:
        """An asynchronous operation has been issued."""
        self._flights[key] = flight

    def land(self, key: int) -> None:
        """It has ended."""
        self._flights.pop(key, None)

    def _check_flights(self, site: Site | None, what: str, area: Area) -> None:
        for flight in self._flights.values():
            clash = flight.clash(area)
            if clash is not None:
                self._fail_race(site, what, flight, area.writes, *clash)

    # --- faults ---

    def _fail_undefined(
        self, site: Site | None, what: str, address: int, size: int
    ) -> NoReturn:
        byte = self.memory.defined.find(0, address, address + size)
        raise self._fault(
            f"{what} reads {self._objects.element(byte)} before anything has been "
            "written to it",
            site,
            ((UNDEFINED_RULE, None),),
            UNDEFINED_HELP,
        )

    def _fail_outside(
        self,
        site: Site | None,
        what: str,
        origin: int,
        target: MemoryObject | None,
        low: int,
        end: int,
    ) -> NoReturn:
        if target is None:
            text = f"{what} uses address {origin:#06x}, where no variable lies"
        else:
            edge = (
                f"{target.start - low} bytes before"
                if low < target.start
                else f"{end - target.end} bytes past"
            )
            side = "start" if low < target.start else "end"
            text = (
                f"{what} was made from '{target.name}', which has "
                f"{target.extent_text()}, and reaches {edge} its {side}, "
                f"{self._objects.element(low)}"
            )
        raise self._fault(text, site, ((BOUNDS_RULE, None),), BOUNDS_HELP)

    def _fail_race(
        self,
        site: Site | None,
        what: str,
        flight: Flight,
        writing: bool,
        word: int,
        flight_writes: bool,
    ) -> NoReturn:
        does = "writes" if writing else "reads"
        still = "writing" if flight_writes else "reading"
        notes: list[tuple[str, Any]] = [(RACE_RULE, None)]
        if flight.site is not None:
            notes.append((f"{flight.name} was started here", flight.site.span))
        raise self._fault(
            f"{what} {does} {self._objects.element(2 * word)} while {flight.name} may "
            f"still be {still} it",
            site,
            tuple(notes),
            RACE_HELP,
        )

    def _fault(
        self,
        text: str,
        site: Site | None,
        notes: tuple[tuple[str, Any], ...],
        help: str,
    ) -> MachineFault:
        span = None if site is None else site.span
        return MachineFault(f"{self._place}: {text}", span, notes, help)
