"""Modules made of modules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Self

from pyflame.errors import ArgumentError
from pyflame.nn.module import Module


class ModuleList(Module):
    """Submodules in a list, named "0", "1", ..."""

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        self._length = 0
        self.extend(modules)

    def append(self, module: Module) -> Self:
        """Adds a module at the end.

        Raises: ArgumentError, if it is none.
        """
        if not isinstance(module, Module):
            raise ArgumentError(
                f"{type(self).__name__}: {type(module).__name__} is no module",
                rule="every element is a pf.nn.Module",
            )
        setattr(self, str(self._length), module)
        self._length += 1
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Adds several modules at the end."""
        for module in modules:
            self.append(module)
        return self

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Module]:
        return iter(self.children())

    def __getitem__(self, index: int | slice) -> Any:
        """A module; for a slice a container of the same modules."""
        chosen = self.children()[index]
        return type(self)(chosen) if isinstance(chosen, list) else chosen

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, str(range(self._length)[index]), module)


class Sequential(ModuleList):
    """Modules applied one after the other; from arguments, or from one list."""

    def __init__(self, *modules: Module | Sequence[Module]) -> None:
        match modules:
            case (list() | tuple() as listed,):
                super().__init__(listed)
            case _:
                super().__init__(modules)  # pyright: ignore[reportArgumentType]

    def add(self, module: Module) -> Self:
        """Adds a module at the end."""
        return self.append(module)

    def forward(self, input: Any) -> Any:
        for module in self:
            input = module(input)
        return input
