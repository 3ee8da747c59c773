"""From nodes to one function, jitted once per graph structure.

`record` adds a node and works out its shape and dtype from a cache. `evaluate`
computes everything asked for in one call: the pending nodes become a structure (ops,
static arguments, input positions, avals of the data), and a structure becomes a jitted
function once. Numbers and data are inputs, so a changed learning rate changes nothing.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import jax
from jax.extend import source_info_util

from pyflame import tracing
from pyflame.errors import PyFlameError
from pyflame.grad_mode import switch as grad_switch
from pyflame.node import (
    MAX_PENDING_NODES,
    Aval,
    Node,
    Op,
    Static,
    aval_of,
    constant,
    needed,
    pending_inputs,
    split,
    walk,
)
from pyflame.ops import elementwise
from pyflame.regions import Pull, Region, cover, is_step
from pyflame.source import hide_package_from_tracebacks
from pyflame.structure import (
    MAX_CACHED_STRUCTURES,
    Structure,
    gradient,
    part,
    replay,
    structure_of,
)

hide_package_from_tracebacks()

MAX_CACHED_RESULTS = 65536


@dataclass
class Counts:
    """How often this process did the expensive things."""

    inferences: int = 0  # shape rules run
    recordings: int = 0  # functions of pf.jit run to record them
    traces: int = 0  # structures traced (and compiled)
    evaluations: int = 0  # jitted calls


counts = Counts()

# Computed once, these are data: a parameter does not hold its history.
FORGOTTEN_OPS = (elementwise.detach, gradient)


_results: dict[Hashable, Aval] = {}
_assigned: list[weakref.ref[Node]] = []


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
        if i.tracked:
            tracked = True
    if aval.floating:
        node.tracked = (tracked and grad_switch.enabled) or node.is_source
    if pending >= MAX_PENDING_NODES:
        pending = _cut(node)
    node.pending_count = pending
    return node


def _infer(op: Op, inputs: tuple[Node, ...], static: Static) -> Aval:
    counts.inferences += 1
    structs = [node.aval.struct() for node in inputs if node.aval is not None]
    assert len(structs) == len(inputs), f"{op.__name__} of a value without a shape"
    try:
        return aval_of(jax.eval_shape(partial(op, **dict(static)), *structs))
    except PyFlameError as error:
        error.__notes__ = []  # JAX's, about frames of its own
        raise


def _cut(node: Node) -> int:
    """Counts the pending nodes exactly; computes the inputs if they are too many."""
    if tracing.current() is not None:
        return MAX_PENDING_NODES  # a traced function is one graph, however large
    pending = [n for n in walk([node], pending_inputs) if n.value is None]
    if len(pending) >= MAX_PENDING_NODES:
        evaluate(node.inputs)
        return 1
    return len(pending)


def assign_later(node: Node) -> None:
    """The node is what a tensor was assigned, such as running statistics.

    Nobody may ever ask for it, so it is computed with what else is: an optimizer's
    step, or values that have some of the way to it in common.
    """
    _assigned.append(weakref.ref(node))


def _waiting() -> list[Node]:
    """What was assigned, is not computed yet, and has not been replaced."""
    alive = [node for ref in _assigned if (node := ref()) is not None]
    waiting = [node for node in alive if node.value is None and node.names]
    _assigned[:] = [weakref.ref(node) for node in waiting]
    return waiting


def _meeting(waiting: Sequence[Node], pending: Sequence[Node]) -> list[Node]:
    """Those of `waiting` that need something pending which the others need, too."""
    shared = set[Node]()
    walk(pending, pending_inputs, shared)
    shared = {node for node in shared if node.value is None}
    for node in walk(waiting, pending_inputs):
        if any(i in shared for i in pending_inputs(node)):
            shared.add(node)
    return [node for node in waiting if node in shared]


def evaluate(targets: Sequence[Node], everything: bool = False) -> None:
    """Gives the targets, and every pending node on the way that has a name, a value.

    One jitted call for all of them together, and for what tensors were assigned: with
    `everything` all of it. Where gradients may still be asked of a value, what
    backward needs is kept with it.
    """
    pending = [node for node in targets if node.value is None]
    if not pending or (tracing.running and tracing.current() is not None):
        return
    if _assigned and (waiting := _waiting()):
        pending += waiting if everything else _meeting(waiting, pending)
    known, steps = _pending_order(pending)
    wanted = set(pending)
    outputs = [n for n in steps if n in wanted or _is_kept(n, everything)]
    counts.evaluations += 1
    with jax.ensure_compile_time_eval():
        values = _compiled(structure_of(known, steps, outputs))(
            *[node.fed() for node in known]
        )
    for node, value in zip(outputs, values, strict=True):
        node.value = value
        node.pending_count = 0
        if not node.names or node.op in FORGOTTEN_OPS:
            node.forget()
    for node in steps:
        if node.aval is None:
            if isinstance(node, Region):
                node.settle()
            elif isinstance(node, Pull) and not everything:
                node.is_asked()


def is_fixed(node: Node) -> bool:
    """Whether the value depends on nothing that a call of pf.jit is given."""
    order = walk([node], pending_inputs)
    return all(n.value is not None or n.op is not None or n.via for n in order)


def several(wanted: Sequence[tuple[Node, Sequence[Aval]]]) -> list[list[Node]]:
    """Computes nodes that have several values each, of the avals given, in one call.

    Returns data nodes, or pending ones where nothing can be computed yet; gradients
    do not pass them.
    """
    if tracing.current() is not None:
        return [_parts(node, avals) for node, avals in wanted]
    evaluate([node for node, _ in wanted], everything=True)
    return [
        [constant(*one) for one in zip(node.value[0], avals, strict=True)]
        for node, avals in wanted
    ]


def _parts(node: Node, avals: Sequence[Aval]) -> list[Node]:
    parts = [
        Node(part, (node,), (("index", index),), aval)
        for index, aval in enumerate(avals)
    ]
    for one in parts:
        one.pending_count = node.pending_count + 1
    return parts


def _pending_order(pending: list[Node]) -> tuple[list[Node], list[Node]]:
    """What is known and what must be computed, in order, with regions around what
    gradients may pass.

    Adds to `pending` what comes along.
    """
    seen = set[Node]()
    known, steps = split(pending, needed, seen)
    wanted = set(pending)
    roots = [n for n in steps if n.tracked and (n.names or n in wanted) and is_step(n)]
    if roots and cover(roots) is not None:
        seen = set()
        known, steps = split(pending, needed, seen)
    found = steps
    while extra := [n for n in _companions(found) if n not in wanted]:
        pending += extra
        wanted.update(extra)
        more, found = split(extra, needed, seen)
        known += more
        steps += found
    return known, steps


def _companions(steps: Sequence[Node]) -> list[Node]:
    """Named nodes that come for free, or that would hold memory if left for later."""
    bundles = [n for n in steps if n.aval is None]
    return [
        node
        for bundle in bundles
        if isinstance(bundle, (Region, Pull))
        for node in bundle.companions()
    ]


def _is_kept(node: Node, everything: bool) -> bool:
    if not node.names:
        return node.aval is None and isinstance(node, Region) and not node.pulled
    if everything and node.op is gradient:
        pull = node.inputs[0]
        return not (isinstance(pull, Pull) and pull.waits)
    return True


@lru_cache(maxsize=MAX_CACHED_STRUCTURES)
def _compiled(structure: Structure) -> Callable[..., list[Any]]:
    def run(*values: Any) -> list[Any]:
        counts.traces += 1
        return replay(structure, values)

    return jax.jit(run)
