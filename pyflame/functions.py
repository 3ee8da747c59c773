"""The functions of the API: ops on Tensors, arrays, numbers, and tracers of JAX.

Each records its op and returns a Tensor; under a JAX transformation it applies at once.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

from pyflame import staging
from pyflame.errors import ArgumentError
from pyflame.ops import activation, elementwise, linalg, reduction, shape
from pyflame.ops.shapes import Dims
from pyflame.tensors import (
    Tensor,
    apply,
    as_node,
    frozen_dims,
    reduce_args,
    reshape_args,
)


def eval(*tensors: Tensor) -> Any:
    """Computes the tensors together; returns the one, or a tuple of several.

    Raises: ArgumentError, if one is no Tensor.
    """
    staging.evaluate([_tensor("eval", x)._node for x in tensors])
    return tensors[0] if len(tensors) == 1 else tensors


def is_lazy(tensor: Tensor) -> bool:
    """Whether the tensor has not been computed yet."""
    return not _tensor("is_lazy", tensor).is_evaluated()


def _tensor(name: str, x: Any) -> Tensor:
    if not isinstance(x, Tensor):
        raise ArgumentError(
            f"{name}: {type(x).__name__} is no Tensor",
            help="make one with pf.tensor(...)",
        )
    return x


# arithmetic


def add(a: Any, b: Any) -> Any:
    """a + b."""
    return apply(elementwise.add, a, b)


def sub(a: Any, b: Any) -> Any:
    """a - b."""
    return apply(elementwise.sub, a, b)


def mul(a: Any, b: Any) -> Any:
    """a * b."""
    return apply(elementwise.mul, a, b)


def div(a: Any, b: Any) -> Any:
    """a / b; integers give float32."""
    return apply(elementwise.div, a, b)


def maximum(a: Any, b: Any) -> Any:
    """The larger of each pair of elements."""
    return apply(elementwise.maximum, a, b)


def minimum(a: Any, b: Any) -> Any:
    """The smaller of each pair of elements."""
    return apply(elementwise.minimum, a, b)


def where(condition: Any, a: Any, b: Any) -> Any:
    """a where the condition holds, b elsewhere."""
    return apply(elementwise.where, condition, a, b)


def matmul(a: Any, b: Any) -> Any:
    """[..., M, K] @ [..., K, N] -> [..., M, N].

    Raises: ShapeError, if the inner or the batch dimensions do not match.
    """
    return apply(linalg.matmul, a, b)


# element by element


def neg(x: Any) -> Any:
    """-x."""
    return apply(elementwise.neg, x)


def abs(x: Any) -> Any:
    """|x|."""
    return apply(elementwise.abs, x)


def sqrt(x: Any) -> Any:
    """Square root; NaN below 0."""
    return apply(elementwise.sqrt, x)


def exp(x: Any) -> Any:
    """e ** x."""
    return apply(elementwise.exp, x)


def log(x: Any) -> Any:
    """Natural logarithm; NaN below 0."""
    return apply(elementwise.log, x)


def sin(x: Any) -> Any:
    """Sine of radians."""
    return apply(elementwise.sin, x)


def cos(x: Any) -> Any:
    """Cosine of radians."""
    return apply(elementwise.cos, x)


def tanh(x: Any) -> Any:
    """Hyperbolic tangent."""
    return apply(elementwise.tanh, x)


# activations


def relu(x: Any) -> Any:
    """max(x, 0), with gradient 0 at 0."""
    return apply(activation.relu, x)


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x))."""
    return apply(activation.sigmoid, x)


def gelu(x: Any) -> Any:
    """x times the normal distribution function of x (exact, not the tanh form)."""
    return apply(activation.gelu, x)


def silu(x: Any) -> Any:
    """x * sigmoid(x)."""
    return apply(activation.silu, x)


def softmax(x: Any, dim: int = -1) -> Any:
    """exp(x) over its sum along `dim`.

    Raises: ShapeError, if `dim` is out of range.
    """
    return apply(activation.softmax, x, dim=dim)


def log_softmax(x: Any, dim: int = -1) -> Any:
    """log(softmax(x)), numerically stable.

    Raises: ShapeError, if `dim` is out of range.
    """
    return apply(activation.log_softmax, x, dim=dim)


# reductions


def sum(x: Any, dim: Dims = None, keepdim: bool = False) -> Any:
    """Sum over `dim`: an int, a tuple, or None for all."""
    return apply(reduction.sum, x, **reduce_args(dim, keepdim))


def mean(x: Any, dim: Dims = None, keepdim: bool = False) -> Any:
    """Mean over `dim`: an int, a tuple, or None for all."""
    return apply(reduction.mean, x, **reduce_args(dim, keepdim))


def max(x: Any, dim: Dims = None, keepdim: bool = False) -> Any:
    """Largest values over `dim`: an int, a tuple, or None for all."""
    return apply(reduction.max, x, **reduce_args(dim, keepdim))


def min(x: Any, dim: Dims = None, keepdim: bool = False) -> Any:
    """Smallest values over `dim`: an int, a tuple, or None for all."""
    return apply(reduction.min, x, **reduce_args(dim, keepdim))


# shapes


def reshape(x: Any, new_shape: Sequence[int] | int) -> Any:
    """Same elements in row-major order; one size may be -1.

    Raises: ShapeError, if the counts of elements differ.
    """
    return apply(shape.reshape, x, shape=reshape_args("reshape", new_shape))


def transpose(x: Any, dim0: int, dim1: int) -> Any:
    """Swaps two dimensions."""
    return apply(shape.transpose, x, dim0=dim0, dim1=dim1)


def squeeze(x: Any, dim: Dims = None) -> Any:
    """Removes dimensions of size 1: all of them, or those named."""
    return apply(shape.squeeze, x, dim=frozen_dims(dim))


def unsqueeze(x: Any, dim: int) -> Any:
    """Adds a dimension of size 1 at `dim`."""
    return apply(shape.unsqueeze, x, dim=dim)


def cat(tensors: Sequence[Any], dim: int = 0) -> Any:
    """Joins tensors along a dimension there is.

    Raises: ShapeError, if other dimensions differ; ArgumentError, if there are none.
    """
    return apply(shape.cat, *_some("cat", tensors), dim=dim)


def stack(tensors: Sequence[Any], dim: int = 0) -> Any:
    """Joins tensors of one shape along a new dimension.

    Raises: ShapeError, if shapes differ; ArgumentError, if there are none.
    """
    return apply(shape.stack, *_some("stack", tensors), dim=dim)


def _some(name: str, tensors: Sequence[Any]) -> Sequence[Any]:
    if not isinstance(tensors, (list, tuple)) or not tensors:
        raise ArgumentError(
            f"{name}: {tensors!r} is no list of tensors",
            rule=f"{name} joins a list or tuple of at least one tensor",
        )
    if builtins.any(as_node(x).is_literal for x in tensors):
        raise ArgumentError(
            f"{name}: a Python number has no dimensions to join",
            help="write pf.tensor([number])",
        )
    return tensors
