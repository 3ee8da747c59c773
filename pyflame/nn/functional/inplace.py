"""What `inplace=True` means for tensors whose values never change."""

from __future__ import annotations

from typing import Any

from pyflame.errors import ArgumentError
from pyflame.surface.in_place import change, check_changeable
from pyflame.tensors import Tensor


def replaced(name: str, input: Any, result: Any, inplace: bool) -> Any:
    """`result`; with `inplace` the Tensor `input`, which stands for it from now on.

    Values recorded from `input` before keep what they had.

    Raises: ArgumentError, for what is no Tensor, and as `x.relu_()` and the like: for
    a leaf that gradients are kept for, and for a view.
    """
    if not inplace:
        return result
    if not isinstance(input, Tensor):
        raise ArgumentError(
            f"{name}: inplace=True on a value of type {type(input).__name__}",
            rule="only a Tensor can stand for another value",
            help="use inplace=False, or pf.jit, which passes Tensors",
        )
    check_changeable(name, input)
    return change(name, input, result)
