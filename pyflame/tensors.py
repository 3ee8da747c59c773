"""The lazy Tensor: a handle on a node, with the methods and operators of the API."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
from pyflame.errors import ArgumentError, ShapeError
from pyflame.layout import MeshLayout
from pyflame.node import Node, Op
from pyflame.ops import elementwise, filled, linalg, reduction, shape
from pyflame.ops.shapes import Dims

_SMALL_POWER = 16


class Tensor:
    """An array that is computed when its values are asked for.

    Made by `pf.tensor`, `pf.zeros`, ... and by every op. Inside `jax.jit`, `grad`,
    `vmap` and `scan` a Tensor holds a tracer, and ops apply to it at once.
    """

    __slots__ = ("_node",)
    __array_ufunc__ = None  # NumPy arrays leave mixed operators to us

    def __init__(self, node: Node) -> None:
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
        return int(np.prod(self._aval().shape, dtype=np.int64))

    @property
    def layout(self) -> MeshLayout:
        """The layout asked for; single_pe where the compiler is free to choose."""
        return self._node.layout or MeshLayout.single_pe()

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


def _apply_traced(op: Op, operands: Sequence[Any], static: dict[str, Any]) -> Any:
    arrays = [_value_in_trace(as_node(operand)) for operand in operands]
    result = staging.apply_directly(op, arrays, tuple(static.items()))
    raw = any(isinstance(operand, Tracer) for operand in operands)
    reduced = not result.ndim and any(map(jnp.ndim, arrays))
    return result if raw or reduced else Tensor(nodes.data(result))


def _value_in_trace(node: Node) -> Any:
    """The value; of a pending `zeros`, `ones` or `full` the op, not its elements."""
    if node.value is None and node.op is not None and node.op in filled.OPS:
        numbers = [number.value for number in node.inputs]
        return staging.apply_directly(node.op, numbers, node.static)
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
