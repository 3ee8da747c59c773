"""Core primitives that are core in some forms only: the others are rewritten.

A conditional rewrite says whether an equation is in a form that it takes, and evaluates
it by others. Several may apply to one primitive: the first that does is used.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from lowering import jaxprs

Applies = Callable[[jaxprs.JaxprEqn], bool]
Evaluate = Callable[[jaxprs.JaxprEqn, list[Any]], Sequence[Any]]

_CONDITIONAL: dict[str, list[tuple[Applies, Evaluate]]] = defaultdict(list)


def rewrites_where(applies: Applies, *names: str) -> Callable[[Evaluate], Evaluate]:
    """Registers the decorated function for equations of these primitives."""

    def register(evaluate: Evaluate) -> Evaluate:
        for name in names:
            _CONDITIONAL[name].append((applies, evaluate))
        return evaluate

    return register


def conditional_rewrite(eqn: jaxprs.JaxprEqn) -> Evaluate | None:
    """What evaluates the equation by others, or None if it is in a core form."""
    for applies, evaluate in _CONDITIONAL.get(eqn.primitive.name, ()):
        if applies(eqn):
            return evaluate
    return None
