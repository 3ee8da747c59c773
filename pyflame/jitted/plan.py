"""What a trace amounts to: a structure, where inputs are, what outputs become."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pyflame.held_numbers import on_device
from pyflame.jitted.compiled import Feed
from pyflame.jitted.events import Event, OptimizerStep, RandomRequests
from pyflame.jitted.inputs import Inputs
from pyflame.jitted.placeholder import (
    Argument,
    Captured,
    Counter,
    Gradient,
    Number,
    Placeholder,
    Seed,
    kind_of,
)
from pyflame.jitted.recording import Cell, Recording
from pyflame.jitted.results import Results
from pyflame.node import Aval, Leaf, Node, pending_inputs, walk
from pyflame.structure import Structure, structure_of
from pyflame.tensors import Tensor

Holder = Leaf | int  # whose gradient: a captured tensor's leaf, or an argument


@dataclass
class Plan:
    """Inputs are gathered as arguments, captured, gradients, numbers, random state and
    constants; `order` picks from them. Outputs are numbered, gradients last.
    """

    name: str
    structure: Structure
    full_structure: Structure
    late_structure: Structure
    feed: Feed
    order: list[int]
    width: int
    arguments: list[int]
    captured: list[Tensor]
    avals: list[Aval | None]
    kinds: list[str]
    with_grad: list[Holder]
    grad_avals: list[Aval | None]
    without_grad: list[Holder]
    random: RandomRequests | None
    constants: list[Any]
    rebound: list[int]
    rebound_outputs: list[int]
    rebound_alike: list[bool]
    rebound_leaf: list[bool]
    rebound_arguments: list[tuple[int, int]]
    cleared: list[Holder]
    grads: list[tuple[Holder, int]]
    events: list[Event]
    same_arguments: list[tuple[int, Tensor]]
    results: Results
    output_avals: list[Aval | None]
    reusable: bool
    same_tensors: set[int] = field(default_factory=set)

    @property
    def steps_taken(self) -> bool:
        """Whether an optimizer has used the gradients already."""
        return any(isinstance(event, OptimizerStep) for event in self.events)


def plan(
    name: str,
    recording: Recording,
    inputs: Inputs,
    results: Results,
    same_arguments: list[tuple[int, Tensor]],
) -> Plan:
    """The plan of a run that is over; `recording` has been released."""
    changed = [u for u in recording.used.values() if u.now is not u.placeholder]
    cells = recording.outer_cells()
    left = _left(cells)
    outputs, late = _ordered(
        [*(u.now for u in changed), *results.nodes], [node for _, node in left]
    )
    numbered = {node: i for i, node in enumerate([*outputs, *late])}
    order = walk([*outputs, *late], pending_inputs)
    known = [n for n in order if _is_known(n)]
    steps = [n for n in order if not _is_known(n)]
    captured = _captured(recording, known)
    position_of = {id(u.tensor): i for i, u in enumerate(captured)}
    holder = partial(_holder, recording.owners())
    gather = _Gather(known, captured, recording, holder)
    rebound = [u for u in changed if id(u.tensor) in position_of]
    structure = structure_of(known, steps, outputs)
    every = structure_of(known, steps, [*outputs, *late])
    return Plan(
        name=name,
        structure=structure,
        full_structure=every,
        late_structure=every._replace(
            outputs=tuple(every.outputs[numbered[node]] for _, node in left)
        ),
        feed=tuple(gather.feed),
        order=gather.order,
        width=gather.width,
        arguments=gather.arguments,
        captured=[u.tensor for u in captured],
        avals=[u.node.aval for u in captured],
        kinds=[kind_of(u.node) for u in captured],
        with_grad=gather.with_grad,
        grad_avals=gather.grad_avals,
        without_grad=[holder(c.leaf) for c in cells if c.read and c.given is None],
        random=gather.random,
        constants=gather.constants,
        rebound=[position_of[id(u.tensor)] for u in rebound],
        rebound_outputs=[numbered[u.now] for u in rebound],
        rebound_alike=[u.now.aval is u.node.aval for u in rebound],
        rebound_leaf=[u.now.leaf is not None for u in rebound],
        rebound_arguments=[
            (u.placeholder.source.position, numbered[u.now])
            for u in changed
            if isinstance(u.placeholder.source, Argument)
        ],
        cleared=[holder(c.leaf) for c in cells if c.now is None and not _was_none(c)],
        grads=[(holder(leaf), numbered[node]) for leaf, node in left],
        events=recording.events,
        same_arguments=same_arguments,
        results=results.numbered(numbered),
        output_avals=[node.aval for node in [*outputs, *late]],
        reusable=gather.reusable,
        same_tensors={id(tensor) for _, tensor in same_arguments},
    )


def _left(cells: Sequence[Cell]) -> list[tuple[Leaf, Node]]:
    """The gradients that the run has left, and where."""
    return [
        (c.leaf, c.now._node)
        for c in cells
        if c.now is not None and c.now is not c.given
    ]


def _captured(recording: Recording, known: Sequence[Node]) -> list[Any]:
    """The tensors from outside that the run has read, or given other values."""
    reached = {n for n in known if isinstance(n, Placeholder)}
    return [
        u
        for u in recording.used.values()
        if isinstance(u.placeholder.source, Captured)
        and (u.placeholder in reached or u.now is not u.placeholder)
    ]


def _holder(owners: Mapping[int, Any], leaf: Leaf) -> Holder:
    """Where a leaf is found at the next call: in an argument, or as it is."""
    owner = owners[id(leaf)]
    source = owner.placeholder.source
    if isinstance(source, Argument):
        return source.position
    return owner.tensor._own_leaf()


def _was_none(cell: Cell) -> bool:
    return cell.read and cell.given is None


def _is_known(node: Node) -> bool:
    return node.value is not None or (node.op is None and node.via is None)


def _ordered(
    outputs: Sequence[Node], late: Sequence[Node]
) -> tuple[list[Node], list[Node]]:
    """Both without repetition, in the order of recording: the same for one graph."""
    first = sorted(dict.fromkeys(outputs), key=lambda n: n.serial)
    taken = set(first)
    rest = [n for n in dict.fromkeys(late) if n not in taken]
    return first, sorted(rest, key=lambda n: n.serial)


class _Gather:
    """Where each datum of a structure is found among the gathered inputs."""

    def __init__(
        self,
        known: Sequence[Node],
        captured: Sequence[Any],
        recording: Recording,
        holder: Callable[[Leaf], Holder],
    ) -> None:
        sources = [n.source for n in known if isinstance(n, Placeholder)]
        self._holder = holder
        self._start = recording.start
        self.reusable = True
        self.arguments = _distinct(s.position for s in sources if type(s) is Argument)
        self._captured = [id(u.tensor) for u in captured]
        self._grads = list(
            {id(s.leaf): s.leaf for s in sources if type(s) is Gradient}.values()
        )
        self.with_grad = [holder(leaf) for leaf in self._grads]
        avals = {
            id(n.source.leaf): n.aval
            for n in known
            if isinstance(n, Placeholder) and type(n.source) is Gradient
        }
        self.grad_avals = [avals[id(leaf)] for leaf in self._grads]
        random = [e for e in recording.events if isinstance(e, RandomRequests)]
        self.random = random[0] if random else None
        self._numbers_at = (
            len(self.arguments) + len(self._captured) + len(self.with_grad)
        )
        self._random_at = self._numbers_at + len(recording.numbers)
        self._constants_at = self._random_at + (2 if self.random else 0)
        self.constants: list[Any] = []
        self._constant_of: dict[Any, int] = {}
        self.order: list[int] = []
        found: dict[int, int] = {}
        self.feed: list[tuple[int, int]] = []
        for node in known:
            place, add = self._place(node)
            if place not in found:
                found[place] = len(self.order)
                self.order.append(place)
            self.feed.append((found[place], add))
        self.width = self._constants_at + len(self.constants)

    def _place(self, node: Node) -> tuple[int, int]:
        if not isinstance(node, Placeholder):
            return self._constant(node), 0
        match node.source:
            case Argument(position):
                return self.arguments.index(position), 0
            case Captured(tensor):
                start = len(self.arguments)
                return start + self._captured.index(id(tensor)), 0
            case Gradient(leaf):
                start = len(self.arguments) + len(self._captured)
                keys = [id(one) for one in self._grads]
                return start + keys.index(id(leaf)), 0
            case Number(position):
                return self._numbers_at + position, 0
            case Seed():
                return self._random_at, 0
            case Counter(offset):
                return self._random_at + 1, offset

    def _constant(self, node: Node) -> int:
        value = node.array()
        if node.is_literal:
            key: Any = (type(value), repr(value))
            value = on_device(value) if key not in self._constant_of else value
        else:
            key = id(node)
            if node.serial < self._start:  # it did not come through a Tensor
                self.reusable = False
        if key not in self._constant_of:
            self._constant_of[key] = len(self.constants)
            self.constants.append(value)
        return self._constants_at + self._constant_of[key]


def _distinct(items: Any) -> list[Any]:
    return list(dict.fromkeys(items))
