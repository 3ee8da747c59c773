"""Where values came from, while a jaxpr is staged again: what folds look at."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jax.core import Tracer

from lowering import jaxprs

_NEAR = 32  # equations


@dataclass(slots=True)
class Origins:
    """Which equation, with which operands, gave a value; and how often it is used."""

    uses: Counter[Any]
    known: dict[int, tuple[jaxprs.JaxprEqn, list[Any], Any]] = field(
        default_factory=lambda: {}
    )

    def record(self, value: Any, eqn: jaxprs.JaxprEqn, args: list[Any]) -> None:
        # The value is kept with its id, so that the id cannot be given out again.
        self.known.setdefault(id(value), (eqn, args, value))

    def of(self, value: Any, name: str) -> tuple[jaxprs.JaxprEqn, list[Any]] | None:
        """Equation and operands of `value`, if primitive `name` gave it."""
        eqn, args, _ = self.known.get(id(value), (None, [], None))
        if eqn is None or eqn.primitive.name != name:
            return None
        return eqn, args

    def is_used_once(self, eqn: jaxprs.JaxprEqn) -> bool:
        return self.uses[eqn.outvars[0]] == 1


class Repeats:
    """Equal equations: the second of two near each other has the value of the first.

    Values of what is farther apart are not kept: they would take memory all the while.
    """

    def __init__(self) -> None:
        self._number = 0
        self._last: dict[Any, tuple[int, list[Any], list[Any]]] = {}

    def before(self, eqn: jaxprs.JaxprEqn, args: list[Any]) -> list[Any] | None:
        """What an equal equation gave not long before."""
        self._number += 1
        number, _, results = self._last.get(_key(eqn, args), (-_NEAR, [], None))
        return results if self._number - number < _NEAR else None

    def note(
        self, eqn: jaxprs.JaxprEqn, args: list[Any], results: Sequence[Any]
    ) -> None:
        # Operands are kept with their ids, so that these cannot be given out again.
        self._last[_key(eqn, args)] = (self._number, args, list(results))


def _key(eqn: jaxprs.JaxprEqn, args: list[Any]) -> tuple[Any, ...]:
    params = tuple((name, str(value)) for name, value in sorted(eqn.params.items()))
    return (eqn.primitive.name, params, *map(identity, args))


def identity(value: Any) -> Any:
    """What tells a value from others: of a known number its bits, else what it is."""
    if isinstance(value, Tracer) or np.ndim(value):
        return id(value)
    known = np.asarray(value)
    return known.dtype.name, known.tobytes()


# Of an equation, its operands, and where they came from: what to use instead, or None.
Fold = Callable[[jaxprs.JaxprEqn, list[Any], Origins], Any]
