"""Modules made of modules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any, Self

from pyflame.errors import ArgumentError
from pyflame.nn.module import Module


class ModuleList(Module):
    """Submodules in a list, named "0", "1", ..."""

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        self.extend(modules)

    def append(self, module: Module) -> Self:
        """Adds a module at the end.

        Raises: ArgumentError, if it is none.
        """
        self.register_module(self._free_name(), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Adds several modules at the end."""
        for module in modules:
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Self:
        """Adds a module before the one at `index`, as lists do.

        Raises: ArgumentError, if it is none.
        """
        modules = self._modules()
        modules.insert(index, _checked(self, module))
        return self._set(modules)

    def pop(self, index: int = -1) -> Module:
        """Takes out a module and returns it."""
        modules = self._modules()
        module = modules.pop(index)
        self._set(modules)
        return module

    def __len__(self) -> int:
        return len(self._modules())

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules())

    def __contains__(self, module: object) -> bool:
        return any(module is mine for mine in self)

    def __getitem__(self, index: int | slice) -> Any:
        """A module; for a slice a container of the same modules."""
        chosen = self._modules()[index]
        return type(self)(chosen) if isinstance(chosen, list) else chosen

    def __setitem__(self, index: int, module: Module) -> None:
        name, _ = self._named_modules()[index]
        self.register_module(name, _checked(self, module))

    def __delitem__(self, index: int | slice) -> None:
        modules = self._modules()
        del modules[index]
        self._set(modules)

    def __add__(self, other: Iterable[Module]) -> Self:
        return type(self)([*self, *other])

    def _named_modules(self) -> list[tuple[str, Module]]:
        """In order; one that stands twice, twice."""
        return list(self._own("module"))

    def _modules(self) -> list[Module]:
        return [module for _, module in self._named_modules()]

    def _free_name(self) -> str:
        names = {name for name, _ in self._named_modules()}
        return next(str(i) for i in count(len(names)) if str(i) not in names)

    def _set(self, modules: list[Module]) -> Self:
        """Takes these modules instead, numbered from 0."""
        for name, _ in self._named_modules():
            delattr(self, name)
        return self.extend(modules)


class Sequential(ModuleList):
    """Modules applied one after the other; from arguments, from one list, or from a
    dict, whose keys are their names."""

    def __init__(
        self, *modules: Module | Sequence[Module] | Mapping[str, Module]
    ) -> None:
        match modules:
            case (Mapping() as named,):
                for name, module in named.items():
                    self.register_module(name, _checked(self, module))
            case (list() | tuple() as listed,):
                self.extend(listed)
            case _:
                self.extend(modules)  # pyright: ignore[reportArgumentType]

    def __getitem__(self, index: int | slice) -> Any:
        """A module; for a slice a container of the same modules with their names."""
        if isinstance(index, slice):
            return type(self)(dict(self._named_modules()[index]))
        return super().__getitem__(index)

    def add(self, module: Module) -> Self:
        """Adds a module at the end."""
        return self.append(module)

    def forward(self, input: Any) -> Any:
        for module in self:
            input = module(input)
        return input


class ModuleDict(Module):
    """Submodules by name."""

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        self.update(modules or {})

    def update(self, modules: Mapping[str, Module]) -> Self:
        """Adds modules, or replaces those of the same name."""
        for name, module in modules.items():
            self[name] = module
        return self

    def __setitem__(self, name: str, module: Module) -> None:
        self.register_module(name, _checked(self, module))

    def __getitem__(self, name: str) -> Module:
        """The module of that name. Raises: KeyError."""
        return dict(self.items())[name]

    def __delitem__(self, name: str) -> None:
        del dict(self.items())[name]
        delattr(self, name)

    def pop(self, name: str) -> Module:
        """Takes out a module and returns it."""
        module = self[name]
        del self[name]
        return module

    def __len__(self) -> int:
        return len(self.keys())

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __contains__(self, name: object) -> bool:
        return name in self.keys()

    def keys(self) -> list[str]:
        """The names, in order."""
        return [name for name, _ in self.items()]

    def values(self) -> list[Module]:
        """The modules, in order."""
        return [module for _, module in self.items()]

    def items(self) -> list[tuple[str, Module]]:
        """Names and modules, in order."""
        return list(self._own("module"))


class ParameterList(Module):
    """Parameters in a list, named "0", "1", ..."""

    def __init__(self, parameters: Iterable[Any] = ()) -> None:
        self._length = 0
        self.extend(parameters)

    def append(self, parameter: Any) -> Self:
        """Adds a parameter at the end."""
        self.register_parameter(str(self._length), parameter)
        self._length += 1
        return self

    def extend(self, parameters: Iterable[Any]) -> Self:
        """Adds several parameters at the end."""
        for parameter in parameters:
            self.append(parameter)
        return self

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Any]:
        return (parameter for _, parameter in self._own("parameter"))

    def __getitem__(self, index: int) -> Any:
        return list(self)[index]

    def __setitem__(self, index: int, parameter: Any) -> None:
        self.register_parameter(str(range(self._length)[index]), parameter)


def _checked(owner: Module, module: Any) -> Module:
    if not isinstance(module, Module):
        raise ArgumentError(
            f"{type(owner).__name__}: {type(module).__name__} is no module",
            rule="every element is a pf.nn.Module",
        )
    return module
