"""What a traced function returns, and how it is made of the outputs of a call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax

from pyflame import node as nodes
from pyflame.jitted.placeholder import Argument
from pyflame.jitted.recording import Recording
from pyflame.node import Node
from pyflame.regions import Region
from pyflame.structure import part
from pyflame.tensors import Tensor

LEAF, CONSTANT, LOST, FLOWS = "leaf", "constant", "lost", "flows"


class Flowing(Node):
    """A computed result that gradients pass: it keeps its recipe without a name."""

    __slots__ = ()

    def forget(self) -> None:
        """Does nothing: what holds it may still be differentiated."""


@dataclass(frozen=True, slots=True)
class Made:
    """A Tensor that the function makes: an output, and what gradients do at it."""

    node: Node
    state: str
    index: int = -1


@dataclass(frozen=True, slots=True)
class Passed:
    """A Tensor from the arguments."""

    position: int


@dataclass(frozen=True)
class Results:
    """The leaves of the result: Made, Passed, or an object that is always the same.

    `adopted` are the Tensors of the traced run that somebody has now: they get their
    values from its call. `value` is its result.
    """

    value: Any
    tree: Any
    leaves: tuple[Any, ...]
    adopted: tuple[tuple[Tensor, Made], ...]

    @property
    def nodes(self) -> list[Node]:
        made = [leaf for leaf in self.leaves if isinstance(leaf, Made)]
        return [one.node for one in (*made, *(m for _, m in self.adopted))]

    @property
    def flows(self) -> bool:
        """Whether gradients flow from a result to what the function was given."""
        made = [leaf for leaf in self.leaves if isinstance(leaf, Made)]
        return any(one.state == FLOWS for one in made)

    def numbered(self, numbers: dict[Node, int]) -> Results:
        """With the output numbers of what is made."""

        def number(leaf: Any) -> Any:
            if isinstance(leaf, Made):
                return replace(leaf, index=numbers[leaf.node])
            return leaf

        return replace(
            self,
            leaves=tuple(map(number, self.leaves)),
            adopted=tuple((tensor, number(made)) for tensor, made in self.adopted),
        )

    def without_first(self) -> Results:
        """Without what only the traced run needs."""
        leaves = tuple(
            Made(_forgotten(leaf.node), leaf.state, leaf.index)
            if isinstance(leaf, Made)
            else leaf
            for leaf in self.leaves
        )
        return replace(self, value=None, leaves=leaves, adopted=())

    def adopt(self, outputs: Sequence[Any] | None, call: Node | None) -> Any:
        """Gives the Tensors of the traced run their values; returns its result."""
        for tensor, made in self.adopted:
            tensor._rebind(_node(made, outputs, call))
        return self.value

    def make(
        self, arguments: Sequence[Any], outputs: Sequence[Any] | None, call: Node | None
    ) -> Any:
        """The result of a call from its outputs; without them, they are pending."""
        leaves = []
        for leaf in self.leaves:
            if type(leaf) is Made:
                leaves.append(Tensor(_node(leaf, outputs, call)))
            elif type(leaf) is Passed:
                leaves.append(arguments[leaf.position])
            else:
                leaves.append(leaf)
        if self.tree is None:
            return leaves[0]
        return jax.tree_util.tree_unflatten(self.tree, leaves)


def results_of(value: Any, recording: Recording, also: Sequence[Tensor]) -> Results:
    """Takes the result of a traced run apart. `also` may have been made by it, too."""
    leaves, tree = jax.tree_util.tree_flatten(
        value, is_leaf=lambda x: isinstance(x, Tensor)
    )
    found = tuple(_taken_apart(leaf, recording) for leaf in leaves)
    made = {id(x): x for x in [*leaves, *also] if _is_made(x, recording)}
    adopted = tuple((x, Made(x._node, state_of(x._node))) for x in made.values())
    alone = len(leaves) == 1 and leaves[0] is value
    return Results(value, None if alone else tree, found, adopted)


def _is_made(x: Any, recording: Recording) -> bool:
    return (
        isinstance(x, Tensor)
        and id(x) not in recording.used
        and x._node.serial >= recording.start
        and x._node.value is None
    )


def _taken_apart(leaf: Any, recording: Recording) -> Any:
    if not isinstance(leaf, Tensor):
        return leaf
    used = recording.used.get(id(leaf))
    if used is not None:
        source = used.placeholder.source
        return Passed(source.position) if isinstance(source, Argument) else leaf
    if leaf._node.serial < recording.start:
        return leaf
    return Made(leaf._node, state_of(leaf._node))


def state_of(node: Node) -> str:
    """What gradients will do at a node that was made in a trace, after it."""
    if not node.tracked:
        return CONSTANT
    if node.lost or (isinstance(node.via, Region) and node.via.pulled):
        return LOST
    return LEAF if node.is_source else FLOWS


def _node(made: Made, outputs: Sequence[Any] | None, call: Node | None) -> Node:
    value = None if outputs is None else outputs[made.index]
    if call is not None and (value is None or made.state == FLOWS):
        static = (("index", made.index),)
        kind = Node if value is None else Flowing
        node = kind(part, (call,), static, made.node.aval, value)
        node.pending_count = 0 if value is not None else call.pending_count + 1
        node.tracked = made.state == FLOWS
        return node
    aval = made.node.aval
    assert aval is not None, "results have a shape"
    assert value is not None, "without a call, there are values"
    node = nodes.constant(value, aval)
    if made.state == LEAF:
        node.tracked = True
    if made.state == LOST:
        node.tracked = node.lost = True
    return node


def _forgotten(node: Node) -> Node:
    """A node with nothing but the shape, so that no graph is held."""
    return Node(None, (), (), node.aval)
