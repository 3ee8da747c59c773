"""What was recorded, as a closed jaxpr: of a whole graph, or of one of its nodes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jax

from lowering.jaxprs import ClosedJaxpr, JaxprEqn, Var
from pyflame import node as nodes
from pyflame.flops import equation_flops
from pyflame.node import Node
from pyflame.structure import Structure, replay, structure_of

_BUNDLES = ("region", "pull")


@dataclass(frozen=True)
class GraphProgram:
    """A program whose arguments are the values of `sources`; numbers are constants."""

    jaxpr: ClosedJaxpr
    sources: tuple[Node, ...]


def program_of(roots: Sequence[Node]) -> GraphProgram:
    """The program of some nodes: where they begin are its inputs, oldest first.

    Numbers are constants; so is what a forward pass has kept for its backward pass.
    """
    order = nodes.walk(roots, _operands)
    begins = [node for node in order if node.is_source]
    constants = [node for node in begins if node.is_literal or node.aval is None]
    fixed = {id(node) for node in constants}
    sources = sorted(
        (node for node in begins if id(node) not in fixed),
        key=lambda node: node.serial,
    )
    steps = [node for node in order if not node.is_source]
    structure = structure_of([*constants, *sources], steps, roots)
    values = [node.array() for node in constants]
    tracebacks = [node.traceback for node in steps]

    def program(*arrays: Any) -> list[Any]:
        return replay(structure, [*values, *arrays], tracebacks)

    jaxpr = jax.make_jaxpr(program)(*map(_struct, sources))
    return GraphProgram(jaxpr, tuple(sources))


Work = Mapping[str, int]


def work_of(wanted: Sequence[Node]) -> list[Work]:
    """The flops of each node from its operands, work that several share counted once,
    at the first of them. The nodes are one op, or gradients of one backward pass.

    Flops are listed by op; of gradients, by what they pass: `linear` for values that
    are needed on the way, `backward of linear` for the way back.
    """
    inside = {id(node) for node in wanted}

    def inputs_of(node: Node) -> Sequence[Node]:
        bundle = node.aval is None
        return node.inputs if bundle or id(node) in inside else ()

    order = nodes.walk(wanted, inputs_of)
    steps = [n for n in order if id(n) in inside or (n.aval is None and n.inputs)]
    taken = {id(node) for node in steps}
    known = [node for node in order if id(node) not in taken]
    structure = structure_of(known, steps, wanted)
    if all(node.aval is not None for node in known):
        return list(_structure_work(structure))
    return _work(structure, [_struct(node) for node in known])


def _operands(node: Node) -> tuple[Node, ...]:
    return () if node.is_source else node.inputs


def _struct(node: Node) -> Any:
    """Shape and dtype of a value; of each array in what a backward pass has kept."""
    if node.aval is not None:
        return node.aval.struct()
    return jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), node.value)


@lru_cache(maxsize=4096)
def _structure_work(structure: Structure) -> tuple[Work, ...]:
    structs = [aval.struct() for aval in structure.data if aval is not None]
    return tuple(_work(structure, structs))


def _work(structure: Structure, structs: Sequence[Any]) -> list[Work]:
    def program(*values: Any) -> list[Any]:
        return replay(structure, values)

    jaxpr = jax.make_jaxpr(program)(*structs).jaxpr
    makers = {var: eqn for eqn in jaxpr.eqns for var in eqn.outvars}
    done = set[int]()
    return [_work_behind(atom, makers, done) for atom in jaxpr.outvars]


def _work_behind(atom: Any, makers: dict[Var, JaxprEqn], done: set[int]) -> Work:
    """The flops of the equations that a value needs and that are not `done` yet."""
    work, waiting = Counter[str](), [atom]
    while waiting:
        needed = waiting.pop()
        eqn = makers.get(needed) if isinstance(needed, Var) else None
        if eqn is not None and id(eqn) not in done:
            done.add(id(eqn))
            work[_origin(eqn)] += equation_flops(eqn)
            waiting += eqn.invars
    return +work


def _origin(eqn: JaxprEqn) -> str:
    """The op that an equation belongs to, from the scopes that it was staged under:
    `linear`, `region/jvp(linear)`, or `pull/transpose(jvp(linear))`."""
    scopes = str(eqn.source_info.name_stack).split("/")
    op = scopes[1] if len(scopes) > 1 and scopes[0] in _BUNDLES else scopes[0]
    name = (re.findall(r"\w+", op) or ["gradient"])[-1]
    return f"backward of {name}" if op.startswith("transpose(") else name
