"""A graph without its values: what is compiled, and the key that it is cached by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
from jax.extend import source_info_util

from pyflame.node import Aval, Node, Op, Static
from pyflame.tracing import no_value

MAX_CACHED_STRUCTURES = 1024


# An op on values numbered by position: the data first, then the steps.
Step = tuple[Op, Static, tuple[int, ...]]


class Structure(NamedTuple):
    """A graph without its values: what is compiled, and the key it is cached by."""

    data: tuple[Aval | None, ...]
    steps: tuple[Step, ...]
    outputs: tuple[int, ...]


def structure_of(
    known: Sequence[Node],
    steps: Sequence[Node],
    outputs: Sequence[Node],
    position: dict[Node, int] | None = None,
) -> Structure:
    """The structure of nodes in an order that has inputs before their users.

    `position` numbers them, known ones first, if that is at hand.
    """
    if position is None:
        position = {node: i for i, node in enumerate([*known, *steps])}
    return Structure(
        tuple([node.aval for node in known]),
        tuple([_step(node, position) for node in steps]),
        tuple([position[node] for node in outputs]),
    )


def _step(node: Node, position: dict[Node, int]) -> Step:
    if node.via is not None and node.value is None and node.via in position:
        return part, (("index", node.index),), (position[node.via],)
    if node.op is None:  # a stand-in that outlived its trace
        aval = node.aval
        raise no_value(f"{aval.dtype}{list(aval.shape)}" if aval else "a value")
    return node.op, node.static, tuple(map(position.__getitem__, node.inputs))


def gradient(bundle: Any, *, index: int) -> jax.Array:
    """One of the gradients that a pull has given."""
    return bundle[0][index]


def part(bundle: Any, *, index: int) -> jax.Array:
    """One of the values of an op that has several: they are its first result."""
    return bundle[0][index]


def replay(
    structure: Structure,
    values: Sequence[Any],
    tracebacks: Sequence[Any] = (),
    stopped: frozenset[int] = frozenset(),
) -> list[Any]:
    """Applies the steps of a structure to the values of its data.

    With one traceback per step, JAX takes them for where the step was written. Values
    at `stopped` positions are constants for gradients.
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
        if len(env) - 1 in stopped:
            env[-1] = jax.lax.stop_gradient(env[-1])
    return [env[k] for k in structure.outputs]


def apply_directly(op: Op, arrays: Sequence[Any], static: Static) -> Any:
    """The op on arrays or tracers, under a scope with its name."""
    with jax.named_scope(op.__name__):
        return op(*arrays, **dict(static))
