"""Regions: parts of a graph that are computed together with what backward needs.

A region stands for the pending nodes behind some values. Its op applies jax.vjp to
them, so that it gives the values and the pullback in one go; the pullback is a pytree
of arrays, kept with the values while gradients may be asked of them. A pull applies it
to the gradients of the values. Both are nodes, staged and cached like any other.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp

from pyflame.node import Call, Leaf, Node, pending_inputs, split, walk
from pyflame.structure import (
    MAX_CACHED_STRUCTURES,
    Structure,
    gradient,
    replay,
    structure_of,
)


class Region(Node):
    """Computes `outputs` and their pullback with respect to `wanted`.

    The value is (values of outputs, pullback). `pulled` tells that backward has asked
    for the pullback, so that it need not be kept. `kept` are the inputs, by position,
    that the pullback may refer to: those whose values are there already.
    """

    __slots__ = ("avals", "kept", "outputs", "pulled", "slots", "wanted")

    def __init__(
        self,
        op: Any,
        inputs: Sequence[Node],
        outputs: Sequence[Node],
        wanted: Sequence[Node],
        kept: Sequence[int],
    ) -> None:
        super().__init__(op, tuple(inputs), (), None)
        self.pending_count = 1 + sum([i.pending_count for i in inputs])
        self.wanted = tuple(wanted)
        self.kept = {i: inputs[i] for i in kept}
        self.outputs = [weakref.ref(node) for node in outputs]
        self.pulled = False
        self.lost = any([node.lost for node in inputs])
        for index, node in enumerate(outputs):
            node.via, node.index = self, index
        tracked = [node for node in outputs if node.tracked]
        self.avals = tuple([node.aval for node in tracked])
        self.slots = {node.index: i for i, node in enumerate(tracked)}

    def companions(self) -> list[Node]:
        """Outputs that have a name and no value yet."""
        found = [ref() for ref in self.outputs]
        return [n for n in found if n is not None and n.names and n.value is None]

    def for_pull(self) -> Node:
        """The node whose value holds the pullback; it is kept no longer than needed."""
        self.pulled = True
        if self.value is None:
            return self
        holder = Node(None, (), (), None, self.value)
        self.value = None
        self.release_outputs()
        return holder

    def settle(self) -> None:
        """Its outputs are computed. With a pullback to keep, needs no recipe more."""
        if self.value is None:
            self.release_outputs()
        else:
            self.inputs = ()

    def release_outputs(self) -> None:
        """The outputs stand for themselves again."""
        for ref in self.outputs:
            node = ref()
            if node is not None and node.via is self:
                node.via = None
                node.lost = node.op is None and node.value is not None


class Pull(Node):
    """The gradients of a region's `wanted`, from those of some of its outputs.

    `waits` tells that an optimizer's step may use them without keeping them: if one is
    read afterwards all the same, it is computed again.
    """

    __slots__ = ("leaves", "waits")

    def __init__(self, op: Any, inputs: Sequence[Node]) -> None:
        super().__init__(op, tuple(inputs), (), None)
        self.pending_count = 1 + sum(i.pending_count for i in inputs)
        self.leaves: list[weakref.ref[Leaf]] = []
        self.waits = False

    def ends_in(self, leaves: Sequence[Leaf]) -> None:
        """Says where the gradients end."""
        self.leaves = [weakref.ref(leaf) for leaf in leaves]
        again = isinstance(self.inputs[0], Region)
        self.waits = again and not any(leaf.asked or leaf.eager for leaf in leaves)

    def is_asked(self) -> None:
        """Somebody reads a gradient: from now on they are kept."""
        for ref in self.leaves:
            leaf = ref()
            if leaf is not None:
                leaf.asked = True

    def companions(self) -> list[Node]:
        """Gradients that are to be computed with any other gradient."""
        leaves = [ref() for ref in self.leaves]
        grads = [leaf.grad for leaf in leaves if leaf is not None and leaf.eager]
        return [g._node for g in grads if g is not None and g._node.value is None]


@jax.tree_util.register_static
@dataclass(frozen=True)
class Input:
    """Stands in a pullback for an input of its region, which need not be copied."""

    position: int


def is_step(node: Node) -> bool:
    """Whether a region may compute it: pending, and no input of the graph."""
    return (
        node.value is None
        and node.via is None
        and (node.aval is not None or isinstance(node, Call))
        and node.op is not gradient
        and not node.is_source
    )


def is_end(node: Node) -> bool:
    """Whether gradients end in it."""
    return node.via is None and not node.lost and node.is_source


def is_alive(node: Node) -> bool:
    """Whether a gradient that reaches the node could be seen by anybody.

    If not, the node becomes a constant; or lost, if gradients were given up below.
    """
    if not node.tracked or node.lost:
        return False
    if node.via is None and (node.names or _is_visible(node)):
        return True
    seen = walk([node], _next_regions)
    if any(_is_visible(n) for n in seen):
        return True
    node.lost = any(n.lost or (n.via is not None and n.via.lost) for n in seen)
    node.tracked = node.lost
    node.via = None
    return False


def _next_regions(node: Node) -> tuple[Node, ...]:
    return node.via.wanted if isinstance(node.via, Region) else ()


def _is_visible(node: Node) -> bool:
    if not node.tracked or node.lost or node.via is not None:
        return False
    if not is_end(node):
        return True
    return node.names > 0 or (node.leaf is not None and node.leaf.tensors > 0)


def cover(roots: Sequence[Node], again: bool = False) -> Region | None:
    """A region that computes the roots; None if no gradient could be seen.

    With `again`, roots that have a value are computed from their recipe once more.
    """
    asked = set(roots) if again else set[Node]()

    def inputs_of(node: Node) -> tuple[Node, ...] | None:
        return node.inputs if is_step(node) or node in asked else None

    known, steps = split(roots, inputs_of)
    wanted = [node for node in known if node.tracked and is_alive(node)]
    if not wanted:
        lost = any([node.lost for node in known])
        for node in roots:
            node.lost, node.tracked = lost, lost
        return None
    outputs = _outputs(roots, steps, known)
    kept = tuple(
        [i for i, n in enumerate(known) if n.value is not None and n.aval is not None]
    )
    op = _operation(known, steps, outputs, wanted, kept)
    return Region(op, known, outputs, wanted, kept)


def _outputs(
    roots: Sequence[Node], steps: Sequence[Node], known: Sequence[Node]
) -> list[Node]:
    """The roots and the named steps, without those that the inputs depend on."""
    behind = set[Node]()
    if pending := [n for n in known if n.value is None]:
        walk(pending, pending_inputs, behind)
    asked = set(roots)
    return [n for n in steps if n in asked or (n.names and n not in behind)]


def _operation(
    known: Sequence[Node],
    steps: Sequence[Node],
    outputs: Sequence[Node],
    wanted: Sequence[Node],
    kept: tuple[int, ...],
) -> Callable[..., Any]:
    position = {node: i for i, node in enumerate([*known, *steps])}
    constants = [
        position[node]
        for node in steps
        if not node.tracked and node.aval is not None and node.aval.floating
    ]
    return region_op(
        structure_of(known, steps, outputs, position),
        tuple([position[node] for node in wanted]),
        tuple([node.tracked for node in outputs]),
        frozenset(constants),
        kept,
    )


@lru_cache(maxsize=MAX_CACHED_STRUCTURES)
def region_op(
    structure: Structure,
    wanted: tuple[int, ...],
    differentiated: tuple[bool, ...],
    stopped: frozenset[int],
    kept: tuple[int, ...],
) -> Callable[..., Any]:
    """The op of a region: values of its inputs -> (values of outputs, pullback).

    In the pullback, `Input` stands for the inputs that are `kept`.
    """

    def region(*values: Any) -> tuple[list[Any], Any]:
        def forward(*leaves: Any) -> tuple[list[Any], list[Any]]:
            inputs = list(values)
            for position, leaf in zip(wanted, leaves, strict=True):
                inputs[position] = leaf
            results = replay(structure, inputs, stopped=stopped)
            return _pick(results, differentiated), results

        _, pull, results = jax.vjp(forward, *[values[i] for i in wanted], has_aux=True)
        places = {id(values[i]): Input(i) for i in kept}
        return results, jax.tree.map(lambda x: places.get(id(x), x), pull)

    return region


def _pick(results: Iterable[Any], chosen: Sequence[bool]) -> list[Any]:
    return [x for x, keep in zip(results, chosen, strict=True) if keep]


@lru_cache(maxsize=MAX_CACHED_STRUCTURES)
def pull_op(
    given: tuple[int, ...], avals: tuple[Any, ...], kept: tuple[int, ...]
) -> Callable[..., Any]:
    """The op of a pull: (region, gradients of the `given` outputs, `kept` inputs of the
    region) -> gradients.

    `avals` are those of the differentiated outputs; gradients not given are zero.
    """

    def pull(region: Any, *rest: Any) -> tuple[Any]:
        cotangents, inputs = rest[: len(given)], rest[len(given) :]
        all_of_them = [jnp.zeros(aval.shape, aval.dtype) for aval in avals]
        for position, cotangent in zip(given, cotangents, strict=True):
            all_of_them[position] = cotangent
        value_of = dict(zip(map(Input, kept), inputs, strict=True))
        pullback = jax.tree.map(
            lambda x: value_of[x] if isinstance(x, Input) else x,
            region[1],
            is_leaf=lambda x: isinstance(x, Input),
        )
        return (pullback(all_of_them),)

    return pull
