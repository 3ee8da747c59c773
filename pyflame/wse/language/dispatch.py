"""Evaluation by kind of syntax node. The rules register themselves here, so that
they can call each other without importing each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from pyflame.wse.language import tree
from pyflame.wse.language.code import Expression
from pyflame.wse.language.diagnostics import fail
from pyflame.wse.language.state import Frame, Jump
from pyflame.wse.language.types import Type

Evaluator = Callable[[Frame, Any, Type | None], Expression]
Executor = Callable[[Frame, Any], Jump | None]

_EVALUATORS: dict[type, Evaluator] = {}
_EXECUTORS: dict[type, Executor] = {}
E = TypeVar("E", bound=Evaluator)
X = TypeVar("X", bound=Executor)


def evaluates(*kinds: type[tree.Expression]) -> Callable[[E], E]:
    """Registers the rule that evaluates these kinds of expression."""

    def register(rule: E) -> E:
        for kind in kinds:
            _EVALUATORS[kind] = rule
        return rule

    return register


def executes(*kinds: type[tree.Statement]) -> Callable[[X], X]:
    """Registers the rule that executes these kinds of statement."""

    def register(rule: X) -> X:
        for kind in kinds:
            _EXECUTORS[kind] = rule
        return rule

    return register


def evaluate(
    frame: Frame, node: tree.Expression, expected: Type | None = None
) -> Expression:
    """The operand an expression stands for: a Constant if known at comptime.

    `expected` is a hint for expressions whose parts have no type of their own; the
    caller still coerces.
    """
    rule = _EVALUATORS.get(type(node))
    if rule is None:
        fail(f"'{type(node).__name__}' is not allowed here", node.span)
    return rule(frame, node, expected)


def execute(frame: Frame, statement: tree.Statement) -> Jump | None:
    """Runs a statement now (comptime) or generates it; None: control goes on."""
    if frame.comptime:
        frame.program.spend(statement.span)
    return _EXECUTORS[type(statement)](frame, statement)
