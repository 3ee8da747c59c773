"""Gradients of recorded nodes, as nodes: what `backward` asks for, still to compute.

Backward walks from region to region (see `pyflame.regions`) and records one pull for
each. So the second step of a training loop traces nothing; gradients are computed
together with whatever else is pending, and those nobody reads never are.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import jax
import numpy as np

from pyflame import staging, tracing
from pyflame.convert import on_device
from pyflame.errors import GraphError
from pyflame.node import Leaf, Node, data
from pyflame.ops import elementwise
from pyflame.regions import Pull, Region, cover, is_alive, is_end, pull_op
from pyflame.structure import gradient


def gradients(output: Node, cotangent: Node | None) -> list[tuple[Leaf, Node]]:
    """The leaves that `output` depends on, each with its gradient.

    `cotangent` has the shape of `output`; None stands for one. Leaves that no Tensor
    stands for any more get nothing.

    Raises: GraphError, if a value on the way no longer knows how it was computed.
    """
    if not is_alive(output) and not output.lost:
        return []
    if cotangent is None:
        cotangent = data(_one(output.aval))
    staging.evaluate([cotangent])  # it must not wait for what waits for it
    waiting, ended, pulls = dict[Node, Node](), dict[Node, Node](), list[Pull]()
    users: list[weakref.ref[Node]] = []
    (ended if is_end(output) else waiting)[output] = cotangent
    while waiting:
        node = max(waiting, key=lambda n: n.serial)
        region = _region_of(node, output)
        if region is None:
            del waiting[node]
            continue
        users += region.outputs
        pulls.append(_pull(region, waiting, ended))
    found = [(_leaf_of(node), grad) for node, grad in ended.items()]
    leaves = [leaf for leaf, _ in found]
    for pull in pulls:
        pull.ends_in(leaves)
    for leaf, _ in found:
        leaf.used_by(users)
    return found


def forget_users(leaves: Iterable[Leaf | None], replaced: Iterable[Node]) -> None:
    """Values that were computed from what was replaced become data.

    A loss that is kept would hold all parameters of its step, otherwise. Backward of
    it says that its graph is gone; PyTorch says that a parameter has been modified.
    """
    users = {user() for leaf in leaves if leaf is not None for user in leaf.users}
    gone = set(replaced)
    for user in users:
        if user is not None and user.value is not None and user.via is None:
            if _needs(user, gone):
                user.forget()


def _needs(node: Node, wanted: set[Node]) -> bool:
    """Whether the recipe of a node has one of the others in it."""
    stack, seen = [node], set[Node]()
    while stack:
        node = stack.pop()
        if node in wanted:
            return True
        if node not in seen:
            seen.add(node)
            stack += node.inputs
    return False


def _pull(region: Region, waiting: dict[Node, Node], ended: dict[Node, Node]) -> Pull:
    """Moves gradients from a region's outputs, all that wait, to what it needs."""
    given = {
        region.slots[node.index]: waiting.pop(node)
        for node in list(waiting)
        if node.via is region
    }
    given = dict(sorted(given.items()))
    kept = region.kept
    pull = Pull(
        pull_op(tuple(given), region.avals, tuple(kept)),
        [region.for_pull(), *given.values(), *kept.values()],
    )
    for index, node in enumerate(region.wanted):
        if is_alive(node) or node.lost:
            to = ended if is_end(node) else waiting
            to[node] = _sum(to.get(node), _gradient(pull, index, node))
    return pull


def _region_of(node: Node, output: Node) -> Region | None:
    """The region that computes the node; one that does so again, if it was pulled.

    Raises: GraphError, if the recipe is gone.
    """
    region = node.via
    if region is None and not node.lost and node.op is not None:
        region = cover([node], again=True)
    if node.lost or (isinstance(region, Region) and region.lost):
        raise _gone(output)
    return region if isinstance(region, Region) else None


def _gone(output: Node) -> GraphError:
    assert output.aval is not None, "outputs have a shape"
    text = f"{output.aval.dtype}{list(output.aval.shape)}"
    if tracing.current() is not None:
        return GraphError(
            f"backward of {text} inside pf.jit: gradients would flow on to what was "
            "computed before the call",
            rule="gradients inside pf.jit end in its arguments and in tensors that no "
            "op computed",
            help="compute all of it inside the function, or detach() what comes in",
        )
    return GraphError(
        f"backward of {text}: a value it was computed from gave up its graph to an "
        "earlier backward or an optimizer's step",
        rule="after backward, a computed value keeps its graph while it has a name, "
        "and until a step replaces the parameters in it",
        help="add the losses up and call backward once, or detach() the value",
    )


def _sum(a: Node | None, b: Node) -> Node:
    if a is None:
        return b
    total = staging.record(elementwise.add, (a, b), ())
    total.tracked = False
    return total


@lru_cache(maxsize=8)
def _one(aval: Any) -> jax.Array:
    return on_device(np.ones(aval.shape, aval.dtype))  # no tracer, wherever it is made


def _leaf_of(node: Node) -> Leaf:
    if node.leaf is None:
        node.leaf = Leaf()
    return node.leaf


def _gradient(bundle: Node, index: int, like: Node) -> Node:
    node = Node(gradient, (bundle,), (("index", index),), like.aval)
    node.pending_count = bundle.pending_count + 1
    return node
