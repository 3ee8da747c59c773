"""From nodes to one function, jitted once per graph structure.

`record` adds a node and works out its shape and dtype from a cache. `evaluate`
computes everything asked for in one call: the pending nodes become a structure (ops,
static arguments, input positions, avals of the data), and a structure becomes a jitted
function once. Numbers and data are inputs, so a changed learning rate changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
from jax.extend import source_info_util

from pyflame.grad_mode import switch as grad_switch
from pyflame.node import (
    MAX_PENDING_NODES,
    Aval,
    Node,
    Op,
    Static,
    aval_of,
    pending_inputs,
    walk,
)
from pyflame.source import hide_package_from_tracebacks

hide_package_from_tracebacks()

MAX_CACHED_STRUCTURES = 1024
MAX_CACHED_RESULTS = 65536


@dataclass
class Counts:
    """How often this process did the expensive things."""

    inferences: int = 0  # shape rules run
    traces: int = 0  # structures traced (and compiled)
    evaluations: int = 0  # jitted calls


counts = Counts()


class Step(NamedTuple):
    """An op on values numbered by position: the data first, then the steps."""

    op: Op
    static: Static
    inputs: tuple[int, ...]


class Structure(NamedTuple):
    """A graph without its values: what is compiled, and the key it is cached by."""

    data: tuple[Aval | None, ...]
    steps: tuple[Step, ...]
    outputs: tuple[int, ...]


_results: dict[Hashable, Aval] = {}


def record(op: Op, inputs: tuple[Node, ...], static: Static) -> Node:
    """A pending node for `op(*inputs, **static)`.

    Raises: whatever the op raises for these shapes, dtypes and static arguments.
    """
    key = (op, static, *[node.aval for node in inputs])
    aval = _results.get(key)
    if aval is None:
        if len(_results) >= MAX_CACHED_RESULTS:
            _results.clear()
        aval = _results[key] = _infer(op, inputs, static)
    traceback = source_info_util.current().traceback
    node = Node(op, inputs, static, aval, None, traceback)
    pending, tracked = 1, False
    for i in inputs:
        pending += i.pending_count
        tracked = tracked or i.tracked
    tracked = tracked and grad_switch.enabled
    node.tracked = aval.floating and (tracked or node.is_source)
    if pending >= MAX_PENDING_NODES:
        pending = _cut(node)
    node.pending_count = pending
    return node


def _infer(op: Op, inputs: tuple[Node, ...], static: Static) -> Aval:
    counts.inferences += 1
    structs = [node.aval.struct() for node in inputs if node.aval is not None]
    assert len(structs) == len(inputs), f"{op.__name__} of a value without a shape"
    return aval_of(jax.eval_shape(partial(op, **dict(static)), *structs))


def _cut(node: Node) -> int:
    """Counts the pending nodes exactly; computes the inputs if they are too many."""
    pending = [n for n in walk([node], pending_inputs) if n.value is None]
    if len(pending) >= MAX_PENDING_NODES:
        evaluate(node.inputs)
        return 1
    return len(pending)


def evaluate(targets: Sequence[Node]) -> None:
    """Gives the targets, and every pending node on the way that has a name, a value.

    One jitted call for all of them together.
    """
    wanted = {id(node) for node in targets}
    order = walk([node for node in targets if node.value is None], pending_inputs)
    if not order:
        return
    known = [node for node in order if node.value is not None]
    steps = [node for node in order if node.value is None]
    outputs = [node for node in steps if node.names or id(node) in wanted]
    counts.evaluations += 1
    with jax.ensure_compile_time_eval():
        values = _compiled(structure_of(known, steps, outputs))(
            *[node.value for node in known]
        )
    for node, value in zip(outputs, values, strict=True):
        node.value = value
        node.pending_count = 0


def structure_of(
    known: Sequence[Node], steps: Sequence[Node], outputs: Sequence[Node]
) -> Structure:
    """The structure of nodes in an order that has inputs before their users."""
    position = {id(node): i for i, node in enumerate([*known, *steps])}
    return Structure(
        tuple(node.aval for node in known),
        tuple(
            Step(_op(node), node.static, tuple(position[id(i)] for i in node.inputs))
            for node in steps
        ),
        tuple(position[id(node)] for node in outputs),
    )


def _op(node: Node) -> Op:
    assert node.op is not None, "a node without an op has a value"
    return node.op


@lru_cache(maxsize=MAX_CACHED_STRUCTURES)
def _compiled(structure: Structure) -> Callable[..., list[Any]]:
    def run(*values: Any) -> list[Any]:
        counts.traces += 1
        return replay(structure, values)

    return jax.jit(run)


def replay(
    structure: Structure, values: Sequence[Any], tracebacks: Sequence[Any] = ()
) -> list[Any]:
    """Applies the steps of a structure to the values of its data.

    With one traceback per step, JAX takes them for where the step was written.
    """
    env = list(values)
    for i, (op, static, inputs) in enumerate(structure.steps):
        arrays = [env[k] for k in inputs]
        if tracebacks:
            names = source_info_util.current_name_stack()
            with source_info_util.user_context(tracebacks[i], name_stack=names):
                env.append(apply_directly(op, arrays, static))
        else:
            env.append(apply_directly(op, arrays, static))
    return [env[k] for k in structure.outputs]


def apply_directly(op: Op, arrays: Sequence[Any], static: Static) -> Any:
    """The op on arrays or tracers, under a scope with its name."""
    with jax.named_scope(op.__name__):
        return op(*arrays, **dict(static))
