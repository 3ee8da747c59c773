"""Views of what was recorded: Graph, Node and TensorSpec, and how they print."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pyflame import node as nodes
from pyflame.dtypes import DType, as_dtype
from pyflame.errors import ArgumentError
from pyflame.layout import MeshLayout
from pyflame.source import Place, assigned_name, place_of
from pyflame.tensors import Tensor


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
        """The pf op, such as `matmul`; `input` for data."""
        op = self._recorded.op
        return op.__name__ if op is not None else "input"

    @property
    def inputs(self) -> list[Node]:
        """The nodes this one is computed from; numbers are `attributes`."""
        return [Node(n) for n in nodes.recipe_inputs(self._recorded)]

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
    def place(self) -> Place | None:
        """Where the user wrote it."""
        return place_of(self._recorded.traceback)

    def __repr__(self) -> str:
        return f"Node({self.op_type} -> {self.spec})"


class Graph:
    """The nodes that a tensor is computed from, inputs before their users."""

    def __init__(self, output: Tensor) -> None:
        self._outputs = (output,)

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

    def __str__(self) -> str:
        return "\n".join(_lines(self))

    __repr__ = __str__


def get_graph(tensor: Tensor) -> Graph:
    """The graph of a tensor.

    Raises: ArgumentError, if it is no Tensor.
    """
    return Graph(_recorded_tensor("get_graph", tensor))


def get_node(tensor: Tensor) -> Node:
    """The node of a tensor.

    Raises: ArgumentError, if it is no Tensor.
    """
    return Node(_recorded_tensor("get_node", tensor)._node)


def print_graph(tensor: Tensor) -> None:
    """Prints the graph: a line per node with shape, layout and the user's line."""
    print(get_graph(tensor))


def names_of(graph_nodes: list[Node]) -> dict[Node, str]:
    """A distinct name per node: the user's variable where plain, else a number."""
    taken: set[str] = set()
    names: dict[Node, str] = {}
    inner = {
        i for node in graph_nodes for i in node.inputs if i.place == node.place
    }  # parts of a longer expression
    for number, node in enumerate(graph_nodes):
        variable = None if node in inner else assigned_name(node.place)
        wanted = variable or f"v{number}"
        names[node] = next(name for name in _variants(wanted) if name not in taken)
        taken.add(names[node])
    return names


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


def _lines(graph: Graph) -> list[str]:
    names = names_of(graph.nodes)
    rows = [_row(node, names) for node in graph.nodes]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    title = f"graph: {graph.num_nodes} nodes, {len(graph.inputs)} of them inputs"
    return [
        title,
        *("  " + "  ".join(map(str.ljust, row, widths)).rstrip() for row in rows),
    ]


def _row(node: Node, names: dict[Node, str]) -> tuple[str, str, str, str, str]:
    layout = str(node.spec.layout) if node._recorded.layout else ""
    place = str(node.place) if node.place else ""
    return names[node], f"= {_call(node, names)}", str(node.spec), layout, place


def _call(node: Node, names: dict[Node, str]) -> str:
    """`sum(h, dim=1, keepdim=False)`: operands by name, numbers as they are."""
    if node.is_input:
        return f"{node.op_type}()"
    operands = [
        repr(i.value) if i.is_literal else names[Node(i)]
        for i in nodes.operands(node._recorded)
    ]
    attributes = [
        f"{key}={value!r}"
        for key, value in node.attributes.items()
        if value is not None and value is not False
    ]
    return f"{node.op_type}({', '.join([*operands, *attributes])})"
