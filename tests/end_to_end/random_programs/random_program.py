"""A random program: lines of Python, each of which JAX can compute."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from random_values import Value

from lowering import jaxprs

LAYOUTS = ("grid", "row_partition", "col_partition", "single_pe", "none")


@dataclass(frozen=True)
class Line:
    """`value.name = expression`, which names `operands`."""

    value: Value
    expression: str
    operands: tuple[str, ...]


@dataclass(frozen=True)
class Program:
    """Inputs with their layouts, lines, and the names of what is returned.

    A layout is one of LAYOUTS on the whole `mesh`, (rows, columns).
    """

    inputs: tuple[Value, ...]
    layouts: tuple[str, ...]
    lines: tuple[Line, ...]
    outputs: tuple[str, ...]
    mesh: tuple[int, int]
    target: str
    seed: int

    @property
    def values(self) -> dict[str, Value]:
        return {v.name: v for v in (*self.inputs, *(li.value for li in self.lines))}

    def text(self) -> str:
        """The program as a Python function."""
        names = ", ".join(value.name for value in self.inputs)
        body = [f"    {li.value.name} = {li.expression}" for li in self.lines]
        result = f"    return {', '.join(self.outputs)},"
        return "\n".join([f"def program({names}):", *body, result, ""])

    def function(self) -> Callable[..., Any]:
        return _defined(self.text())

    def arrays(self) -> list[np.ndarray[Any, Any]]:
        """Values for the inputs, the same each time."""
        random = np.random.default_rng(self.seed)
        return [_array(value, random) for value in self.inputs]

    def show(self) -> str:
        """The program with its inputs and where they lie, to run by hand."""
        rows, cols = self.mesh
        inputs = [
            f"# {v.name}: {v.dtype}{list(v.shape)} {layout}"
            for v, layout in zip(self.inputs, self.layouts, strict=True)
        ]
        where = f"# {rows}x{cols} PEs of {self.target}, data of seed {self.seed}"
        return "\n".join([where, *inputs, self.text()])


@dataclass(frozen=True)
class Staged:
    """What JAX makes of a line: the result's type, and names of its primitives."""

    shape: tuple[int, ...]
    dtype: str
    primitives: frozenset[str]


def staged(expression: str, operands: Iterable[Value]) -> Staged | None:
    """The line as JAX has it; None if it has it not."""
    known = {value.name: value for value in operands}
    text = f"def line({', '.join(known)}):\n    return {expression}\n"
    specs = [
        jax.ShapeDtypeStruct(value.shape, jnp.dtype(value.dtype))
        for value in known.values()
    ]
    try:
        closed = jax.make_jaxpr(_defined(text, "line"))(*specs)
    except (TypeError, ValueError, IndexError):
        return None
    (aval,) = closed.out_avals
    return Staged(aval.shape, str(aval.dtype), frozenset(_names(closed)))


def _names(closed: Any) -> Iterator[str]:
    """Names of all primitives in a jaxpr and those inside it, calls left out."""
    for eqn in closed.jaxpr.eqns:
        called = jaxprs.called_jaxpr(eqn)
        if called is not None:
            yield from _names(called)
            continue
        yield eqn.primitive.name
        for nested in jaxprs.sub_jaxprs(eqn):
            yield from _names(nested)


def without_dead_lines(program: Program) -> Program:
    """The lines and inputs that the outputs need."""
    needed = set(program.outputs)
    lines: list[Line] = []
    for line in reversed(program.lines):
        if line.value.name in needed:
            needed.update(line.operands)
            lines.insert(0, line)
    pairs = zip(program.inputs, program.layouts, strict=True)
    kept = [(value, layout) for value, layout in pairs if value.name in needed]
    return replace(
        program,
        inputs=tuple(value for value, _ in kept),
        layouts=tuple(layout for _, layout in kept),
        lines=tuple(lines),
    )


def _defined(text: str, name: str = "program") -> Callable[..., Any]:
    space: dict[str, Any] = {"jax": jax, "jnp": jnp, "lax": lax, "np": np}
    exec(text, space)
    return space[name]


def _array(value: Value, random: np.random.Generator) -> np.ndarray[Any, Any]:
    if value.dtype == "bool":
        return np.asarray(random.integers(0, 2, value.shape)).astype(bool)
    low = 0 if value.dtype.startswith("uint") else -int(value.bound)
    if value.exact:
        whole = random.integers(low, int(value.bound) + 1, value.shape)
        return np.asarray(whole).astype(jnp.dtype(value.dtype))
    real = random.uniform(-value.bound, value.bound, value.shape)
    return np.asarray(real).astype(jnp.dtype(value.dtype))
