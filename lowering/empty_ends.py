"""Inputs and outputs without elements: the host has them, the wafer does not."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from lowering import jaxprs
from lowering.placement import Placement

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class EmptyEnds:
    """Where the inputs and outputs of no elements would lie, by their numbers."""

    inputs: Mapping[int, Placement]
    outputs: Mapping[int, Placement]

    @classmethod
    def of(cls, closed: jaxprs.ClosedJaxpr) -> EmptyEnds:
        return cls(_empty(closed.in_avals), _empty(closed.out_avals))

    def trimmed(self, closed: jaxprs.ClosedJaxpr) -> jaxprs.ClosedJaxpr:
        """The normalised program without them; nothing in it reads them."""
        if not self.inputs and not self.outputs:
            return closed

        def program(*kept: Any) -> list[Any]:
            values = iter(kept)
            args = [
                np.zeros(aval.shape, aval.dtype)
                if number in self.inputs
                else next(values)
                for number, aval in enumerate(closed.in_avals)
            ]
            results = jaxprs.interpret(closed.jaxpr, closed.consts, args, jaxprs.bind)
            return list(self.kept_outputs(results))

        avals = self.kept_inputs(closed.in_avals)
        return jaxprs.drop_dead_equations(jaxprs.trace(program, avals))

    def kept_inputs(self, values: Iterable[T]) -> tuple[T, ...]:
        """Of one value per input, those of inputs with elements."""
        return tuple(v for n, v in enumerate(values) if n not in self.inputs)

    def kept_outputs(self, values: Iterable[T]) -> tuple[T, ...]:
        return tuple(v for n, v in enumerate(values) if n not in self.outputs)

    def kept_pairs(self, carry: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
        """Carried values, by the numbers that the others have among themselves."""
        return [
            (_renumbered(source, self.inputs), _renumbered(result, self.outputs))
            for source, result in carry
            if source not in self.inputs
        ]

    def kept_numbers(self, donated: Collection[int]) -> frozenset[int]:
        """Numbers of inputs, likewise."""
        kept = set(donated) - self.inputs.keys()
        return frozenset(_renumbered(number, self.inputs) for number in kept)


NO_EMPTY_ENDS = EmptyEnds({}, {})


def _renumbered(number: int, gone: Mapping[int, Placement]) -> int:
    return number - sum(other < number for other in gone)


def _empty(avals: Sequence[Any]) -> dict[int, Placement]:
    return {
        number: Placement(
            aval.shape, np.dtype(aval.dtype), (None,) * len(aval.shape), (1, 1)
        )
        for number, aval in enumerate(avals)
        if 0 in aval.shape
    }
