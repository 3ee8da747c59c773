"""What modules call their parameters, for graphs and generated code."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from pyflame.node import Leaf
from pyflame.source import assigned_name, naming_place_of

_names: WeakKeyDictionary[Leaf, tuple[str, Any]] = WeakKeyDictionary()


def remember(leaf: Leaf, name: str, traceback: Any) -> None:
    """A module has a parameter of this name, whatever its values will be; the first
    name stays. `traceback` leads to the user's line that made it."""
    _names.setdefault(leaf, (name, traceback))


def parameter_name(leaf: Leaf | None) -> str | None:
    """`fc1_weight` for the weight made by `self.fc1 = Linear(...)`; None if no module
    has it, or under a name that is no identifier."""
    if leaf is None or leaf not in _names:
        return None
    name, traceback = _names[leaf]
    owner = assigned_name(naming_place_of(traceback))
    whole = name if owner in (None, name) else f"{owner}_{name}"
    return whole if whole.isidentifier() else None
