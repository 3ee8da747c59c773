"""From a PE program to Python code and a memory image, once per distinct program."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

# Importing it registers the library's natives.
import pyflame.wse.library.natives  # noqa: F401 # pyright: ignore[reportUnusedImport]
from pyflame.wse.language.code import Function, GlobalVariable
from pyflame.wse.language.image import PeProgram
from pyflame.wse.language.values import DsdValue, PointerValue
from pyflame.wse.machine import call_graph, constants
from pyflame.wse.machine.codegen import FunctionCode, compile_functions
from pyflame.wse.machine.codegen_core import Unit
from pyflame.wse.machine.costs import Costs
from pyflame.wse.machine.dsd import Descriptor, Dsr
from pyflame.wse.machine.layout_memory import MemoryLayout, lay_out
from pyflame.wse.machine.limits import ARCHITECTURES
from pyflame.wse.machine.memory_objects import (
    MemoryObject,
    MemoryObjects,
    defined_bytes,
)
from pyflame.wse.machine.storage import size_bytes

# a DSR, what it holds, the settings of the load, the extended registers of it
ComptimeLoad = tuple[Dsr, Descriptor, dict[str, Any], tuple[Dsr, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class ProgramCode:
    """The code and the memory image that PEs with the same program share.

    Args:
        image: contents of memory at load, from address 0 to `used_bytes`.
        slots: initial values of globals that do not lie in memory.
        loads: the DSRs that are filled at comptime.
        objects: the variables in memory, for strict mode.
        defined: 1 for each byte of `image` that has an initial value.
    """

    source: PeProgram
    layout: MemoryLayout
    functions: dict[Function, FunctionCode]
    image: bytes
    slots: tuple[Any, ...]
    loads: tuple[ComptimeLoad, ...]
    unit: Unit
    objects: MemoryObjects
    defined: bytes

    @property
    def used_bytes(self) -> int:
        """Memory taken, the reserve for runtime and code included."""
        return self.layout.used_bytes

    @property
    def code_size_bytes(self) -> int:
        """Estimated machine code, without the runtime's reserve."""
        return self.layout.code_size_bytes

    def function(self, function: Function) -> FunctionCode:
        return self.functions[function]

    def address(self, variable: GlobalVariable) -> int:
        """The byte address of a global that lies in memory."""
        return self.layout.addresses[variable]

    def address_of(self, pointer: PointerValue) -> int:
        """The byte address that a comptime pointer stands for."""
        return constants.address_of(self.unit, pointer)

    def descriptor(self, dsd: DsdValue) -> Descriptor:
        """The descriptor that a comptime DSD stands for."""
        return constants.descriptor(self.unit, dsd)

    def initialise(self, pe: Any) -> None:
        """Loads memory, slots and DSRs of a PE."""
        pe.memory.write(0, self.image)
        if self.unit.strict:
            pe.guard.protect(self.objects, self.defined)
        pe.slots = [_own(value) for value in self.slots]
        for register, descriptor, config, extended in self.loads:
            pe.dsrs.load(register, descriptor, config, extended=extended)


def _own(value: Any) -> Any:
    """The initial value of a slot for one PE: descriptors never change."""
    return value if isinstance(value, Descriptor) else copy.deepcopy(value)


def compile_program(
    program: PeProgram,
    arch: str,
    costs: Costs,
    strict: bool = False,
    logged: bool = False,
    fp16_format: str = "f16",
) -> ProgramCode:
    """Lays out memory and compiles every function.

    Strict code runs on PEs with a guard only, logged code on observed PEs.

    Raises:
        CslError: if the program does not fit into memory, or uses what the machine
            does not support.
    """
    layout = lay_out(program, ARCHITECTURES[arch].memory_bytes)
    unit = Unit(
        layout=layout,
        graph=call_graph.analyse(program),
        costs=costs,
        arch=arch,
        numbers={f: number for number, f in enumerate(program.functions)},
        fifos={fifo: number for number, fifo in enumerate(program.fifos)},
        strict=strict,
        logged=logged,
        fp16_format=fp16_format,
    )
    functions = compile_functions(unit, program)
    return ProgramCode(
        source=program,
        layout=layout,
        functions=functions,
        image=_memory_image(unit, program),
        slots=tuple(
            constants.run_time_value(unit, variable.value, variable.type)
            for variable in layout.slots
        ),
        loads=_dsr_loads(unit, program),
        unit=unit,
        objects=MemoryObjects(_objects(layout)),
        defined=_defined(unit, program),
    )


def _memory_image(unit: Unit, program: PeProgram) -> bytes:
    data = bytearray(unit.layout.used_bytes)
    for variable in program.globals:
        address = unit.layout.addresses.get(variable)
        if address is not None:
            content = constants.encode(unit, variable.value, variable.type)
            data[address : address + len(content)] = content
    return bytes(data)


def _objects(layout: MemoryLayout) -> list[MemoryObject]:
    return [
        MemoryObject(
            variable.name, variable.type, start, start + size_bytes(variable.type)
        )
        for variable, start in layout.addresses.items()
    ]


def _defined(unit: Unit, program: PeProgram) -> bytes:
    flags = bytearray(unit.layout.used_bytes)
    for variable in program.globals:
        address = unit.layout.addresses.get(variable)
        if address is not None:
            content = defined_bytes(variable.value, variable.type)
            flags[address : address + len(content)] = content
    return bytes(flags)


def _dsr_loads(unit: Unit, program: PeProgram) -> tuple[ComptimeLoad, ...]:
    return tuple(
        (
            Dsr(load.dsr.kind, load.dsr.number),
            constants.descriptor(unit, load.dsd),
            dict(load.config),
            tuple(Dsr(extra.kind, extra.number) for extra in load.extended),
        )
        for load in program.dsr_loads
    )
