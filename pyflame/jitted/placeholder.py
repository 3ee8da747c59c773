"""Stand-ins: nodes for the values that a traced function is given at every call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyflame import node as nodes
from pyflame.node import Aval, Leaf, Node
from pyflame.regions import is_alive


@dataclass(frozen=True, slots=True)
class Argument:
    """The value is that of an argument, by its position among all of them."""

    position: int


@dataclass(frozen=True, slots=True)
class Captured:
    """The value is what a Tensor stands for at the time of the call."""

    tensor: Any


@dataclass(frozen=True, slots=True)
class Gradient:
    """The value is the gradient so far."""

    leaf: Leaf


@dataclass(frozen=True, slots=True)
class Number:
    """The value is a Python number that is worked out before each call."""

    position: int


@dataclass(frozen=True, slots=True)
class Counter:
    """The value is the number of random requests before the call, plus an offset."""

    offset: int


@dataclass(frozen=True, slots=True)
class Seed:
    """The value is the seed of random numbers."""


Source = Argument | Captured | Gradient | Number | Counter | Seed


class Placeholder(Node):
    """A value from a source. `first` is what it is in the call that is traced."""

    __slots__ = ("first", "source")

    def __init__(self, aval: Aval, source: Source, first: Any) -> None:
        super().__init__(None, (), (), aval)
        self.source = source
        self.first = first


def number(value: float, source: Source) -> Placeholder:
    """For a Python number."""
    like = nodes.literal(value)
    assert like.aval is not None, "numbers have a dtype"
    return Placeholder(like.aval, source, value)


def array(node: Node, source: Source, leaf: Leaf | None) -> Placeholder:
    """For a computed node of a Tensor; gradients end in it, if that is so outside.

    Where they would flow on to what the node was computed from, it is `lost`:
    backward then says so.
    """
    assert node.aval is not None, "tensors in use have a shape"
    made = Placeholder(node.aval, source, node)
    made.layout = node.layout
    if node.tracked:
        if node.is_source:
            made.tracked, made.leaf = True, leaf
        elif is_alive(node):
            made.tracked = made.lost = True
    return made


def kind_of(node: Node) -> str:
    """What gradients do at a node: "leaf", "constant" or "passed"."""
    if not node.tracked:
        return "constant"
    if node.is_source:
        return "leaf"
    return "passed" if is_alive(node) else "constant"
