"""Views of what was recorded: Graph, Node and TensorSpec, and how they print."""

from __future__ import annotations

import math
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lowering.jaxprs import ClosedJaxpr
from pyflame import node as nodes
from pyflame.call_text import Texts, call_texts, operands_of
from pyflame.dtypes import DType, as_dtype
from pyflame.errors import ArgumentError
from pyflame.graph_program import Work, program_of, work_of
from pyflame.graph_text import MAX_LINES, Row, graph_text, total_flops
from pyflame.layout import MeshLayout
from pyflame.parameter_names import parameter_name
from pyflame.regions import Region
from pyflame.shown import Shown
from pyflame.source import Place, assigned_name, naming_place_of, place_of
from pyflame.structure import gradient
from pyflame.tensors import Tensor

_NARROWEST = 60  # characters of a line, however narrow the terminal is


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """Shape, dtype and layout of a value."""

    shape: tuple[int, ...]
    dtype: DType
    layout: MeshLayout

    @property
    def numel(self) -> int:
        return math.prod(self.shape)

    @property
    def size_bytes(self) -> int:
        return self.numel * self.dtype.numpy.itemsize

    def __str__(self) -> str:
        return f"{self.dtype.name}{list(self.shape)}"


class Node:
    """One recorded op, or an input (data, or a creation such as `randn`)."""

    def __init__(self, recorded: nodes.Node) -> None:
        self._recorded = recorded

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Node) and self._recorded is other._recorded

    def __hash__(self) -> int:
        return hash(id(self._recorded))

    @property
    def op_type(self) -> str:
        """The pf op, such as `matmul`; a creation such as `randn`; else `input`."""
        recorded = self._recorded
        if recorded.op is None or (self.is_input and not _is_creation(recorded)):
            return "input"
        return recorded.op.__name__

    @property
    def inputs(self) -> list[Node]:
        """The nodes this one is computed from, as often as it takes them; Python
        numbers are not among them."""
        if self.is_input:
            return []
        return [Node(n) for n in operands_of(self._recorded) if not n.is_literal]

    @property
    def attributes(self) -> dict[str, Any]:
        """Static arguments by name."""
        return dict(self._recorded.static)

    @property
    def is_input(self) -> bool:
        """Whether it is where the graph begins."""
        return self._recorded.is_source

    @property
    def spec(self) -> TensorSpec:
        aval = self._recorded.aval
        assert aval is not None, "only pytrees without arrays have no shape"
        layout = self._recorded.layout or MeshLayout.single_pe()
        return TensorSpec(aval.shape, as_dtype(aval.dtype), layout)

    @property
    def output_shape(self) -> list[int]:
        return list(self.spec.shape)

    @property
    def output_dtype(self) -> DType:
        return self.spec.dtype

    @property
    def flops(self) -> int:
        """What it takes to compute the node from its inputs; 0 for an input.

        `pyflame.flops` says what counts. A gradient takes the forward pass it needs.
        """
        return 0 if self.is_input else sum(work_of([self._recorded])[0].values())

    @property
    def place(self) -> Place | None:
        """Where the user wrote it."""
        return place_of(self._recorded.traceback)

    def __repr__(self) -> str:
        return f"Node({self.op_type} -> {self.spec})"


class Graph(Shown):
    """The nodes that tensors are computed from, inputs before their users.

    Raises: ArgumentError, if there is no tensor.
    """

    def __init__(self, *outputs: Tensor) -> None:
        if not outputs:
            raise ArgumentError("Graph: there is no tensor to show the graph of")
        self._outputs = tuple(_recorded_tensor("Graph", x) for x in outputs)

    @cached_property
    def nodes(self) -> list[Node]:
        roots = [x._node for x in self._outputs]
        return [Node(n) for n in nodes.walk(roots, nodes.recipe_inputs)]

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        return self._outputs

    @property
    def num_nodes(self) -> int:
        return len(self.nodes)

    def __len__(self) -> int:
        return self.num_nodes

    @property
    def inputs(self) -> list[Node]:
        """Where the graph begins, in creation order."""
        found = [node for node in self.nodes if node.is_input]
        return sorted(found, key=lambda node: node._recorded.serial)

    @cached_property
    def jaxpr(self) -> ClosedJaxpr:
        """The staged program, from the values of `inputs` to those of `outputs`."""
        return program_of([x._node for x in self._outputs]).jaxpr

    @property
    def flops(self) -> int:
        """What the nodes take together; work that gradients share counts once."""
        return total_flops(self.rows)

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """What is shown of each node, in order."""
        number = {node: i for i, node in enumerate(self.nodes)}
        names = names_of(self.nodes)
        work = _work_of(self.nodes)
        roots = {Node(x._node) for x in self._outputs}

        def row(node: Node) -> Row:
            operands, attributes = _texts(node, names)
            return Row(
                name=names[node],
                op_type=node.op_type,
                operands=operands,
                attributes=attributes,
                type=str(node.spec),
                layout=str(node.spec.layout) if node._recorded.layout else "",
                work=work.get(node),
                size_bytes=node.spec.size_bytes,
                place=node.place,
                inputs=tuple(number[i] for i in node.inputs),
                is_output=node in roots,
            )

        return tuple(map(row, self.nodes))

    def text(self, max_nodes: int | None = MAX_LINES, width: int | None = None) -> str:
        """A line per node; beyond `max_nodes`, the middle of the graph is summed up.

        None shows every node, and lines as long as they are.
        """
        return graph_text(self.rows, max_nodes, width)

    def __str__(self) -> str:
        return self.text()

    __repr__ = __str__


def get_graph(tensor: Tensor, *others: Tensor) -> Graph:
    """The graph of a tensor, or of several together.

    Raises: ArgumentError, if one is no Tensor.
    """
    return Graph(*(_recorded_tensor("get_graph", x) for x in (tensor, *others)))


def get_node(tensor: Tensor) -> Node:
    """The node of a tensor.

    Raises: ArgumentError, if it is no Tensor.
    """
    return Node(_recorded_tensor("get_node", tensor)._node)


def print_graph(tensor: Tensor, max_nodes: int | None = MAX_LINES) -> None:
    """Prints the graph: a line per node with its type, layout, flops, bytes, and the
    user's line. Of more than `max_nodes` nodes, the middle is summed up. On a terminal,
    lines end where it does.

    Raises: ArgumentError, if it is no Tensor.
    """
    graph = Graph(_recorded_tensor("print_graph", tensor))
    print(graph.text(max_nodes, _terminal_width()))


def _terminal_width() -> int | None:
    if not sys.stdout.isatty():
        return None
    return max(shutil.get_terminal_size().columns, _NARROWEST)


def names_of(graph_nodes: list[Node]) -> dict[Node, str]:
    """A distinct name per node: what a module or the user calls it, else a number."""
    taken: set[str] = set()
    names: dict[Node, str] = {}
    places = {n: naming_place_of(n._recorded.traceback) for n in graph_nodes}
    inner = {
        i for node in graph_nodes for i in node.inputs if places[i] == places[node]
    }  # parts of a longer expression
    for number, node in enumerate(graph_nodes):
        variable = _gradient_name(node, names) or parameter_name(node._recorded.leaf)
        if variable is None and node not in inner:
            variable = assigned_name(places[node], creates=node.is_input)
        wanted = variable or f"v{number}"
        names[node] = next(name for name in _variants(wanted) if name not in taken)
        taken.add(names[node])
    return names


def _gradient_name(node: Node, names: dict[Node, str]) -> str | None:
    """`grad_w` for the gradient of `w`."""
    if node._recorded.op is not gradient:
        return None
    of = _gradient_of(node)
    return "grad" if of is None or of not in names else f"grad_{names[of]}"


def _gradient_of(node: Node) -> Node | None:
    """The node that a gradient belongs to, while its backward pass knows."""
    recorded = node._recorded
    if recorded.op is not gradient:
        return None
    region = next(iter(_bundle(recorded).inputs), None)
    if not isinstance(region, Region):
        return None
    return Node(region.wanted[node.attributes["index"]])


def _bundle(recorded: nodes.Node) -> nodes.Node:
    """The gradients of one backward pass, of which a node is one."""
    return next(iter(recorded.inputs))


def _variants(name: str) -> Iterator[str]:
    yield name
    number = 1
    while True:
        number += 1
        yield f"{name}_{number}"


def _recorded_tensor(what: str, tensor: Any) -> Tensor:
    if not isinstance(tensor, Tensor):
        raise ArgumentError(
            f"{what}: {type(tensor).__name__} is no Tensor",
            help="make one with pf.tensor(...)",
        )
    return tensor


def _is_creation(recorded: nodes.Node) -> bool:
    """Whether it is made from numbers alone, as `zeros` is."""
    return all(i.is_literal for i in recorded.inputs)


def _work_of(graph_nodes: Sequence[Node]) -> dict[Node, Work]:
    """The flops of every node that is no input, each piece of work counted once."""
    together: dict[int, list[Node]] = {}
    for node in graph_nodes:
        if not node.is_input:
            together.setdefault(_pass_of(node), []).append(node)
    found: dict[Node, Work] = {}
    for group in together.values():
        work = work_of([node._recorded for node in group])
        found.update(zip(group, work, strict=True))
    return found


def _pass_of(node: Node) -> int:
    """What is the same for gradients of one backward pass."""
    recorded = node._recorded
    return id(_bundle(recorded) if recorded.op is gradient else recorded)


def _texts(node: Node, names: dict[Node, str]) -> tuple[Texts, Texts]:
    """The operands and the other arguments; of a gradient, whose it is."""
    if node.is_input:
        return (), ()
    operands, attributes = call_texts(node._recorded, lambda i: names[Node(i)])
    if node._recorded.op is gradient:
        of = _gradient_of(node)
        attributes = () if of is None or of not in names else (f"of={names[of]}",)
    return operands, attributes
