"""The trace of one run: what the function uses, changes and returns.

Tensors from outside get stand-ins the moment they are used, so that nothing of their
present value gets into the program; leaving the trace gives them their nodes back.
Gradients are kept aside, and host state that changes is put back if the run fails.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jax.core import Tracer

from pyflame import staging
from pyflame.jitted.events import Event, OptimizerStep, RandomRequests, SchedulerStep
from pyflame.jitted.placeholder import (
    Captured,
    Counter,
    Gradient,
    Number,
    Placeholder,
    Seed,
    Source,
    array,
    number,
)
from pyflame.node import Leaf, Node, literal, next_serial
from pyflame.tensors import Tensor
from pyflame.tracing import suspended


class InsideTransformation(Exception):
    """The function uses values of a JAX transformation that it runs in."""


class Used:
    """A Tensor from outside: what it stands for, and its stand-in; `now` once over."""

    __slots__ = ("node", "now", "placeholder", "tensor")

    def __init__(self, tensor: Tensor, node: Node, placeholder: Placeholder) -> None:
        self.tensor = tensor
        self.node = node
        self.placeholder = placeholder
        self.now: Node = placeholder


class Cell:
    """A gradient: whether it was read before it was written, and what it is now."""

    __slots__ = ("given", "leaf", "now", "read")

    def __init__(self, leaf: Leaf, read: bool, given: Tensor | None) -> None:
        self.leaf = leaf
        self.read = read
        self.given = given
        self.now = given


class Recording:
    """What `pyflame.tracing` reports, for one run of the function."""

    def __init__(self) -> None:
        self.start = next_serial()
        self.used: dict[int, Used] = {}
        self.cells: dict[int, Cell] = {}
        self.events: list[Event] = []
        self.numbers: list[float] = []
        self._random: RandomRequests | None = None
        self._undo: list[Callable[[], None]] = []

    def use(self, tensor: Tensor) -> None:
        if tensor._node.serial < self.start:
            self.lift(tensor, Captured(tensor))

    def lift(self, tensor: Tensor, source: Source) -> None:
        """Puts a stand-in into a Tensor from outside.

        Raises: InsideTransformation, if its value belongs to one of JAX.
        """
        node = tensor._node
        if isinstance(node.value, Tracer):
            raise InsideTransformation
        with suspended():
            staging.evaluate([node])
        placeholder = array(node, source, tensor._leaf or node.leaf)
        placeholder.names = 1
        tensor._node = placeholder
        self.used[id(tensor)] = Used(tensor, node, placeholder)

    @property
    def schedules(self) -> bool:
        """Whether a scheduler sets learning rates at every call."""
        return any(isinstance(event, SchedulerStep) for event in self.events)

    def settle(self) -> None:
        """The run is over, and went well."""
        if self._random is not None:
            self._random.settle()

    def release(self) -> None:
        """Gives every Tensor from outside its node back."""
        for used in self.used.values():
            used.now, used.tensor._node = used.tensor._node, used.node

    def undo(self) -> None:
        """Puts host state back to what it was before the run."""
        while self._undo:
            self._undo.pop()()

    # gradients

    def grad_of(self, leaf: Leaf) -> Tensor | None:
        cell = self.cells.get(id(leaf))
        if cell is None:
            with suspended():
                given = leaf.grad
                if given is not None and given._node.serial < self.start:
                    staging.evaluate([given._node])
                    given = Tensor(array(given._node, Gradient(leaf), None))
            cell = self.cells[id(leaf)] = Cell(leaf, True, given)
        return cell.now

    def set_grad(self, leaf: Leaf, grad: Tensor | None) -> None:
        if grad is not None:
            self.use(grad)
        cell = self.cells.setdefault(id(leaf), Cell(leaf, False, None))
        cell.now = grad

    def outer_cells(self) -> list[Cell]:
        """The gradients of Tensors from outside."""
        return [cell for key, cell in self.cells.items() if key in self.owners()]

    def owners(self) -> dict[int, Used]:
        """The Tensor from outside that a gradient belongs to, by its leaf."""
        found = {id(used.tensor._leaf): used for used in self.used.values()}
        found |= {id(used.placeholder.leaf): used for used in self.used.values()}
        found.pop(id(None), None)
        return found

    # host state

    def random_key(self, seed: int, taken: int) -> tuple[Tensor, Tensor]:
        """The seed and the number of a random request, for its op."""
        requests = self._requests(seed, taken)
        if requests.reseeded:
            return Tensor(literal(seed)), Tensor(literal(taken))
        requests.count += 1
        return (
            Tensor(number(seed, Seed())),
            Tensor(number(taken, Counter(requests.count - 1))),
        )

    def reseeded(self, undo: Callable[[], None]) -> None:
        self._undo.append(undo)
        self._requests(0, 0).reseeded = True

    def _requests(self, seed: int, taken: int) -> RandomRequests:
        if self._random is None:
            self._random = RandomRequests(seed, taken)
            self.events.append(self._random)
        return self._random

    def optimizer_step(self, optimizer: Any, jobs: Sequence[Any]) -> list[list[Node]]:
        """The numbers of the step's jobs, as nodes."""
        for job in jobs:
            for tensor in (*job.tensors(), *job.grads):
                self.use(tensor)
        event = OptimizerStep(optimizer, jobs)
        self.events.append(event)
        self._undo.append(event.first_undo())
        start, values = len(self.numbers), event.first_numbers()
        self.numbers += values
        return event.split(
            [number(v, Number(i)) for i, v in enumerate(values, start=start)]
        )

    def scheduler_step(self, scheduler: Any, *args: Any) -> None:
        event = SchedulerStep(scheduler, args)
        self.events.append(event)
        self._undo.append(event.snapshot())
