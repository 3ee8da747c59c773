"""What of Python's state a program relies on, in a form that is quick to compare.

Identity is compared first, for everything at once; only where that fails numbers and
strings are compared by value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import is_
from types import CellType, FunctionType
from typing import Any

import numpy as np

from pyflame import tracing
from pyflame.nn.module import Module

MAX_COMPARED_BYTES = 1 << 16

_SCALARS = (bool, int, float, complex, str, bytes)
BOOKKEEPING = ("_kind_of",)  # of modules: changes with their attributes


class Items:
    """Some entries of a dict, such as globals; a missing one counts as None."""

    def __init__(self, owner: Any, names: tuple[str, ...], path: str) -> None:
        self.owner, self.names, self.path = owner, names, path
        self.values = list(map(owner.get, names))

    def change(self) -> str:
        """What differs now, or nothing."""
        now = list(map(self.owner.get, self.names))
        if all(map(is_, now, self.values)):
            return ""
        change = _difference(self.path, self.names, self.values, now)
        if not change:
            self.values = now
        return change


class Attributes:
    """The attributes of an object; with `names`, only those."""

    def __init__(self, owner: Any, names: Iterable[str] | None, path: str) -> None:
        self.owner, self.names, self.path = owner, names, path
        self.before = dict(self._now())

    def _now(self) -> Iterator[tuple[str, Any]]:
        names = self.names
        if isinstance(self.owner, Module):
            yield "training", self.owner.training  # at first that of the class
        for name, value in attributes_of(self.owner):
            if name not in BOOKKEEPING and (names is None or name in names):
                yield name, value

    def change(self) -> str:
        """What differs now, or nothing."""
        now, before = dict(self._now()), self.before
        prefix = f"{self.path or type(self.owner).__name__}."
        if now.keys() != before.keys():
            name = next(iter(now.keys() ^ before.keys()))
            return f"{prefix}{name} is new or gone"
        names = tuple(now)
        return _difference(prefix, names, [before[n] for n in names], now.values())


class Elements:
    """The elements of a list, tuple, dict or set."""

    def __init__(self, owner: Any, path: str) -> None:
        self.owner, self.path = owner, path
        self.keys = list(owner) if isinstance(owner, dict) else []
        self.values = self._now()

    def _now(self) -> list[Any]:
        owner = self.owner
        return list(owner.values()) if isinstance(owner, dict) else list(owner)

    def change(self) -> str:
        """What differs now, or nothing."""
        now = self._now()
        if len(now) != len(self.values):
            return f"{self.path} has {len(now)} elements, not {len(self.values)}"
        if isinstance(self.owner, dict) and list(self.owner) != self.keys:
            return f"{self.path} has other keys"
        if all(map(is_, now, self.values)):
            return ""
        names = [f"[{i}]" for i in range(len(now))]
        return _difference(self.path, names, self.values, now)


class Contents:
    """The elements of a NumPy array, which becomes a constant of the program.

    Only of arrays up to 64 KiB; comparing larger ones would cost more than it helps.
    """

    def __init__(self, owner: np.ndarray[Any, Any], path: str) -> None:
        self.owner, self.path = owner, path
        self.values = owner.tobytes() if owner.nbytes <= MAX_COMPARED_BYTES else None

    def change(self) -> str:
        """What differs now, or nothing."""
        if self.values is None or self.owner.tobytes() == self.values:
            return ""
        return f"the array {self.path} has other elements"


class Cells:
    """The variables that a function shares with the one around it."""

    def __init__(self, function: FunctionType, path: str) -> None:
        self.cells = function.__closure__ or ()
        self.names = function.__code__.co_freevars
        self.values = list(map(_contents, self.cells))

    def change(self) -> str:
        """What differs now, or nothing."""
        now = list(map(_contents, self.cells))
        if all(map(is_, now, self.values)):
            return ""
        return _difference("", self.names, self.values, now)


Guard = Items | Attributes | Elements | Contents | Cells


class Guards:
    """All of them for one program."""

    def __init__(self, found: Iterable[Guard]) -> None:
        found = list(found)
        self._modules = [g for g in found if _is_of_module(g)]
        self._others = [g for g in found if not _is_of_module(g) and not _is_empty(g)]
        self._module_changes = tracing.module_changes

    def change(self) -> str:
        """The first thing that is not as it was, or nothing."""
        for guard in self._others:
            if change := guard.change():
                return change
        changes = tracing.module_changes
        if changes != self._module_changes:
            for guard in self._modules:
                if change := guard.change():
                    return change
            self._module_changes = changes
        return ""


def attributes_of(owner: Any) -> list[tuple[str, Any]]:
    """Names and values, those in slots included."""
    found = list(getattr(owner, "__dict__", {}).items())
    if isinstance(owner, type):
        return found
    for base in type(owner).__mro__:
        slots = vars(base).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if not name.startswith("__") and hasattr(owner, name):
                found.append((name, getattr(owner, name)))
    return found


def _is_of_module(guard: Guard) -> bool:
    return isinstance(guard, Attributes) and isinstance(guard.owner, Module)


def _is_empty(guard: Guard) -> bool:
    match guard:
        case Items(names=()) | Elements(owner=()):
            return True
        case Attributes(before=before):
            return not before and guard.names is not None
    return False


def _contents(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _difference(
    prefix: str, names: Iterable[str], before: Iterable[Any], now: Iterable[Any]
) -> str:
    for name, a, b in zip(names, before, now, strict=True):
        if a is b:
            continue
        if type(a) is type(b) and isinstance(a, _SCALARS):
            if repr(a) != repr(b):  # as 0.0 and -0.0 do, and NaN does not
                return f"{prefix}{name} was {a!r} and is {b!r}"
        elif isinstance(a, _SCALARS) and isinstance(b, _SCALARS):
            return f"{prefix}{name} was {a!r} and is {b!r}"
        else:
            return f"{prefix}{name} is another object"
    return ""
