"""Large arrays that a program closes over: they become inputs with known values.

As text they would stand whole on every PE. As inputs they are placed like any other,
and the host copies them in before the launch.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from lowering import jaxprs

_LARGEST_TABLE_BYTES = 512  # what every PE may hold of a constant, as text

Array = np.ndarray[Any, Any]


def with_constants_as_inputs(
    closed: jaxprs.ClosedJaxpr,
) -> tuple[jaxprs.ClosedJaxpr, tuple[Array, ...]]:
    """The same program with large constants as further inputs, and their values."""
    consts = [np.asarray(const) for const in closed.consts]
    large = [number for number, const in enumerate(consts) if _is_large(const)]
    if not large:
        return closed, ()
    count = len(closed.jaxpr.invars)

    def program(*args: Any) -> list[Any]:
        given: list[Any] = list(consts)
        for number, value in zip(large, args[count:], strict=True):
            given[number] = value
        return jaxprs.interpret(closed.jaxpr, given, args[:count], jaxprs.bind)

    values = tuple(consts[number] for number in large)
    return jaxprs.trace(program, [*closed.in_avals, *values]), values


def constant_names(count: int, taken: Collection[str]) -> list[str]:
    """Names for the inputs that were constants, beside those of the program."""
    names: list[str] = []
    number = 1
    while len(names) < count:
        name = f"constant_{number}"
        if name not in taken:
            names.append(name)
        number += 1
    return names


def _is_large(const: Array) -> bool:
    return const.nbytes > _LARGEST_TABLE_BYTES and bool(np.any(const != const.flat[0]))
