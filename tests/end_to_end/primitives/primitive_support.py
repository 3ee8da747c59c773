"""What the compiler does with each primitive, asked of the compiler itself."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

import jax
import numpy as np
from primitive_programs import DTYPES, PROGRAMS, Program

from lowering import jaxprs
from lowering.cases import Case
from lowering.errors import LoweringError
from lowering.lower import Lowered, lower
from lowering.mesh import Layout, Mesh
from lowering.normalise import all_rewrites, random_keys
from lowering.normalise.check import supported_primitives
from lowering.normalise.complex_pairs import COMPLEX_RULES
from lowering.normalise.core_set import CONTROL_FLOW, OF_KEYS
from lowering.normalise.registry import REWRITES
from lowering.partition import control_flow, rules
from lowering.partition.registry import RULES

MESH = Mesh(2, 2)
_SIZES = {"n": 7, "m": 16, "k": 5}


@dataclass(frozen=True)
class Support:
    """A row: `dtypes` compile, `refused` do not though JAX has them; short names."""

    primitive: str
    dtypes: tuple[str, ...]
    refused: tuple[str, ...]
    steps: tuple[str, ...]


def listed() -> list[str]:
    """The primitives of the table, in order.

    The compiler also knows names that this version of JAX does not use.
    """
    return [name for name in supported_primitives() if _dtypes_in_jax(name)]


def names_in(closed: Any) -> Iterator[str]:
    """Names of all primitives in a jaxpr and those inside it, calls left out."""
    for eqn in closed.jaxpr.eqns:
        called = jaxprs.called_jaxpr(eqn)
        if called is not None:
            yield from names_in(called)
            continue
        yield eqn.primitive.name
        for nested in jaxprs.sub_jaxprs(eqn):
            yield from names_in(nested)


def _dtypes_in_jax(name: str) -> list[str]:
    """The dtypes, by their short names, that JAX has the primitive for."""
    if name not in PROGRAMS:
        return []
    return list(_distinct_programs(name))


@cache
def _distinct_programs(name: str) -> dict[str, Any]:
    """The staged program by dtype; one entry if the dtype does not matter."""
    program = PROGRAMS[name]
    fixed = not any(operand.startswith("d[") for operand in program.operands)
    wanted = [program.operands[0].split("[")[0]] if fixed else list(DTYPES)
    staged = {dtype: program.staged(dtype) for dtype in wanted}
    found = {d: s for d, s in staged.items() if s and name in set(names_in(s))}
    return {d: s for d, s in found.items() if _has_machine_code(program, d)}


def _has_machine_code(program: Program, dtype: str) -> bool:
    """Whether JAX can compile the program for the CPU; staging asks for less."""
    try:
        jax.jit(program.function).lower(*program.specs(dtype)).compile()
    except (
        ArithmeticError,
        NotImplementedError,
        TypeError,
        ValueError,
        jax.errors.JaxRuntimeError,
    ):
        return False
    return True


def compiled(name: str, dtypes: Iterable[str]) -> Lowered:
    """The primitive's program for these dtypes, as one, on 2x2 PEs.

    Raises: LoweringError, if it is not supported for one of them.
    """
    program = PROGRAMS[name]
    specs = [program.specs(dtype) for dtype in dtypes]

    def together(*groups: Any) -> list[Any]:
        return [program.function(*group) for group in groups]

    closed = jax.make_jaxpr(together)(*specs)
    return lower(
        closed,
        in_names=[f"x{i}" for i in range(len(closed.in_avals))],
        out_names=[f"y{i}" for i in range(len(closed.out_avals))],
        mesh=MESH,
        in_layouts=[Layout("grid", *MESH.extent)] * len(closed.in_avals),
        target="wse3",
    )


def support(name: str) -> Support:
    """Compiles the primitive's program for every dtype that JAX has it for."""
    dtypes = _dtypes_in_jax(name)
    together = _attempt(name, dtypes)
    if together is not None:
        return Support(name, tuple(dtypes), (), _steps([together]))
    results = {dtype: _attempt(name, [dtype]) for dtype in dtypes}
    lowered = [result for result in results.values() if result is not None]
    return Support(
        name,
        tuple(dtype for dtype, result in results.items() if result is not None),
        tuple(dtype for dtype, result in results.items() if result is None),
        _steps(lowered),
    )


def _steps(lowered: list[Lowered]) -> tuple[str, ...]:
    """The kinds of steps, without those that frame others."""
    steps = {type(step).__name__ for each in lowered for step in each.plan.steps}
    return tuple(sorted(steps - _FLOW))


# Steps that frame others: loops, branches and calls.
_FLOW = frozenset({"LoopStart", "LoopEnd", "BranchStart", "BranchEnd"})


def _attempt(name: str, dtypes: list[str]) -> Lowered | None:
    try:
        return compiled(name, dtypes)
    except LoweringError:
        return None


def kind(name: str) -> str:
    """How the compiler takes a primitive."""
    if name in CONTROL_FLOW:
        return "control flow"
    if name in REWRITES or name in OF_KEYS:
        return "rewritten"
    return "core" if name in RULES else "on pairs"


def rule_of(name: str) -> Callable[..., Any]:
    """The function that says what the primitive becomes."""
    if name in CONTROL_FLOW:
        return getattr(control_flow, f"{name}_" if name == "while" else name)
    if name in OF_KEYS:
        return on_words
    for table in (REWRITES, RULES, COMPLEX_RULES):
        if name in table:
            return table[name]
    raise KeyError(name)


def on_words() -> None:
    """On the words of the keys, as the generator of their kind does."""


def first_sentence(rule: Callable[..., Any]) -> str:
    """What the rule's docstring opens with; empty if it has none."""
    paragraph = " ".join((inspect.getdoc(rule) or "").partition("\n\n")[0].split())
    return re.split(r"(?<=\.)\s(?=[A-Z])", paragraph)[0].rstrip(".")


@lru_cache(maxsize=1)
def cases_by_primitive() -> dict[str, list[str]]:
    """Names of the cases beside the rules that have a primitive in them."""
    found: dict[str, list[str]] = {}
    for case in _all_cases():
        random = np.random.default_rng(0)
        staged = jax.make_jaxpr(case.function)(*case.arrays(_SIZES, random))
        for name in sorted(set(names_in(staged))):
            found.setdefault(name, []).append(case.name)
    return found


def _all_cases() -> list[Case]:
    names = [module.name for module in iter_modules(rules.__path__, "")]
    modules = [import_module(f"{rules.__name__}.{name}") for name in names]
    rewrites = [x for x in vars(all_rewrites).values() if isinstance(x, ModuleType)]
    files = [control_flow, *modules, random_keys, *rewrites]
    return [case for file in files for case in getattr(file, "CASES", [])]
