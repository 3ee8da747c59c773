"""Walking typed code without knowing its node classes one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any, cast

from pyflame.wse.language import code

_NODES = (code.Expression, code.Statement)
_SKIPPED = frozenset({"type", "span"})
_field_names: dict[type, tuple[str, ...]] = {}


def walk(root: Any) -> Iterator[code.Expression | code.Statement]:
    """Every expression and statement below `root` (a node, or a list of them).

    In order of appearance; does not enter called functions.
    """
    stack: list[Any] = [root]
    while stack:
        item: Any = stack.pop()
        if isinstance(item, _NODES):
            yield item
            stack.extend(getattr(item, name) for name in reversed(_names(type(item))))
        elif isinstance(item, (list, tuple)):
            stack.extend(reversed(cast(list[Any], item)))
        elif isinstance(item, dict):
            stack.extend(reversed(cast(dict[str, Any], item).values()))


def _names(cls: type) -> tuple[str, ...]:
    names = _field_names.get(cls)
    if names is None:
        names = tuple(f.name for f in fields(cls) if f.name not in _SKIPPED)
        _field_names[cls] = names
    return names


def locals_of(function: code.Function) -> list[code.LocalVariable]:
    """Parameters and declared locals, each once, in order of appearance."""
    found = {id(p): p for p in function.params}
    for node in walk(function.body):
        match node:
            case code.Declare(variable=variable):
                found[id(variable)] = variable
            case code.ForRange() | code.ForEach():
                found[id(node.variable)] = node.variable
                if node.index is not None:
                    found[id(node.index)] = node.index
            case _:
                pass
    return list(found.values())
