"""One trace of a function, compiled: how its inputs are found, what its outputs do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from sys import getrefcount
from typing import Any

import jax
from jax.core import Tracer

from pyflame import node as nodes
from pyflame import staging
from pyflame.held_numbers import Numbers
from pyflame.jitted.compiled import compiled
from pyflame.jitted.guards import Guards
from pyflame.jitted.inputs import Inputs
from pyflame.jitted.late import Late
from pyflame.jitted.placeholder import kind_of
from pyflame.jitted.plan import Plan
from pyflame.jitted.recording import InsideTransformation
from pyflame.node import Call, Leaf, Node
from pyflame.structure import part
from pyflame.tensors import Tensor


class Program:
    """Runs a plan for new arguments and for what captured Tensors stand for now."""

    def __init__(self, plan: Plan, guards: Guards) -> None:
        self.plan = plan
        self.guards = guards
        self.defers = plan.steps_taken and bool(plan.grads)
        self.lazy = False
        self._numbers = Numbers()
        self._captured_ids = frozenset(map(id, plan.captured))
        self._serials: list[int] = []
        self._in_place = False
        self._functions: dict[bool, Callable[..., list[Any]]] = {}
        self._pick = _picker(plan.order)
        self._op = self._make_op()
        self._grad_leaves = [h for h, _ in plan.grads if isinstance(h, Leaf)]
        self._grads_of_arguments = len(self._grad_leaves) < len(plan.grads)

    # whether it is the one for a call

    def mismatch(self, inputs: Inputs) -> str:
        """Why it cannot be used for this call, or nothing."""
        plan = self.plan
        if plan.same_arguments or self._captured_ids:
            for position, tensor in plan.same_arguments:
                if inputs.leaves[position] is not tensor:
                    return "another tensor is passed where a captured one was"
            others = inputs.tensors
            if plan.same_arguments:
                others = [t for t in others if id(t) not in plan.same_tensors]
            if not self._captured_ids.isdisjoint(map(id, others)):
                return "a captured tensor is passed as an argument"
        for event in plan.events:
            if reason := event.holds():
                return reason
        return (
            self.guards.change() or self._other_tensors() or self._other_grads(inputs)
        )

    def _other_tensors(self) -> str:
        now = [tensor._node for tensor in self.plan.captured]
        serials = [node.serial for node in now]
        if serials == self._serials:
            return ""
        staging.evaluate(now)
        for tensor, aval, kind in zip(
            self.plan.captured, self.plan.avals, self.plan.kinds, strict=True
        ):
            node = tensor._node
            if isinstance(node.array(), Tracer):
                raise InsideTransformation
            if node.aval is not aval:
                return f"a captured tensor is {tensor._text()} now"
            if kind_of(node) != kind:
                return "gradients end elsewhere"
        self._remember(serials)
        return ""

    def _remember(self, serials: list[int]) -> None:
        """Tensors are as they should be. May new values go into their nodes?"""
        self._serials = serials
        self._in_place = all(
            same and node.op is None and node.via is None
            for same, node in (
                (same, self.plan.captured[i]._node)
                for i, same in zip(
                    self.plan.rebound, self.plan.rebound_alike, strict=True
                )
            )
        )

    def _other_grads(self, inputs: Inputs) -> str:
        plan = self.plan
        for holder in plan.without_grad:
            if _has_grad(holder, inputs):
                return "a gradient is there that was not"
        if not plan.with_grad:
            return ""
        given = [_leaf_of(holder, inputs).grad for holder in plan.with_grad]
        if any(grad is None for grad in given):
            return "a gradient is not there that was"
        staging.evaluate([grad._node for grad in given])
        for grad, aval in zip(given, plan.grad_avals, strict=True):
            if grad._aval() is not aval:
                return "a gradient has another dtype"
        return ""

    # running it

    def call(self, inputs: Inputs) -> Any:
        """Does the host's part and the compiled part; returns the result.

        If it fails, nothing has changed.
        """
        numbers: list[float] = []
        done: list[Any] = []
        try:
            for event in self.plan.events:
                event.run(numbers)
                done.append(event)
            return self.run(inputs, numbers)
        except BaseException:
            for event in reversed(done):
                event.undo()
            raise

    def run(self, inputs: Inputs, numbers: list[float], first: Any = None) -> Any:
        """The compiled part, for numbers that are worked out."""
        plan = self.plan
        now = [tensor._node for tensor in plan.captured]
        values = [inputs.values[i] for i in plan.arguments]
        values += [node.value for node in now]
        for holder in plan.with_grad:
            values.append(_leaf_of(holder, inputs).grad._node.value)
        values += self._numbers.given(numbers)
        if plan.random is not None:
            values += plan.random.now
        values += plan.constants
        chosen = self._pick(values)
        if self.lazy and plan.results.flows:
            return self._record(inputs, now, chosen)
        results = self._compute(chosen)
        return self._deliver(inputs, now, chosen, results, first)

    def _compute(self, values: Sequence[Any]) -> list[Any]:
        plan = self.plan
        function = self._functions.get(self.defers)
        if function is None:
            structure = plan.structure if self.defers else plan.full_structure
            function = compiled(structure, plan.feed, plan.name)
            self._functions[self.defers] = function  # a key is long to hash
        staging.counts.evaluations += 1
        results = function(*values)
        if results and isinstance(results[0], Tracer):  # as part of an outer trace
            with jax.ensure_compile_time_eval():
                results = function(*values)
        return results

    def gradients(self, *values: Any) -> list[Any]:
        """The gradients that a call with these inputs left behind."""
        plan = self.plan
        return compiled(plan.late_structure, plan.feed, plan.name)(*values)

    def _deliver(
        self,
        inputs: Inputs,
        now: list[Node],
        values: Sequence[Any],
        results: list[Any],
        first: Any,
    ) -> Any:
        plan = self.plan
        recipe = self._call_node(inputs, now, values) if plan.results.flows else None
        self._rebind(now, results)
        for position, index in plan.rebound_arguments:
            _become(
                inputs.leaves[position],
                self._constant(results, index),
                True,
            )
        self._set_grads(inputs, values, results)
        if first is not None:
            return plan.results.adopt(results, recipe)
        return plan.results.make(inputs.leaves, results, recipe)

    def _rebind(self, now: list[Node], results: list[Any]) -> None:
        plan = self.plan
        if not plan.rebound:
            return
        targets = [now[i] for i in plan.rebound]
        if self._in_place and list(map(getrefcount, targets)) == [_ALONE] * len(
            targets
        ):
            for node, index in zip(targets, plan.rebound_outputs, strict=True):
                node.value = results[index]
            return
        for i, index, leaf in zip(
            plan.rebound, plan.rebound_outputs, plan.rebound_leaf, strict=True
        ):
            _become(
                plan.captured[i],
                self._constant(results, index),
                leaf,
            )
        self._remember([tensor._node.serial for tensor in plan.captured])

    def _set_grads(
        self, inputs: Inputs, values: Sequence[Any], results: list[Any]
    ) -> None:
        plan = self.plan
        for holder in plan.cleared:
            _leaf_of(holder, inputs)._grad = None
        if not plan.grads:
            return
        leaves = self._grad_leaves
        if self._grads_of_arguments:
            leaves = [_leaf_of(holder, inputs) for holder, _ in plan.grads]
        if self.defers:
            late = Late(self, values, leaves)
            for leaf in leaves:
                leaf._grad = late
        else:
            for leaf, (_, index) in zip(leaves, plan.grads, strict=True):
                leaf._grad = Tensor(self._constant(results, index))

    def _constant(self, results: list[Any], index: int) -> Node:
        aval = self.plan.output_avals[index]
        assert aval is not None, "outputs have a shape"
        return nodes.constant(results[index], aval)

    # results through which gradients flow

    def _call_node(
        self, inputs: Inputs, now: list[Node], values: Sequence[Any]
    ) -> Call:
        """The call as a node, with the nodes of Tensors where gradients go on."""
        plan = self.plan
        given: list[Any] = [
            leaf._node if isinstance(leaf, Tensor) else None
            for leaf in (inputs.leaves[i] for i in plan.arguments)
        ]
        given += now
        chosen = self._pick([*given, *[None] * (plan.width - len(given))])
        made = [
            _known(value) if node is None else node
            for node, value in zip(chosen, values, strict=True)
        ]
        call = Call(self._op, tuple(made), (), None)
        call.tracked = True
        call.pending_count = 1
        return call

    def _make_op(self) -> Any:
        """The op of a call; once it is asked for, later calls wait for gradients."""
        plan = self.plan

        def op(*values: Any) -> tuple[list[Any]]:
            self.lazy = True
            return (compiled(plan.full_structure, plan.feed, plan.name)(*values),)

        op.__name__ = plan.name
        return op

    def _record(self, inputs: Inputs, now: list[Node], values: Sequence[Any]) -> Any:
        """Leaves the call pending, to be computed with what gradients need."""
        plan = self.plan
        call = self._call_node(inputs, now, values)
        parts = [_part(call, i, aval) for i, aval in enumerate(plan.output_avals)]
        for i, index, leaf in zip(
            plan.rebound, plan.rebound_outputs, plan.rebound_leaf, strict=True
        ):
            _become(plan.captured[i], parts[index](False), leaf)
        for position, index in plan.rebound_arguments:
            _become(inputs.leaves[position], parts[index](False), True)
        for holder in plan.cleared:
            _leaf_of(holder, inputs)._grad = None
        for holder, index in plan.grads:
            _leaf_of(holder, inputs)._grad = Tensor(parts[index](False))
        return plan.results.make(inputs.leaves, None, call)


def _part(call: Call, index: int, aval: Any) -> Callable[[bool], Node]:
    def make(tracked: bool) -> Node:
        node = Node(part, (call,), (("index", index),), aval)
        node.tracked = tracked
        node.pending_count = call.pending_count + 1
        return node

    return make


def _known(value: Any) -> Node:
    if isinstance(value, (bool, int, float)):
        return nodes.literal(value)
    node = nodes.given(value, None)
    node.tracked = False
    return node


def _become(tensor: Tensor, node: Node, leaf: bool) -> None:
    """Lets a Tensor stand for a node that is new."""
    if leaf:
        tensor._become(node)
    else:
        tensor._rebind(node)


def _leaf_of(holder: Any, inputs: Inputs) -> Leaf:
    return holder if isinstance(holder, Leaf) else inputs.leaves[holder]._own_leaf()


def _has_grad(holder: Any, inputs: Inputs) -> bool:
    if not isinstance(holder, Leaf):
        tensor = inputs.leaves[holder]
        holder = tensor._leaf or tensor._node.leaf
    return holder is not None and holder.has_grad


def _picker(order: list[int]) -> Callable[[list[Any]], Sequence[Any]]:
    if len(order) == 1:
        return lambda values: (values[order[0]],)
    return itemgetter(*order) if order else lambda values: ()


def _count_alone() -> int:
    """What `getrefcount` says in `_rebind` of a node that only one Tensor holds."""
    tensor = Tensor(nodes.data(None))
    now = [t._node for t in [tensor]]
    targets = [now[i] for i in [0]]
    return next(map(getrefcount, targets))


_ALONE = _count_alone()
