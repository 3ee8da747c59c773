"""The Python state that a function can reach, so that a change of it is noticed.

From the function on: what its globals and closures are bound to, attributes of modules
and of the user's objects, elements of lists and dicts. Of globals and attributes only
those count whose names stand in the user's code. Libraries are not looked into.
"""

from __future__ import annotations

import dis
import sys
from argparse import Namespace
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType, SimpleNamespace
from typing import Any

import jax
import numpy as np

from pyflame.jitted.guards import (
    BOOKKEEPING,
    Attributes,
    Cells,
    Contents,
    Elements,
    Guards,
    Items,
    attributes_of,
)
from pyflame.nn.module import Module
from pyflame.optim.optimizer import Optimizer
from pyflame.optim.plateau import ReduceLROnPlateau
from pyflame.optim.scheduler import LRScheduler
from pyflame.tensors import Tensor

MAX_VISITED = 20000

_PACKAGE = str(Path(__file__).parents[1])
_LIBRARIES = (
    str(Path(jax.__file__).parent),
    str(Path(np.__file__).parent),
    str(Path(sys.modules["threading"].__file__ or "").parent),  # standard library
)
_ATOMS = (bool, int, float, complex, str, bytes, type(None), np.generic, jax.Array)
_BAGS = (SimpleNamespace, Namespace)  # of the standard library, for users' attributes
_DYNAMIC = {"getattr", "vars", "__dict__", "hasattr"}  # any name may be looked up
_HOST = (Optimizer, LRScheduler, ReduceLROnPlateau)  # events look after these


class Survey:
    """What can be reached from a function and its static arguments."""

    def __init__(self, *roots: Any) -> None:
        self.tensors: dict[int, Tensor] = {}
        self.optimizers: list[Optimizer] = []
        self.modules: list[Module] = []
        self._names: set[str] = set()
        self._functions: list[FunctionType] = []
        self._owners: list[tuple[Any, str]] = []
        self._sequences: list[tuple[Any, str]] = []
        self._arrays: list[tuple[Any, str]] = []
        self._cells: list[tuple[FunctionType, str]] = []
        self._seen: dict[int, Any] = {}
        stack = [(root, "") for root in roots]
        while stack and len(self._seen) < MAX_VISITED:
            value, path = stack.pop()
            if not isinstance(value, _ATOMS) and id(value) not in self._seen:
                self._seen[id(value)] = value
                stack += list(self._visit(value, path))[::-1]

    def guards(self) -> Guards:
        """What must be as it is now for a program to be used again."""
        found: list[Any] = [Cells(f, path) for f, path in self._cells]
        found += [
            Items(f.__globals__, _global_names(f.__code__), "") for f in self._functions
        ]
        for owner, path in self._owners:
            every = isinstance(owner, Module) or self._names & _DYNAMIC
            names = None if every else self._names
            found.append(Attributes(owner, names, path))
        found += [Elements(value, path) for value, path in self._sequences]
        found += [Contents(value, path) for value, path in self._arrays]
        if self._names & _OPTION_NAMES:
            found += [
                Items(group, tuple(optimizer.defaults), "options of an optimizer: ")
                for optimizer in self.optimizers
                for group in optimizer.param_groups
            ]
        return Guards(found)

    def options(self) -> list[list[Any]]:
        """The options of the optimizers in reach."""
        return [
            [group[name] for name in optimizer.defaults]
            for optimizer in self.optimizers
            for group in optimizer.param_groups
        ]

    def _visit(self, value: Any, path: str) -> Iterator[tuple[Any, str]]:
        if isinstance(value, Tensor):
            self.tensors[id(value)] = value
        elif isinstance(value, np.ndarray):
            self._arrays.append((value, path))
        elif isinstance(value, FunctionType):
            yield from self._visit_function(value)
        elif isinstance(value, MethodType):
            yield value.__self__, path
            yield value.__func__, path
        elif isinstance(value, partial):
            yield value.func, path
            yield value.args, path
            yield value.keywords, path
        elif isinstance(value, (staticmethod, classmethod)):
            yield value.__func__, path
        elif isinstance(value, property):
            yield value.fget, path
        elif isinstance(value, (list, tuple, dict, set, frozenset)):
            yield from self._visit_elements(value, path)
        elif isinstance(value, _HOST):
            yield from self._visit_host(value)
        else:
            yield from self._visit_object(value, path)

    def _visit_function(self, function: FunctionType) -> Iterator[tuple[Any, str]]:
        wrapped = getattr(function, "__wrapped__", None)
        if wrapped is not None:
            yield wrapped, ""
        if not _is_users_code(function.__code__):
            if wrapped is not None:
                for cell in function.__closure__ or ():
                    yield cell.cell_contents, ""
            return
        self._functions.append(function)
        self._names.update(_all_names(function.__code__))
        if function.__closure__:
            self._cells.append((function, ""))
            names = function.__code__.co_freevars
            for name, cell in zip(names, function.__closure__, strict=True):
                try:
                    yield cell.cell_contents, name
                except ValueError:  # not bound yet
                    continue
        for name in _global_names(function.__code__):
            yield function.__globals__.get(name), name
        yield function.__defaults__, function.__name__

    def _visit_elements(self, value: Any, path: str) -> Iterator[tuple[Any, str]]:
        if not isinstance(value, (tuple, frozenset)):
            self._sequences.append((value, path))
        if isinstance(value, dict):
            for key, item in value.items():
                yield item, f"{path}[{key!r}]"
        else:
            for i, item in enumerate(value):
                yield item, f"{path}[{i}]"

    def _visit_host(self, value: Any) -> Iterator[tuple[Any, str]]:
        optimizer = value if isinstance(value, Optimizer) else value.optimizer
        if not isinstance(value, Optimizer):
            yield optimizer, ""
            return
        self.optimizers.append(optimizer)
        for entry in optimizer.state.values():
            for item in entry.values():
                yield item, ""
        for param in optimizer._params():
            yield param, ""

    def _visit_object(self, value: Any, path: str) -> Iterator[tuple[Any, str]]:
        owner = type(value)
        if "__wrapped__" in getattr(value, "__dict__", ()):
            yield value.__wrapped__, path
        if isinstance(value, Module):
            self.modules.append(value)
        elif isinstance(value, (type, ModuleType)):
            if not _is_users(value):
                return
            owner = None
        elif not _is_users(owner) and not isinstance(value, _BAGS):
            return
        self._owners.append((value, path))
        for name, item in attributes_of(value):
            if name in BOOKKEEPING or name == "__init__":
                continue  # what makes an object says nothing of what is read of it
            yield item, f"{path}.{name}" if path else name
        if owner is not None and _is_users(owner):
            yield owner, owner.__name__
            for base in owner.__mro__[1:]:
                yield base, base.__name__


_OPTION_NAMES = {
    *("param_groups", "get_lr", "get_last_lr", "last_lr", "state_dict", "state"),
}


def _global_names(code: CodeType) -> tuple[str, ...]:
    """Names that the code and the functions in it look up as globals."""
    found = {
        instruction.argval: None
        for one in _with_inner(code)
        for instruction in dis.get_instructions(one)
        if "GLOBAL" in instruction.opname or instruction.opname == "LOAD_NAME"
    }
    return tuple(found)


def _all_names(code: CodeType) -> Iterator[str]:
    """As `_global_names`, and the names of attributes."""
    return (name for one in _with_inner(code) for name in one.co_names)


def _with_inner(code: CodeType) -> Iterator[CodeType]:
    """The code, and that of the functions in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _with_inner(constant)


def _is_users_code(code: CodeType) -> bool:
    return _is_users_path(code.co_filename)


def _is_users_path(path: str) -> bool:
    return not path.startswith((_PACKAGE, *_LIBRARIES)) and not path.startswith(
        "<frozen"
    )


def _is_users(thing: Any) -> bool:
    """Whether a class or a Python module is the user's own."""
    module = (
        thing
        if isinstance(thing, ModuleType)
        else sys.modules.get(getattr(thing, "__module__", ""))
    )
    if module is None:
        return True
    path = getattr(module, "__file__", None)
    if path is None:
        return module.__name__ == "__main__"
    return _is_users_path(path)
