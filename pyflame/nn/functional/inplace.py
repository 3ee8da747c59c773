"""What `inplace=True` means for tensors whose values never change."""

from __future__ import annotations

from typing import Any

from jax.core import Tracer

from pyflame.errors import ArgumentError
from pyflame.tensors import Tensor


def replaced(name: str, input: Any, result: Any, inplace: bool) -> Any:
    """`result`; with `inplace` the Tensor `input`, which stands for it from now on.

    Values recorded from `input` before keep what they had.

    Raises: ArgumentError, for a leaf, whose gradient would be lost (as in PyTorch),
    and for what is no Tensor.
    """
    if not inplace:
        return result
    if not isinstance(input, Tensor) or _is_leaf(input):
        raise ArgumentError(
            f"{name}: inplace=True on a tensor that is no result of an op",
            rule="parameters and data do not change in place",
            help="use inplace=False",
        )
    input._rebind(result._node)
    return input


def _is_leaf(tensor: Tensor) -> bool:
    """Inside a transformation of JAX, gradients are JAX's: nothing is a leaf there."""
    node = tensor._node
    return node.is_source and not isinstance(node.value, Tracer)
