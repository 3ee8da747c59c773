"""Places in PE memory as text: loads, stores and addresses, with their checks."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from pyflame.wse.language import types
from pyflame.wse.language.source import Span
from pyflame.wse.machine import guarded_access, limits, storage
from pyflame.wse.machine import scalar_support as support
from pyflame.wse.machine.codegen_arithmetic import strict_bool
from pyflame.wse.machine.codegen_core import FunctionWriter, Place, Value, typed

MEMORY_BYTES = limits.WSE2.memory_bytes
_CHECKS = {"read": guarded_access.read_at, "write": guarded_access.write_at}
_POINTER_CHECKS = {
    "read": guarded_access.read_through,
    "write": guarded_access.write_through,
}


@dataclass(slots=True)
class MemoryPlace(Place):
    """A value in memory at `base + pointer + sum(index * stride)` bytes.

    Args:
        name: for faults: the variable or pointer.
        pointer: text of a byte address, or "" for a place at a known address.
        indices: (text, stride in bytes) of dynamic indices, already checked if
            there is no pointer.
        origin: text of the pointer that `pointer` was worked out from, if another.
    """

    w: FunctionWriter
    type: types.Type
    span: Span
    name: str
    base: int = 0
    pointer: str = ""
    indices: list[tuple[Value, int]] = field(default_factory=list[tuple[Value, int]])
    origin: str = ""
    in_array: bool = False  # an element, which may share its word with another

    def moved(self, type_: types.Type, offset_bytes: int) -> MemoryPlace:
        """The place of a part of this one."""
        return replace(self, type=type_, base=self.base + offset_bytes, in_array=False)

    def address(self) -> Value:
        if not self.pointer and not self.indices:
            return Value(str(self.base), self.base, self.base, fixed=True)
        text = _sum([self.pointer, *_scaled(self.indices, 1)], self.base)
        depth = 1 + max((v.depth for v, _ in self.indices), default=1)
        if self.pointer and (self.indices or self.base):
            return Value(f"({text} & 65535)", 0, 0xFFFF, depth=depth + 1)
        return Value(f"({text})", 0, 0xFFFF, depth=depth)

    def _accessed(self, access: str, size: int) -> str:
        """Text of the address of a "read" or "write" of `size` bytes: in strict mode
        it checks the access when it is evaluated."""
        if not self.w.unit.strict:
            return self.address().text
        named = f"'{self.name}'" if self.pointer else self.name
        site = self.w.constant(support.Site(self.span, named))
        if not self.pointer:
            check = self.w.constant(_CHECKS[access])
            return f"{check}(pe, {site}, {self.address().text}, {size})"
        check = self.w.constant(_POINTER_CHECKS[access])
        offsets = _sum(_scaled(self.indices, 1), self.base)
        if self.origin:
            address = f"{self.pointer} + {offsets}"
            return f"{check}(pe, {site}, {self.origin}, {address}, {size})"
        start = self.w.temp()
        address = f"{start} + {offsets}"
        return f"{check}(pe, {site}, ({start} := {self.pointer}), {address}, {size})"

    # --- loading ---

    def _charge_access(self) -> None:
        """One instruction, after those that find the place of an element."""
        costs = self.w.unit.costs
        self.w.charge(costs.issue_cycles)
        if self.indices:
            more = len(self.indices) - 1  # each a product and a sum
            self.w.charge(costs.index_cycles + 2 * costs.issue_cycles * more)

    def load(self) -> Value:
        self._charge_access()
        match self.type:
            case types.Array():
                return self._load_array(self.type)
            case types.Struct():
                return self._load_struct(self.type)
            case types.Int(bits=64):
                return self._load_long()
            case _:
                return self._load_scalar()

    def _load_scalar(self) -> Value:
        scalar = _scalar(self.type)
        text = self._load_text(scalar)
        match self.type:
            case types.Simple(name="bool"):
                return Value(f"({text} != 0)", depth=2)
            case types.Simple(name="direction"):
                names = self.w.constant(limits.DIRECTIONS, "directions")
                return Value(f"{names}[{text}]", depth=2)
            case types.Float(name="bf16" | "cb16" as name):
                decode = support.SMALL_FLOATS[name].decode
                return Value(f"{self.w.constant(decode, ('decode', name))}({text})")
            case _:
                return typed(text, self.type, depth=self._depth())

    def _depth(self) -> int:
        return 2 + max((v.depth for v, _ in self.indices), default=0)

    def _load_text(self, scalar: storage.Scalar) -> str:
        view = self.w.view(scalar.view)
        if not self.pointer:
            return f"{view}[{self._element_index('read', scalar.size_bytes)}]"
        if self.type == types.U16:
            return self._word_or_register(view)
        address, bind = self._checked_address("read", scalar.size_bytes)
        if scalar.size_bytes == 1:
            return f"{view}[{bind}]"
        if scalar.size_bytes == 2:
            return f"{view}[{bind} >> 1]"
        dtype = self.w.constant(storage.dtype_of(self.type), ("dtype", scalar.view))
        slow = self.w.constant(support.load_unaligned)
        return (
            f"({view}[{address} >> 2] if not {bind} & 3 "
            f"else {slow}(pe.memory, {address}, {dtype}))"
        )

    def _word_or_register(self, view: str) -> str:
        """Old programs reach the router's registers through pointers to u16."""
        name, site = self._address_and_site()
        load = self.w.constant(support.load_register)
        check = f"({name} := {self._accessed('read', 2)}) < {MEMORY_BYTES}"
        return f"({view}[{name} >> 1] if {check} else {load}(pe, {site}, {name}))"

    def _address_and_site(self) -> tuple[str, str]:
        site = support.Site(self.span, f"'{self.name}'")
        return self.w.temp(), self.w.constant(site)

    def _element_index(self, access: str, size: int) -> str:
        """Index into a view, of a place at a known address."""
        if self.w.unit.strict:
            return f"{self._accessed(access, size)} >> {size >> 1}"
        if not self.indices:
            return str(self.base // size)
        return _sum(_scaled(self.indices, size), self.base // size)

    def _checked_address(self, access: str, size: int) -> tuple[str, str]:
        """Name of a temporary, and text that binds it to the address and checks."""
        name, site = self._address_and_site()
        fail = self.w.constant(support.bad_address)
        text = self._accessed(access, size)
        check = f"({name} := {text}) < {MEMORY_BYTES}"
        return name, f"({name} if {check} else {fail}(pe, {site}, {name}))"

    def _load_long(self) -> Value:
        dtype = storage.dtype_of(self.type)
        name = self.w.constant(dtype, ("dtype", dtype))
        load = self.w.constant(support.load_unaligned)
        address = self._accessed("read", dtype.itemsize)
        text = f"{load}(pe.memory, {address}, {name})"
        return typed(text, self.type, depth=self._depth() + 1)

    def _load_array(self, type_: types.Array) -> Value:
        dtype = storage.dtype_of(type_.element)
        count = storage.size_bytes(type_) // dtype.itemsize
        load = self.w.constant(support.load_array)
        name = self.w.constant(dtype, ("dtype", dtype))
        address = self._accessed("read", count * dtype.itemsize)
        text = f"{load}(pe.memory, {address}, {name}, {count})"
        return Value(text, depth=self._depth() + 1)

    def _load_struct(self, type_: types.Struct) -> Value:
        parts = [self._field_text(part) for part in self._fields(type_)]
        return Value(f"[{', '.join(parts)}]", depth=self._depth() + 2)

    def _field_text(self, part: MemoryPlace) -> str:
        """A copied field; in strict mode None if it is undefined, for readers."""
        text = part.load().text
        if not self.w.unit.strict or isinstance(part.type, types.Struct):
            return text
        test = self.w.constant(guarded_access.is_defined)
        size = storage.size_bytes(part.type)
        return f"({text} if {test}(pe, {part.address().text}, {size}) else None)"

    def _fields(self, type_: types.Struct) -> list[MemoryPlace]:
        home = self._pinned()
        return [
            home.moved(member, storage.field_offset_bytes(type_, index))
            for index, member in enumerate(type_.types)
        ]

    def _pinned(self) -> MemoryPlace:
        """This place with its indices evaluated once, for several accesses."""
        if not self.pointer and not self.indices:
            return self
        place = self
        if self.w.unit.strict and self.pointer and not self.origin:
            origin = self.w.spilled(Value(self.pointer, depth=9)).text
            place = replace(self, pointer=origin, origin=origin)
        address = self.w.spilled(place.address()).text
        origin = place.origin or address
        return replace(place, base=0, pointer=address, indices=[], origin=origin)

    # --- storing ---

    def store(self, value: Value) -> None:
        self._charge_access()
        match self.type:
            case types.Array(element=element):
                dtype = storage.dtype_of(element)
                size = storage.size_bytes(self.type)
                self._call_store(support.store_array, dtype, value.text, size)
            case types.Struct():
                self._store_struct(self.type, value)
            case types.Int(bits=64):
                dtype = storage.dtype_of(self.type)
                self._call_store(support.store_unaligned, dtype, value.text, 8)
            case _:
                self._store_scalar(value)

    def _call_store(self, helper: object, dtype: object, text: str, size: int) -> None:
        name = self.w.constant(dtype, ("dtype", dtype))
        store = self.w.constant(helper)
        address = self._accessed("write", size)
        self.w.line(f"{store}(pe.memory, {address}, {name}, {text})")

    def _store_struct(self, type_: types.Struct, value: Value) -> None:
        source = self.w.spilled(value).text
        for index, part in enumerate(self._fields(type_)):
            self._store_field(part, f"{source}[{index}]")

    def _store_field(self, part: MemoryPlace, text: str) -> None:
        if not self.w.unit.strict:
            part.store(Value(text))
            return
        _, block = self.w.inside(lambda: part.store(Value(text)))
        self.w.charge(block.pending)
        block.pending = 0
        forget = self.w.constant(guarded_access.forget)
        size = storage.size_bytes(part.type)
        self.w.nest(f"if {text} is not None:", block)
        self.w.line(f"else: {forget}(pe, {part.address().text}, {size})")

    def _store_scalar(self, value: Value) -> None:
        scalar = self._stored_scalar()
        view = self.w.view(scalar.view)
        text = self._encoded(value)
        if not self.pointer:
            index = self._element_index("write", scalar.size_bytes)
            self.w.line(f"{view}[{index}] = {text}")
            return
        if self.type == types.U16:
            self._store_word_or_register(view, text)
            return
        address, bind = self._checked_address("write", scalar.size_bytes)
        if scalar.size_bytes < 4:
            shift = " >> 1" if scalar.size_bytes == 2 else ""
            self.w.line(f"{view}[{bind}{shift}] = {text}")
            return
        kept = self.w.spilled(Value(text, depth=9)).text
        dtype = self.w.constant(storage.dtype_of(self.type), ("dtype", scalar.view))
        slow = self.w.constant(support.store_unaligned)
        self.w.line(f"if {bind} & 3: {slow}(pe.memory, {address}, {dtype}, {kept})")
        self.w.line(f"else: {view}[{address} >> 2] = {kept}")

    def _store_word_or_register(self, view: str, text: str) -> None:
        value = self.w.spilled(Value(text, depth=9)).text
        name, site = self._address_and_site()
        store = self.w.constant(support.store_register)
        check = f"({name} := {self._accessed('write', 2)}) < {MEMORY_BYTES}"
        self.w.line(f"if {check}: {view}[{name} >> 1] = {value}")
        self.w.line(f"else: {store}(pe, {site}, {name}, {value})")

    def _stored_scalar(self) -> storage.Scalar:
        """A lone 8-bit variable fills the word that it takes."""
        scalar = _scalar(self.type)
        shares = self.pointer or self.indices or self.in_array
        if shares or scalar.size_bytes != 1:
            return scalar
        return storage.Scalar(f"{scalar.view[0]}16", 2)

    def _encoded(self, value: Value) -> str:
        match self.type:
            case types.Simple(name="direction"):
                number = self.w.constant(limits.DIRECTIONS.index, "direction number")
                return f"{number}({value.text})"
            case types.Float(name="bf16" | "cb16" as name):
                encode = support.SMALL_FLOATS[name].encode
                return f"{self.w.constant(encode, ('encode', name))}({value.text})"
            case types.Simple(name="bool"):
                return strict_bool(value)
            case _:
                return value.text


def _scalar(type_: types.Type) -> storage.Scalar:
    scalar = storage.scalar_of(type_)
    assert scalar is not None, f"'{type_}' is no scalar of memory"
    return scalar


def _scaled(indices: list[tuple[Value, int]], unit: int) -> list[str]:
    """Terms `index * stride / unit`."""
    terms: list[str] = []
    for value, stride in indices:
        factor = stride // unit
        terms.append(value.text if factor == 1 else f"{value.text} * {factor}")
    return terms


def _sum(terms: list[str], constant: int) -> str:
    parts = [term for term in terms if term]
    if constant or not parts:
        parts.append(str(constant))
    return " + ".join(parts)
