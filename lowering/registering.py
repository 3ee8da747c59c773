"""Tables of rules by the names of primitives, filled where the rules are written."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Rule = TypeVar("Rule")


def registering(
    table: dict[str, Rule], names: tuple[str, ...]
) -> Callable[[Rule], Rule]:
    """A decorator that puts the function into the table under these names, each of
    which has one."""

    def register(rule: Rule) -> Rule:
        for name in names:
            assert name not in table, f"{name} has two rules"
            table[name] = rule
        return rule

    return register
