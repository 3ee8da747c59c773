"""What a Tensor is beneath its methods: a handle on a node, and how ops are recorded.

The functions of the API need `apply` and `Recorded`; the class Tensor needs the
functions. So this module is below them and `pyflame.tensors` above.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.extend import source_info_util

from pyflame import node as nodes
from pyflame import staging, tracing
from pyflame.convert import to_literal, to_values
from pyflame.dtypes import DType, as_dtype
from pyflame.errors import ArgumentError, DTypeError, GraphError, ShapeError
from pyflame.grad_mode import GradMode, no_grad
from pyflame.gradients import gradients
from pyflame.layout import MeshLayout
from pyflame.node import Leaf, Node, Op
from pyflame.ops import elementwise, filled
from pyflame.shown import Shown
from pyflame.structure import apply_directly


class Recorded(Shown):
    """A Tensor without the methods and operators that are ops."""

    __slots__ = ("_leaf", "_node")
    __array_ufunc__ = None  # NumPy arrays leave mixed operators to us

    def __init__(self, node: Node) -> None:
        self._leaf: Leaf | None = None
        if not isinstance(node, Node):
            self._node = nodes.data(None)
            raise ArgumentError(
                f"Tensor: {type(node).__name__} is no recorded value",
                help="make a tensor with pf.tensor(...)",
            )
        self._node = node
        node.names += 1

    def __del__(self) -> None:
        if self._leaf is not None:
            self._leaf.tensors -= 1
        self._node.release()

    @property
    def shape(self) -> list[int]:
        return list(self._aval().shape)

    @property
    def dtype(self) -> DType:
        return as_dtype(self._aval().dtype)

    @property
    def ndim(self) -> int:
        return len(self._aval().shape)

    @property
    def numel(self) -> int:
        return math.prod(self._aval().shape)

    @property
    def layout(self) -> MeshLayout:
        """The layout asked for; single_pe where the compiler is free to choose."""
        return self._node.layout or MeshLayout.single_pe()

    @property
    def grad(self) -> Self | None:
        """What `backward` added up for this tensor; None before, or set to None."""
        if tracing.running and tracing.current() is not None:
            tracing.use((self,))
            return self._own_leaf().grad
        leaf = self._leaf or self._node.leaf
        return leaf.grad if leaf is not None else None

    @grad.setter
    def grad(self, grad: Any | None) -> None:
        if grad is not None:
            self._check_grad(grad)
        if tracing.running:
            tracing.use((self,))
        self._own_leaf().grad = grad

    def _check_grad(self, grad: Any) -> None:
        if not isinstance(grad, Recorded):
            raise ArgumentError(
                f"grad: {type(grad).__name__} is no Tensor",
                rule="a gradient is a Tensor or None",
            )
        if (grad.shape, grad.dtype) != (self.shape, self.dtype):
            raise ShapeError(
                f"grad of {self._text()}: {grad._text()} was given",
                rule="a gradient has the shape and dtype of its tensor",
            )

    @property
    def requires_grad(self) -> bool:
        """Whether gradients end in it or flow through it.

        Floating tensors have gradients from the start, unlike PyTorch's. A leaf is
        frozen by `x.requires_grad = False` until it is set to True again, whatever is
        assigned to it; what was recorded before is not changed.
        """
        return self._node.tracked

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        self._check_requires_grad(wanted)
        if wanted != self._node.tracked:
            self._own_leaf().frozen = not wanted
            self._become(detached(self._node))

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Sets `requires_grad`; returns self."""
        self.requires_grad = requires_grad
        return self

    def _check_requires_grad(self, wanted: Any) -> None:
        what = f"requires_grad={wanted!r} of {self._text()}"
        if not isinstance(wanted, bool):
            raise ArgumentError(what, rule="requires_grad is True or False")
        if wanted and not self._aval().floating:
            raise DTypeError(what, rule="only floating tensors have gradients")
        if not wanted and self._node.tracked and not self._node.is_source:
            raise ArgumentError(
                f"{what}: it is the result of an op",
                rule="only leaves are frozen",
                help="use detach() for the same values without gradients",
            )
        if tracing.current() is not None:
            raise ArgumentError(
                f"{what} inside pf.jit",
                rule="what has gradients is known before a function is traced",
                help="set it before the first call",
            )

    def _own_leaf(self) -> Leaf:
        """Where gradients of this tensor are kept, whatever it will stand for."""
        if self._leaf is None:
            self._leaf = self._node.leaf or Leaf()
            self._leaf.tensors += 1
        if self._node.is_source:
            self._node.leaf = self._leaf
        return self._leaf

    def _assign(self, value: Recorded) -> None:
        """From now on this tensor has the values of `value`, and is a leaf.

        Nothing is computed. What was recorded from the old values keeps them; its
        gradients still end here. The gradient so far and the layout stay.
        """
        if tracing.running:
            tracing.use((self,))
        self._become(detached(as_node(value)))
        if self._node.value is None and not tracing.running:
            staging.assign_later(self._node)

    def _become(self, node: Node) -> None:
        """As `_assign`, for a node that nobody else has."""
        node.leaf = leaf = self._own_leaf()
        node.tracked = node.aval is not None and node.aval.floating and not leaf.frozen
        self._rebind(node)

    def _rebind(self, node: Node) -> None:
        """From now on this tensor stands for the node; only its layout stays."""
        if tracing.running:
            tracing.use((self,))
        old = self._node
        if isinstance(node.value, Tracer) and not _may_be_traced(old):
            raise _leaked(self)
        node.layout = node.layout or old.layout
        node.names += 1
        self._node = node
        if old.names > 1 and old.leaf is not None:
            old.leaf.tensors += 1  # for all others that stand for the old node
        old.release()

    def detach(self) -> Self:
        """The same values, through which no gradient flows."""
        if tracing.running:
            tracing.use((self,))
        return _made(detached(self._node))

    def clone(self) -> Any:
        """The same values as the result of an op: gradients flow on to this tensor."""
        return apply(elementwise.clone, self)

    def backward(self, grad_output: Any = None) -> None:
        """Adds gradients to the `grad` of every leaf; see `pf.autograd.backward`."""
        if tracing.running:
            tracing.use((self,))
        self._check_backward(grad_output)
        given = None if grad_output is None else as_node(grad_output)
        found = gradients(self._node, given)
        if not found:
            raise _no_gradient(self)
        _settle([leaf for leaf, _ in found])
        for leaf, node in found:
            grad = _made(node)
            leaf.grad = grad if leaf.grad is None else _added(leaf.grad, grad)

    def _check_backward(self, grad_output: Any) -> None:
        """Raises: ArgumentError, DTypeError or ShapeError, with the rule broken."""
        if isinstance(self._node.value, Tracer):
            raise ArgumentError(
                f"backward of {self._text()} inside a JAX transformation",
                rule="backward works on recorded tensors, and JAX records its own way",
                help="use jax.grad of the function that computes it",
            )
        if not GradMode.is_enabled():
            raise ArgumentError(
                f"backward of {self._text()}: gradients are disabled here",
                rule="backward runs outside no_grad, with GradMode enabled",
                help="call it after the no_grad block, or inside enable_grad()",
            )
        if not self._aval().floating:
            raise DTypeError(
                f"backward of {self._text()}: only floating tensors have gradients",
                help="convert before the computation: x.to(pf.float32)",
            )
        if grad_output is None:
            self._check_scalar()
        else:
            self._check_grad_output(grad_output)

    def _check_scalar(self) -> None:
        if self.numel != 1:
            raise ShapeError(
                f"backward of {self._text()}: there are {self.numel} elements",
                rule="grad can be implicitly created only for scalar outputs",
                help="reduce it first, as in loss.sum(), or pass grad_output",
            )

    def _check_grad_output(self, grad_output: Any) -> None:
        grad = (
            grad_output
            if isinstance(grad_output, Recorded)
            else _made(as_node(grad_output))
        )
        if (grad.shape, grad.dtype) != (self.shape, self.dtype):
            raise ShapeError(
                f"backward of {self._text()}: grad_output is {grad._text()}",
                rule="grad_output has the shape and dtype of the output",
            )

    def _aval(self) -> nodes.Aval:
        node = self._node
        return (
            node.aval if node.aval is not None else nodes.aval_of(jnp.array(node.value))
        )

    def eval(self) -> Self:
        """Computes the value (and every named tensor on the way); returns self."""
        staging.evaluate([self._node])
        return self

    def is_evaluated(self) -> bool:
        return self._node.value is not None

    def numpy(self) -> np.ndarray[Any, Any]:
        """The values as a new, writable NumPy array."""
        return np.array(self.__jax_array__())

    def item(self) -> bool | int | float:
        """The only element, as a Python number.

        Raises: ShapeError, unless there is exactly one element.
        """
        return self._only_element("item")

    def _only_element(self, what: str) -> bool | int | float:
        if self.numel != 1:
            raise ShapeError(
                f"{what} of {self._text()}: there are {self.numel} elements",
                rule=f"{what} reads a tensor of exactly one element",
                help="reduce it first, or use numpy()",
            )
        return self.__jax_array__().item()

    def __array__(
        self, dtype: Any = None, copy: bool | None = None
    ) -> np.ndarray[Any, Any]:
        return np.array(self.__jax_array__(), dtype=dtype, copy=copy)

    def __jax_array__(self) -> Any:
        node = self._node
        staging.evaluate([node])
        if node.value is None:  # pf.jit puts everything off while it traces
            self._read_in_trace()
        return self._node.array()

    def _read_in_trace(self) -> None:
        """Computes what depends on nothing that is given at each call."""
        tracing.use((self,))
        if not staging.is_fixed(self._node):
            raise tracing.no_value(self._text())
        with tracing.suspended():
            staging.evaluate([self._node])

    def __repr__(self) -> str:
        value = self.__jax_array__()
        if isinstance(value, Tracer) or not isinstance(value, jax.Array):
            return f"tensor({value})"
        text = np.array2string(np.asarray(value), separator=", ", prefix="tensor(")
        return f"tensor({text}, dtype={self.dtype.name})"

    def _text(self) -> str:
        return f"{self._aval().dtype}{self.shape}"

    def __len__(self) -> int:
        if not self.ndim:
            raise ShapeError(f"len of {self._text()}: a scalar has no length")
        return self.shape[0]

    def __bool__(self) -> bool:
        return bool(self._only_element("bool"))

    def __float__(self) -> float:
        return float(self._only_element("float"))

    def __int__(self) -> int:
        return int(self._only_element("int"))

    def __copy__(self) -> Self:
        if tracing.running:
            tracing.use((self,))
        return _made(self._node)

    def __iter__(self) -> Iterator[Any]:
        if not self.ndim:
            raise ShapeError(f"iteration over {self._text()}: a scalar has no elements")
        return (self[i] for i in range(len(self)))  # pyright: ignore[reportIndexIssue]


_made: Any = Recorded  # the class of what ops give


def make(tensor_class: type[Recorded]) -> None:
    """From now on ops give tensors of this class, which is a JAX pytree of one leaf."""
    global _made
    _made = tensor_class
    jax.tree_util.register_pytree_node(tensor_class, _flatten, _unflatten)


def _flatten(tensor: Recorded) -> tuple[tuple[Any], None]:
    return (tensor.__jax_array__(),), None


def _unflatten(_: None, leaves: Sequence[Any]) -> Any:
    return _made(nodes.data(leaves[0]))


def apply(op: Op, *operands: Any, **static: Any) -> Any:
    """Records `op` on the operands as a new Tensor; applies it at once to tracers.

    Operands are Tensors, Python numbers, or what `pf.tensor` takes. Under a JAX
    transformation the result is a Tensor if all traced operands are, else an array;
    reduced to a scalar it is an array, because `jax.grad` asks for one.
    """
    if tracing.running:
        tracing.use([x for x in operands if isinstance(x, Recorded)])
    inputs: list[Node] = []
    for operand in operands:
        node = operand._node if isinstance(operand, Recorded) else as_node(operand)
        if node.op is None and isinstance(node.value, Tracer):
            return _apply_traced(op, operands, static)
        inputs.append(node)
    return _made(staging.record(op, tuple(inputs), tuple(static.items())))


def as_node(operand: Any) -> Node:
    """The node of a Tensor; a new one for a number, an array or a list."""
    if type(operand) is float:
        return nodes.literal(operand)
    if isinstance(operand, Recorded):
        if tracing.running:
            tracing.use((operand,))
        return operand._node
    if isinstance(operand, (bool, int, float)):
        return nodes.literal(to_literal(operand))
    if isinstance(operand, Tracer):
        return nodes.data(operand)
    return nodes.given(to_values(operand), source_info_util.current().traceback)


def as_tensor(operand: Any) -> Any:
    """The Tensor itself; a new one for a number, an array or a list."""
    return operand if isinstance(operand, Recorded) else _made(as_node(operand))


def _settle(leaves: Sequence[Leaf]) -> None:
    """Computes what these gradients hold so far, so that no history piles up."""
    late = [leaf for leaf in leaves if _is_pending(leaf.grad)]
    for leaf in late:
        leaf.eager = True
    staging.evaluate([leaf.grad._node for leaf in late])


def _is_pending(grad: Any | None) -> bool:
    return grad is not None and not grad.is_evaluated()


def _added(a: Any, b: Any) -> Any:
    with no_grad():
        return apply(elementwise.add, a, b)


def _may_be_traced(node: Node) -> bool:
    """Whether it is from inside a transformation, or `zeros` that may be made there."""
    fresh = node.value is None and node.leaf is None and node.op in filled.OPS
    return fresh or isinstance(node.value, Tracer)


def _leaked(tensor: Recorded) -> GraphError:
    return GraphError(
        f"{tensor._text()} would take a value from inside a transformation of JAX",
        rule="a tensor outside of jax.jit, grad, vmap or scan keeps its value there",
        help="return the new value from the function; pf.nn.functional_call passes "
        "parameters and buffers in, and with mutable=True out again",
    )


def _no_gradient(output: Recorded) -> ArgumentError:
    return ArgumentError(
        f"backward of {output._text()}: it depends on no tensor that takes gradients",
        rule="gradients end in floating tensors that no op computed, and do not pass "
        "detach(), no_grad blocks, integers or other gradients",
        help="keep a name on the tensors whose grad is wanted; for gradients of "
        "gradients use jax.grad over a function of pf ops",
    )


def detached(node: Node) -> Node:
    """A new node of the same value that gradients do not pass."""
    if node.value is not None:
        copy = nodes.data(node.array(), source_info_util.current().traceback)
    else:
        copy = staging.record(elementwise.detach, (node,), ())
    copy.tracked = False
    return copy


def _apply_traced(op: Op, operands: Sequence[Any], static: dict[str, Any]) -> Any:
    arrays = [_value_in_trace(as_node(operand)) for operand in operands]
    result = apply_directly(op, arrays, tuple(static.items()))
    raw = any(isinstance(operand, Tracer) for operand in operands)
    reduced = not result.ndim and any(map(jnp.ndim, arrays))
    return result if raw or reduced else _made(nodes.data(result))


def _value_in_trace(node: Node) -> Any:
    """The value; of a pending `zeros`, `ones` or `full` the op, not its elements."""
    if node.value is None and node.op is not None and node.op in filled.OPS:
        numbers = [number.value for number in node.inputs]
        return apply_directly(node.op, numbers, node.static)
    staging.evaluate([node])
    return node.array()


def binary(op: Op, a: Any, b: Any) -> Any:
    for operand in (a, b):
        if not isinstance(operand, _OPERANDS):
            return NotImplemented
    return apply(op, a, b)


_OPERANDS = (Recorded, bool, int, float, np.ndarray, np.generic, jax.Array)
