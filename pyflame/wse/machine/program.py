"""What the interpreter makes of a PE program and the engine runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from pyflame.wse.language.code import Function, GlobalVariable
from pyflame.wse.language.image import PeProgram
from pyflame.wse.language.types import Type
from pyflame.wse.language.values import PointerValue


class CompiledFunction(Protocol):
    """A function as Python code: `call(pe, *arguments)`.

    A `blocking` one is a generator: it yields operations that may wait and is sent
    their results.
    """

    @property
    def name(self) -> str: ...
    @property
    def params(self) -> tuple[Type, ...]: ...
    @property
    def blocking(self) -> bool: ...
    @property
    def call(self) -> Callable[..., Any]: ...


class CompiledProgram(Protocol):
    """The code and the memory image that PEs with the same program share."""

    @property
    def source(self) -> PeProgram: ...
    @property
    def used_bytes(self) -> int: ...

    def function(self, function: Function) -> CompiledFunction: ...
    def address(self, variable: GlobalVariable) -> int: ...
    def address_of(self, pointer: PointerValue) -> int: ...
    def initialise(self, pe: Any) -> None: ...
