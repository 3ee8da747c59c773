"""One node for the update of many parameters: a step then costs one op to record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from pyflame import node as nodes
from pyflame.held_numbers import Numbers
from pyflame.node import Node
from pyflame.structure import MAX_CACHED_STRUCTURES
from pyflame.tensors import Tensor


class Rule(NamedTuple):
    """How one parameter is updated: a function of `pyflame.optim.updates`, with its
    flags and the names of the arrays that the state of a parameter consists of.
    """

    update: Callable[..., Any]
    state: tuple[str, ...]
    flags: tuple[tuple[str, bool], ...]


class Job(NamedTuple):
    """The parameters of one group that have a gradient, and what updates them."""

    rule: Rule
    params: list[Tensor]
    grads: list[Tensor]
    states: list[list[Tensor]]
    numbers: list[tuple[float, ...]]
    group: dict[str, Any]

    def kept(self) -> list[Tensor]:
        """The states of all parameters, one after the other."""
        return [x for state in self.states for x in state]

    def tensors(self) -> list[Tensor]:
        """What changes: the parameters, then their states."""
        return [*self.params, *self.kept()]

    def literals(self, held: Numbers) -> list[Node]:
        """The numbers as nodes, those that several parameters have in common once.

        `held` has those of the last step.
        """
        distinct = dict.fromkeys(self.numbers)
        numbers = held.given([x for numbers in distinct for x in numbers])
        return [nodes.number(x) for x in numbers]

    def node(self, literals: list[Node]) -> Node:
        """The node of the new values, in the order of `tensors`.

        Numbers are inputs of the compiled step, shared by parameters that have the
        same ones; so their values and their count compile nothing anew.
        """
        distinct = list(dict.fromkeys(self.numbers))
        which = {numbers: i for i, numbers in enumerate(distinct)}
        op = _fused(self.rule, tuple(which[numbers] for numbers in self.numbers))
        inputs = [x._node for x in (*self.tensors(), *self.grads)]
        inputs += literals
        node = Node(op, tuple(inputs), (), None)
        node.pending_count = 1 + sum([i.pending_count for i in inputs])
        return node


@lru_cache(maxsize=MAX_CACHED_STRUCTURES)
def _fused(rule: Rule, which: tuple[int, ...]) -> Callable[..., Any]:
    count, width = len(which), len(rule.state)
    flags = dict(rule.flags)

    def update(*arrays: Any) -> tuple[list[Any]]:
        params, rest = arrays[:count], arrays[count:]
        states, rest = (
            _chunks(rest[: count * width], width, count),
            rest[count * width :],
        )
        grads, numbers = rest[:count], rest[count:]
        sets = max(which) + 1
        numbers = _chunks(numbers, len(numbers) // sets, sets)
        done = [
            rule.update(param, grad, state, numbers[i], **flags)
            for param, grad, state, i in zip(params, grads, states, which, strict=True)
        ]
        new_params = [param for param, _ in done]
        return ([*new_params, *(x for _, state in done for x in state)],)

    update.__name__ = rule.update.__name__
    return update


def _chunks(values: Sequence[Any], width: int, count: int) -> list[Sequence[Any]]:
    return [values[i * width : (i + 1) * width] for i in range(count)]
