"""Gradients of recorded nodes, as nodes: what `backward` asks for, still to compute.

The graph from the leaves to the output becomes a structure, and a structure becomes
one op, once, that applies jax.vjp to it. So the second step of a training loop traces
nothing; and as gradients are nodes, they are computed together with whatever else is
pending, and those nobody reads are never computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp

from pyflame import staging
from pyflame.node import Leaf, Node, data, walk
from pyflame.staging import MAX_CACHED_STRUCTURES, Structure


def gradients(output: Node, cotangent: Node | None) -> list[tuple[Leaf, Node]]:
    """The leaves that `output` depends on, each with its gradient.

    `cotangent` has the shape of `output`; None stands for one. Leaves that no Tensor
    stands for any more get nothing.
    """
    order = walk([output], _recipe)
    known = [node for node in order if not _recipe(node)]
    steps = [node for node in order if _recipe(node)]
    leaves = [node for node in known if node.tracked and node.is_source and _seen(node)]
    if not leaves:
        return []
    if cotangent is None:
        cotangent = data(_one(output.aval))
    structure = staging.structure_of(known, steps, [output])
    positions = {id(node): i for i, node in enumerate(known)}
    wanted = tuple(positions[id(node)] for node in leaves)
    bundle = _pending(_pullback(structure, wanted), [cotangent, *known])
    return [(_leaf_of(n), _part(bundle, i, n)) for i, n in enumerate(leaves)]


@lru_cache(maxsize=8)
def _one(aval: Any) -> jax.Array:
    return jnp.ones(aval.shape, aval.dtype)


def _recipe(node: Node) -> tuple[Node, ...]:
    """What gradients flow on to: nothing beyond a leaf or a constant."""
    return node.inputs if node.tracked and not node.is_source else ()


def _seen(node: Node) -> bool:
    """Whether a Tensor would show the gradient."""
    return node.names > 0 or (node.leaf is not None and node.leaf.tensors > 0)


def _leaf_of(node: Node) -> Leaf:
    if node.leaf is None:
        node.leaf = Leaf()
    return node.leaf


def _pending(op: Any, inputs: Sequence[Node]) -> Node:
    node = Node(op, tuple(inputs), (), None)
    node.pending_count = 1 + sum(i.pending_count for i in inputs)
    return node


def _part(bundle: Node, index: int, like: Node) -> Node:
    node = Node(part, (bundle,), (("index", index),), like.aval)
    node.pending_count = bundle.pending_count + 1
    return node


def part(bundle: Any, *, index: int) -> jax.Array:
    """One of the values of an op that has several."""
    return bundle[index]


@lru_cache(maxsize=MAX_CACHED_STRUCTURES)
def _pullback(structure: Structure, wanted: tuple[int, ...]) -> Any:
    def gradient(cotangent: jax.Array, *values: Any) -> list[jax.Array]:
        def forward(*leaves: Any) -> jax.Array:
            inputs = list(values)
            for position, leaf in zip(wanted, leaves, strict=True):
                inputs[position] = leaf
            return staging.replay(structure, inputs)[0]

        _, pull = jax.vjp(forward, *[values[i] for i in wanted])
        return list(pull(cotangent))

    return gradient
