"""Nodes: what a lazy tensor stands for, one per recorded op, and how they are walked.

A node is a literal (a Python number), data (a value and no op), or the result of an
op on other nodes. Computing a node keeps its recipe while a Tensor names it, so that
its graph can still be shown and compiled; a computed value that nobody names any more
is data: graphs begin there, and a loop that rebinds its variables stays flat in memory.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import count
from typing import Any

import jax
import numpy as np

from pyflame import tracing
from pyflame.convert import on_device
from pyflame.layout import MeshLayout

Op = Callable[..., jax.Array]
Static = tuple[tuple[str, Hashable], ...]

MAX_PENDING_NODES = 2000

_serials = count()


class Aval:
    """Shape, NumPy dtype and weakness of a value; interned, compared by identity."""

    __slots__ = ("dtype", "floating", "literal", "shape", "weak")

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        weak: bool,
        literal: bool = False,
    ) -> None:
        self.literal = literal  # of a Python number; such avals are not interned
        self.shape = shape
        self.dtype = dtype
        self.weak = weak
        self.floating = np.dtype(dtype).kind in "fV"  # V: bfloat16

    def struct(self) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(self.shape, self.dtype, weak_type=self.weak)


_avals: dict[tuple[tuple[int, ...], np.dtype[Any], bool], Aval] = {}


def aval_of(array: Any) -> Aval:
    """The interned aval of a JAX array, tracer or ShapeDtypeStruct."""
    return _aval(array.shape, array.dtype, array.weak_type)


def _aval(shape: tuple[int, ...], dtype: np.dtype[Any], weak: bool) -> Aval:
    key = (shape, dtype, weak)
    found = _avals.get(key)
    return found or _avals.setdefault(key, Aval(*key))


class Leaf:
    """The gradient of a tensor that was not computed, shared by all that stand for it.

    `tensors` counts the Tensors that would show the gradient. `eager`: it has been
    added to before it was computed, so it is computed with the values it needs, lest
    the unread gradients of many steps pile up. `frozen`: no gradients are wanted.
    `users` are the values that backward was asked for, and others with a name.
    `asked`: gradients have been computed for somebody other than an optimizer.
    """

    __slots__ = ("__weakref__", "_grad", "asked", "eager", "frozen", "tensors", "users")

    def __init__(self) -> None:
        self.asked = False
        self.eager = False
        self.frozen = False
        self._grad: Any = None
        self.tensors = 0
        self.users: list[weakref.ref[Node]] = []

    @property
    def grad(self) -> Any:
        """A Tensor, or None."""
        if tracing.running and (trace := tracing.current()) is not None:
            return trace.grad_of(self)
        if isinstance(self._grad, LateGradients):
            self._grad.compute()
        return self._grad

    @grad.setter
    def grad(self, grad: Any) -> None:
        if tracing.running and (trace := tracing.current()) is not None:
            trace.set_grad(self, grad)
        else:
            self._grad = grad

    @property
    def has_grad(self) -> bool:
        """Whether there is a gradient; it is not computed to find out."""
        return self._grad is not None

    def drop(self) -> None:
        """Nobody can read the gradient any more, which may hold all it needs."""
        self._grad = None

    def used_by(self, users: list[weakref.ref[Node]]) -> None:
        """Remembers what has been computed from the tensor, while it exists."""
        self.users = [user for user in self.users if user() is not None] + users


class LateGradients:
    """Stands where gradients would be that are computed once somebody reads one."""

    def compute(self) -> None:
        """Puts the gradients where this stands."""
        raise NotImplementedError


class Node:
    """One value. `value` is None while it is pending.

    The `value` of data may be a NumPy array of its own that is not on the device yet:
    compiled programs take it as it is at first (see `fed` and `array`).
    `pending_count` is an upper bound of the pending nodes it needs, itself included;
    `names` counts the Tensors that stand for it; `tracked` tells whether gradients
    flow through it or end in it; `leaf` is where they end, once that matters. `via` is
    a node that computes this one as its part number `index`, together with what
    backward needs; `lost` tells that gradients would flow on, but the recipe is gone.
    """

    __slots__ = (
        "__weakref__",
        "aval",
        "feeds",
        "index",
        "inputs",
        "layout",
        "leaf",
        "lost",
        "names",
        "op",
        "pending_count",
        "serial",
        "static",
        "traceback",
        "tracked",
        "value",
        "via",
    )

    def __init__(
        self,
        op: Op | None,
        inputs: tuple[Node, ...],
        static: Static,
        aval: Aval | None,
        value: Any = None,
        traceback: Any = None,
    ) -> None:
        self.op = op
        self.inputs: tuple[Node, ...] = inputs
        self.static = static
        self.aval = aval
        self.value = value
        self.traceback = traceback
        self.names = 0
        self.tracked = False
        self.leaf: Leaf | None = None
        self.lost = False
        self.via: Node | None = None
        self.index = 0
        self.layout: MeshLayout | None = None
        self.serial = next(_serials)
        self.pending_count = 0
        self.feeds = 0

    @property
    def is_literal(self) -> bool:
        """A Python number that was an operand."""
        return self.op is None and self.aval is not None and self.aval.literal

    @property
    def is_source(self) -> bool:
        """Data, made from numbers alone (`zeros`, `randn`), or assigned: an input."""
        if self.leaf is None:
            for node in self.inputs:
                if not node.is_literal:
                    return False
        return True

    def array(self) -> Any:
        """The value, on the device from now on."""
        if type(self.value) is np.ndarray and self.aval is not None:
            self.value = on_device(self.value)
        return self.value

    def fed(self) -> Any:
        """The value for a call of a compiled program, which takes it to the device.

        A batch is used once, or twice if its loss is read before backward. What is used
        more often stays on the device.
        """
        if self.feeds == 2:
            return self.array()
        self.feeds += 1
        return self.value

    def release(self) -> None:
        """A Tensor that stood for this node is gone."""
        self.names -= 1
        if self.names:
            return
        if self.value is not None:
            self.forget()
        if self.leaf is not None and not self.leaf.tensors:
            self.leaf.drop()

    def forget(self) -> None:
        """Becomes data: the recipe is dropped, the value stays."""
        if self.tracked and self.via is None and not self.is_source:
            self.lost = True
        self.inputs = ()
        self.op = None
        self.static = ()


_literal_avals: dict[type, Aval] = {
    bool: Aval((), np.dtype(np.bool_), False, True),
    int: Aval((), np.dtype(np.int32), True, True),
    float: Aval((), np.dtype(np.float32), True, True),
}


class Call(Node):
    """Several values at once, computed by a function of `pf.jit`."""

    __slots__ = ()


def number(value: float | jax.Array) -> Node:
    """As `literal` of a float, which may be on the device already."""
    return Node(None, (), (), _literal_avals[float], value)


def next_serial() -> int:
    """A number above those of all nodes so far, and below those to come."""
    return next(_serials)


def literal(value: bool | int | float) -> Node:
    """A node that holds a Python number: an input that is never structural."""
    return Node(None, (), (), _literal_avals[type(value)], value)


def data(value: Any, traceback: Any = None) -> Node:
    """A node that holds a JAX array; or anything JAX puts into a pytree, unchecked."""
    aval = aval_of(value) if isinstance(value, jax.Array) else None
    node = Node(None, (), (), aval, value, traceback)
    node.tracked = aval is not None and aval.floating
    return node


def given(values: jax.Array | np.ndarray[Any, Any], traceback: Any) -> Node:
    """A node that holds what `convert.to_values` gave."""
    if type(values) is not np.ndarray:
        return data(values, traceback)
    aval = _aval(values.shape, values.dtype, False)
    node = Node(None, (), (), aval, values, traceback)
    node.tracked = aval.floating
    return node


def constant(value: jax.Array, aval: Aval) -> Node:
    """A node that holds a JAX array, of which no gradient is wanted."""
    return Node(None, (), (), aval, value)


def walk(
    roots: Iterable[Node],
    inputs_of: Callable[[Node], Sequence[Node]],
    seen: set[Node] | None = None,
) -> list[Node]:
    """Every node reachable from `roots`, inputs before users, without recursion.

    Nodes in `seen` are left out, and those found are added to it.
    """
    order: list[Node] = []
    seen = set() if seen is None else seen
    stack: list[Node | None] = [*roots]
    stack.reverse()
    while stack:
        node = stack.pop()
        if node is None:  # all that the node below it needs is in order
            order.append(stack.pop())  # pyright: ignore[reportArgumentType]
        elif node not in seen:
            seen.add(node)
            inputs = inputs_of(node)
            if inputs:
                stack += (node, None, *inputs[::-1])
            else:
                order.append(node)
    return order


def split(
    roots: Sequence[Node],
    inputs_of: Callable[[Node], Sequence[Node] | None],
    seen: set[Node] | None = None,
) -> tuple[list[Node], list[Node]]:
    """As `walk`, in two lists: where `inputs_of` gives None, and all others."""
    ends, steps = list[Node](), list[Node]()
    seen = set() if seen is None else seen
    stack: list[Node | None] = [*roots[::-1]]
    while stack:
        node = stack.pop()
        if node is None:
            steps.append(stack.pop())  # pyright: ignore[reportArgumentType]
        elif node not in seen:
            seen.add(node)
            inputs = inputs_of(node)
            if inputs is None:
                ends.append(node)
            else:
                stack += (node, None, *inputs[::-1])
    return ends, steps


def needed(node: Node) -> tuple[Node, ...] | None:
    """The inputs that must be known before `node` can be; None if it has a value."""
    if node.value is not None:
        return None
    return node.inputs if node.via is None else (node.via,)


def pending_inputs(node: Node) -> tuple[Node, ...]:
    """The inputs that must be known before `node` can be computed."""
    if node.value is not None:
        return ()
    return node.inputs if node.via is None else (node.via,)


def recipe_inputs(node: Node) -> tuple[Node, ...]:
    """The inputs of a node as the user wrote it: none beyond a source, no numbers."""
    if node.is_source:
        return ()
    return tuple(i for i in operands(node) if not i.is_literal)


def operands(node: Node) -> tuple[Node, ...]:
    """The inputs of a node that are arrays; of several values at once, their inputs."""
    found = list(node.inputs)
    while any(i.aval is None and i.inputs for i in found):
        found = [k for i in found for k in (i.inputs if i.aval is None else (i,))]
    return tuple(i for i in dict.fromkeys(found) if i.aval is not None)
