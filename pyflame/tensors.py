"""The lazy Tensor: a handle on a node, with the methods and operators of the API."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.extend import source_info_util

from pyflame import node as nodes
from pyflame import staging
from pyflame.convert import to_array, to_literal
from pyflame.dtypes import DType, as_dtype
from pyflame.errors import ArgumentError, DTypeError, ShapeError
from pyflame.grad_mode import GradMode, no_grad
from pyflame.gradients import gradients
from pyflame.layout import MeshLayout
from pyflame.node import Leaf, Node, Op
from pyflame.ops import elementwise, filled, linalg, reduction, shape
from pyflame.ops.shapes import Dims
from pyflame.structure import apply_directly

_SMALL_POWER = 16


class Tensor:
    """An array that is computed when its values are asked for.

    Made by `pf.tensor`, `pf.zeros`, ... and by every op. Inside `jax.jit`, `grad`,
    `vmap` and `scan` a Tensor holds a tracer, and ops apply to it at once.
    """

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
        self._node.release()
        if self._leaf is not None:
            self._leaf.tensors -= 1

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
    def grad(self) -> Tensor | None:
        """What `backward` added up for this tensor; None before, or set to None."""
        leaf = self._leaf or self._node.leaf
        return leaf.grad if leaf is not None else None

    @grad.setter
    def grad(self, grad: Tensor | None) -> None:
        if grad is not None:
            self._check_grad(grad)
        self._own_leaf().grad = grad

    def _check_grad(self, grad: Any) -> None:
        if not isinstance(grad, Tensor):
            raise ArgumentError(
                f"grad: {type(grad).__name__} is no Tensor",
                rule="a gradient is a Tensor or None",
            )
        if (grad.shape, grad.dtype) != (self.shape, self.dtype):
            raise ShapeError(
                f"grad of {self._text()}: {grad._text()} was given",
                rule="a gradient has the shape and dtype of its tensor",
            )

    def _own_leaf(self) -> Leaf:
        """Where gradients of this tensor are kept, whatever it will stand for."""
        if self._leaf is None:
            self._leaf = self._node.leaf or Leaf()
            self._leaf.tensors += 1
        if self._node.is_source:
            self._node.leaf = self._leaf
        return self._leaf

    def _assign(self, value: Tensor) -> None:
        """From now on this tensor has the values of `value`, and is a leaf.

        Nothing is computed. What was recorded from the old values keeps them; its
        gradients still end here. The gradient so far and the layout stay.
        """
        self._become(detached(value._node))

    def _become(self, node: Node) -> None:
        """As `_assign`, for a node that nobody else has."""
        node.leaf = self._own_leaf()
        node.tracked = node.aval is not None and node.aval.floating
        self._rebind(node)

    def _rebind(self, node: Node) -> None:
        """From now on this tensor stands for the node; only its layout stays."""
        old = self._node
        node.layout = node.layout or old.layout
        node.names += 1
        self._node = node
        old.release()

    def detach(self) -> Tensor:
        """The same values, through which no gradient flows."""
        return Tensor(detached(self._node))

    def clone(self) -> Any:
        """The same values as the result of an op: gradients flow on to this tensor."""
        return apply(elementwise.clone, self)

    def backward(self, grad_output: Any = None) -> None:
        """Adds gradients to the `grad` of every leaf; see `pf.autograd.backward`."""
        self._check_backward(grad_output)
        given = None if grad_output is None else as_node(grad_output)
        found = gradients(self._node, given)
        if not found:
            raise _no_gradient(self)
        _settle([leaf for leaf, _ in found])
        for leaf, node in found:
            grad = Tensor(node)
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
            if isinstance(grad_output, Tensor)
            else Tensor(as_node(grad_output))
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

    def eval(self) -> Tensor:
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
        if self.numel != 1:
            raise ShapeError(
                f"item of {self._text()}: there are {self.numel} elements",
                rule="item reads a tensor of exactly one element",
                help="reduce it first, or use numpy()",
            )
        return self.__jax_array__().reshape(()).item()

    def __array__(
        self, dtype: Any = None, copy: bool | None = None
    ) -> np.ndarray[Any, Any]:
        return np.array(self.__jax_array__(), dtype=dtype, copy=copy)

    def __jax_array__(self) -> Any:
        staging.evaluate([self._node])
        return self._node.value

    def __repr__(self) -> str:
        value = self.__jax_array__()
        if isinstance(value, Tracer) or not isinstance(value, jax.Array):
            return f"tensor({value})"
        text = np.array2string(np.asarray(value), separator=", ", prefix="tensor(")
        return f"tensor({text}, dtype={self.dtype.name})"

    def _repr_html_(self) -> str:
        return import_module("pyflame.report").html_of(self)

    def _text(self) -> str:
        return f"{self._aval().dtype}{self.shape}"

    def __len__(self) -> int:
        if not self.ndim:
            raise ShapeError(f"len of {self._text()}: a scalar has no length")
        return self.shape[0]

    def __bool__(self) -> bool:
        return bool(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __copy__(self) -> Tensor:
        return Tensor(self._node)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        return Tensor(self._node)  # values never change, so they can be shared

    # arithmetic

    def __add__(self, other: Any) -> Any:
        return _binary(elementwise.add, self, other)

    def __radd__(self, other: Any) -> Any:
        return _binary(elementwise.add, other, self)

    def __sub__(self, other: Any) -> Any:
        return _binary(elementwise.sub, self, other)

    def __rsub__(self, other: Any) -> Any:
        return _binary(elementwise.sub, other, self)

    def __mul__(self, other: Any) -> Any:
        return _binary(elementwise.mul, self, other)

    def __rmul__(self, other: Any) -> Any:
        return _binary(elementwise.mul, other, self)

    def __truediv__(self, other: Any) -> Any:
        return _binary(elementwise.div, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return _binary(elementwise.div, other, self)

    def __pow__(self, exponent: Any) -> Any:
        if type(exponent) is int and abs(exponent) <= _SMALL_POWER:
            return apply(elementwise.integer_pow, self, exponent=exponent)
        return _binary(elementwise.pow, self, exponent)

    def __rpow__(self, base: Any) -> Any:
        return _binary(elementwise.pow, base, self)

    def __matmul__(self, other: Any) -> Any:
        return _binary(linalg.matmul, self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return _binary(linalg.matmul, other, self)

    def __neg__(self) -> Any:
        return apply(elementwise.neg, self)

    def __abs__(self) -> Any:
        return apply(elementwise.abs, self)

    # comparisons, element by element; so a Tensor is hashed by identity

    def __eq__(self, other: Any) -> Any:
        return _binary(elementwise.eq, self, other)

    def __ne__(self, other: Any) -> Any:
        return _binary(elementwise.ne, self, other)

    def __lt__(self, other: Any) -> Any:
        return _binary(elementwise.lt, self, other)

    def __le__(self, other: Any) -> Any:
        return _binary(elementwise.le, self, other)

    def __gt__(self, other: Any) -> Any:
        return _binary(elementwise.gt, self, other)

    def __ge__(self, other: Any) -> Any:
        return _binary(elementwise.ge, self, other)

    __hash__ = object.__hash__

    # reductions

    def sum(self, dim: Dims = None, keepdim: bool = False) -> Any:
        """Sum over `dim`: an int, a tuple, or None for all."""
        return apply(reduction.sum, self, **reduce_args(dim, keepdim))

    def mean(self, dim: Dims = None, keepdim: bool = False) -> Any:
        """Mean over `dim`: an int, a tuple, or None for all."""
        return apply(reduction.mean, self, **reduce_args(dim, keepdim))

    def max(self, dim: Dims = None, keepdim: bool = False) -> Any:
        """Largest values over `dim`: an int, a tuple, or None for all."""
        return apply(reduction.max, self, **reduce_args(dim, keepdim))

    def min(self, dim: Dims = None, keepdim: bool = False) -> Any:
        """Smallest values over `dim`: an int, a tuple, or None for all."""
        return apply(reduction.min, self, **reduce_args(dim, keepdim))

    # shapes

    def reshape(self, *new_shape: Any) -> Any:
        """`x.reshape([3, -1])` or `x.reshape(3, -1)`: same elements, row-major."""
        return apply(shape.reshape, self, shape=reshape_args("reshape", new_shape))

    def transpose(self, dim0: int, dim1: int) -> Any:
        """Swaps two dimensions."""
        return apply(shape.transpose, self, dim0=dim0, dim1=dim1)

    def squeeze(self, dim: Dims = None) -> Any:
        """Removes dimensions of size 1: all of them, or those named."""
        return apply(shape.squeeze, self, dim=frozen_dims(dim))

    def unsqueeze(self, dim: int) -> Any:
        """Adds a dimension of size 1 at `dim`."""
        return apply(shape.unsqueeze, self, dim=dim)

    def __getitem__(self, key: Any) -> Any:
        """Integers, slices, None and `...`, as in NumPy.

        Raises: ShapeError, for an index out of range, too many, or of another kind.
        """
        return apply(shape.index, self, key=index_args(key))

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def to(self, dtype: object) -> Any:
        """The values as another dtype."""
        return apply(elementwise.cast, self, dtype=as_dtype(dtype).value)


def _flatten(tensor: Tensor) -> tuple[tuple[Any], None]:
    return (tensor.__jax_array__(),), None


def _unflatten(_: None, leaves: Sequence[Any]) -> Tensor:
    return Tensor(nodes.data(leaves[0]))


jax.tree_util.register_pytree_node(Tensor, _flatten, _unflatten)


def apply(op: Op, *operands: Any, **static: Any) -> Any:
    """Records `op` on the operands as a new Tensor; applies it at once to tracers.

    Operands are Tensors, Python numbers, or what `pf.tensor` takes. Under a JAX
    transformation the result is a Tensor if all traced operands are, else an array;
    reduced to a scalar it is an array, because `jax.grad` asks for one.
    """
    inputs: list[Node] = []
    for operand in operands:
        node = operand._node if isinstance(operand, Tensor) else as_node(operand)
        if node.op is None and isinstance(node.value, Tracer):
            return _apply_traced(op, operands, static)
        inputs.append(node)
    return Tensor(staging.record(op, tuple(inputs), tuple(static.items())))


def as_node(operand: Any) -> Node:
    """The node of a Tensor; a new one for a number, an array or a list."""
    if isinstance(operand, Tensor):
        return operand._node
    if isinstance(operand, (bool, int, float)):
        return nodes.literal(to_literal(operand))
    if isinstance(operand, Tracer):
        return nodes.data(operand)
    return nodes.data(to_array(operand), source_info_util.current().traceback)


def _settle(leaves: Sequence[Leaf]) -> None:
    """Computes what these gradients hold so far, so that no history piles up."""
    late = [leaf for leaf in leaves if _is_pending(leaf.grad)]
    for leaf in late:
        leaf.eager = True
    staging.evaluate([leaf.grad._node for leaf in late])


def _is_pending(grad: Tensor | None) -> bool:
    return grad is not None and not grad.is_evaluated()


def _added(a: Tensor, b: Tensor) -> Tensor:
    with no_grad():
        return apply(elementwise.add, a, b)


def _no_gradient(output: Tensor) -> ArgumentError:
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
        copy = nodes.data(node.value, source_info_util.current().traceback)
    else:
        copy = staging.record(elementwise.detach, (node,), ())
    copy.tracked = False
    return copy


def _apply_traced(op: Op, operands: Sequence[Any], static: dict[str, Any]) -> Any:
    arrays = [_value_in_trace(as_node(operand)) for operand in operands]
    result = apply_directly(op, arrays, tuple(static.items()))
    raw = any(isinstance(operand, Tracer) for operand in operands)
    reduced = not result.ndim and any(map(jnp.ndim, arrays))
    return result if raw or reduced else Tensor(nodes.data(result))


def _value_in_trace(node: Node) -> Any:
    """The value; of a pending `zeros`, `ones` or `full` the op, not its elements."""
    if node.value is None and node.op is not None and node.op in filled.OPS:
        numbers = [number.value for number in node.inputs]
        return apply_directly(node.op, numbers, node.static)
    staging.evaluate([node])
    return node.value


def _binary(op: Op, a: Any, b: Any) -> Any:
    for operand in (a, b):
        if not isinstance(operand, _OPERANDS):
            return NotImplemented
    return apply(op, a, b)


_OPERANDS = (Tensor, bool, int, float, np.ndarray, np.generic, jax.Array)


def reduce_args(dim: Any, keepdim: Any) -> dict[str, Any]:
    """The static arguments of a reduction, hashable."""
    return {"dim": frozen_dims(dim), "keepdim": bool(keepdim)}


def frozen_dims(dim: Any) -> Any:
    """`dim` with a list as a tuple."""
    return tuple(dim) if isinstance(dim, list) else dim


def reshape_args(op: str, sizes: Any) -> tuple[int, ...]:
    """A shape from `(3, 4)`, `[3, 4]`, `3`, or `((3, 4),)` of a varargs call.

    Raises: ShapeError, if a size is no integer.
    """
    match sizes:
        case ([*_] as inner,):
            sizes = inner
    if isinstance(sizes, (int, np.integer)):
        sizes = (sizes,)
    if not isinstance(sizes, (list, tuple)) or not all(map(_is_size, sizes)):
        raise ShapeError(
            f"{op}: {sizes!r} is no shape",
            rule="a shape is a list or tuple of integers",
        )
    return tuple(int(size) for size in sizes)


def index_args(key: Any) -> tuple[Any, ...]:
    """An index as a hashable tuple: slices become `("slice", start, stop, step)`."""
    keys = key if isinstance(key, tuple) else (key,)
    return tuple(
        ("slice", k.start, k.stop, k.step) if isinstance(k, slice) else k for k in keys
    )


def _is_size(size: Any) -> bool:
    return isinstance(size, (int, np.integer)) and not isinstance(size, bool)
