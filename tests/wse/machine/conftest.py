"""A bench for the engine: PE programs written in Python instead of CSL."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from inspect import isgeneratorfunction
from pathlib import Path
from typing import Any

import pytest

from pyflame.wse.language.code import Function, GlobalVariable
from pyflame.wse.language.image import (
    ColorConfig,
    Image,
    Options,
    PeProgram,
    QueueInit,
    TaskBinding,
    TaskState,
)
from pyflame.wse.language.source import Source, Span
from pyflame.wse.language.types import VOID, Type
from pyflame.wse.language.values import PointerValue
from pyflame.wse.machine.costs import Costs
from pyflame.wse.machine.engine import MachineConfig, Wafer
from pyflame.wse.machine.pe import Pe

sys.path.insert(0, str(Path(__file__).parent))

NOWHERE = Span(Source("bench.csl", ""), 0, 0)


@dataclass
class Code:
    """A function of the bench, as the interpreter would give it."""

    name: str
    call: Callable[..., Any]
    params: tuple[Type, ...] = ()

    @property
    def blocking(self) -> bool:
        return isgeneratorfunction(self.call)


@dataclass
class BenchProgram:
    """Builds a `PeProgram` and stands for its compiled form."""

    arch: str
    source: PeProgram = field(default_factory=lambda: PeProgram("bench.csl"))
    codes: dict[Function, Code] = field(default_factory=dict)
    memory: dict[int, bytes] = field(default_factory=dict)
    addresses: dict[GlobalVariable, int] = field(default_factory=dict)
    used_bytes: int = 4096

    def add(self, call: Callable[..., Any], *params: Type) -> Function:
        name = call.__name__
        function = Function(name, name, [], VOID, False, NOWHERE)
        self.codes[function] = Code(name, call, params)
        return function

    def task(
        self, kind: str, id_: int, call: Callable[..., Any], *params: Type
    ) -> None:
        self.source.bindings.append(TaskBinding(kind, id_, self.add(call, *params)))

    def export(self, call: Callable[..., Any], *params: Type) -> None:
        self.source.exports[call.__name__] = self.add(call, *params)

    def state(self, action: str, kind: str, id_: int) -> None:
        self.source.states.append(TaskState(action, kind, id_))

    def queue(self, direction: str, queue: int, color: int) -> None:
        if self.arch == "wse3":
            self.source.queues.append(QueueInit(direction, queue, color))

    # --- what the engine asks for ---

    def function(self, function: Function) -> Code:
        return self.codes[function]

    def address(self, variable: GlobalVariable) -> int:
        return self.addresses[variable]

    def address_of(self, pointer: PointerValue) -> int:
        return self.addresses[pointer.variable] + pointer.offset_bytes

    def initialise(self, pe: Pe) -> None:
        for address, content in self.memory.items():
            pe.memory.write(address, content)


@dataclass
class Bench:
    """A row or grid of programs with static routes."""

    arch: str
    width: int
    height: int = 1
    streams: dict[int, str] = field(default_factory=dict)
    programs: list[BenchProgram] = field(default_factory=list)
    configs: dict[tuple[int, int], dict[int, ColorConfig]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.programs = [
            BenchProgram(self.arch) for _ in range(self.width * self.height)
        ]

    def at(self, x: int, y: int = 0) -> BenchProgram:
        return self.programs[y * self.width + x]

    def route(self, x: int, y: int, color: int, rx: str, tx: str, **rest: Any) -> None:
        """`rx` and `tx` are names with blanks between."""
        config = ColorConfig(tuple(rx.split()), tuple(tx.split()), **rest)
        self.configs.setdefault((x, y), {})[color] = config

    def wafer(self, **config: Any) -> Wafer:
        """A started machine. It is not strict: programs in Python have raw addresses
        and no variables that they could leave."""
        compiled = {id(program.source): program for program in self.programs}

        def compiler(program: PeProgram, arch: str, costs: Costs) -> BenchProgram:
            return compiled[id(program)]

        tiles = [
            [y * self.width + x for x in range(self.width)] for y in range(self.height)
        ]
        image = Image(
            Options(arch=self.arch),
            self.width,
            self.height,
            [program.source for program in self.programs],
            tiles,
            self.configs,
            [],
            self.streams,
        )
        machine = MachineConfig(**{"strict": False, **config})
        wafer = Wafer(image, machine, compiler)
        wafer.load()
        wafer.start()
        return wafer


@pytest.fixture(params=["wse2", "wse3"])
def arch(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def bench() -> type[Bench]:
    return Bench
