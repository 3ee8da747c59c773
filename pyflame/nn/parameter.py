"""Parameters: Tensors that gradients end in and training changes."""

from __future__ import annotations

from typing import Any

from pyflame.creation import tensor
from pyflame.errors import ArgumentError
from pyflame.tensors import Tensor


def Parameter(data: Any, requires_grad: bool = True) -> Tensor:
    """A Tensor with the values of `data` that gradients end in: a leaf.

    Needed for results of ops; what `pf.zeros`, `pf.randn`, `pf.tensor` make is a leaf
    already. Without `requires_grad` it is frozen: nothing trains it.
    """
    values = tensor(data)
    leaf = values.detach()
    leaf._assign(values)
    return leaf if requires_grad else leaf.requires_grad_(False)


def check_leaf(owner: str, value: Tensor) -> None:
    """Raises: ArgumentError, if gradients would flow on through `value`."""
    if not value._node.is_source:
        raise ArgumentError(
            f"{owner}: a result of ops is no parameter",
            rule="a parameter is a tensor that gradients end in",
            help="wrap it in pf.nn.Parameter(...) to train it, or keep it with "
            "register_buffer",
        )
