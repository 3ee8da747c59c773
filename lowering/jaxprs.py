"""What depends on JAX's version: tracing, walking, source places, dead code.

A jaxpr is interpreted in one way everywhere: an environment, a loop over equations, and
a function that evaluates one equation. Under `trace` the same loop rewrites a jaxpr.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import linecache
import re
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax.extend import source_info_util
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn, Literal, Var, jaxpr_as_fun

from lowering.errors import LoweringError, Place
from lowering.placement import type_text

__all__ = [
    "ClosedJaxpr",
    "EvaluateEquation",
    "Jaxpr",
    "JaxprEqn",
    "Literal",
    "Var",
    "bind",
    "called_jaxpr",
    "donated_inputs",
    "drop_dead_equations",
    "dtype_of",
    "from_source_of",
    "hide_frames",
    "interpret",
    "is_literal",
    "jaxpr_as_fun",
    "literal_value",
    "place_of",
    "shape_of",
    "sub_jaxprs",
    "trace",
    "type_of",
    "with_sub_jaxprs",
]

_SUMMARY = re.compile(r"^(?P<file>.*?):(?P<line>\d+)(?::\d+)? \(.*\)$")
_TEXT_LIMIT = 72  # characters of a user's line that an error shows

# Primitives that only call another jaxpr, under all the names JAX has given them.
_CALLS = frozenset(
    "jit pjit closed_call core_call call custom_jvp_call custom_vjp_call "
    "custom_vjp_call_jaxpr checkpoint remat remat2".split()
)
_CONTROL_FLOW = frozenset({"scan", "while", "cond"})
_CALLED_PARAMS = ("jaxpr", "call_jaxpr", "fun_jaxpr")

EvaluateEquation = Callable[[JaxprEqn, list[Any]], Sequence[Any]]


def hide_frames(path: str) -> None:
    """Keeps files under `path` from being taken for the user's source."""
    source_info_util.register_exclusion(path)


hide_frames(str(Path(__file__).parent) + "/")


def trace(function: Callable[..., Any], avals: Sequence[Any]) -> ClosedJaxpr:
    """The jaxpr of `function` for arguments of these shapes and dtypes."""
    specs = [jax.ShapeDtypeStruct(aval.shape, aval.dtype) for aval in avals]
    return jax.make_jaxpr(function)(*specs)


def interpret(
    jaxpr: Jaxpr,
    consts: Sequence[Any],
    args: Sequence[Any],
    evaluate: EvaluateEquation,
    read_literal: Callable[[Literal], Any] | None = None,
) -> list[Any]:
    """Runs `jaxpr` with `evaluate` for its equations; gives the outputs.

    `evaluate` gets an equation and its operands and gives one result per output.
    Raises: what `evaluate` raises; a LoweringError gets the equation's place.
    """
    env: dict[Var, Any] = dict(zip(jaxpr.constvars, consts, strict=True))
    env.update(zip(jaxpr.invars, args, strict=True))
    of_literal = read_literal or literal_value

    def read(atom: Any) -> Any:
        return of_literal(atom) if isinstance(atom, Literal) else env[atom]

    for eqn in jaxpr.eqns:
        with from_source_of(eqn):
            results = evaluate(eqn, [read(atom) for atom in eqn.invars])
        env.update(zip(eqn.outvars, results, strict=True))
    return [read(atom) for atom in jaxpr.outvars]


def bind(
    eqn: JaxprEqn, args: Sequence[Any], params: dict[str, Any] | None = None
) -> list[Any]:
    """Stages the equation again, on other operands or with other parameters."""
    results = eqn.primitive.bind(*args, **(params or eqn.params))
    return list(results) if eqn.primitive.multiple_results else [results]


@contextmanager
def from_source_of(eqn: JaxprEqn) -> Generator[None]:
    """Gives everything staged inside the user's line of `eqn`.

    An equation without one, from inside a library function, keeps that of its caller.
    A LoweringError that leaves without a place gets this equation's: the innermost
    equation is the one that knows.
    """
    error: LoweringError | None = None
    info = eqn.source_info
    traceback = source_info_util.current().traceback
    if place_of(eqn) is not None:
        traceback = info.traceback
    stack = source_info_util.current_name_stack() + info.name_stack
    with source_info_util.user_context(traceback, name_stack=stack):
        try:
            yield
        except LoweringError as raised:
            error = raised
    if error is not None:
        error.place = error.place or place_of(eqn)
        raise error


def place_of(eqn: JaxprEqn) -> Place | None:
    """The user's line that staged `eqn`, or None if JAX did not record one."""
    summary = source_info_util.summarize(eqn.source_info)
    match = _SUMMARY.match(summary)
    if match is None:
        return None
    file, line = match["file"], int(match["line"])
    text = linecache.getline(file, line).strip()
    if len(text) > _TEXT_LIMIT:
        text = text[: _TEXT_LIMIT - 4] + " ..."
    return Place(file, line, text)


def called_jaxpr(eqn: JaxprEqn) -> ClosedJaxpr | None:
    """The jaxpr that `eqn` merely calls (jit, custom_jvp, remat, ...), or None."""
    if eqn.primitive.name not in _CALLS:
        return None
    for name in _CALLED_PARAMS:
        if name in eqn.params:
            return _closed(eqn.params[name])
    raise AssertionError(f"{eqn.primitive.name} calls nothing: {list(eqn.params)}")


def donated_inputs(closed: ClosedJaxpr) -> frozenset[int]:
    """The numbers of the inputs that a jaxpr gives away.

    Those of one call of a function that is jitted so (`donate_argnums`), if that is all
    there is.
    """
    eqns = closed.jaxpr.eqns
    donated = eqns[0].params.get("donated_invars") if len(eqns) == 1 else None
    if not donated:
        return frozenset()
    given = {
        atom for atom, is_given in zip(eqns[0].invars, donated, strict=True) if is_given
    }
    return frozenset(n for n, var in enumerate(closed.jaxpr.invars) if var in given)


def sub_jaxprs(eqn: JaxprEqn) -> list[ClosedJaxpr]:
    """Every jaxpr among the parameters of `eqn`, branches in order."""
    found: list[ClosedJaxpr] = []
    for value in eqn.params.values():
        candidates = value if isinstance(value, (tuple, list)) else [value]
        found += [_closed(c) for c in candidates if isinstance(c, Jaxpr | ClosedJaxpr)]
    return found


def with_sub_jaxprs(
    eqn: JaxprEqn, change: Callable[[ClosedJaxpr], ClosedJaxpr]
) -> dict[str, Any]:
    """The parameters of `eqn`, every jaxpr among them changed by `change`.

    A changed jaxpr has the inputs and outputs that it had.
    """

    def changed(value: Any) -> Any:
        if isinstance(value, Jaxpr | ClosedJaxpr):
            return change(_closed(value))
        if isinstance(value, (tuple, list)):
            items: Sequence[Any] = value
            return type(items)(map(changed, items))  # pyright: ignore[reportCallIssue]
        return value

    return {name: changed(value) for name, value in eqn.params.items()}


def drop_dead_equations(closed: ClosedJaxpr) -> ClosedJaxpr:
    """The same jaxpr without equations and constants that no output needs.

    Equations with effects stay. Inside loops and branches the same is done, for the
    outputs that these have.
    """
    jaxpr = closed.jaxpr
    live = {atom for atom in jaxpr.outvars if isinstance(atom, Var)}
    kept: list[JaxprEqn] = []
    for eqn in reversed(jaxpr.eqns):
        if eqn.effects or any(var in live for var in eqn.outvars):
            if eqn.primitive.name in _CONTROL_FLOW:
                eqn = eqn.replace(params=with_sub_jaxprs(eqn, drop_dead_equations))
            kept.append(eqn)
            live.update(atom for atom in eqn.invars if isinstance(atom, Var))
    consts = [
        (var, value)
        for var, value in zip(jaxpr.constvars, closed.consts, strict=True)
        if var in live
    ]
    slim = jaxpr.replace(eqns=kept[::-1], constvars=[var for var, _ in consts])
    return ClosedJaxpr(slim, [value for _, value in consts])


def is_literal(atom: Any) -> bool:
    """Whether an operand is a number in the jaxpr's own text."""
    return isinstance(atom, Literal)


def literal_value(literal: Literal) -> Any:
    """The NumPy scalar (or array) of a literal, in its own dtype."""
    return np.asarray(literal.val, dtype=dtype_of(literal))[()]


def shape_of(atom: Any) -> tuple[int, ...]:
    """The shape of a variable or literal."""
    return tuple(atom.aval.shape)


def dtype_of(atom: Any) -> Any:
    """The dtype of a variable or literal."""
    return atom.aval.dtype


def type_of(atom: Any) -> str:
    """`f32[7,33]` of a variable or literal."""
    return type_text(shape_of(atom), dtype_of(atom))


def _closed(jaxpr: Any) -> ClosedJaxpr:
    return jaxpr if isinstance(jaxpr, ClosedJaxpr) else ClosedJaxpr(jaxpr, [])
