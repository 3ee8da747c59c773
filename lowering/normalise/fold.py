"""Equations that need not run: views of what their operands already are.

A fold looks at an equation, its operands, and the equations those came from. It gives
the value to use instead, staging a cheaper equation if need be, or None.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jax import lax

from lowering import jaxprs
from lowering.normalise.core_set import BINARY


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


Fold = Callable[[jaxprs.JaxprEqn, list[Any], Origins], Any]


def fold(closed: jaxprs.ClosedJaxpr) -> jaxprs.ClosedJaxpr:
    """The same values by fewer or cheaper equations; dead ones are left in."""
    jaxpr = closed.jaxpr
    uses = Counter(
        atom
        for atoms in [*(eqn.invars for eqn in jaxpr.eqns), jaxpr.outvars]
        for atom in atoms
        if not jaxprs.is_literal(atom)
    )

    def run(*args: Any) -> list[Any]:
        origins = Origins(uses)

        def evaluate(eqn: jaxprs.JaxprEqn, operands: list[Any]) -> list[Any]:
            results = _fold_equation(eqn, operands, origins)
            if results is None:
                results = jaxprs.bind(eqn, operands)
                if len(results) == 1:
                    origins.record(results[0], eqn, operands)
            return results

        return jaxprs.interpret(jaxpr, closed.consts, args, evaluate)

    return jaxprs.trace(run, jaxpr.in_avals)


def _fold_equation(
    eqn: jaxprs.JaxprEqn, args: list[Any], origins: Origins
) -> list[Any] | None:
    for applies_to, rule in _FOLDS:
        if eqn.primitive.name in applies_to:
            result = rule(eqn, args, origins)
            if result is not None:
                return [result]
    return None


def _drop_no_op(eqn: jaxprs.JaxprEqn, args: list[Any], origins: Origins) -> Any:
    """A change of shape or dtype that changes nothing."""
    del origins
    before, after = eqn.invars[0], eqn.outvars[0]
    if eqn.primitive.name == "transpose":
        unchanged = list(eqn.params["permutation"]) == sorted(eqn.params["permutation"])
    else:
        unchanged = jaxprs.shape_of(before) == jaxprs.shape_of(after)
    same_dtype = jaxprs.dtype_of(before) == jaxprs.dtype_of(after)
    return args[0] if unchanged and same_dtype else None


_NEUTRAL = {"mul": 1.0, "div": 1.0, "max": -np.inf, "min": np.inf}


def _drop_neutral(eqn: jaxprs.JaxprEqn, args: list[Any], origins: Origins) -> Any:
    """x*1, x/1, max(x, -inf), min(x, inf): exact for every x, NaN included."""
    del origins
    return _neutral_dropped(eqn, args)


def _neutral_dropped(eqn: jaxprs.JaxprEqn, args: list[Any]) -> Any:
    neutral = _NEUTRAL[eqn.primitive.name]
    for position in (1,) if eqn.primitive.name == "div" else (0, 1):
        other = args[1 - position]
        is_whole = np.shape(other) == jaxprs.shape_of(eqn.outvars[0])
        if is_whole and _is_number(args[position], neutral):
            return other
    return None


def _is_number(value: Any, number: float) -> bool:
    return isinstance(value, np.generic) and bool(value == number)


def _use_scalars(eqn: jaxprs.JaxprEqn, args: list[Any], origins: Origins) -> Any:
    """An operand that is one number everywhere is passed as that number."""
    shape = jaxprs.shape_of(eqn.outvars[0])
    for position, value in enumerate(args):
        origin = origins.of(value, "broadcast_in_dim")
        if (
            origin
            and np.shape(origin[1][0]) == ()
            and np.shape(args[1 - position]) == shape
        ):
            return _with_scalar(eqn, args, position, origin[1][0])
    return None


def _with_scalar(
    eqn: jaxprs.JaxprEqn, args: list[Any], position: int, scalar: Any
) -> Any:
    operands = [*args[:position], scalar, *args[position + 1 :]]
    if eqn.primitive.name in _NEUTRAL:
        remaining = _neutral_dropped(eqn, operands)
        if remaining is not None:
            return remaining
    return jaxprs.bind(eqn, operands)[0]


def _choose_case(eqn: jaxprs.JaxprEqn, args: list[Any], origins: Origins) -> Any:
    """A selection by a constant is the case it selects."""
    del eqn, origins
    which, *cases = args
    return cases[int(which)] if isinstance(which, np.generic) else None


def _join_broadcasts(eqn: jaxprs.JaxprEqn, args: list[Any], origins: Origins) -> Any:
    """A broadcast of a broadcast is one broadcast."""
    origin = origins.of(args[0], "broadcast_in_dim")
    if origin is None:
        return None
    outer = eqn.params["broadcast_dimensions"]
    inner = origin[0].params["broadcast_dimensions"]
    return lax.broadcast_in_dim(
        origin[1][0], eqn.params["shape"], [outer[dim] for dim in inner]
    )


def _join_transposes(eqn: jaxprs.JaxprEqn, args: list[Any], origins: Origins) -> Any:
    """The transpose of a transpose is one transpose, or none."""
    origin = origins.of(args[0], "transpose")
    if origin is None:
        return None
    first, second = origin[0].params["permutation"], eqn.params["permutation"]
    joined = [first[dim] for dim in second]
    if joined == sorted(joined):
        return origin[1][0]
    return lax.transpose(origin[1][0], joined)


def _transpose_dot(eqn: jaxprs.JaxprEqn, args: list[Any], origins: Origins) -> Any:
    """(A B)^T is B^T A^T: the operands change places."""
    origin = origins.of(args[0], "dot_general")
    if origin is None or not origins.is_used_once(origin[0]):
        return None
    dot, (left, right) = origin
    (left_dims, right_dims), batch = dot.params["dimension_numbers"]
    if any(map(len, batch)):
        return None
    return _dot_like(dot, right, left, ((right_dims, left_dims), batch))


def _dot_transposed(eqn: jaxprs.JaxprEqn, args: list[Any], origins: Origins) -> Any:
    """A transposed operand is the operand, contracted along its other dimension."""
    (left_dims, right_dims), batch = eqn.params["dimension_numbers"]
    if any(map(len, batch)):
        return None
    dims = [list(left_dims), list(right_dims)]
    operands = list(args)
    for position, value in enumerate(args):
        origin = origins.of(value, "transpose")
        if origin is not None:
            operands[position] = origin[1][0]
            dims[position] = [1 - dims[position][0]]
    if all(new is old for new, old in zip(operands, args, strict=True)):
        return None
    left, right = operands
    return _dot_like(eqn, left, right, ((dims[0], dims[1]), batch))


def _dot_like(eqn: jaxprs.JaxprEqn, left: Any, right: Any, numbers: Any) -> Any:
    (left_dims, right_dims), batch = numbers
    return lax.dot_general(
        left,
        right,
        ((tuple(left_dims), tuple(right_dims)), batch),
        preferred_element_type=eqn.params["preferred_element_type"],
    )


_SHAPERS = frozenset(
    {"transpose", "reshape", "broadcast_in_dim", "convert_element_type", "slice"}
)
_FOLDS: list[tuple[frozenset[str], Fold]] = [
    (_SHAPERS, _drop_no_op),
    (frozenset(_NEUTRAL), _drop_neutral),
    (BINARY, _use_scalars),
    (frozenset({"select_n"}), _choose_case),
    (frozenset({"broadcast_in_dim"}), _join_broadcasts),
    (frozenset({"transpose"}), _join_transposes),
    (frozenset({"transpose"}), _transpose_dot),
    (frozenset({"dot_general"}), _dot_transposed),
]
