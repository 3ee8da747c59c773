"""Where everything lies in the 48 KiB of a PE: runtime, code, then data.

The machine's own binary code is not simulated, but its room is: each node of typed
code is charged a few bytes, and a reserve stands for what memcpy's runtime needs.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pyflame.wse.errors import CslError
from pyflame.wse.language import code, types
from pyflame.wse.language.image import PeProgram
from pyflame.wse.language.source import Span
from pyflame.wse.machine import storage
from pyflame.wse.machine.walk import locals_of, walk

# A minimal memcpy kernel leaves 44,976 of 49,152 bytes on WSE-3 (FABRICA 9); the
# same is assumed on WSE-2, and 80 of the 4,176 bytes for that kernel's own code.
RUNTIME_RESERVE_BYTES = 4096
# Assumed: one 32-bit instruction per node of typed code, and DSD operations load up
# to three descriptors of four words each.
NODE_BYTES = 4
BUILTIN_BYTES = 24

Variable = code.GlobalVariable | code.LocalVariable


@dataclass(frozen=True, slots=True)
class MemoryLayout:
    """Byte addresses of all variables in memory, and what takes the room.

    `slots` numbers the globals that do not lie in memory.
    """

    addresses: dict[Variable, int]
    slots: dict[code.GlobalVariable, int]
    runtime_bytes: int
    code_size_bytes: int
    used_bytes: int


@dataclass(slots=True)
class _Item:
    variable: Variable
    size_bytes: int
    align_bytes: int
    name: str
    span: Span


@dataclass(slots=True)
class _Cursor:
    address: int
    addresses: dict[Variable, int] = field(default_factory=dict[Variable, int])

    def place(self, item: _Item) -> None:
        self.address += -self.address % item.align_bytes
        self.addresses[item.variable] = self.address
        self.address += item.size_bytes


def lay_out(program: PeProgram, memory_bytes: int = 49_152) -> MemoryLayout:
    """Addresses for globals, then for locals that need memory, in program order.

    Raises:
        CslError: if they do not fit; names the largest variables.
    """
    code_bytes = estimate_code_bytes(program)
    items = [_global_item(v) for v in program.globals if lies_in_memory(v)]
    for function in program.functions:
        items += _local_items(function)
    cursor = _Cursor(RUNTIME_RESERVE_BYTES + code_bytes)
    for item in items:
        cursor.place(item)
    if cursor.address > memory_bytes:
        raise _overflow(program, items, code_bytes, cursor.address, memory_bytes)
    outside = [v for v in program.globals if not lies_in_memory(v)]
    slots = {variable: number for number, variable in enumerate(outside)}
    return MemoryLayout(
        cursor.addresses, slots, RUNTIME_RESERVE_BYTES, code_bytes, cursor.address
    )


def lies_in_memory(variable: code.GlobalVariable) -> bool:
    return storage.lives_in_memory(variable.type)


def estimate_code_bytes(program: PeProgram) -> int:
    """Bytes of machine code that the functions are assumed to take."""
    total = 0
    for function in program.functions:
        for node in walk(function.body):
            heavy = isinstance(node, code.BuiltinCall)
            total += BUILTIN_BYTES if heavy else NODE_BYTES
    return total


def _global_item(variable: code.GlobalVariable) -> _Item:
    natural = storage.alignment_bytes(variable.type)
    return _Item(
        variable,
        storage.size_bytes(variable.type),
        max(natural, variable.align_bytes),
        variable.name,
        variable.span,
    )


def _local_items(function: code.Function) -> list[_Item]:
    items: list[_Item] = []
    for variable in locals_of(function):
        if not needs_memory(variable):
            continue
        size = storage.size_bytes(variable.type)
        align = storage.alignment_bytes(variable.type)
        name = f"{function.name}.{variable.name}"
        items.append(_Item(variable, size, align, name, function.span))
    return items


def needs_memory(variable: code.LocalVariable) -> bool:
    """Arrays and locals whose address is taken, if memory can hold them."""
    is_array = isinstance(variable.type, types.Array)
    return (variable.in_memory or is_array) and storage.lives_in_memory(variable.type)


def _overflow(
    program: PeProgram,
    items: list[_Item],
    code_bytes: int,
    used_bytes: int,
    memory_bytes: int,
) -> CslError:
    largest = sorted(items, key=lambda item: -item.size_bytes)[:3]
    message = (
        f"'{program.file}' needs {used_bytes:,} bytes of the {memory_bytes:,} of a PE, "
        f"{used_bytes - memory_bytes:,} too many"
    )
    notes: list[tuple[str, Span | None]] = [
        (f"'{item.name}' takes {item.size_bytes:,} bytes", item.span)
        for item in largest
    ]
    reserve = (
        f"code takes {code_bytes:,} bytes (estimate) and the runtime "
        f"{RUNTIME_RESERVE_BYTES:,}"
    )
    return CslError(
        message,
        None,
        (*notes, (reserve, None)),
        "use smaller tiles or more PEs",
    )
