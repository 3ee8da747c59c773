"""`pf.autograd`: gradients by backpropagation, as PyTorch spells it."""

from __future__ import annotations

from typing import Any

from pyflame.errors import ArgumentError
from pyflame.grad_mode import GradMode, enable_grad, no_grad
from pyflame.tensors import Tensor

__all__ = ["GradMode", "backward", "enable_grad", "no_grad"]


def backward(output: Tensor, grad_output: Any = None) -> None:
    """Adds to the `grad` of every leaf that `output` depends on.

    Leaves are floating tensors that no op computed, and parameters. `grad_output` is
    the gradient with respect to `output`: of its shape; one, if that is a scalar.

    Raises: ArgumentError, ShapeError or DTypeError, if there is nothing to do.
    """
    if not isinstance(output, Tensor):
        raise ArgumentError(
            f"backward: {type(output).__name__} is no Tensor",
            help="inside jax.jit or jax.grad, use jax.grad instead of backward",
        )
    output.backward(grad_output)
