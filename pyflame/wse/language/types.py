"""The types of CSL, as values with structural equality.

Struct and enum types are nominal: two of them are equal only if they were defined
at the same place with the same fields (`identity`). `str(t)` is how CSL spells `t`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeGuard


class Type:
    """A CSL type. `comptime_only` types have no run-time representation."""

    comptime_only = False


@dataclass(frozen=True, slots=True)
class Int(Type):
    bits: int
    signed: bool

    def __str__(self) -> str:
        return f"{'i' if self.signed else 'u'}{self.bits}"

    @property
    def minimum(self) -> int:
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def maximum(self) -> int:
        return (1 << (self.bits - self.signed)) - 1

    def wrap(self, value: int) -> int:
        """The value modulo 2**bits, in the range of the type."""
        value &= (1 << self.bits) - 1
        return value - (1 << self.bits) if value > self.maximum else value


@dataclass(frozen=True, slots=True)
class Float(Type):
    name: str  # f16, bf16, cb16 or f32

    def __str__(self) -> str:
        return self.name

    @property
    def bits(self) -> int:
        return 32 if self.name == "f32" else 16


@dataclass(frozen=True, slots=True)
class Simple(Type):
    """A type that is only a name: bool, void, direction, mem1d_dsd and the like."""

    name: str

    def __str__(self) -> str:
        return self.name

    @property
    def comptime_only(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.name in _COMPTIME_ONLY


_COMPTIME_ONLY = frozenset(
    "comptime_int comptime_float comptime_string comptime_struct type "
    "imported_module anytype".split()
)


@dataclass(frozen=True, slots=True)
class Identifier(Type):
    """Colors, task ids, queue ids and microthread ids: distinct types over u16."""

    name: str  # color, data_task_id, local_task_id, control_task_id,
    #            input_queue, output_queue, ut_id

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Array(Type):
    dims: tuple[int, ...]
    element: Type

    def __str__(self) -> str:
        return f"[{','.join(map(str, self.dims))}]{self.element}"

    @property
    def count(self) -> int:
        total = 1
        for extent in self.dims:
            total *= extent
        return total

    @property
    def comptime_only(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.element.comptime_only


@dataclass(frozen=True, slots=True)
class Pointer(Type):
    """`*T`, or `[*]T` with `many`; `const` forbids writing through it."""

    pointee: Type
    const: bool = False
    many: bool = False

    def __str__(self) -> str:
        star = "[*]" if self.many else "*"
        return f"{star}{'const ' if self.const else ''}{self.pointee}"


@dataclass(frozen=True, slots=True)
class Range(Type):
    element: Type

    def __str__(self) -> str:
        return "range"


@dataclass(frozen=True, slots=True)
class Struct(Type):
    """Anonymous structs and tuples have no identity; named ones have a place.

    A tuple has `names is None`.
    """

    names: tuple[str, ...] | None
    types: tuple[Type, ...]
    identity: str | None = None
    display: str = field(default="", compare=False)

    def __str__(self) -> str:
        if self.display:
            return self.display
        if self.names is None:
            return f"struct{{{', '.join(map(str, self.types))}}}"
        fields = (f"{n}: {t}" for n, t in zip(self.names, self.types, strict=True))
        return f"struct{{{', '.join(fields)}}}"

    @property
    def comptime_only(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return any(t.comptime_only for t in self.types)


@dataclass(frozen=True, slots=True)
class Enum(Type):
    backing: Int
    items: tuple[tuple[str, int], ...]
    identity: str
    display: str = field(default="enum", compare=False)

    def __str__(self) -> str:
        return self.display


@dataclass(frozen=True, slots=True)
class Packed(Enum):
    """Fields in the bits of one unsigned integer, as which a machine may treat it.

    A packed struct has them one after another, the first one lowest; in a union all
    of them start at bit 0. `kind` is how CSL spells it, such as `packed struct`.
    """

    names: tuple[str, ...] = ()
    types: tuple[Type, ...] = ()
    offsets_bits: tuple[int, ...] = ()
    kind: str = "packed struct"

    def __str__(self) -> str:
        if self.display:
            return self.display
        fields = (f"{n}: {t}" for n, t in zip(self.names, self.types, strict=True))
        return f"{self.kind}{{{', '.join(fields)}}}"

    @property
    def union(self) -> bool:
        return self.kind.endswith("union")


def is_enum(type_: Type) -> TypeGuard[Enum]:
    """Whether the type is an enum, and not only treated like one by machines."""
    return isinstance(type_, Enum) and not isinstance(type_, Packed)


@dataclass(frozen=True, slots=True)
class Function(Type):
    """`fn(params) result`, or a task type when `task` is set."""

    params: tuple[Type, ...]
    result: Type
    task: bool = False

    def __str__(self) -> str:
        word = "task" if self.task else "fn"
        return f"{word}({', '.join(map(str, self.params))}) {self.result}"


BOOL = Simple("bool")
VOID = Simple("void")
DIRECTION = Simple("direction")
TYPE = Simple("type")
COMPTIME_INT = Simple("comptime_int")
COMPTIME_FLOAT = Simple("comptime_float")
COMPTIME_STRING = Simple("comptime_string")
COMPTIME_STRUCT = Simple("comptime_struct")
IMPORTED_MODULE = Simple("imported_module")
I8, I16, I32, I64 = (Int(n, True) for n in (8, 16, 32, 64))
U8, U16, U32, U64 = (Int(n, False) for n in (8, 16, 32, 64))
F16, BF16, CB16, F32 = (Float(n) for n in ("f16", "bf16", "cb16", "f32"))
COLOR = Identifier("color")
MEM1D_DSD, MEM4D_DSD = Simple("mem1d_dsd"), Simple("mem4d_dsd")
FABIN_DSD, FABOUT_DSD = Simple("fabin_dsd"), Simple("fabout_dsd")
FIFO_DSD, CIRCBUF_DSD = Simple("fifo_dsd"), Simple("circbuf_dsd")
DSD_KINDS = tuple(
    kind.name
    for kind in (MEM1D_DSD, MEM4D_DSD, CIRCBUF_DSD, FABIN_DSD, FABOUT_DSD, FIFO_DSD)
)
DSR_KINDS = (
    "dsr_dest",
    "dsr_src0",
    "dsr_src1",
    "dsr_fifo_dest",
    "dsr_fifo_src1",
    "xdsr",
)
SR = Simple("sr")
REGISTER_KINDS = (*DSR_KINDS, SR.name)


def size_bytes(type_: Type) -> int:
    """Bytes that a value of the type takes in PE memory.

    `bool`, enums of 8 bits and 8-bit integers take one 16-bit word when they stand
    alone (documentation is silent; a word is the machine's unit), and pack to bytes
    in arrays of i8 and u8.

    Raises:
        TypeError: for types that live in registers or at compile time only.
    """
    match type_:
        case Int(bits=bits):
            return 2 if bits <= 16 else 4 if bits <= 32 else 8
        case Float():
            return type_.bits // 8
        case Enum(backing=backing):
            return size_bytes(backing)
        case Identifier() | Pointer():
            return 2
        case Simple(name="bool" | "direction"):
            return 2
        case Array(element=element):
            return type_.count * element_size_bytes(element)
        case Struct(types=members) if members:
            end = field_offsets_bytes(type_)[-1] + size_bytes(members[-1])
            return end + -end % alignment_bytes(type_)
        case _:
            raise TypeError(f"'{type_}' has no place in memory")


def element_size_bytes(element: Type) -> int:
    """Bytes from one array element to the next."""
    if isinstance(element, Int) and element.bits <= 8:
        return 1
    return size_bytes(element)


def alignment_bytes(type_: Type) -> int:
    """Natural alignment: that of the largest number inside, 2 or 4 bytes."""
    match type_:
        case Array(element=element):
            return alignment_bytes(element)
        case Struct(types=members):
            return max(map(alignment_bytes, members), default=2)
        case Enum(backing=backing):
            return alignment_bytes(backing)
        case Int(bits=bits):
            return 4 if bits > 16 else 2
        case Float():
            return type_.bits // 8
        case _:
            return 2


def field_offsets_bytes(struct: Struct) -> list[int]:
    """Where each field lies: in order, at multiples of its alignment."""
    offsets: list[int] = []
    end = 0
    for member in struct.types:
        end += -end % alignment_bytes(member)
        offsets.append(end)
        end += size_bytes(member)
    return offsets
